//! The same content in another form: what a canonical format must refuse.

use crate::payload::{Columns, at, from_varints, varint, varints};
use alloy_primitives::U256;
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

type Form = fn(&mut Columns, &mut StdRng) -> Option<String>;

const FORMS: &[Form] = &[
    |columns, rng| amount(columns, at::VALUE, rng),
    |columns, rng| amount(columns, at::FEE, rng),
    |columns, rng| amount(columns, at::WORD, rng),
    |columns, rng| again(columns, at::GAS_REFS, at::GAS_NEW, rng),
    whole_again,
    known_address_again,
    other_class,
    word_as_whole,
    swapped,
    |columns, rng| kind(columns, rng),
];

/// Writes something of `columns` in another form; says what.
pub fn change(columns: &mut Columns, rng: &mut StdRng) -> Option<String> {
    FORMS.choose(rng).expect("not empty")(columns, rng)
}

/// An amount with another exponent, a leading zero, or an exponent on zero.
fn amount(
    columns: &mut Columns,
    [exponents, lengths, mantissas]: [usize; 3],
    rng: &mut StdRng,
) -> Option<String> {
    if columns[lengths].is_empty() {
        return None;
    }
    let entry = rng.random_range(0..columns[lengths].len());
    let begin: usize = columns[lengths][..entry]
        .iter()
        .map(|len| usize::from(*len))
        .sum();
    let end = begin + usize::from(columns[lengths][entry]);
    let mantissa = U256::try_from_be_slice(&columns[mantissas][begin..end])?;
    let how = rng.random_range(0..4);
    let (exponent, digits) = match how {
        0 => {
            let smaller = columns[exponents][entry].checked_sub(1)?;
            let larger = mantissa.checked_mul(U256::from(10))?;
            (smaller, larger.to_be_bytes_trimmed_vec())
        }
        1 => {
            let digits = [&[0][..], &columns[mantissas][begin..end]].concat();
            (columns[exponents][entry], digits)
        }
        2 => (
            columns[exponents][entry] + 1,
            mantissa.to_be_bytes_trimmed_vec(),
        ),
        _ => {
            let larger = mantissa.checked_mul(U256::from(10))?;
            (columns[exponents][entry], larger.to_be_bytes_trimmed_vec())
        }
    };
    columns[exponents][entry] = exponent;
    columns[lengths][entry] = digits.len() as u8;
    columns[mantissas].splice(begin..end, digits);
    Some(format!(
        "amount {entry} of column {mantissas} in form {how}"
    ))
}

/// A known number given as new, with the references behind it moved or not.
fn again(columns: &mut Columns, refs: usize, new: usize, rng: &mut StdRng) -> Option<String> {
    let (mut references, mut values) = (varints(&columns[refs]), varints(&columns[new]));
    let known: Vec<_> = (0..references.len())
        .filter(|i| references[*i] > 0)
        .collect();
    let entry = *known.choose(rng)?;
    let place = references[..entry].iter().filter(|r| **r == 0).count();
    let value = *values.get(references[entry] as usize - 1)?;
    values.insert(place, value);
    references[entry] = 0;
    if rng.random() {
        let behind = references[entry + 1..].iter_mut();
        behind.filter(|r| **r > place as u64).for_each(|r| *r += 1);
    }
    columns[refs] = from_varints(&references);
    columns[new] = from_varints(&values);
    Some(format!("value {value} given again as new in column {new}"))
}

fn whole_again(columns: &mut Columns, rng: &mut StdRng) -> Option<String> {
    let mut references = varints(&columns[at::WHOLE_REFS]);
    let known: Vec<_> = (0..references.len())
        .filter(|i| references[*i] > 0)
        .collect();
    let entry = *known.choose(rng)?;
    let place = references[..entry].iter().filter(|r| **r == 0).count() * 32;
    let from = (references[entry] as usize - 1) * 32;
    let word = columns[at::WHOLES].get(from..from + 32)?.to_vec();
    columns[at::WHOLES].splice(place..place, word);
    references[entry] = 0;
    columns[at::WHOLE_REFS] = from_varints(&references);
    Some("a whole word given again as new".to_owned())
}

/// The first recipient that is known from the start is written out.
fn known_address_again(columns: &mut Columns, rng: &mut StdRng) -> Option<String> {
    let lows = &columns[at::TO_REFS[0]];
    let highs = varints(&columns[at::TO_REFS[1]]);
    let known: Vec<_> = (0..lows.len())
        .filter(|i| (1..=14).contains(&lows[*i]) && highs[*i] == 0)
        .collect();
    let entry = *known.choose(rng)?;
    let reference = usize::from(lows[entry]);
    columns[at::TO_REFS[0]][entry] = 0;
    // Where new addresses of words and lists stand in between is not known here: the first place is as good as any.
    let place = rng.random_range(0..=columns[at::ADDRESSES].len() / 20) * 20;
    let address = KNOWN[reference - 1];
    columns[at::ADDRESSES].splice(place..place, address);
    Some(format!("known address {reference} given as new"))
}

/// The addresses of `FORMAT.md`, section 4.
const KNOWN: [[u8; 20]; 14] = {
    use alloy_primitives::address;
    use primitives::predeploys::*;
    [
        REVENUE_ROUTER.0.0,
        WRAPPED_OPEN.0.0,
        POOL_LEDGER.0.0,
        ASSET_REGISTRY.0.0,
        FEE_POLICY.0.0,
        MESSAGE_PASSER.0.0,
        L1_INFO.0.0,
        PRIORITY_FEE_VAULT.0.0,
        BASE_FEE_VAULT.0.0,
        DATA_FEE_VAULT.0.0,
        [0; 20],
        address!("ca11bde05977b3631167028862be2a173976ca11").0.0,
        address!("000000000022d473030f116ddee9f6b43ac78ba3").0.0,
        address!("4e59b44847b379578588920ca78fbf26c0b4956c").0.0,
    ]
};

/// Where word `entry` has its bytes, if its class has any.
fn word_bytes(columns: &Columns, entry: usize) -> std::ops::Range<usize> {
    let width = |head: &u8| match head {
        1..=16 => usize::from(*head),
        0x21..=0x34 => usize::from(head - 0x20),
        _ => 0,
    };
    let heads = &columns[at::WORD_HEADS];
    let begin = heads[..entry].iter().map(width).sum();
    begin..begin + width(&heads[entry])
}

/// A small word as a number, a number one byte longer, left-aligned bytes with a zero behind them, or one aligned the other way.
fn other_class(columns: &mut Columns, rng: &mut StdRng) -> Option<String> {
    let heads = &columns[at::WORD_HEADS];
    let fits: Vec<_> = (0..heads.len())
        .filter(|i| !matches!(heads[*i], 0x40..=0x42))
        .collect();
    let entry = *fits.choose(rng)?;
    let range = word_bytes(columns, entry);
    let head = columns[at::WORD_HEADS][entry];
    let mut bytes = columns[at::WORD_BYTES].get(range.clone())?.to_vec();
    let new_head = match head {
        0x80.. if rng.random() => {
            bytes = vec![head & 0x7f];
            1
        }
        0x80.. => {
            bytes = vec![head & 0x7f];
            0x21
        }
        1..=16 if rng.random() => {
            bytes.insert(0, 0);
            head + 1
        }
        1..=16 => head + 0x20,
        0x21..=0x30 if rng.random() => head - 0x20,
        _ => {
            bytes.push(0);
            head + 1
        }
    };
    columns[at::WORD_HEADS][entry] = new_head;
    columns[at::WORD_BYTES].splice(range, bytes);
    Some(format!(
        "word {entry} with head {new_head:#x} instead of {head:#x}"
    ))
}

/// A word whose bytes are known, as a whole one.
fn word_as_whole(columns: &mut Columns, rng: &mut StdRng) -> Option<String> {
    let heads = &columns[at::WORD_HEADS];
    let fits: Vec<_> = (0..heads.len())
        .filter(|i| !matches!(heads[*i], 0x40..=0x42))
        .collect();
    let entry = *fits.choose(rng)?;
    let head = heads[entry];
    let range = word_bytes(columns, entry);
    let bytes: Vec<u8> = columns[at::WORD_BYTES].splice(range, []).collect();
    let mut word = [0; 32];
    match head {
        0x80.. => word[31] = head & 0x7f,
        1..=16 => word[32 - bytes.len()..].copy_from_slice(&bytes),
        _ => word[..bytes.len()].copy_from_slice(&bytes),
    }
    let earlier = columns[at::WORD_HEADS][..entry]
        .iter()
        .filter(|h| **h == 0x42)
        .count();
    let mut references = varints(&columns[at::WHOLE_REFS]);
    let place = references
        .get(..earlier)?
        .iter()
        .filter(|r| **r == 0)
        .count()
        * 32;
    references.insert(earlier, 0);
    columns[at::WORD_HEADS][entry] = 0x42;
    columns[at::WHOLE_REFS] = from_varints(&references);
    columns[at::WHOLES].splice(place..place, word);
    Some(format!("word {entry} of head {head:#x} as a whole one"))
}

/// Two new addresses or whole words in the other order: another batch, and a valid one if nothing refers to them but in order.
fn swapped(columns: &mut Columns, rng: &mut StdRng) -> Option<String> {
    let (column, width) = *[(at::ADDRESSES, 20), (at::WHOLES, 32)].choose(rng)?;
    let entries = columns[column].len() / width;
    let (a, b) = (
        rng.random_range(0..entries.max(1)),
        rng.random_range(0..entries.max(1)),
    );
    if a == b {
        return None;
    }
    for i in 0..width {
        columns[column].swap(a * width + i, b * width + i);
    }
    Some(format!("entries {a} and {b} of column {column} swapped"))
}

/// Another kind, often one with the same fields.
fn kind(columns: &mut Columns, rng: &mut StdRng) -> Option<String> {
    let entries = columns[at::KINDS].len();
    let entry = rng.random_range(0..entries.max(1));
    let old = *columns[at::KINDS].get(entry)?;
    let new = *[0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 16, 0x80].choose(rng)?;
    columns[at::KINDS][entry] = new;
    Some(format!("kind {new} instead of {old}"))
}

/// The numbers of two columns that a split reference uses, and whether every high part fits; for tests of long dictionaries.
pub fn splits(columns: &Columns, [low, high]: [usize; 2]) -> Vec<u64> {
    let mut at = 0;
    columns[low]
        .iter()
        .filter_map(|low| {
            let (value, end) = varint(&columns[high], at)?;
            at = end;
            Some(u64::from(*low) | value << 8)
        })
        .collect()
}

//! Why bytes are not a transaction, in the words of geth's decoder.
//!
//! Only asked after decoding has failed: it walks the bytes field by field as geth does and names the first thing
//! that does not fit. It decides nothing; a form that geth would read and we do not is answered by the check that
//! refuses it there.
//!
//! Absent on purpose: the network form of blob transactions, which the embedded L1 takes apart itself.

/// geth's `common.Address` and `common.Hash` in bytes.
const ADDRESS: usize = 20;
const HASH: usize = 32;

/// What geth answers to `raw`, which is no transaction of anybody.
pub fn text(raw: &[u8]) -> String {
    match why(raw) {
        Err(Why::Text(text)) => text.to_owned(),
        // Errors of the bare stream name no type.
        Err(Why::At { what, kind: "", .. }) => format!("rlp: {what}"),
        Err(Why::At { what, kind, path }) => {
            let place: String = path.iter().rev().map(String::as_str).collect();
            match path.is_empty() {
                true => format!("rlp: {what} for {kind}"),
                false => format!("rlp: {what} for {kind}, decoding into {place}"),
            }
        }
        // The end of a list where no list was begun.
        Err(Why::End) => "EOF".to_owned(),
        // geth reads it: then a number is larger than any that could be paid, or nobody signed it.
        Ok(()) => "invalid sender: invalid transaction v, r, s values".to_owned(),
    }
}

enum Why {
    Text(&'static str),
    At {
        what: &'static str,
        kind: &'static str,
        /// Innermost first.
        path: Vec<String>,
    },
    /// The enclosing list has no more elements.
    End,
}

const TOO_LARGE: Why = Why::Text("rlp: value size exceeds available input length");
const ELEMENT_TOO_LARGE: Why = Why::Text("rlp: element is larger than containing list");

fn at(what: &'static str, kind: &'static str) -> Why {
    Why::At {
        what,
        kind,
        path: Vec::new(),
    }
}

fn inside(why: Why, step: String) -> Why {
    match why {
        Why::At {
            what,
            kind,
            mut path,
        } => {
            path.push(step);
            Why::At { what, kind, path }
        }
        other => other,
    }
}

fn why(raw: &[u8]) -> Result<(), Why> {
    let (kind, fields, body) = match raw.first() {
        Some(0x80..) => ("types.LegacyTx", LEGACY, raw),
        _ if raw.len() <= 1 => return Err(Why::Text("typed transaction too short")),
        Some(1) => ("types.AccessListTx", ACCESS_LIST, &raw[1..]),
        Some(2) => ("types.DynamicFeeTx", DYNAMIC_FEE, &raw[1..]),
        Some(3) => ("types.BlobTx", BLOB, &raw[1..]),
        Some(4) => ("types.SetCodeTx", SET_CODE, &raw[1..]),
        _ => return Err(Why::Text("transaction type not supported")),
    };
    let mut stream = Stream {
        rest: body,
        lists: Vec::new(),
    };
    structure(&mut stream, kind, fields).map_err(|why| match why {
        Why::At { ref path, .. } if !path.is_empty() => inside(why, format!("({kind})")),
        why => why,
    })?;
    match stream.rest {
        [] => Ok(()),
        _ => Err(Why::Text("rlp: input contains more than one value")),
    }
}

/// How geth declares a field.
#[derive(Clone, Copy)]
enum Form {
    Uint(&'static str, usize),
    Big,
    U256,
    /// May be empty.
    To,
    Address,
    Hash,
    Bytes,
    AccessList,
    StorageKeys,
    BlobHashes,
    Authorizations,
}

use Form::{
    AccessList, Address, Authorizations, Big, BlobHashes, Bytes, Hash, StorageKeys, To, U256, Uint,
};

type Fields = &'static [(&'static str, Form)];

const U64: Form = Uint("uint64", 8);
const LEGACY: Fields = &[
    ("Nonce", U64),
    ("GasPrice", Big),
    ("Gas", U64),
    ("To", To),
    ("Value", Big),
    ("Data", Bytes),
    ("V", Big),
    ("R", Big),
    ("S", Big),
];
const ACCESS_LIST: Fields = &[
    ("ChainID", Big),
    ("Nonce", U64),
    ("GasPrice", Big),
    ("Gas", U64),
    ("To", To),
    ("Value", Big),
    ("Data", Bytes),
    ("AccessList", AccessList),
    ("V", Big),
    ("R", Big),
    ("S", Big),
];
const DYNAMIC_FEE: Fields = &[
    ("ChainID", Big),
    ("Nonce", U64),
    ("GasTipCap", Big),
    ("GasFeeCap", Big),
    ("Gas", U64),
    ("To", To),
    ("Value", Big),
    ("Data", Bytes),
    ("AccessList", AccessList),
    ("V", Big),
    ("R", Big),
    ("S", Big),
];
const BLOB: Fields = &[
    ("ChainID", U256),
    ("Nonce", U64),
    ("GasTipCap", U256),
    ("GasFeeCap", U256),
    ("Gas", U64),
    ("To", Address),
    ("Value", U256),
    ("Data", Bytes),
    ("AccessList", AccessList),
    ("BlobFeeCap", U256),
    ("BlobHashes", BlobHashes),
    ("V", U256),
    ("R", U256),
    ("S", U256),
];
const SET_CODE: Fields = &[
    ("ChainID", U256),
    ("Nonce", U64),
    ("GasTipCap", U256),
    ("GasFeeCap", U256),
    ("Gas", U64),
    ("To", Address),
    ("Value", U256),
    ("Data", Bytes),
    ("AccessList", AccessList),
    ("AuthList", Authorizations),
    ("V", U256),
    ("R", U256),
    ("S", U256),
];
const ACCESS_TUPLE: Fields = &[("Address", Address), ("StorageKeys", StorageKeys)];
const AUTHORIZATION: Fields = &[
    ("ChainID", U256),
    ("Address", Address),
    ("Nonce", U64),
    ("V", Uint("uint8", 1)),
    ("R", U256),
    ("S", U256),
];

fn structure(stream: &mut Stream<'_>, kind: &'static str, fields: Fields) -> Result<(), Why> {
    stream.open(kind)?;
    for (name, form) in fields {
        match field(stream, *form) {
            Ok(()) => {}
            Err(Why::End) => return Err(at("too few elements", kind)),
            Err(why) => return Err(inside(why, format!(".{name}"))),
        }
    }
    stream.close(kind)
}

fn field(stream: &mut Stream<'_>, form: Form) -> Result<(), Why> {
    match form {
        Uint(kind, bytes_max) => integer(stream, kind, bytes_max, "input string too long"),
        Big => integer(stream, "*big.Int", usize::MAX, ""),
        U256 => integer(stream, "*uint256.Int", 32, "value too large for uint256"),
        Bytes => stream.string("[]uint8").map(|_| ()),
        Address => array(stream, "common.Address", ADDRESS),
        Hash => array(stream, "common.Hash", HASH),
        To => match stream.next().map_err(|why| typed(why, "*common.Address"))? {
            Item::String([]) => Ok(()),
            Item::List(0) => Err(at(
                "wrong kind of empty value (got List, want String)",
                "*common.Address",
            )),
            item => sized(&item, "common.Address", ADDRESS),
        },
        AccessList => list(stream, "types.AccessList", |stream| {
            structure(stream, "types.AccessTuple", ACCESS_TUPLE)
        }),
        Authorizations => list(stream, "[]types.SetCodeAuthorization", |stream| {
            structure(stream, "types.SetCodeAuthorization", AUTHORIZATION)
        }),
        StorageKeys | BlobHashes => list(stream, "[]common.Hash", |stream| field(stream, Hash)),
    }
}

fn list(
    stream: &mut Stream<'_>,
    kind: &'static str,
    mut element: impl FnMut(&mut Stream<'_>) -> Result<(), Why>,
) -> Result<(), Why> {
    stream.open(kind)?;
    for index in 0.. {
        match element(stream) {
            Ok(()) => {}
            Err(Why::End) => break,
            Err(why) => return Err(inside(why, format!("[{index}]"))),
        }
    }
    stream.close(kind)
}

fn integer(
    stream: &mut Stream<'_>,
    kind: &'static str,
    bytes_max: usize,
    too_long: &'static str,
) -> Result<(), Why> {
    let bytes = match stream.next().map_err(|why| typed(why, kind))? {
        Item::Byte(0) => return Err(at("non-canonical integer (leading zero bytes)", kind)),
        Item::Byte(_) => return Ok(()),
        Item::String(bytes) => bytes,
        Item::List(_) => return Err(at("expected input string or byte", kind)),
    };
    match bytes {
        bytes if bytes.len() > bytes_max => Err(at(too_long, kind)),
        [byte] if *byte < 0x80 && *byte > 0 => Err(at("non-canonical size information", kind)),
        // A single zero byte in a string is the one as much as the other; geth looks at the size first but for uints.
        [0] if !kind.starts_with("uint") => Err(at("non-canonical size information", kind)),
        [0, ..] => Err(at("non-canonical integer (leading zero bytes)", kind)),
        _ => Ok(()),
    }
}

fn array(stream: &mut Stream<'_>, kind: &'static str, length: usize) -> Result<(), Why> {
    let item = stream.next()?;
    sized(&item, kind, length)
}

fn sized(item: &Item<'_>, kind: &'static str, length: usize) -> Result<(), Why> {
    match item {
        Item::Byte(_) => Err(at("input string too short", kind)),
        Item::String(bytes) if bytes.len() > length => Err(at("input string too long", kind)),
        Item::String(bytes) if bytes.len() < length => Err(at("input string too short", kind)),
        Item::String(_) => Ok(()),
        Item::List(_) => Err(at("expected input string or byte", kind)),
    }
}

/// An error of the stream that names the type it was read for.
fn typed(why: Why, kind: &'static str) -> Why {
    match why {
        Why::At { what, path, .. } => Why::At { what, kind, path },
        other => other,
    }
}

enum Item<'a> {
    Byte(u8),
    String(&'a [u8]),
    /// With the bytes that its elements take.
    List(usize),
}

/// RLP read from the front, with the lists that are open.
struct Stream<'a> {
    rest: &'a [u8],
    /// Bytes left of each open list, the innermost last.
    lists: Vec<usize>,
}

impl<'a> Stream<'a> {
    /// `count` bytes, if the innermost list and the input hold them.
    fn take(&mut self, count: usize) -> Result<&'a [u8], Why> {
        if let Some(left) = self.lists.last_mut() {
            *left = left.checked_sub(count).ok_or(ELEMENT_TOO_LARGE)?;
        }
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(TOO_LARGE)?;
        self.rest = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, Why> {
        Ok(self.take(1)?[0])
    }

    /// The next item; of a list only its head.
    fn next(&mut self) -> Result<Item<'a>, Why> {
        match self.lists.last() {
            Some(0) => return Err(Why::End),
            None if self.rest.is_empty() => return Err(Why::End),
            _ => {}
        }
        let head = self.byte()?;
        match head {
            0..0x80 => Ok(Item::Byte(head)),
            0x80..0xb8 => self.fits(head as usize - 0x80).map(Item::String),
            0xb8..0xc0 => {
                let size = self.size(head as usize - 0xb7)?;
                self.fits(size).map(Item::String)
            }
            0xc0..0xf8 => self.announced(head as usize - 0xc0).map(Item::List),
            0xf8.. => {
                let size = self.size(head as usize - 0xf7)?;
                self.announced(size).map(Item::List)
            }
        }
    }

    /// A length in `bytes` bytes, which must be needed.
    fn size(&mut self, bytes: usize) -> Result<usize, Why> {
        let digits = self.take(bytes)?;
        let not_canonical = digits[0] == 0 || (bytes == 1 && digits[0] < 56);
        if not_canonical {
            return Err(at("non-canonical size information", ""));
        }
        let size = digits
            .iter()
            .fold(0u64, |size, digit| size << 8 | u64::from(*digit));
        usize::try_from(size).map_err(|_| TOO_LARGE)
    }

    /// That much content is there.
    fn announced(&self, size: usize) -> Result<usize, Why> {
        if self.lists.last().is_some_and(|left| size > *left) {
            return Err(ELEMENT_TOO_LARGE);
        }
        if size > self.rest.len() {
            return Err(TOO_LARGE);
        }
        Ok(size)
    }

    fn fits(&mut self, size: usize) -> Result<&'a [u8], Why> {
        self.announced(size)?;
        self.take(size)
    }

    fn string(&mut self, kind: &'static str) -> Result<(), Why> {
        match self.next().map_err(|why| typed(why, kind))? {
            Item::Byte(_) => Ok(()),
            Item::String([byte]) if *byte < 0x80 => Err(at("non-canonical size information", kind)),
            Item::String(_) => Ok(()),
            Item::List(_) => Err(at("expected input string or byte", kind)),
        }
    }

    fn open(&mut self, kind: &'static str) -> Result<(), Why> {
        match self.next().map_err(|why| typed(why, kind))? {
            Item::List(size) => {
                if let Some(left) = self.lists.last_mut() {
                    *left -= size;
                }
                self.lists.push(size);
                Ok(())
            }
            _ => Err(at("expected input list", kind)),
        }
    }

    fn close(&mut self, kind: &'static str) -> Result<(), Why> {
        match self.lists.pop() {
            Some(0) | None => Ok(()),
            Some(_) => Err(at("input list has too many elements", kind)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::hex;
    use primitives::Transaction;

    fn check(raw: &str, want: &str) {
        let raw = hex::decode(raw).unwrap();
        let decoded = Transaction::decode(&raw).and_then(|tx| tx.recover());
        assert!(decoded.is_err() || raw[0] == 0x7e, "{}", hex::encode(&raw));
        assert_eq!(text(&raw), want, "{}", hex::encode(&raw));
    }

    #[test]
    fn less_than_two_bytes_are_too_short() {
        for raw in ["", "00", "01", "02", "7f"] {
            check(raw, "typed transaction too short");
        }
    }

    #[test]
    fn unknown_types_are_not_supported() {
        for raw in ["00c0", "05c0", "7ec0", "7f00ff"] {
            check(raw, "transaction type not supported");
        }
    }

    #[test]
    fn from_0x80_on_it_is_a_legacy_transaction() {
        check("80", "rlp: expected input list for types.LegacyTx");
        check("a0", "rlp: value size exceeds available input length");
        check("c0", "rlp: too few elements for types.LegacyTx");
        check("deadbeef", "rlp: value size exceeds available input length");
        check("f8", "rlp: value size exceeds available input length");
        check(
            "f801",
            "rlp: non-canonical size information for types.LegacyTx",
        );
        check(
            "f90038",
            "rlp: non-canonical size information for types.LegacyTx",
        );
        check(
            "ffffffffffffffffff",
            "rlp: value size exceeds available input length",
        );
    }

    #[test]
    fn a_field_is_named() {
        check(
            "c100",
            "rlp: non-canonical integer (leading zero bytes) for uint64, decoding into (types.LegacyTx).Nonce",
        );
        check(
            "ca89010203040506070809",
            "rlp: input string too long for uint64, decoding into (types.LegacyTx).Nonce",
        );
        check(
            "c28101",
            "rlp: non-canonical size information for uint64, decoding into (types.LegacyTx).Nonce",
        );
        check(
            "c1c0",
            "rlp: expected input string or byte for uint64, decoding into (types.LegacyTx).Nonce",
        );
        check(
            "c401820001",
            "rlp: non-canonical integer (leading zero bytes) for *big.Int, decoding into (types.LegacyTx).GasPrice",
        );
        check(
            "c401010101",
            "rlp: input string too short for common.Address, decoding into (types.LegacyTx).To",
        );
        check(
            "c4010101c0",
            "rlp: wrong kind of empty value (got List, want String) for *common.Address, decoding into (types.LegacyTx).To",
        );
        check("c58080808080", "rlp: too few elements for types.LegacyTx");
        check(
            "c6808080808083",
            "rlp: element is larger than containing list",
        );
    }

    #[test]
    fn typed_payloads_have_their_own_names() {
        check("01c0", "rlp: too few elements for types.AccessListTx");
        check("02c0", "rlp: too few elements for types.DynamicFeeTx");
        check("03c0", "rlp: too few elements for types.BlobTx");
        check("04c0", "rlp: too few elements for types.SetCodeTx");
        check("0280", "rlp: expected input list for types.DynamicFeeTx");
        check("02f8", "rlp: value size exceeds available input length");
        check(
            "02c5808080",
            "rlp: value size exceeds available input length",
        );
        check("02c080", "rlp: too few elements for types.DynamicFeeTx");
        check(
            "02c9808080808080808001",
            "rlp: expected input list for types.AccessList, decoding into (types.DynamicFeeTx).AccessList",
        );
        check(
            "02cb8080808080808080c2c101",
            "rlp: input string too short for common.Address, decoding into (types.DynamicFeeTx).AccessList[0].Address",
        );
        check(
            "02ca8080808080808080c1c0",
            "rlp: too few elements for types.AccessTuple, decoding into (types.DynamicFeeTx).AccessList[0]",
        );
    }

    #[test]
    fn what_follows_the_list_is_too_much() {
        check(
            "02cd8080808080808080c08080808080",
            "rlp: input list has too many elements for types.DynamicFeeTx",
        );
        check(
            "02cc8080808080808080c080808000",
            "rlp: input contains more than one value",
        );
    }

    #[test]
    fn what_geth_reads_is_refused_for_its_signature() {
        // A gas price of 17 bytes is a number to geth.
        check(
            "da8091010101010101010101010101010101010180808080808080",
            "invalid sender: invalid transaction v, r, s values",
        );
    }
}

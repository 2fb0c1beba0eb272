//! Amounts as people write them: digits times a power of ten.

use crate::{Invalid, bytes::Reader};
use alloc::vec::Vec;
use alloy_primitives::U256;

/// Largest exponent: 10^77 < 2^256.
const EXPONENT_MAX: u8 = 77;

/// `(mantissa, exponent)` with `value = mantissa * 10^exponent` and the largest exponent; zero is `(0, 0)`.
pub(crate) fn normal_form(value: U256) -> (U256, u8) {
    if value.is_zero() {
        return (value, 0);
    }
    let mut mantissa = value;
    let mut exponent = 0;
    // Four times 16 is the most that fits; then what is left, by halves.
    for step in [16u8, 16, 16, 16, 8, 4, 2, 1] {
        let power = 10u64.pow(step.into());
        if let Ok(small) = u128::try_from(mantissa) {
            if small.is_multiple_of(power.into()) {
                mantissa = U256::from(small / u128::from(power));
                exponent += step;
            }
        } else {
            let (quotient, rest) = mantissa.div_rem(U256::from(power));
            if rest.is_zero() {
                mantissa = quotient;
                exponent += step;
            }
        }
    }
    (mantissa, exponent)
}

/// Three columns: exponents, lengths of mantissas, mantissas in big-endian bytes.
pub(crate) fn put([exponents, lengths, mantissas]: [&mut Vec<u8>; 3], value: U256) {
    let (mantissa, exponent) = normal_form(value);
    let len = mantissa.byte_len();
    exponents.push(exponent);
    lengths.push(len as u8);
    mantissas.extend_from_slice(mantissa.to_be_bytes::<32>().get(32 - len..).unwrap_or(&[]));
}

pub(crate) fn read([exponents, lengths, mantissas]: [&mut Reader<'_>; 3]) -> Result<U256, Invalid> {
    let exponent = exponents.byte()?;
    let len = lengths.byte()?;
    if exponent > EXPONENT_MAX || len > 32 {
        return Err(Invalid::Decimal);
    }
    let digits = mantissas.take(len.into())?;
    let mantissa = U256::from_be_slice(digits);
    let power = U256::from(10)
        .checked_pow(U256::from(exponent))
        .ok_or(Invalid::Decimal)?;
    let value = mantissa.checked_mul(power).ok_or(Invalid::Decimal)?;
    if digits.first() == Some(&0) || normal_form(value) != (mantissa, exponent) {
        return Err(Invalid::Decimal);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use proptest::prelude::*;

    fn round(value: U256) -> U256 {
        let mut columns = [vec![], vec![], vec![]];
        put(columns.each_mut(), value);
        let mut readers = columns.each_ref().map(|c| Reader(c));
        let read = read(readers.each_mut()).unwrap();
        assert!(readers.iter().all(Reader::is_empty));
        read
    }

    fn refused(exponent: u8, mantissa: &[u8]) -> bool {
        let len = [mantissa.len() as u8];
        read([
            &mut Reader(&[exponent]),
            &mut Reader(&len),
            &mut Reader(mantissa),
        ])
        .is_err()
    }

    #[test]
    fn every_power_of_ten_survives() {
        for exponent in 0..=77u64 {
            let value = U256::from(10).pow(U256::from(exponent));
            assert_eq!(normal_form(value), (U256::from(1), exponent as u8));
            assert_eq!(round(value), value);
        }
        assert_eq!(round(U256::ZERO), U256::ZERO);
        assert_eq!(round(U256::MAX), U256::MAX);
    }

    #[test]
    fn forms_that_are_not_normal_are_refused() {
        assert!(refused(0, &[10]));
        assert!(refused(1, &[]));
        assert!(refused(0, &[0, 1]));
        assert!(refused(78, &[1]));
        assert!(refused(77, &[2]));
        assert!(refused(1, &[0xff; 32]));
        assert!(!refused(76, &[3]));
    }

    proptest! {
        #[test]
        fn any_amount_survives(m in any::<u128>(), e in 0u64..39) {
            let value = U256::from(m).saturating_mul(U256::from(10).pow(U256::from(e)));
            prop_assert_eq!(round(value), value);
        }
    }
}

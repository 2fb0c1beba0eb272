//! The form of a withdrawal that asks to be carried.

use alloy_primitives::{Address, Bytes, U256};
use alloy_sol_types::SolCall;
use bindings::relay_fee::RelayFee;
use primitives::withdrawal::Withdrawal;

/// What a withdrawal pays to whoever finalises it, wei of OPEN; `None` if it does not ask to be carried.
pub fn offered(withdrawal: &Withdrawal, relay_fee: Address) -> Option<U256> {
    if withdrawal.target != relay_fee || relay_fee.is_zero() {
        return None;
    }
    let pay = RelayFee::payCall::abi_decode(&withdrawal.data).ok()?;
    // A fee above the value would make the call fail.
    (pay.fee <= withdrawal.value).then_some(pay.fee)
}

/// Calldata of a withdrawal that gives `fee` of its value to whoever finalises it, and the rest to `to`.
pub fn offer(to: Address, fee: U256) -> Bytes {
    RelayFee::payCall { to, fee }.abi_encode().into()
}

/// Gas that the call needs on L1: two transfers of the token, to accounts that may be new.
pub const GAS: u64 = 150_000;

#[cfg(test)]
mod tests {
    use super::*;

    const CONTRACT: Address = Address::repeat_byte(0xfe);

    fn withdrawal(target: Address, value: u64, data: Bytes) -> Withdrawal {
        Withdrawal {
            nonce: U256::ZERO,
            sender: Address::ZERO,
            target,
            value: U256::from(value),
            gas_limit: U256::ZERO,
            data,
        }
    }

    #[test]
    fn an_offer_is_read_back() {
        let data = offer(Address::repeat_byte(1), U256::from(7));
        let asked = withdrawal(CONTRACT, 10, data);
        assert_eq!(offered(&asked, CONTRACT), Some(U256::from(7)));
    }

    #[test]
    fn more_than_the_value_is_no_offer() {
        let data = offer(Address::repeat_byte(1), U256::from(11));
        assert_eq!(offered(&withdrawal(CONTRACT, 10, data), CONTRACT), None);
    }

    #[test]
    fn other_targets_and_other_data_are_no_offer() {
        let data = offer(Address::repeat_byte(1), U256::from(7));
        let elsewhere = withdrawal(Address::repeat_byte(2), 10, data);
        assert_eq!(offered(&elsewhere, CONTRACT), None);
        let garbage = withdrawal(CONTRACT, 10, Bytes::from_static(b"hello"));
        assert_eq!(offered(&garbage, CONTRACT), None);
    }

    #[test]
    fn a_network_without_the_contract_has_no_offers() {
        let data = offer(Address::repeat_byte(1), U256::from(7));
        assert_eq!(
            offered(&withdrawal(Address::ZERO, 10, data), Address::ZERO),
            None
        );
    }
}

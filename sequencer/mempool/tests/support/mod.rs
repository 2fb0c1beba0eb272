//! Transactions without signatures: the pool never looks at one.

use alloy_consensus::{SignableTransaction, TxEip1559, TxLegacy};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256, keccak256};
use primitives::{CheckedTx, Transaction};
use std::sync::Arc;

/// Sender number `n`.
pub fn address(n: u32) -> Address {
    Address::left_padding_from(&(n + 1).to_be_bytes())
}

/// A transfer of `value` by sender `n` with gas 21000.
pub fn transfer(n: u32, nonce: u64, max_fee: u128, tip: u128, value: u64) -> Arc<CheckedTx> {
    let to = TxKind::Call(Address::repeat_byte(0xee));
    let signature = Signature::test_signature();
    // The input tells senders apart, as their signatures would.
    let input = Bytes::copy_from_slice(&n.to_be_bytes());
    let value = U256::from(value);
    let tx = if max_fee == tip {
        TxLegacy {
            chain_id: Some(1),
            nonce,
            gas_price: max_fee,
            gas_limit: 21_000,
            to,
            value,
            input,
        }
        .into_signed(signature)
        .into()
    } else {
        TxEip1559 {
            chain_id: 1,
            nonce,
            gas_limit: 21_000,
            max_fee_per_gas: max_fee,
            max_priority_fee_per_gas: tip,
            to,
            value,
            access_list: Default::default(),
            input,
        }
        .into_signed(signature)
        .into()
    };
    checked(Transaction::Signed(tx), address(n))
}

/// Wraps a transaction with a sender of our choice.
pub fn checked(tx: Transaction, sender: Address) -> Arc<CheckedTx> {
    let raw = Bytes::from(tx.encode());
    let hash = keccak256(&raw);
    Arc::new(CheckedTx {
        tx,
        raw,
        hash,
        sender,
    })
}

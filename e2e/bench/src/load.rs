//! Transactions signed before the clock runs.
//!
//! Keys, recipients and amounts follow from numbers, so the same load goes to both nodes and to the next run. A load is
//! a table: one column for each sender, one row for each nonce, sent row by row.

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use rayon::prelude::*;
use secp256k1::{Message, PublicKey, SECP256K1, SecretKey};

/// Chain id of both nodes: the development network's.
pub const CHAIN_ID: u64 = 902;
/// Above anvil's first base fee, 1 gwei, which falls from there.
const FEE_WEI: u128 = 2_000_000_000;
/// Wallets do not all offer the same; this many different fees, a thousandth apart.
const FEES: u64 = 16;
/// The same for everyone, so that both pools keep the order of arrival.
const TIP_WEI: u128 = 1_000_000;

/// A key and its address.
#[derive(Debug, Clone)]
pub struct Account {
    key: SecretKey,
    /// Its address.
    pub address: Address,
}

impl Account {
    /// From the key's 32 bytes.
    pub fn new(key: [u8; 32]) -> anyhow::Result<Self> {
        let key = SecretKey::from_byte_array(key)?;
        let public = PublicKey::from_secret_key(SECP256K1, &key).serialize_uncompressed();
        let address = Address::from_slice(&keccak256(&public[1..])[12..]);
        Ok(Self { key, address })
    }

    /// `count` accounts of a name; the same every time.
    pub fn many(name: &str, count: usize) -> anyhow::Result<Vec<Self>> {
        (0..count)
            .into_par_iter()
            .map(|index| Self::new(word(name, index as u64).0))
            .collect()
    }

    /// Signs a transaction with this nonce.
    pub fn sign(&self, nonce: u64, call: Call) -> Vec<u8> {
        let fee = FEE_WEI + FEE_WEI / 1_000 * u128::from(call.salt % FEES);
        let tx = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit: call.gas_max,
            max_fee_per_gas: fee,
            max_priority_fee_per_gas: TIP_WEI,
            to: call.to,
            value: call.value,
            access_list: Default::default(),
            input: call.input,
        };
        let digest = Message::from_digest(tx.signature_hash().0);
        let signed = SECP256K1.sign_ecdsa_recoverable(digest, &self.key);
        let (parity, bytes) = signed.serialize_compact();
        let signature = Signature::from_bytes_and_parity(&bytes, i32::from(parity) & 1 == 1);
        tx.into_signed(signature).encoded_2718()
    }
}

/// What a transaction does.
#[derive(Debug, Clone)]
pub struct Call {
    /// Whom it calls.
    pub to: TxKind,
    /// OPEN or ETH sent along, wei.
    pub value: U256,
    /// Gas limit.
    pub gas_max: u64,
    /// Calldata, or init code.
    pub input: Bytes,
    /// Chooses among the fees.
    pub salt: u64,
}

impl Call {
    /// Sends `value` to `to`.
    pub fn transfer(to: Address, value: U256, gas_max: u64) -> Self {
        Self::to(to, value, gas_max, Bytes::new())
    }

    /// Calls `to`.
    pub fn to(to: Address, value: U256, gas_max: u64, input: Bytes) -> Self {
        Self {
            to: TxKind::Call(to),
            value,
            gas_max,
            input,
            salt: 0,
        }
    }
}

/// A word that follows from a name and a number, and looks random.
pub fn word(name: &str, number: u64) -> B256 {
    keccak256([name.as_bytes(), &number.to_be_bytes()].concat())
}

/// Signed transactions, row by row, in one piece of memory.
pub struct Load {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    senders: usize,
}

impl Load {
    /// Signs `rows` transactions of each sender, nonces from 0 on. `call` is told the transaction's index.
    pub fn sign(senders: &[Account], rows: usize, call: impl Fn(u64) -> Call + Sync) -> Self {
        const PIECE: usize = 4_096;
        let total = rows * senders.len();
        let pieces: Vec<(Vec<u8>, Vec<usize>)> = (0..total.div_ceil(PIECE))
            .into_par_iter()
            .map(|piece| {
                let mut bytes = Vec::new();
                let mut lengths = Vec::new();
                for index in piece * PIECE..((piece + 1) * PIECE).min(total) {
                    let sender = &senders[index % senders.len()];
                    let raw = sender.sign((index / senders.len()) as u64, call(index as u64));
                    lengths.push(raw.len());
                    bytes.extend_from_slice(&raw);
                }
                (bytes, lengths)
            })
            .collect();
        let mut bytes = Vec::with_capacity(pieces.iter().map(|(bytes, _)| bytes.len()).sum());
        let mut ends = Vec::with_capacity(total);
        for (piece, lengths) in pieces {
            let mut end = bytes.len();
            bytes.extend_from_slice(&piece);
            for length in lengths {
                end += length;
                ends.push(end);
            }
        }
        Self {
            bytes,
            ends,
            senders: senders.len(),
        }
    }

    /// The transaction at `index`, which is `row * senders + sender`.
    pub fn raw(&self, index: usize) -> &[u8] {
        let begin = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.bytes[begin..self.ends[index]]
    }

    /// Transactions in it.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Columns.
    pub const fn senders(&self) -> usize {
        self.senders
    }

    /// Transactions of one sender.
    pub fn rows(&self) -> usize {
        self.len() / self.senders
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use primitives::CheckedTx;

    #[test]
    fn each_transaction_recovers_to_its_sender_and_row() {
        let senders = Account::many("test", 3).unwrap();
        let load = Load::sign(&senders, 2_000, |index| {
            Call::transfer(Address::with_last_byte(9), U256::from(index), 21_000)
        });
        assert_eq!((load.len(), load.rows()), (6_000, 2_000));
        for index in [0, 1, 4_095, 4_096, 5_999] {
            let tx = CheckedTx::decode(load.raw(index).to_vec().into()).unwrap();
            assert_eq!(tx.sender, senders[index % 3].address);
        }
    }

    #[test]
    fn the_first_development_account_has_its_known_address() {
        let key = "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
        let key: B256 = key.parse().unwrap();
        let known: Address = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
            .parse()
            .unwrap();
        assert_eq!(Account::new(key.0).unwrap().address, known);
    }
}

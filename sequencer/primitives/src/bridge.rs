//! What crosses between L1 and L2: queue entries, batch records, output roots (`bridge/FORMATS.md`).
//!
//! `contracts/src/l1` computes the same hashes; `e2e/vectors/bridge.json` holds both to it.

use crate::TxDeposit;
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, address, keccak256};

/// Added to the address of an L1 contract that sends a message, so that it cannot pass for the L2 account
/// of the same address.
pub const ALIAS_OFFSET: Address = address!("1111000000000000000000000000000000001111");
/// Domain of our deposits' source hashes; OP uses 0, 1 and 2.
pub const SOURCE_DOMAIN: u64 = 3;

/// One entry of L1's queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct QueueEntry {
    /// Position, from 0.
    pub index: u64,
    /// L1 block time, seconds.
    pub timestamp: u64,
    /// L1 block number.
    pub l1_block: u64,
    /// L2 sender, aliased if it is a contract.
    pub from: Address,
    /// L2 target; zero for a creation.
    pub to: Address,
    /// OPEN escrowed on L1 and minted to `from`, wei. `Portal` keeps it below 2^128.
    pub mint: u128,
    /// OPEN that `from` sends on, wei.
    pub value: U256,
    /// L2 gas, prepaid on L1.
    pub gas_limit: u64,
    /// Deploys `data`.
    pub is_creation: bool,
    /// Calldata or init code.
    pub data: Bytes,
}

impl QueueEntry {
    /// `entryHash` of FORMATS.md section 1.
    pub fn hash(&self) -> B256 {
        words(&[
            uint(self.index),
            uint(self.timestamp),
            uint(self.l1_block),
            self.from.into_word(),
            self.to.into_word(),
            B256::from(U256::from(self.mint)),
            B256::from(self.value),
            uint(self.gas_limit),
            uint(self.is_creation.into()),
            keccak256(&self.data),
        ])
    }

    /// The accumulator after this entry, given the one before it.
    pub fn accumulate(&self, acc: B256) -> B256 {
        words(&[acc, self.hash()])
    }

    /// The L2 transaction; `acc` is the accumulator after this entry.
    pub fn deposit(&self, acc: B256) -> TxDeposit {
        TxDeposit {
            source_hash: words(&[uint(SOURCE_DOMAIN), acc]),
            from: self.from,
            to: if self.is_creation {
                TxKind::Create
            } else {
                TxKind::Call(self.to)
            },
            mint: self.mint,
            value: self.value,
            gas_limit: self.gas_limit,
            is_system_transaction: false,
            input: self.data.clone(),
        }
    }
}

/// The L2 address of an L1 contract.
pub fn alias(l1_contract: Address) -> Address {
    let sum = U256::from_be_bytes(l1_contract.into_word().0)
        .wrapping_add(U256::from_be_bytes(ALIAS_OFFSET.into_word().0));
    Address::from_word(B256::from(sum))
}

/// How a record carries its payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum RecordKind {
    /// Appended by `forceAdvance`; no payload.
    #[default]
    Forced = 0,
    /// Payload in the event.
    Calldata = 1,
    /// Payload in blobs.
    Blobs = 2,
}

impl TryFrom<u8> for RecordKind {
    type Error = u8;
    fn try_from(byte: u8) -> Result<Self, u8> {
        match byte {
            0 => Ok(Self::Forced),
            1 => Ok(Self::Calldata),
            2 => Ok(Self::Blobs),
            other => Err(other),
        }
    }
}

/// One record of L1's inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BatchRecord {
    /// `batchAcc` before this record.
    pub prev_acc: B256,
    /// Where the payload is.
    pub kind: RecordKind,
    /// L2 time of the last block, seconds.
    pub last_timestamp: u64,
    /// Queue entries consumed after this record, in total.
    pub queue_consumed: u64,
    /// The queue's accumulator there.
    pub queue_acc: B256,
    /// Newest L1 block that the batch refers to.
    pub anchor_number: u64,
    /// Its hash.
    pub anchor_hash: B256,
    /// Hash of the payload or of its blobs' versioned hashes.
    pub payload_hash: B256,
}

impl BatchRecord {
    /// `batchAcc` after this record.
    pub fn accumulate(&self) -> B256 {
        words(&self.words())
    }

    /// EIP-712 digest that the sequencer signs.
    pub fn signing_hash(&self, l1_chain_id: u64, inbox: Address, l2_chain_id: u64) -> B256 {
        let domain = words(&[
            keccak256(
                "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
            ),
            keccak256("Tributary Inbox"),
            keccak256("1"),
            uint(l1_chain_id),
            inbox.into_word(),
        ]);
        let mut message = Vec::with_capacity(10);
        message.push(keccak256(
            "Batch(uint256 l2ChainId,bytes32 prevAcc,uint8 kind,uint64 lastTimestamp,uint64 queueConsumed,\
             bytes32 queueAcc,uint64 anchorNumber,bytes32 anchorHash,bytes32 payloadHash)",
        ));
        message.push(uint(l2_chain_id));
        message.extend(self.words());
        let mut bytes = [0u8; 66];
        bytes[..2].copy_from_slice(&[0x19, 0x01]);
        bytes[2..34].copy_from_slice(domain.as_slice());
        bytes[34..].copy_from_slice(words(&message).as_slice());
        keccak256(bytes)
    }

    fn words(&self) -> [B256; 8] {
        [
            self.prev_acc,
            uint(self.kind as u64),
            uint(self.last_timestamp),
            uint(self.queue_consumed),
            self.queue_acc,
            uint(self.anchor_number),
            self.anchor_hash,
            self.payload_hash,
        ]
    }
}

/// `payloadHash` of a blob record.
pub fn blobs_hash(versioned_hashes: &[B256]) -> B256 {
    words(versioned_hashes)
}

/// What an assertion on L1 claims about an L2 block; OP's version 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputRoot {
    /// Root of the state trie.
    pub state_root: B256,
    /// Storage root of the message passer.
    pub withdrawals_root: B256,
    /// Hash of the L2 block.
    pub block_hash: B256,
}

impl OutputRoot {
    /// FORMATS.md section 5.
    pub fn hash(&self) -> B256 {
        words(&[
            B256::ZERO,
            self.state_root,
            self.withdrawals_root,
            self.block_hash,
        ])
    }
}

fn uint(value: u64) -> B256 {
    B256::from(U256::from(value))
}

fn words(words: &[B256]) -> B256 {
    keccak256(words.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alias_wraps_around_the_address_space() {
        assert_eq!(alias(Address::ZERO), ALIAS_OFFSET);
        assert_eq!(
            alias(Address::repeat_byte(0xff)),
            address!("1111000000000000000000000000000000001110")
        );
    }

    #[test]
    fn record_kinds_out_of_range_are_refused() {
        assert_eq!(RecordKind::try_from(3), Err(3));
    }
}

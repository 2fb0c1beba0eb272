//! A block of an Ethereum L1 as others publish it: `rlp([header, transactions, ommers, withdrawals?])`.
//!
//! What decodes encodes to the same bytes, so that hashes and sizes are those of the bytes that came.

use crate::{CheckedTx, SealedBlock, TxError};
use alloc::{sync::Arc, vec::Vec};
use alloy_consensus::{Header, Typed2718};
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::Bytes;
use alloy_rlp::{BufMut, Decodable, Encodable};

/// A block before it is executed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct L1Block {
    /// All of it, roots included.
    pub header: Header,
    /// In order of execution.
    pub transactions: Vec<Arc<CheckedTx>>,
    /// Headers of rewarded side blocks.
    pub ommers: Vec<Header>,
    /// `None`: the list is absent, as before Shanghai.
    pub withdrawals: Option<Vec<Withdrawal>>,
    /// Bytes of the encoding.
    pub size: usize,
}

/// Why bytes are no block.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum L1BlockError {
    /// Truncated, trailing or malformed RLP.
    #[error("{part}: {what}")]
    Rlp {
        /// Where.
        part: &'static str,
        /// What.
        what: alloy_rlp::Error,
    },
    /// One of its transactions does not decode.
    #[error("transaction {index}: {source}")]
    Tx {
        /// Position in the block.
        index: usize,
        /// Why.
        source: TxError,
    },
}

impl L1Block {
    /// Decodes all of `raw`. `high_s` says whether a block with this header may hold signatures with a high `s`:
    /// true before Homestead.
    pub fn decode(raw: &[u8], high_s: impl Fn(&Header) -> bool) -> Result<Self, L1BlockError> {
        let rlp = |part| move |what| L1BlockError::Rlp { part, what };
        let mut rest = raw;
        let mut body = alloy_rlp::Header::decode_bytes(&mut rest, true).map_err(rlp("block"))?;
        if !rest.is_empty() {
            return Err(rlp("block")(alloy_rlp::Error::UnexpectedLength));
        }
        let header = header(&mut body).map_err(rlp("header"))?;
        let high_s = high_s(&header);
        let transactions = transactions(&mut body, high_s)?;
        let mut list = alloy_rlp::Header::decode_bytes(&mut body, true).map_err(rlp("ommers"))?;
        let mut ommers = Vec::new();
        while !list.is_empty() {
            ommers.push(self::header(&mut list).map_err(rlp("ommers"))?);
        }
        let withdrawals = match body.is_empty() {
            true => None,
            false => Some(Vec::decode(&mut body).map_err(rlp("withdrawals"))?),
        };
        if !body.is_empty() {
            return Err(rlp("block")(alloy_rlp::Error::UnexpectedLength));
        }
        Ok(Self {
            header,
            transactions,
            ommers,
            withdrawals,
            size: raw.len(),
        })
    }
}

/// A header, which must be the one encoding of its fields: its hash is that of the bytes.
fn header(from: &mut &[u8]) -> Result<Header, alloy_rlp::Error> {
    let before = *from;
    let header = Header::decode(from)?;
    let taken = &before[..before.len() - from.len()];
    match alloy_rlp::encode(&header) == taken {
        true => Ok(header),
        false => Err(alloy_rlp::Error::Custom("not the canonical encoding")),
    }
}

/// Legacy transactions are lists, typed ones are strings.
fn transactions(from: &mut &[u8], high_s: bool) -> Result<Vec<Arc<CheckedTx>>, L1BlockError> {
    let rlp = |what| L1BlockError::Rlp {
        part: "transactions",
        what,
    };
    let mut list = alloy_rlp::Header::decode_bytes(from, true).map_err(rlp)?;
    let mut transactions = Vec::new();
    while !list.is_empty() {
        let before = list;
        let item = alloy_rlp::Header::decode(&mut list).map_err(rlp)?;
        let (payload, rest) = list
            .split_at_checked(item.payload_length)
            .ok_or(rlp(alloy_rlp::Error::InputTooShort))?;
        list = rest;
        let raw = match item.list {
            true => &before[..before.len() - rest.len()],
            false => payload,
        };
        let index = transactions.len();
        // A legacy transaction in a string would have a second encoding.
        if !item.list && raw.first().is_none_or(|first| *first >= 0xc0) {
            return Err(rlp(alloy_rlp::Error::UnexpectedString));
        }
        let tx = CheckedTx::decode_in_block(Bytes::copy_from_slice(raw), high_s)
            .map_err(|source| L1BlockError::Tx { index, source })?;
        transactions.push(Arc::new(tx));
    }
    Ok(transactions)
}

impl SealedBlock {
    /// `rlp([header, transactions, ommers, withdrawals?])`.
    pub fn encode_l1(&self, out: &mut dyn BufMut) {
        let (header, transactions, withdrawals) = (
            self.header.length(),
            self.transactions.iter().map(|tx| tx_length(tx)).sum(),
            self.header.withdrawals_root.map(|_| &self.withdrawals),
        );
        let list = |payload_length| alloy_rlp::Header {
            list: true,
            payload_length,
        };
        let payload = header
            + list(transactions).length_with_payload()
            + self.ommers.length()
            + withdrawals.map_or(0, Encodable::length);
        list(payload).encode(out);
        self.header.encode(out);
        list(transactions).encode(out);
        for tx in &self.transactions {
            match tx.tx.is_legacy() {
                true => out.put_slice(&tx.raw),
                false => tx.raw.encode(out),
            }
        }
        self.ommers.encode(out);
        if let Some(withdrawals) = withdrawals {
            withdrawals.encode(out);
        }
    }

    /// Bytes of [`Self::encode_l1`].
    pub fn l1_size(&self) -> usize {
        let list = |payload_length| {
            alloy_rlp::Header {
                list: true,
                payload_length,
            }
            .length_with_payload()
        };
        let transactions = self.transactions.iter().map(|tx| tx_length(tx)).sum();
        let withdrawals = self.header.withdrawals_root.map(|_| &self.withdrawals);
        list(
            self.header.length()
                + list(transactions)
                + self.ommers.length()
                + withdrawals.map_or(0, Encodable::length),
        )
    }
}

fn tx_length(tx: &CheckedTx) -> usize {
    match tx.tx.is_legacy() {
        true => tx.raw.len(),
        false => tx.raw.length(),
    }
}

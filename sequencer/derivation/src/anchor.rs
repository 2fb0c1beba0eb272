//! L1 headers to anchors.

use crate::{Cursor, DerivationError, L1Record};
use alloc::vec::Vec;
use config::Network;
use primitives::{Anchor, Header};

/// The anchor that an L1 header gives.
pub fn anchor_of(header: &Header, network: &Network) -> Anchor {
    Anchor {
        number: header.number,
        hash: header.hash_slow(),
        timestamp: header.timestamp,
        base_fee: header.base_fee_per_gas.unwrap_or(0).into(),
        blob_base_fee: network
            .l1
            .blob_base_fee(header.timestamp, header.excess_blob_gas),
        prev_randao: header.mix_hash,
    }
}

/// The first L1 block whose header [`crate::derive`] needs for this record; the last is the record's anchor, and there is none if that is lower.
///
/// The first record has no anchor before it: L1 before the inbox was deployed is not looked at, unless the record itself refers to it.
pub fn first_anchor(network: &Network, cursor: &Cursor, record: &L1Record) -> u64 {
    match cursor.records {
        0 => network
            .contracts
            .deployed_at
            .min(record.record.anchor_number),
        _ => cursor.anchor.number.saturating_add(1),
    }
}

/// Anchors that a batch may use: the parent's, and those of the headers up to the record's.
pub(crate) struct Anchors {
    parent: Anchor,
    first: u64,
    new: Vec<Anchor>,
}

impl Anchors {
    /// Checks `headers` against the record and the cursor, from the record's anchor back.
    pub(crate) fn check(
        network: &Network,
        cursor: &Cursor,
        record: &L1Record,
        headers: &[Header],
    ) -> Result<Self, DerivationError> {
        let (from, to) = (
            first_anchor(network, cursor, record),
            record.record.anchor_number,
        );
        if to < cursor.anchor.number {
            return Err(DerivationError::Reorg("the record's anchor"));
        }
        let count = match cursor.records {
            0 => u128::from(to - from) + 1,
            _ => u128::from(to - cursor.anchor.number),
        };
        let numbered = (0..)
            .zip(headers)
            .all(|(i, header)| from.checked_add(i) == Some(header.number));
        if headers.len() as u128 != count || !numbered {
            return Err(DerivationError::NeedHeaders { from, to });
        }
        let new: Vec<Anchor> = headers
            .iter()
            .map(|header| anchor_of(header, network))
            .collect();
        let mut want = record.record.anchor_hash;
        for (anchor, header) in new.iter().zip(headers).rev() {
            if anchor.hash != want {
                return Err(DerivationError::Reorg("the anchors' chain"));
            }
            want = header.parent_hash;
        }
        // With no header at all this compares the record's anchor with the parent's.
        if cursor.records > 0 && want != cursor.anchor.hash {
            return Err(DerivationError::Reorg("the parent's anchor"));
        }
        Ok(Self {
            parent: cursor.anchor,
            first: from,
            new,
        })
    }

    pub(crate) fn get(&self, number: u64) -> Option<Anchor> {
        let new = number
            .checked_sub(self.first)
            .and_then(|i| self.new.get(usize::try_from(i).ok()?));
        new.copied()
            .or((number == self.parent.number).then_some(self.parent))
    }

    /// The record's.
    pub(crate) fn last(&self) -> Anchor {
        self.new.last().copied().unwrap_or(self.parent)
    }
}

//! What L1 says of the bridge (deposits, asserted outputs, what became of withdrawals), and proofs of withdrawals.
//!
//! Rows of L1 are written as they are read and forgotten from an L1 block on, since L1 may replace its newest blocks.
//! Proofs belong to L2 blocks: whoever reads one compares its first node with the header's withdrawals root, so one
//! that a rewind left behind is worth nothing and does no harm.

use crate::{
    Batch, Result, Store, StoreError,
    codec::Codec,
    kv,
    schema::{self, L1EventKey, Table},
};
use alloy_primitives::{Address, B256, Bytes, keccak256};
use primitives::Header;
use std::ops::ControlFlow;

/// An entry of L1's queue, as far as it is not in the L2 transaction made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepositInfo {
    /// Position in the queue, from 0.
    pub index: u64,
    /// L1 block that holds it.
    pub l1_block: u64,
    /// L1 transaction that made it.
    pub l1_tx: B256,
    /// Time of that block, seconds.
    pub timestamp: u64,
    /// The queue's accumulator after it, which names the L2 transaction.
    pub acc: B256,
}

/// An output root asserted on L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputInfo {
    /// Place in L1's list.
    pub index: u64,
    /// Id of the first assertion of it.
    pub id: B256,
    /// Place of the output that it builds on.
    pub parent: u64,
    /// Who asserted it first.
    pub proposer: Address,
    /// Records that it covers.
    pub record_count: u64,
    /// L2 block that it claims to describe.
    pub l2_block: u64,
    /// What it claims.
    pub output_root: B256,
    /// L1 block of the assertion.
    pub l1_block: u64,
    /// Time of that block, seconds.
    pub asserted_at: u64,
}

/// What happened on L1 to an assertion, an output or a withdrawal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum L1Event {
    /// The assertion is about this output.
    Asserted {
        /// By its place in the list.
        output: u64,
    },
    /// The output, known by its first assertion, is confirmed.
    Confirmed,
    /// Another output contradicts it.
    Contested,
    /// The withdrawal was proven.
    Proven {
        /// By whom.
        by: Address,
        /// Against which output, by its place in the list.
        output: u64,
        /// L1 time after which it can be finalised, seconds.
        ready_at: u64,
    },
    /// The withdrawal was paid or called.
    Finalised {
        /// The target's call went through.
        succeeded: bool,
    },
}

/// An event and where it stands on L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct L1Note {
    /// L1 block.
    pub l1_block: u64,
    /// Place among the logs of that block.
    pub log: u64,
    /// Time of that block, seconds.
    pub timestamp: u64,
    /// L1 transaction.
    pub l1_tx: B256,
    /// What happened.
    pub event: L1Event,
}

/// One thing that L1 said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum L1Said {
    /// An entry joined the queue.
    Deposit(DepositInfo),
    /// An output root was asserted.
    Output(OutputInfo),
    /// Something happened to the assertion or withdrawal `0`.
    About(B256, L1Note),
}

/// What a stretch of L1 blocks said of the bridge, in order.
pub type FromL1 = [L1Said];

/// Where a withdrawal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WithdrawalPlace {
    /// L2 block.
    pub block: u64,
    /// Place of its log among the logs of that block.
    pub log: u32,
}

/// Nodes from the message passer's storage root of an L2 block to a withdrawal's slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WithdrawalProof {
    /// The L2 block whose withdrawals root it begins with.
    pub l2_block: u64,
    /// From the root down.
    pub nodes: Vec<Bytes>,
}

impl WithdrawalProof {
    /// True if it begins at the withdrawals root of this header.
    pub fn fits(&self, header: &Header) -> bool {
        let root = self.nodes.first().map(keccak256);
        header.number == self.l2_block && root.is_some() && root == header.withdrawals_root
    }
}

impl Store {
    /// Where the withdrawal with this hash stands.
    pub fn withdrawal(&self, hash: B256) -> Result<Option<WithdrawalPlace>> {
        let _no_rewind = self.inner.rewinds.read();
        let recent = self.inner.recent.read().withdrawal(&hash);
        let place = match recent {
            Some(place) => Some(place),
            None => kv::get::<schema::Withdrawals>(&*self.inner.kv, &hash)?,
        };
        Ok(place
            .filter(|(block, _)| *block <= self.inner.head_number())
            .map(|(block, log)| WithdrawalPlace { block, log }))
    }

    /// Keeps proofs; durable on return.
    pub fn put_withdrawal_proofs(&self, proofs: &[(B256, WithdrawalProof)]) -> Result<()> {
        self.inner.running()?;
        let mut batch = Batch::default();
        for (hash, proof) in proofs {
            batch.put::<schema::WithdrawalProofs>(hash, proof);
        }
        self.inner.kv.write(&batch, true)
    }

    /// The proof kept for a withdrawal, unless blocks were replaced since.
    pub fn withdrawal_proof(&self, hash: B256) -> Result<Option<(WithdrawalProof, Header)>> {
        let Some(proof) = kv::get::<schema::WithdrawalProofs>(&*self.inner.kv, &hash)? else {
            return Ok(None);
        };
        let header = self.header(proof.l2_block)?;
        Ok(header
            .filter(|header| proof.fits(header))
            .map(|header| (proof, header)))
    }

    /// Keeps what L1 said; durable on return. What stood at the same places is replaced.
    pub fn put_from_l1(&self, said: &FromL1) -> Result<()> {
        self.inner.running()?;
        let mut batch = Batch::default();
        for said in said {
            match said {
                L1Said::Deposit(deposit) => {
                    batch.put::<schema::Deposits>(&deposit.index, deposit);
                    batch.put::<schema::DepositsOfTx>(&(deposit.l1_tx, deposit.index), &());
                }
                L1Said::Output(output) => {
                    batch.put::<schema::Outputs>(&output.index, output);
                    batch.put::<schema::OutputsOfBlock>(&(output.l2_block, output.index), &());
                }
                L1Said::About(subject, note) => {
                    let key = L1EventKey(*subject, note.l1_block, note.log);
                    batch.put::<schema::L1Events>(&key, note);
                    batch.put::<schema::L1EventsOfBlock>(&(note.l1_block, *subject), &());
                }
            }
        }
        self.inner.kv.write(&batch, true)
    }

    /// Forgets all that L1 said in blocks above `keep`; durable on return.
    pub fn forget_l1_above(&self, keep: u64) -> Result<()> {
        self.inner.running()?;
        let kv = &*self.inner.kv;
        let mut batch = Batch::default();
        self.down(schema::Deposits::ID, |index| {
            let row = kv::get::<schema::Deposits>(kv, &index)?.filter(|row| row.l1_block > keep);
            Ok(row.map(|row| {
                batch.delete::<schema::Deposits>(&index);
                batch.delete::<schema::DepositsOfTx>(&(row.l1_tx, index));
            }))
        })?;
        self.down(schema::Outputs::ID, |index| {
            let row = kv::get::<schema::Outputs>(kv, &index)?.filter(|row| row.l1_block > keep);
            Ok(row.map(|row| {
                batch.delete::<schema::Outputs>(&index);
                batch.delete::<schema::OutputsOfBlock>(&(row.l2_block, index));
            }))
        })?;
        let from = keep.saturating_add(1).to_be_bytes();
        let mut subjects = Vec::new();
        kv::scan::<schema::L1EventsOfBlock>(kv, &from, |(block, subject), ()| {
            batch.delete::<schema::L1EventsOfBlock>(&(block, subject));
            subjects.push(subject);
            Ok(ControlFlow::Continue(()))
        })?;
        for subject in subjects {
            for note in self.l1_events(subject)? {
                if note.l1_block > keep {
                    let key = L1EventKey(subject, note.l1_block, note.log);
                    batch.delete::<schema::L1Events>(&key);
                }
            }
        }
        if batch.is_empty() {
            return Ok(());
        }
        kv.write(&batch, true)
    }

    /// Calls `visit` with the numbers of a table's rows from the last one down, until it says `None`.
    fn down(
        &self,
        table: crate::TableId,
        mut visit: impl FnMut(u64) -> Result<Option<()>>,
    ) -> Result<()> {
        let mut next = self
            .inner
            .kv
            .last(table)?
            .map(|(key, _)| u64::decode(&key))
            .transpose()
            .map_err(|e| StoreError::Tables(format!("row of `{}`: {e}", table.name())))?;
        while let Some(index) = next {
            if visit(index)?.is_none() {
                break;
            }
            next = index.checked_sub(1);
        }
        Ok(())
    }

    /// The queue entry at `index`, as L1 told it.
    pub fn deposit(&self, index: u64) -> Result<Option<DepositInfo>> {
        kv::get::<schema::Deposits>(&*self.inner.kv, &index)
    }

    /// The queue entries that an L1 transaction made, the first `max` of them.
    pub fn deposits_of(&self, l1_tx: B256, max: usize) -> Result<Vec<DepositInfo>> {
        let mut indexes = Vec::new();
        kv::scan::<schema::DepositsOfTx>(&*self.inner.kv, l1_tx.as_slice(), |(tx, index), ()| {
            if tx != l1_tx || indexes.len() == max {
                return Ok(ControlFlow::Break(()));
            }
            indexes.push(index);
            Ok(ControlFlow::Continue(()))
        })?;
        indexes
            .into_iter()
            .filter_map(|index| self.deposit(index).transpose())
            .collect()
    }

    /// The output root at `index` of L1's list.
    pub fn output(&self, index: u64) -> Result<Option<OutputInfo>> {
        kv::get::<schema::Outputs>(&*self.inner.kv, &index)
    }

    /// The newest entry of L1's list.
    pub fn last_output(&self) -> Result<Option<OutputInfo>> {
        let mut last = None;
        self.down(schema::Outputs::ID, |index| {
            last = Some(index);
            Ok(None)
        })?;
        last.map_or(Ok(None), |index| self.output(index))
    }

    /// Output roots of L2 blocks `from..=to`, ascending by block and then by place. Each cost its proposer a bond.
    pub fn outputs_of(&self, from: u64, to: u64) -> Result<Vec<OutputInfo>> {
        let mut indexes = Vec::new();
        let start = from.to_be_bytes();
        kv::scan::<schema::OutputsOfBlock>(&*self.inner.kv, &start, |(l2_block, index), ()| {
            if l2_block > to {
                return Ok(ControlFlow::Break(()));
            }
            indexes.push(index);
            Ok(ControlFlow::Continue(()))
        })?;
        indexes
            .into_iter()
            .filter_map(|index| self.output(index).transpose())
            .collect()
    }

    /// What L1 said of an assertion or a withdrawal, oldest first.
    pub fn l1_events(&self, subject: B256) -> Result<Vec<L1Note>> {
        let mut notes = Vec::new();
        kv::scan::<schema::L1Events>(&*self.inner.kv, subject.as_slice(), |key, note| {
            if key.0 != subject {
                return Ok(ControlFlow::Break(()));
            }
            notes.push(note);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(notes)
    }
}

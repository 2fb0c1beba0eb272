//! What becomes of a transaction that was sent to L1, as a pure machine.
//!
//! ```text
//!           ┌──────────────── gone from the pool: send the same again
//!           ▼           │
//! submit ▶ InFlight ────┼─── not mined for RESEND_AFTER: send at a higher price, same nonce
//!           │  ▲        │
//!      mined│  │reorg   └─── nonce used by another: Lost
//!           ▼  │
//!          Mined ── deep enough ──▶ Settled (succeeded or reverted)
//! ```
//! A revert is told at once, and what reverted is kept like what succeeded: a reorg that drops it would leave a gap
//! before every later nonce.
//!
//! A nonce is used for one intent only, and is journaled before the transaction leaves, so that a restart neither
//! skips nor doubles it.

use crate::Sidecar;
use alloy_primitives::{Address, B256, Bytes, TxHash, U256};
use alloy_sol_types::SolCall;

/// L1 blocks without being mined before the price is raised: longer than a passing peak of the base fee.
pub const RESEND_AFTER_L1_BLOCKS: u64 = 3;
/// L1 blocks on top before a transaction is forgotten: a reorg that deep is found by the tracker and posted anew.
pub const SETTLED_AFTER_L1_BLOCKS: u64 = 64;

/// A transaction somebody wants on L1.
#[derive(Debug, Clone)]
pub struct Intent {
    /// Callee, or `None` to deploy `data`.
    pub to: Option<Address>,
    /// Gas limit; `None` asks L1 for an estimate, and refuses what would revert.
    pub gas_limit: Option<u64>,
    /// Calldata.
    pub data: Bytes,
    /// Wei of ETH.
    pub value: U256,
    /// Blobs beside it.
    pub sidecar: Option<Sidecar>,
}

impl Intent {
    /// A call of a contract, without ETH and blobs.
    pub fn call<C: SolCall>(to: Address, call: &C) -> Self {
        Self {
            to: Some(to),
            gas_limit: None,
            data: call.abi_encode().into(),
            value: U256::ZERO,
            sidecar: None,
        }
    }

    /// With so many wei of ETH.
    pub fn paying(self, value: U256) -> Self {
        Self { value, ..self }
    }
}

/// Name of an intent in a sender's journal, out of the hash of what it means: sent once, however often it is wanted.
pub fn intent_id(meaning: B256) -> u64 {
    u64::from_be_bytes(meaning.0.first_chunk::<8>().copied().unwrap_or_default())
}

/// Prices of one transaction, wei per gas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fees {
    /// Limit over everything.
    pub max_fee: u128,
    /// Tip.
    pub priority_fee: u128,
    /// Limit for blob gas.
    pub max_blob_fee: u128,
}

/// What L1 asks at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeesNow {
    /// Base fee.
    pub base_fee: u128,
    /// Blob base fee.
    pub blob_base_fee: u128,
}

/// What miners of every network we know take without waiting.
const PRIORITY_FEE_WEI: u128 = 1_000_000_000;

/// Six doublings: more than any peak of an hour, and far from emptying the account.
const RAISED_MAX: u128 = 64;

impl Fees {
    /// Pays twice what is asked now: six full blocks in a row do not price us out.
    pub fn first(now: FeesNow) -> Self {
        Self {
            max_fee: now
                .base_fee
                .saturating_mul(2)
                .saturating_add(PRIORITY_FEE_WEI),
            priority_fee: PRIORITY_FEE_WEI,
            max_blob_fee: now.blob_base_fee.saturating_mul(2).max(1),
        }
    }

    /// The next price: what a node takes as replacement (double, as the blob pool of geth asks), and no less than now;
    /// but never above [`RAISED_MAX`] times what is asked now. What is not mined at that price waits for something else.
    pub fn raised(self, now: FeesNow) -> Self {
        let first = Self::first(now);
        let next = |old: u128, first: u128| {
            let most = first.saturating_mul(RAISED_MAX).max(old);
            old.saturating_mul(2).max(first).min(most)
        };
        Self {
            max_fee: next(self.max_fee, first.max_fee),
            priority_fee: next(self.priority_fee, first.priority_fee),
            max_blob_fee: next(self.max_blob_fee, first.max_blob_fee),
        }
    }
}

/// What L1 says about one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In a block.
    Mined {
        /// Which.
        at: u64,
        /// False if it reverted.
        succeeded: bool,
    },
    /// Known, not in a block.
    Pending,
    /// Not known.
    Unknown,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Wait,
    /// The same bytes again.
    Resend,
    /// The same intent and nonce at a higher price.
    Raise,
    /// It reverted, which the caller should know; a reorg may still undo that, and then its nonce must not be missing.
    TellReverted,
    /// Over.
    Settle(Settled),
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Mined deep enough.
    Succeeded,
    /// Mined and reverted: the intent was wrong by then.
    Reverted,
    /// Another transaction used the nonce.
    Lost,
}

/// The machine's memory of one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbox {
    /// L1 height when it was last sent.
    pub sent_at: u64,
    /// All hashes it was ever sent under, newest last.
    pub hashes: Vec<TxHash>,
}

impl Outbox {
    /// The only place that decides. `account_nonce` is L1's at `head`, `nonce` this transaction's.
    pub fn decide(&self, status: Status, head: u64, account_nonce: u64, nonce: u64) -> Action {
        match status {
            Status::Mined { at, succeeded }
                if head >= at.saturating_add(SETTLED_AFTER_L1_BLOCKS) =>
            {
                Action::Settle(if succeeded {
                    Settled::Succeeded
                } else {
                    Settled::Reverted
                })
            }
            Status::Mined {
                succeeded: false, ..
            } => Action::TellReverted,
            Status::Mined { .. } => Action::Wait,
            Status::Pending | Status::Unknown if account_nonce > nonce => {
                Action::Settle(Settled::Lost)
            }
            // It waits for those before it: no price helps.
            Status::Pending if account_nonce < nonce => Action::Wait,
            Status::Unknown if account_nonce < nonce => Action::Resend,
            _ if head >= self.sent_at.saturating_add(RESEND_AFTER_L1_BLOCKS) => Action::Raise,
            Status::Unknown => Action::Resend,
            Status::Pending => Action::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sent at block 100 with nonce 7.
    fn check(status: Status, head: u64, account_nonce: u64, want: Action) {
        let sent = Outbox {
            sent_at: 100,
            hashes: vec![TxHash::ZERO],
        };
        assert_eq!(sent.decide(status, head, account_nonce, 7), want);
    }

    const MINED: Status = Status::Mined {
        at: 101,
        succeeded: true,
    };

    #[test]
    fn pending_waits() {
        check(Status::Pending, 101, 7, Action::Wait)
    }
    #[test]
    fn pending_too_long_pays_more() {
        check(Status::Pending, 103, 7, Action::Raise)
    }
    #[test]
    fn dropped_by_a_reorg_is_sent_again() {
        check(Status::Unknown, 101, 7, Action::Resend)
    }
    #[test]
    fn nonce_used_by_another_is_lost() {
        check(Status::Unknown, 101, 8, Action::Settle(Settled::Lost))
    }
    #[test]
    fn mined_waits_for_depth() {
        check(MINED, 164, 8, Action::Wait)
    }
    #[test]
    fn mined_and_deep_is_settled() {
        check(MINED, 165, 8, Action::Settle(Settled::Succeeded))
    }
    #[test]
    fn reverted_is_told_at_once_and_kept_until_no_reorg_undoes_it() {
        let reverted = Status::Mined {
            at: 101,
            succeeded: false,
        };
        check(reverted, 101, 8, Action::TellReverted);
        check(reverted, 165, 8, Action::Settle(Settled::Reverted))
    }

    #[test]
    fn behind_others_no_price_helps() {
        check(Status::Pending, 200, 6, Action::Wait);
        check(Status::Unknown, 200, 6, Action::Resend);
    }

    #[test]
    fn prices_do_not_rise_for_ever() {
        let now = FeesNow {
            base_fee: 10,
            blob_base_fee: 1,
        };
        let first = Fees::first(now);
        let highest = (0..200).fold(first, |fees, _| fees.raised(now));
        assert_eq!(highest.max_fee, 64 * first.max_fee);
        assert_eq!(highest.max_blob_fee, 64 * first.max_blob_fee);
    }

    #[test]
    fn a_raised_price_replaces_in_every_pool() {
        let now = FeesNow {
            base_fee: 10,
            blob_base_fee: 1,
        };
        let first = Fees::first(now);
        let raised = first.raised(now);
        assert!(
            raised.max_fee >= 2 * first.max_fee && raised.priority_fee >= 2 * first.priority_fee
        );
        assert!(raised.max_blob_fee >= 2 * first.max_blob_fee);
        let dearer = first.raised(FeesNow {
            base_fee: 1 << 40,
            blob_base_fee: 1 << 40,
        });
        assert!(dearer.max_fee > 1 << 41 && dearer.max_blob_fee >= 1 << 41);
    }
}

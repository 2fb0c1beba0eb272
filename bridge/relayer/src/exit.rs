//! The steps of somebody who leaves with only a key and an L1 node: nobody else needs to be there.
//!
//! ```text
//! enqueue ─▶ (sequencer includes it, or its time is over and we force it) ─▶ (output asserted, or we assert one)
//!         ─▶ prove ─▶ window ─▶ finalise
//! ```
//! Asserting, confirming and taking the bond back are the proposer's moves (`poster::proposer`), made with patience:
//! an honest proposer goes first.

use alloy_primitives::{Address, B256};

/// Where the OPEN is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On L2, and nothing is on its way.
    OnL2,
    /// In L1's queue, and in no L2 block that follows from L1.
    Queued {
        /// Its place there.
        index: u64,
        /// L1 time after which anyone may advance the queue, if no batch comes, seconds.
        forceable_after: u64,
        /// L2 time that no batch may pass without it, seconds.
        include_by: u64,
    },
    /// In an L2 block, and no output covers it.
    Uncovered {
        /// L1 time from which on we assert an output ourselves, seconds.
        assert_from: u64,
    },
    /// An output covers it.
    Provable {
        /// Hash of the withdrawal.
        hash: B256,
        /// Place of the output in L1's list.
        output: u64,
    },
    /// Proven; it can be paid after L1 time `ready_at`.
    Proven {
        /// Hash of the withdrawal.
        hash: B256,
        /// Who made the proof.
        by: Address,
        /// Seconds.
        ready_at: u64,
        /// Another output contradicts the one it is proven against.
        contested: bool,
    },
    /// Nothing is left on L2, nothing is on its way.
    Gone,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Put the withdrawal into L1's queue.
    Enqueue,
    /// `Inbox.forceAdvance`
    ForceAdvance,
    /// `Portal.proveWithdrawalTransaction`
    Prove {
        /// Which withdrawal.
        hash: B256,
        /// Against which output.
        output: u64,
    },
    /// `Portal.finalizeWithdrawalTransactionExternalProof`
    Finalise {
        /// Which withdrawal.
        hash: B256,
        /// Who made the proof.
        by: Address,
    },
    /// Nothing to send: time must pass first.
    Wait {
        /// For what.
        what: Wait,
        /// L1 time at which it is over at the latest, if nobody is in the way, seconds.
        until: Option<u64>,
    },
    /// The OPEN is on L1.
    Done,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// A batch that includes the entry, or the time at which anyone may advance without one.
    Inclusion,
    /// An output root of the proposer, or the time at which we assert one.
    Output,
    /// The challenge window.
    Window,
    /// The end of a contradiction between two outputs.
    Contradiction,
    /// A bond of ours, which comes back once its output is confirmed.
    Bond,
}

impl Wait {
    /// In words.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Inclusion => "waiting for inclusion on L2",
            Self::Output => "waiting for an output root",
            Self::Window => "proven, waiting for the challenge window",
            Self::Contradiction => "the output root is contested",
            Self::Bond => "the OPEN is on L1, waiting for the bond",
        }
    }
}

/// The next step at L1 time `now`, seconds.
pub const fn next(place: Place, now: u64) -> Step {
    match place {
        Place::OnL2 => Step::Enqueue,
        Place::Queued {
            forceable_after, ..
        } if now > forceable_after => Step::ForceAdvance,
        Place::Queued {
            forceable_after, ..
        } => Step::Wait {
            what: Wait::Inclusion,
            until: Some(forceable_after + 1),
        },
        Place::Uncovered { assert_from } => Step::Wait {
            what: Wait::Output,
            until: Some(assert_from),
        },
        Place::Provable { hash, output } => Step::Prove { hash, output },
        Place::Proven {
            contested: true, ..
        } => Step::Wait {
            what: Wait::Contradiction,
            until: None,
        },
        Place::Proven {
            hash, by, ready_at, ..
        } if now > ready_at => Step::Finalise { hash, by },
        Place::Proven { ready_at, .. } => Step::Wait {
            what: Wait::Window,
            until: Some(ready_at + 1),
        },
        Place::Gone => Step::Done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: B256 = B256::repeat_byte(7);
    const BY: Address = Address::repeat_byte(1);

    const fn queued(forceable_after: u64) -> Place {
        Place::Queued {
            index: 3,
            forceable_after,
            include_by: 500,
        }
    }

    const fn proven(ready_at: u64, contested: bool) -> Place {
        Place::Proven {
            hash: HASH,
            by: BY,
            ready_at,
            contested,
        }
    }

    #[test]
    fn the_queue_is_forced_only_once_its_time_is_over() {
        assert!(matches!(
            next(queued(100), 100),
            Step::Wait {
                what: Wait::Inclusion,
                until: Some(101)
            }
        ));
        assert_eq!(next(queued(100), 101), Step::ForceAdvance);
    }

    #[test]
    fn what_is_proven_is_paid_after_its_window() {
        assert!(matches!(next(proven(50, false), 50), Step::Wait { .. }));
        assert_eq!(
            next(proven(50, false), 51),
            Step::Finalise { hash: HASH, by: BY }
        );
    }

    #[test]
    fn a_contested_output_pays_nothing_however_old() {
        assert_eq!(
            next(proven(50, true), 1_000_000),
            Step::Wait {
                what: Wait::Contradiction,
                until: None
            }
        );
    }

    #[test]
    fn the_beginning_and_the_end() {
        assert_eq!(next(Place::OnL2, 0), Step::Enqueue);
        assert_eq!(next(Place::Gone, 0), Step::Done);
    }
}

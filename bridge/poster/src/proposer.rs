//! Asserts output roots on L1, confirms them when their window has passed, and takes bonds back.
//!
//! L1 is the only memory: every decision is made anew from the assertions that stand there and from our own chain, so
//! a restart or an L1 reorg needs no special path.
//!
//! Absent on purpose: challenging (`prover/challenger`). A root that contradicts ours is never built upon, is counted
//! and told.

use alloy_primitives::{Address, B256};
use std::collections::HashMap;

/// One assertion as L1 holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asserted {
    /// Its name on L1.
    pub id: B256,
    /// What it builds on.
    pub parent: B256,
    /// Who stands for it.
    pub proposer: Address,
    /// Records it covers.
    pub record_count: u64,
    /// L2 block it ends in.
    pub l2_number: u64,
    /// What it claims.
    pub output_root: B256,
    /// L1 time of the assertion, seconds.
    pub asserted_at: u64,
    /// Confirmed by L1.
    pub confirmed: bool,
    /// Its bond is still there.
    pub bonded: bool,
    /// A rival stands against it.
    pub contested: bool,
}

/// What our own node knows: how many records are derived, and the outputs at their ends.
pub trait Outputs {
    /// Records that L1 holds and that we derived.
    fn record_count(&self) -> u64;
    /// Last L2 block, and its output root, once `count` records are derived; `None` if not known (yet).
    fn output_after(&self, count: u64) -> Option<(u64, B256)>;
    /// `batchAcc` after `count` records.
    fn batch_acc(&self, count: u64) -> Option<B256>;
}

/// One call to `Rollup`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// `assertOutput`, with a bond.
    Assert {
        /// On which assertion.
        parent: B256,
        /// Records covered.
        record_count: u64,
        /// `batchAcc` there.
        batch_acc: B256,
        /// Last L2 block.
        l2_number: u64,
        /// Our output root.
        output_root: B256,
    },
    /// `confirm`.
    Confirm(B256),
    /// `withdrawBond`.
    WithdrawBond(B256),
}

/// When the proposer moves.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Seconds of L1 time between assertions; 0 asserts every record.
    pub interval_s: u64,
    /// An assertion confirms after this long.
    pub window_s: u64,
}

/// What to do now, and which assertions contradict our chain. `genesis` is the id of the first assertion.
pub fn decide(
    standing: &[Asserted],
    genesis: B256,
    ours: &dyn Outputs,
    me: Address,
    pace: Pace,
    now_s: u64,
) -> (Vec<Move>, Vec<B256>) {
    let (mut moves, mut wrong) = (Vec::new(), Vec::new());
    // In order of appearance a parent comes before its children.
    let mut agreed: HashMap<B256, bool> = HashMap::from([(genesis, true)]);
    let mut tip = (genesis, 0u64, 0u64);
    for assertion in standing {
        let on_agreed = agreed.get(&assertion.parent).copied().unwrap_or(false);
        let same = ours.output_after(assertion.record_count)
            == Some((assertion.l2_number, assertion.output_root));
        let unknown = ours.record_count() < assertion.record_count;
        let agrees = (on_agreed && same) || assertion.id == genesis;
        agreed.insert(assertion.id, agrees);
        if !same && !unknown && assertion.id != genesis {
            wrong.push(assertion.id);
        }
        if agrees && assertion.record_count > tip.1 {
            tip = (assertion.id, assertion.record_count, assertion.asserted_at);
        }
    }
    let confirmed: HashMap<B256, bool> = standing.iter().map(|a| (a.id, a.confirmed)).collect();
    let is_confirmed = |id: &B256| *id == genesis || confirmed.get(id).copied().unwrap_or(false);
    let mut confirmed_tip = standing
        .iter()
        .filter(|a| a.confirmed)
        .map(|a| a.record_count)
        .max()
        .unwrap_or(0);
    let mut just_confirmed: Vec<B256> = Vec::new();
    for assertion in standing
        .iter()
        .filter(|a| agreed.get(&a.id) == Some(&true) && !a.confirmed && !a.contested)
    {
        let ripe = now_s > assertion.asserted_at.saturating_add(pace.window_s);
        let on_top = is_confirmed(&assertion.parent) || just_confirmed.contains(&assertion.parent);
        if ripe && on_top && assertion.record_count > confirmed_tip {
            confirmed_tip = assertion.record_count;
            just_confirmed.push(assertion.id);
            moves.push(Move::Confirm(assertion.id));
        }
    }
    for assertion in standing
        .iter()
        .filter(|a| a.proposer == me && a.confirmed && a.bonded)
    {
        moves.push(Move::WithdrawBond(assertion.id));
    }
    let (parent, covered, since) = tip;
    let newest = ours.record_count();
    let due = covered == 0 || now_s >= since.saturating_add(pace.interval_s);
    if newest > covered && due {
        let target = if pace.interval_s == 0 {
            covered + 1
        } else {
            newest
        };
        if let (Some((l2_number, output_root)), Some(batch_acc)) =
            (ours.output_after(target), ours.batch_acc(target))
        {
            moves.push(Move::Assert {
                parent,
                record_count: target,
                batch_acc,
                l2_number,
                output_root,
            });
        }
    }
    (moves, wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GENESIS: B256 = B256::repeat_byte(0xee);
    const ME: Address = Address::repeat_byte(1);
    const PACE: Pace = Pace {
        interval_s: 0,
        window_s: 100,
    };

    /// A chain of `n` records, ten blocks each.
    struct Chain(u64);

    impl Outputs for Chain {
        fn record_count(&self) -> u64 {
            self.0
        }
        fn output_after(&self, count: u64) -> Option<(u64, B256)> {
            (count <= self.0).then(|| (count * 10, root(count)))
        }
        fn batch_acc(&self, count: u64) -> Option<B256> {
            (count <= self.0).then(|| B256::with_last_byte(count as u8))
        }
    }

    fn root(count: u64) -> B256 {
        B256::from(alloy_primitives::U256::from(1_000 + count))
    }

    fn id(n: u8) -> B256 {
        B256::with_last_byte(n)
    }

    fn asserted(n: u8, parent: B256, at: u64) -> Asserted {
        Asserted {
            id: id(n),
            parent,
            proposer: ME,
            record_count: n.into(),
            l2_number: u64::from(n) * 10,
            output_root: root(n.into()),
            asserted_at: at,
            confirmed: false,
            bonded: true,
            contested: false,
        }
    }

    fn moves(standing: &[Asserted], records: u64, now_s: u64) -> Vec<Move> {
        decide(standing, GENESIS, &Chain(records), ME, PACE, now_s).0
    }

    #[test]
    fn first_record_is_asserted_on_genesis() {
        let want = Move::Assert {
            parent: GENESIS,
            record_count: 1,
            batch_acc: id(1),
            l2_number: 10,
            output_root: root(1),
        };
        assert_eq!(moves(&[], 1, 0), [want]);
    }

    #[test]
    fn nothing_to_do_when_all_is_asserted() {
        assert_eq!(moves(&[asserted(1, GENESIS, 0)], 1, 50), []);
    }

    #[test]
    fn each_record_builds_on_the_one_before() {
        assert!(
            matches!(moves(&[asserted(1, GENESIS, 0)], 3, 50)[..], [Move::Assert { parent, record_count: 2, .. }] if parent == id(1))
        );
    }

    #[test]
    fn a_wrong_root_is_told_and_not_built_upon() {
        let mut wrong = asserted(1, GENESIS, 0);
        wrong.output_root = B256::ZERO;
        let (moves, told) = decide(&[wrong], GENESIS, &Chain(1), ME, PACE, 50);
        assert_eq!(told, [id(1)]);
        assert!(matches!(
            moves[..],
            [Move::Assert {
                parent: GENESIS,
                record_count: 1,
                ..
            }]
        ));
    }

    #[test]
    fn what_we_have_not_derived_yet_is_not_called_wrong() {
        assert!(
            decide(&[asserted(2, GENESIS, 0)], GENESIS, &Chain(1), ME, PACE, 0)
                .1
                .is_empty()
        );
    }

    #[test]
    fn ripe_assertions_confirm_parent_first() {
        let standing = [asserted(1, GENESIS, 0), asserted(2, id(1), 10)];
        assert_eq!(
            moves(&standing, 2, 111),
            [Move::Confirm(id(1)), Move::Confirm(id(2))]
        );
        assert_eq!(moves(&standing, 2, 105), [Move::Confirm(id(1))]);
    }

    #[test]
    fn a_contested_assertion_waits() {
        let mut contested = asserted(1, GENESIS, 0);
        contested.contested = true;
        assert_eq!(moves(&[contested], 1, 1_000), []);
    }

    #[test]
    fn the_bond_comes_back_after_confirmation() {
        let mut done = asserted(1, GENESIS, 0);
        done.confirmed = true;
        assert_eq!(moves(&[done], 1, 200), [Move::WithdrawBond(id(1))]);
        done.bonded = false;
        assert_eq!(moves(&[done], 1, 200), []);
    }

    #[test]
    fn with_an_interval_the_newest_record_is_asserted_once_in_a_while() {
        let pace = Pace {
            interval_s: 3_600,
            window_s: 100,
        };
        let standing = [asserted(1, GENESIS, 1_000)];
        assert!(
            decide(&standing, GENESIS, &Chain(5), ME, pace, 2_000)
                .0
                .iter()
                .all(|m| !matches!(m, Move::Assert { .. }))
        );
        let (moves, _) = decide(&standing, GENESIS, &Chain(5), ME, pace, 4_600);
        assert!(moves.iter().any(|m| matches!(
            m,
            Move::Assert {
                record_count: 5,
                ..
            }
        )));
    }
}

//! Which withdrawals to prove and to finalise now.

use crate::fee;
use alloy_primitives::{Address, B256, U256};
use primitives::withdrawal::Withdrawal;
use std::collections::BTreeMap;

/// Whose withdrawals are carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carry {
    /// Everybody's, for nothing.
    All,
    /// Of those who offer at least `min` wei of OPEN through the contract `relay_fee`.
    Paid {
        /// The network's `RelayFee`.
        relay_fee: Address,
        /// The least that is worth the gas.
        min: U256,
    },
}

impl Carry {
    fn takes(&self, withdrawal: &Withdrawal) -> bool {
        match self {
            Self::All => true,
            Self::Paid { relay_fee, min } => {
                fee::offered(withdrawal, *relay_fee).is_some_and(|fee| fee >= *min)
            }
        }
    }
}

/// How far L1 has a withdrawal.
///
/// ```text
/// Waiting ──output asserted──▶ Provable ──prove──▶ Waiting ──window over──▶ Finalisable ──finalise──▶ Done
///                                 ▲───────────────output rejected────────────────┘
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Nothing can be done now.
    Waiting,
    /// An output covers it.
    Provable {
        /// Its place in L1's list.
        output: u64,
    },
    /// By what `by` has proven.
    Finalisable {
        /// Who made the proof.
        by: Address,
    },
    /// Paid.
    Done,
}

/// One transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Move {
    /// `proveWithdrawalTransaction`
    Prove {
        /// Which withdrawal.
        hash: B256,
        /// Against which output.
        output: u64,
    },
    /// `finalizeWithdrawalTransactionExternalProof`
    Finalise {
        /// Which withdrawal.
        hash: B256,
        /// Who made the proof.
        by: Address,
    },
}

impl Move {
    /// The withdrawal.
    pub const fn hash(&self) -> B256 {
        match self {
            Self::Prove { hash, .. } | Self::Finalise { hash, .. } => *hash,
        }
    }
}

/// Withdrawals held at once; beyond that, newer ones are looked for once older ones are done.
pub const OPEN_MAX: usize = 50_000;
/// Moves under way at once: what a nonce gap could hold back.
pub const MOVES_MAX: usize = 16;
/// L1 blocks to the next try after the first refusal; each further one doubles it.
const RETRY_L1_BLOCKS: u64 = 2;
/// An hour and a half: a message whose call fails today may pass tomorrow.
const RETRY_L1_BLOCKS_MAX: u64 = 450;

/// Withdrawals that are carried and not done.
#[derive(Debug, Default)]
pub struct Relayer {
    /// By L2 block and order in it, oldest first.
    open: BTreeMap<(u64, u32), Open>,
    /// First L2 block not searched yet.
    next: u64,
}

#[derive(Debug)]
struct Open {
    hash: B256,
    /// Not before this L1 block.
    not_before: u64,
    refusals: u32,
}

impl Relayer {
    /// First L2 block to search for withdrawals, unless enough are held.
    pub fn wants(&self) -> Option<u64> {
        (self.open.len() < OPEN_MAX).then_some(self.next)
    }

    /// Blocks up to `block` were searched, and these withdrawals stood in them: block, order, message.
    pub fn found<'a>(
        &mut self,
        block: u64,
        carry: &Carry,
        withdrawals: impl IntoIterator<Item = (u64, u32, &'a Withdrawal)>,
    ) {
        for (at, order, withdrawal) in withdrawals {
            if carry.takes(withdrawal) {
                let open = Open {
                    hash: withdrawal.hash(),
                    not_before: 0,
                    refusals: 0,
                };
                self.open.insert((at, order), open);
            }
        }
        self.next = self.next.max(block + 1);
    }

    /// L2 blocks above `keep` are no longer on the chain.
    pub fn rewind(&mut self, keep: u64) {
        self.open.retain(|(block, _), _| *block <= keep);
        self.next = self.next.min(keep + 1);
    }

    /// Withdrawals that are not done.
    pub fn open(&self) -> usize {
        self.open.len()
    }

    /// What to do at L1 block `l1_block`. `stage` says how far a withdrawal is; what is done is looked at no more.
    /// `busy` says which move's transaction is under way.
    pub fn decide<E>(
        &mut self,
        l1_block: u64,
        busy: impl Fn(&Move) -> bool,
        mut stage: impl FnMut(B256) -> Result<Stage, E>,
    ) -> Result<Vec<Move>, E> {
        let mut moves = Vec::new();
        let mut done = Vec::new();
        for (place, open) in &self.open {
            if moves.len() == MOVES_MAX {
                break;
            }
            let hash = open.hash;
            if open.not_before > l1_block {
                continue;
            }
            let next = match stage(hash)? {
                Stage::Waiting => continue,
                Stage::Provable { output } => Move::Prove { hash, output },
                Stage::Finalisable { by } => Move::Finalise { hash, by },
                Stage::Done => {
                    done.push(*place);
                    continue;
                }
            };
            if !busy(&next) {
                moves.push(next);
            }
        }
        for place in done {
            self.open.remove(&place);
        }
        Ok(moves)
    }

    /// L1 did not take a move, or undid it: somebody was quicker, or the message's call fails. Both show later.
    pub fn refused(&mut self, hash: B256, l1_block: u64) {
        for open in self.open.values_mut().filter(|open| open.hash == hash) {
            let wait = RETRY_L1_BLOCKS.saturating_mul(1 << open.refusals.min(32));
            open.not_before = l1_block + wait.min(RETRY_L1_BLOCKS_MAX);
            open.refusals += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::Bytes;
    use std::{collections::HashMap, convert::Infallible};

    const US: Address = Address::repeat_byte(1);
    const CONTRACT: Address = Address::repeat_byte(0xfe);

    const fn prove(hash: B256) -> Move {
        Move::Prove { hash, output: 7 }
    }

    fn withdrawal(nonce: u64, data: Bytes) -> Withdrawal {
        Withdrawal {
            nonce: U256::from(nonce),
            sender: US,
            target: if data.is_empty() { US } else { CONTRACT },
            value: U256::from(100),
            gas_limit: U256::ZERO,
            data,
        }
    }

    /// Withdrawals 0, 1, 2 … in a block each, and what L1 says of them.
    struct Table {
        relayer: Relayer,
        all: Vec<B256>,
        stages: HashMap<B256, Stage>,
    }

    impl Table {
        fn new(stages: &[Stage]) -> Self {
            let mut relayer = Relayer::default();
            let mut all = Vec::new();
            for (n, _) in stages.iter().enumerate() {
                let w = withdrawal(n as u64, Bytes::new());
                all.push(w.hash());
                relayer.found(n as u64, &Carry::All, [(n as u64, 0, &w)]);
            }
            let stages = all.iter().copied().zip(stages.iter().copied()).collect();
            Self {
                relayer,
                all,
                stages,
            }
        }

        fn decide(&mut self, l1_block: u64) -> Vec<Move> {
            let stages = &self.stages;
            self.relayer
                .decide(
                    l1_block,
                    |_| false,
                    |hash| Ok::<_, Infallible>(stages[&hash]),
                )
                .unwrap()
        }
    }

    #[test]
    fn each_stage_has_its_move() {
        let stages = [
            Stage::Waiting,
            Stage::Provable { output: 7 },
            Stage::Finalisable { by: US },
            Stage::Done,
        ];
        let mut table = Table::new(&stages);
        let want = [
            prove(table.all[1]),
            Move::Finalise {
                hash: table.all[2],
                by: US,
            },
        ];
        assert_eq!(table.decide(1), want);
        assert_eq!(table.relayer.open(), 3, "what is done is forgotten");
    }

    #[test]
    fn a_rejected_output_makes_it_prove_again() {
        let mut table = Table::new(&[Stage::Finalisable { by: US }]);
        assert!(matches!(table.decide(1)[..], [Move::Finalise { .. }]));
        let hash = table.all[0];
        table.stages.insert(hash, Stage::Provable { output: 7 });
        assert_eq!(table.decide(2), [prove(hash)]);
    }

    #[test]
    fn a_refused_move_waits_longer_each_time() {
        let mut table = Table::new(&[Stage::Provable { output: 7 }]);
        let hash = table.all[0];
        table.relayer.refused(hash, 10);
        assert_eq!(table.decide(11), []);
        assert_eq!(table.decide(12), [prove(hash)]);
        table.relayer.refused(hash, 12);
        assert_eq!(table.decide(15), []);
        assert_eq!(table.decide(16), [prove(hash)]);
        for _ in 0..100 {
            table.relayer.refused(hash, 16);
        }
        assert_eq!(table.decide(16 + RETRY_L1_BLOCKS_MAX).len(), 1);
    }

    #[test]
    fn one_that_always_fails_holds_back_nobody() {
        let mut table = Table::new(&[Stage::Finalisable { by: US }, Stage::Provable { output: 7 }]);
        table.relayer.refused(table.all[0], 10);
        assert_eq!(table.decide(11), [prove(table.all[1])]);
    }

    #[test]
    fn what_is_under_way_is_not_sent_again() {
        let mut table = Table::new(&[Stage::Provable { output: 7 }]);
        let stages = table.stages.clone();
        let moves = table
            .relayer
            .decide(1, |_| true, |hash| Ok::<_, Infallible>(stages[&hash]));
        assert_eq!(moves.unwrap(), []);
    }

    #[test]
    fn moves_are_bounded_and_oldest_first() {
        let mut table = Table::new(&[Stage::Provable { output: 7 }; 40]);
        let moves = table.decide(1);
        assert_eq!(moves.len(), MOVES_MAX);
        assert_eq!(moves[0], prove(table.all[0]));
    }

    #[test]
    fn only_those_who_pay_enough_are_carried() {
        let carry = Carry::Paid {
            relay_fee: CONTRACT,
            min: U256::from(10),
        };
        let plain = withdrawal(0, Bytes::new());
        let low = withdrawal(1, fee::offer(US, U256::from(9)));
        let enough = withdrawal(2, fee::offer(US, U256::from(10)));
        let mut relayer = Relayer::default();
        relayer.found(5, &carry, [(5, 0, &plain), (5, 1, &low), (5, 2, &enough)]);
        let moves = relayer.decide(
            1,
            |_| false,
            |_| Ok::<_, Infallible>(Stage::Provable { output: 7 }),
        );
        assert_eq!(moves.unwrap(), [prove(enough.hash())]);
    }

    #[test]
    fn blocks_that_are_taken_back_are_searched_again() {
        let mut table = Table::new(&[Stage::Waiting; 6]);
        assert_eq!(table.relayer.wants(), Some(6));
        table.relayer.rewind(2);
        assert_eq!((table.relayer.wants(), table.relayer.open()), (Some(3), 3));
    }
}

//! Who goes first: at most one transaction per sender, by effective tip, then by arrival.
//!
//! The effective tip, `min(tip, max_fee − base_fee)`, changes with the base fee, but the order changes only where
//! the smaller side of the `min` changes. So there are two sets, each in an order that no base fee touches: those
//! that pay their whole tip, by tip, and those held down by their fee cap, by fee cap. The best of all is the
//! better of the two last elements, and a new base fee moves only those whose side changed. Every step is
//! O(log n).

use std::collections::BTreeSet;

/// A sender's next transaction, as far as the order cares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Head {
    /// The sender's place in the pool.
    pub sender: u32,
    /// Wei per gas at most.
    pub max_fee: u128,
    /// Wei per gas for the builder at most; not above `max_fee`.
    pub tip: u128,
    /// Unique; smaller came first.
    pub arrival: u64,
}

impl Head {
    /// Base fee above which the fee cap cuts into the tip.
    const fn threshold(&self) -> u128 {
        self.max_fee - self.tip
    }
}

/// Greatest last: most wei first, then the earliest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    wei: u128,
    late: std::cmp::Reverse<u64>,
    sender: u32,
}

/// All heads in order.
#[derive(Debug, Default)]
pub(crate) struct Order {
    base_fee: u128,
    /// Threshold at or above the base fee: ranked by tip.
    whole: BTreeSet<Rank>,
    /// Threshold below the base fee, or zero: ranked by fee cap.
    capped: BTreeSet<Rank>,
    /// Heads with a threshold above zero, to find those that change sides. Without a threshold (types 0 and 1)
    /// tip and fee cap are the same number and the side never matters.
    thresholds: BTreeSet<(u128, u32)>,
}

/// Fees and arrival of a head, looked up when it changes sides.
pub(crate) type HeadOf<'a> = &'a dyn Fn(u32) -> Option<Head>;

impl Order {
    fn side(&mut self, head: &Head) -> (&mut BTreeSet<Rank>, Rank) {
        let late = std::cmp::Reverse(head.arrival);
        if head.threshold() > 0 && head.threshold() >= self.base_fee {
            (
                &mut self.whole,
                Rank {
                    wei: head.tip,
                    late,
                    sender: head.sender,
                },
            )
        } else {
            (
                &mut self.capped,
                Rank {
                    wei: head.max_fee,
                    late,
                    sender: head.sender,
                },
            )
        }
    }

    pub fn insert(&mut self, head: &Head) {
        let (side, rank) = self.side(head);
        let fresh = side.insert(rank);
        debug_assert!(fresh, "a sender has one head");
        if head.threshold() > 0 {
            self.thresholds.insert((head.threshold(), head.sender));
        }
    }

    pub fn remove(&mut self, head: &Head) {
        let (side, rank) = self.side(head);
        let known = side.remove(&rank);
        debug_assert!(known, "a head leaves as it came");
        if head.threshold() > 0 {
            self.thresholds.remove(&(head.threshold(), head.sender));
        }
    }

    /// The sender whose head pays most, unless even that does not reach the base fee.
    pub fn best(&self) -> Option<u32> {
        let whole = self.whole.last().copied();
        let capped = self
            .capped
            .last()
            .filter(|rank| rank.wei >= self.base_fee)
            .map(|rank| Rank {
                wei: rank.wei - self.base_fee,
                ..*rank
            });
        whole.max(capped).map(|rank| rank.sender)
    }

    /// Moves the heads that change sides.
    pub fn set_base_fee(&mut self, base_fee: u64, head_of: HeadOf<'_>) {
        let base_fee = u128::from(base_fee);
        if base_fee == self.base_fee {
            return;
        }
        let (low, high) = (self.base_fee.min(base_fee), self.base_fee.max(base_fee));
        let moved: Vec<Head> = self
            .thresholds
            .range((low, 0)..(high, 0))
            .filter_map(|&(_, sender)| head_of(sender))
            .collect();
        for head in &moved {
            self.remove(head);
        }
        self.base_fee = base_fee;
        for head in &moved {
            self.insert(head);
        }
    }

    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.whole.len() + self.capped.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Effective tip by the book, `None` if the base fee is not reached.
    fn effective(head: &Head, base_fee: u64) -> Option<u128> {
        Some(head.tip.min(head.max_fee.checked_sub(base_fee.into())?))
    }

    proptest! {
        #[test]
        fn best_is_the_greatest_effective_tip_then_the_earliest(
            fees in prop::collection::vec((0u128..40, 0u128..40), 1..40),
            base_fees in prop::collection::vec(0u64..50, 1..8),
        ) {
            let heads: Vec<Head> = fees.iter().enumerate().map(|(n, &(a, b))| Head {
                sender: n as u32, max_fee: a.max(b), tip: a.min(b), arrival: n as u64,
            }).collect();
            let mut order = Order::default();
            heads.iter().for_each(|head| order.insert(head));
            for base_fee in base_fees {
                order.set_base_fee(base_fee, &|sender| Some(heads[sender as usize]));
                let mut left: Vec<Head> = heads.clone();
                let mut taken = Vec::new();
                while let Some(sender) = order.best() {
                    order.remove(&heads[sender as usize]);
                    taken.push(sender);
                }
                left.retain(|head| effective(head, base_fee).is_some());
                left.sort_by_key(|head| (std::cmp::Reverse(effective(head, base_fee)), head.arrival));
                prop_assert_eq!(&taken, &left.iter().map(|head| head.sender).collect::<Vec<_>>());
                taken.iter().for_each(|&sender| order.insert(&heads[sender as usize]));
                prop_assert_eq!(order.len(), heads.len());
            }
        }
    }
}

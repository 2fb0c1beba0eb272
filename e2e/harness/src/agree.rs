//! Two nodes say the same.

use crate::{L1, Node};
use anyhow::ensure;

/// Every block up to the follower's head has the same hash on both, and the follower's head is the other's safe block.
pub fn assert_agree(sequencer: &Node, follower: &Node) -> anyhow::Result<()> {
    let head = follower.head().header.number;
    ensure!(
        sequencer.safe() == head,
        "the sequencer's safe block is {}, the follower's head {head}",
        sequencer.safe()
    );
    ensure!(
        sequencer.records()? == follower.records()?,
        "{} records derived by the sequencer, {} by the follower",
        sequencer.records()?,
        follower.records()?
    );
    for number in 0..=head {
        let (a, b) = (
            sequencer.chain.store.hash_of(number)?,
            follower.chain.store.hash_of(number)?,
        );
        ensure!(
            a == b,
            "first differing block: {number}, {a:?} on the sequencer, {b:?} on the follower"
        );
        let (a, b) = (
            sequencer.chain.store.meta(number)?,
            follower.chain.store.meta(number)?,
        );
        ensure!(
            a == b,
            "block {number}: {a:?} on the sequencer, {b:?} on the follower"
        );
    }
    Ok(())
}

/// A follower that begins now, with nothing but L1, reaches what the sequencer has.
pub async fn assert_follows(l1: &L1, sequencer: &Node) -> anyhow::Result<()> {
    let (follower, _dir) = l1.act_follow_from_nothing().await?;
    ensure!(
        follower.records()? == l1.record_count().await?,
        "L1 holds {} records, the follower derived {}",
        l1.record_count().await?,
        follower.records()?
    );
    assert_agree(sequencer, &follower)
}

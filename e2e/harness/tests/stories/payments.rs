//! OPEN goes from L1 to L2, from hand to hand there, and into L1's records.

use crate::tell;
use alloy_primitives::Address;
use harness::{Node, USERS, World, assert_agree, assert_backed, assert_follows, eth};
use poster::DaChoice;
use primitives::RecordKind;

const SHOP: Address = Address::repeat_byte(0x5a);

async fn payments_become_safe(da: DaChoice) -> anyhow::Result<()> {
    let mut world = World::funded(da).await?;
    let mut early = Vec::new();
    let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
    for round in 0..3 {
        for index in 0..USERS {
            early.push(world.sequencer.act_pay(index, SHOP, eth(1))?);
        }
        world.sequencer.act_block()?;
        if round == 1 {
            world.l1.act_deposit(0, SHOP, eth(5)).await?;
        }
        world.act_turn().await?;
        follower.act_look().await?;
    }
    world.act_settle().await?;
    follower.act_look().await?;

    for hash in early {
        assert!(
            world.sequencer.includes(hash)? && follower.includes(hash)?,
            "{hash}"
        );
    }
    assert_eq!(follower.balance(SHOP)?, eth(3 * u64::from(USERS) + 5));
    assert_agree(&world.sequencer, &follower)?;
    assert_follows(&world.l1, &world.sequencer).await?;
    assert_backed(&world.l1, &follower).await
}

#[tokio::test]
async fn payments_become_safe_in_calldata() {
    tell(payments_become_safe(DaChoice::Calldata)).await;
}

#[tokio::test]
async fn payments_become_safe_in_blobs() {
    tell(payments_become_safe(DaChoice::Blobs)).await;
}

#[tokio::test]
async fn both_forms_may_follow_each_other() {
    tell(async {
        let mut world = World::funded(DaChoice::Blobs).await?;
        world.act_settle().await?;
        // The same chain, opened again, prefers the other form.
        let mut world = world.act_restart_sequencer_as(DaChoice::Calldata).await?;
        world.sequencer.act_look().await?;
        world.sequencer.act_pay(0, SHOP, eth(1))?;
        world.sequencer.act_blocks()?;
        let batch = world.sequencer.act_batch()?.unwrap();
        assert_eq!(batch.record.kind, RecordKind::Calldata);
        world.act_settle().await?;
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

/// A batch is worth the same in any hand.
#[tokio::test]
async fn anyone_may_post_a_signed_batch() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.sequencer.act_pay(0, SHOP, eth(1))?;
        world.sequencer.act_blocks()?;
        let batch = world.sequencer.act_batch()?.unwrap();
        assert!(world.l1.act_post(3, &batch).await?.is_ok());
        world.sequencer.act_look().await?;
        assert_eq!(world.sequencer.safe(), batch.blocks.1);
        world.act_settle().await?;
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

/// A node that was away reads on where it stopped, whatever was posted meanwhile.
#[tokio::test]
async fn a_follower_goes_on_where_it_stopped() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.act_settle().await?;
        let (follower, dir) = world.l1.act_follow_from_nothing().await?;
        let before = follower.records()?;
        drop(follower);
        for _ in 0..120 {
            world.sequencer.act_pay(1, SHOP, eth(1))?;
            world.act_turn().await?;
        }
        world.act_settle().await?;
        let mut follower = Node::open(
            &world.l1.network,
            &world.l1.client,
            dir.path(),
            DaChoice::Auto,
        )?;
        assert_eq!(follower.records()?, before);
        follower.act_look().await?;
        assert_agree(&world.sequencer, &follower)?;
        drop(follower);
        // Far behind the first records by now: nothing is read from the start.
        let mut follower = Node::open(
            &world.l1.network,
            &world.l1.client,
            dir.path(),
            DaChoice::Auto,
        )?;
        follower.act_look().await?;
        assert_agree(&world.sequencer, &follower)
    })
    .await;
}

#[tokio::test]
async fn a_restarted_sequencer_goes_on_with_what_waited() {
    tell(async {
        let world = World::funded(DaChoice::Calldata).await?;
        let included = world.sequencer.act_pay(0, SHOP, eth(1))?;
        world.sequencer.act_block()?;
        let waiting = world.sequencer.act_pay(1, SHOP, eth(1))?;
        let head = world.sequencer.head().hash;
        let mut world = world.act_restart_sequencer_as(DaChoice::Calldata).await?;
        assert_eq!(world.sequencer.head().hash, head);
        assert!(world.sequencer.includes(included)? && !world.sequencer.includes(waiting)?);
        world.act_settle().await?;
        assert!(world.sequencer.includes(waiting)?);
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

//! Without a sequencer, deposits go on.

use crate::tell;
use alloy_primitives::Address;
use harness::{World, assert_agree, assert_backed, assert_follows, eth};
use poster::DaChoice;

const SHOP: Address = Address::repeat_byte(0x5a);

#[tokio::test]
async fn nobody_can_force_an_advance_while_batches_come() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.act_settle().await?;
        assert!(!world.l1.act_force_advance(3).await?);
        world
            .l1
            .act_time_passes(world.l1.network.delays.window_s - 60)?;
        assert!(!world.l1.act_force_advance(3).await?);
        world.l1.act_time_passes(61)?;
        assert!(world.l1.act_force_advance(3).await?);
        Ok(())
    })
    .await;
}

/// The sequencer made blocks and never posted them; after the window anyone brings the deposits through. The
/// sequencer takes its blocks back, and the payments in them happen after the deposits.
#[tokio::test]
async fn after_the_window_anyone_brings_deposits_through() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.act_settle().await?;
        let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
        let mut paid = Vec::new();
        for index in 0..3 {
            paid.push(world.sequencer.act_pay(index, SHOP, eth(2))?);
            world.sequencer.act_block()?;
        }
        world.l1.act_deposit(3, SHOP, eth(7)).await?;
        world
            .l1
            .act_time_passes(world.l1.network.delays.window_s + 1)?;
        assert!(world.l1.act_force_advance(3).await?);
        let unsafe_head = world.sequencer.head();

        follower.act_look().await?;
        assert_eq!(follower.balance(SHOP)?, eth(7));
        world.sequencer.act_look().await?;
        assert_agree(&world.sequencer, &follower)?;
        assert_ne!(
            world
                .sequencer
                .chain
                .store
                .hash_of(unsafe_head.header.number)?,
            Some(unsafe_head.hash)
        );
        for hash in &paid {
            assert!(
                !world.sequencer.includes(*hash)?,
                "{hash} was in a block that L1 does not know"
            );
        }

        world.act_settle().await?;
        follower.act_look().await?;
        for hash in paid {
            assert!(follower.includes(hash)?, "{hash} was lost");
        }
        assert_eq!(follower.balance(SHOP)?, eth(13));
        assert_agree(&world.sequencer, &follower)?;
        assert_follows(&world.l1, &world.sequencer).await?;
        assert_backed(&world.l1, &follower).await
    })
    .await;
}

/// A sequencer that was away for longer than the window, and its L1 was not: it comes back by itself.
#[tokio::test]
async fn a_sequencer_comes_back_after_forced_records() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.act_settle().await?;
        let waiting = world.sequencer.act_pay(3, SHOP, eth(1))?;
        world.sequencer.act_block()?;
        for round in 0..3 {
            world.l1.act_deposit(round, SHOP, eth(1)).await?;
            world
                .l1
                .act_time_passes(world.l1.network.delays.window_s + 1)?;
            assert!(world.l1.act_force_advance(3).await?);
        }
        let mut world = world.act_restart_sequencer_as(DaChoice::Calldata).await?;
        world.act_settle().await?;
        assert!(world.sequencer.includes(waiting)?);
        assert_eq!(world.sequencer.balance(SHOP)?, eth(4));
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

/// A batch in the mempool, signed before the forced record, reverts; the next one does not.
#[tokio::test]
async fn a_batch_overtaken_by_a_forced_record_is_made_again() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.act_settle().await?;
        let paid = world.sequencer.act_pay(0, SHOP, eth(1))?;
        world.sequencer.act_block()?;
        world.sequencer.act_batch()?;
        world
            .l1
            .act_time_passes(world.l1.network.delays.window_s + 1)?;
        assert!(world.l1.act_force_advance(3).await?);
        // Sent before the sequencer has seen the forced record.
        world.poster.step().await;
        world.l1.act_mine(1)?;
        world.act_settle().await?;
        assert!(world.sequencer.includes(paid)?);
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

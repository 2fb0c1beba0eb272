//! Users leave without the operator, within the promised delays.

use crate::tell;
use alloy_primitives::U256;
use harness::{Craft, L1, Payload, World, assert_backed, eth, exit, user};
use node::exit::Exit;
use poster::DaChoice;
use relayer::exit::Step;

/// Blocks and a proof or two between the steps, seconds.
const SLACK_S: u64 = 120;
/// What `node::exit` waits for an honest proposer.
const PATIENCE_S: u64 = 300;

/// Runs an exit to its end; L1's clock jumps to where something is due. Returns how long it took, seconds.
async fn leave(l1: &L1, exit: &mut Exit) -> anyhow::Result<u64> {
    let began = l1.time();
    for _ in 0..200 {
        match exit.step().await {
            Ok(Step::Done) => return Ok(l1.time() - began),
            Ok(Step::Wait {
                until: Some(until), ..
            }) if until > l1.time() + 1 => l1.act_time_passes(until - l1.time())?,
            Ok(_) => l1.act_mine(1)?,
            Err(error) if matches!(error.downcast_ref(), Some(l1::L1Error::Moved)) => {}
            Err(error) => return Err(error),
        }
    }
    anyhow::bail!("two hundred steps, and the OPEN is not on L1")
}

#[tokio::test]
async fn without_a_sequencer_everything_can_leave() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.act_settle().await?;
        let World { l1, sequencer, .. } = world;
        let (account, dir) = (user(0)?.address(), tempfile::tempdir()?);
        let before = l1.balance(account).await?;
        let owned = sequencer.balance(account)?;
        assert_eq!(owned, eth(1_000));
        // From here nobody makes blocks, posts, asserts or carries.
        let mut exit = exit(&l1, 0, None, dir.path()).await?;
        let took = leave(&l1, &mut exit).await?;

        let gained = l1.balance(account).await? - before;
        let gas = U256::from(node::exit::FORCED_WITHDRAWAL_GAS)
            * U256::from(l1.network.fees.base_fee_floor_wei);
        assert_eq!(gained, owned - gas);
        assert_eq!(exit.balance()?, U256::ZERO);
        let network = &l1.network;
        let promised = network.delays.window_s + PATIENCE_S + network.assertion.window_s;
        assert!(
            took <= promised + SLACK_S,
            "{took} s, {promised} were promised"
        );
        let (follower, _dir) = l1.act_follow_from_nothing().await?;
        assert_backed(&l1, &follower).await
    })
    .await;
}

/// The sequencer posts batch after batch and leaves the user out, as long as L1 lets it.
#[tokio::test]
async fn a_sequencer_that_censors_can_delay_and_not_prevent() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.act_settle().await?;
        let (account, dir) = (user(1)?.address(), tempfile::tempdir()?);
        let before = world.l1.balance(account).await?;
        let mut exit = exit(&world.l1, 1, Some(eth(600)), dir.path()).await?;
        let began = world.l1.time();
        // Approval, entry.
        for _ in 0..4 {
            exit.step().await?;
            world.l1.act_mine(1)?;
        }
        let mut posted = 0;
        loop {
            world.sequencer.act_look().await?;
            let craft = Craft::next(&world.l1, &world.sequencer).await?;
            let craft = craft.censoring().await?;
            let payload = craft.encode(vec![], 8_000_000)?;
            let mut craft = craft;
            craft.record.payload_hash = alloy_primitives::keccak256(&payload);
            let batch = craft.sign(Payload::Calldata(payload))?;
            match world.l1.act_post(3, &batch).await? {
                Ok(_) => posted += 1,
                Err(why) => {
                    // MustConsume(uint64,uint256)
                    let name = alloy_primitives::keccak256("MustConsume(uint64,uint256)");
                    let selector = alloy_primitives::hex::encode(&name[..4]);
                    assert!(why.0.contains(&selector), "{why:?}");
                    break;
                }
            }
            exit.step().await?;
            world.l1.act_time_passes(300)?;
        }
        assert!(posted >= 5, "{posted} batches left the user out");
        // It stops rather than give in.
        leave(&world.l1, &mut exit).await?;
        let took = world.l1.time() - began;
        assert!(world.l1.balance(account).await? > before + eth(599));
        let network = &world.l1.network;
        let promised = network.delays.force_delay_s
            + network.delays.window_s
            + PATIENCE_S
            + network.assertion.window_s;
        // And the five minutes between two of its batches.
        assert!(
            took <= promised + 300 + SLACK_S,
            "{took} s, {promised} were promised"
        );
        world.sequencer.act_look().await?;
        assert_backed(&world.l1, &world.sequencer).await
    })
    .await;
}

/// The command may end at any point; begun again it goes on from what L1 holds.
#[tokio::test]
async fn an_exit_goes_on_where_it_was_stopped() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.act_settle().await?;
        let l1 = &world.l1;
        let account = user(2)?.address();
        let before = l1.balance(account).await?;
        let mut done = false;
        for _ in 0..120 {
            // Each look is that of another process, in an empty folder.
            let dir = tempfile::tempdir()?;
            let mut exit = exit(l1, 2, None, dir.path()).await?;
            match exit.step().await? {
                Step::Done => {
                    done = true;
                    break;
                }
                Step::Wait {
                    until: Some(until), ..
                } if until > l1.time() + 1 => l1.act_time_passes(until - l1.time())?,
                _ => l1.act_mine(1)?,
            }
        }
        assert!(done, "not done after 120 looks");
        let gained = l1.balance(account).await? - before;
        assert!(gained > eth(999) && gained < eth(1_000), "{gained}");
        Ok(())
    })
    .await;
}

//! L1 replaces its newest blocks while everything is under way.

use crate::tell;
use alloy_primitives::{Address, B256};
use harness::{Node, World, assert_agree, assert_backed, assert_follows, eth};
use poster::DaChoice;
use rand::{Rng, SeedableRng, rngs::StdRng};

const SHOP: Address = Address::repeat_byte(0x5a);

/// What happens, step by step; a reorg comes after one of them. Who deposits does not pay: a deposit counts as a
/// transaction of its sender on L2, so one that comes earlier than it did takes the nonce of a payment.
#[derive(Debug, Clone, Copy)]
enum Step {
    Deposit,
    Pay,
    Look,
    Blocks,
    Batch,
    Post,
    Mine,
}
use Step::*;

/// Every actor at work, with L1 blocks in between.
const ROUND: &[Step] = &[
    Deposit, Mine, Look, Pay, Blocks, Mine, Batch, Post, Mine, Look, Deposit, Pay, Mine, Blocks,
    Batch, Mine, Post, Mine,
];

async fn act(world: &mut World, step: Step, n: u32, paid: &mut Vec<B256>) -> anyhow::Result<()> {
    match step {
        Deposit => drop(world.l1.act_deposit(n % 2, SHOP, eth(1)).await?),
        Pay => paid.push(world.sequencer.act_pay(2 + n % 2, SHOP, eth(1))?),
        Look => world.sequencer.act_look().await?,
        Blocks => world.sequencer.act_blocks()?,
        Batch => drop(world.sequencer.act_batch()?),
        Post => world.poster.step().await,
        Mine => world.l1.act_mine(1)?,
    }
    Ok(())
}

/// Reorgs of `depth` after every step of a round, one after the other.
async fn reorgs_of(depth: u64, drop_transactions: bool, da: DaChoice) -> anyhow::Result<()> {
    let mut world = World::funded(da).await?;
    // The users' deposits must not be taken back for good: what they pay here is real.
    world.act_settle().await?;
    world.l1.act_mine(depth)?;
    let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
    let mut paid = Vec::new();
    for phase in 0..ROUND.len() {
        for (at, step) in ROUND.iter().enumerate() {
            let during = |e: anyhow::Error| {
                e.context(format!(
                    "depth {depth}, reorg after step {phase}, step {at} ({step:?})"
                ))
            };
            act(&mut world, *step, (phase + at) as u32, &mut paid)
                .await
                .map_err(during)?;
            if at == phase {
                world.l1.act_reorg(depth, drop_transactions)?;
            }
            if at % 3 == 0 {
                follower.act_look().await.map_err(during)?;
            }
        }
    }
    world.act_settle().await?;
    follower.act_look().await?;
    assert_all_included(&world, &follower, &paid)?;
    assert_agree(&world.sequencer, &follower)?;
    assert_follows(&world.l1, &world.sequencer).await?;
    assert_backed(&world.l1, &world.sequencer).await
}

#[tokio::test]
async fn shallow_reorgs_that_keep_their_transactions_lose_nothing() {
    tell(async {
        for depth in [1, 2, 3] {
            reorgs_of(depth, false, DaChoice::Calldata).await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn deep_reorgs_that_keep_their_transactions_lose_nothing() {
    tell(async {
        for depth in [5, 8, 10] {
            reorgs_of(depth, false, DaChoice::Calldata).await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn shallow_reorgs_that_drop_transactions_lose_only_deposits() {
    tell(async {
        for depth in [1, 2, 4] {
            reorgs_of(depth, true, DaChoice::Calldata).await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn deep_reorgs_that_drop_transactions_lose_only_deposits() {
    tell(async {
        for depth in [6, 7, 9] {
            reorgs_of(depth, true, DaChoice::Calldata).await?;
        }
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn batches_in_blobs_survive_reorgs() {
    tell(async { reorgs_of(3, false, DaChoice::Blobs).await }).await;
}

/// L1 was reorganised while the node was away; what it holds on disk is compared with L1 first.
#[tokio::test]
async fn a_node_finds_out_about_a_reorg_while_it_was_away() {
    tell(async {
        for (depth, drop_transactions) in [(1, true), (3, false), (6, true), (9, false)] {
            let mut world = World::funded(DaChoice::Calldata).await?;
            world.act_settle().await?;
            world.l1.act_mine(depth)?;
            let (follower, dir) = world.l1.act_follow_from_nothing().await?;
            drop(follower);
            for n in 0..3 {
                world.l1.act_deposit(n, SHOP, eth(1)).await?;
                world.sequencer.act_pay(3, SHOP, eth(1))?;
                world.act_turn().await?;
            }
            world.sequencer.act_look().await?;
            let mut follower = Node::open(
                &world.l1.network,
                &world.l1.client,
                dir.path(),
                DaChoice::Auto,
            )?;
            follower.act_look().await?;
            drop(follower);
            world.l1.act_reorg(depth, drop_transactions)?;
            let mut world = world.act_restart_sequencer_as(DaChoice::Calldata).await?;
            world.act_settle().await?;
            let mut follower = Node::open(
                &world.l1.network,
                &world.l1.client,
                dir.path(),
                DaChoice::Auto,
            )?;
            follower.act_look().await?;
            let context = |e: anyhow::Error| e.context(format!("depth {depth}"));
            assert_agree(&world.sequencer, &follower).map_err(context)?;
            assert_follows(&world.l1, &world.sequencer)
                .await
                .map_err(context)?;
        }
        Ok(())
    })
    .await;
}

/// L1 moves while it is read, and not between the steps only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_l1_that_never_stands_still_is_followed() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.act_settle().await?;
        world.l1.act_mine(10)?;
        let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
        let l1 = &world.l1;
        let (sequencer, poster) = (&mut world.sequencer, &mut world.poster);
        let over = std::sync::atomic::AtomicBool::new(false);
        let over = &over;
        let mut paid = Vec::new();
        let outcome = std::thread::scope(|scope| {
            let restless = scope.spawn(move || -> anyhow::Result<()> {
                let mut random = StdRng::seed_from_u64(5);
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    match random.random_range(0..4) {
                        0 => l1.act_reorg(
                            random.random_range(1..=6),
                            random.random_range(0..4) == 0,
                        )?,
                        _ => l1.act_mine(1)?,
                    }
                    std::thread::sleep(std::time::Duration::from_millis(
                        random.random_range(0..20),
                    ));
                }
                Ok(())
            });
            let outcome = tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(async {
                    for n in 0..150 {
                        look_at_moving(sequencer).await?;
                        paid.push(sequencer.act_pay(2 + n % 2, SHOP, eth(1))?);
                        sequencer.act_blocks()?;
                        sequencer.act_batch()?;
                        poster.step().await;
                        look_at_moving(&mut follower).await?;
                    }
                    anyhow::Ok(())
                })
            });
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            restless
                .join()
                .expect("the thread that moves L1 does not panic")?;
            outcome
        });
        outcome?;
        world.act_settle().await?;
        follower.act_look().await?;
        assert_all_included(&world, &follower, &paid)?;
        assert_agree(&world.sequencer, &follower)?;
        assert_follows(&world.l1, &world.sequencer).await?;
        assert_backed(&world.l1, &world.sequencer).await
    })
    .await;
}

/// As [`node::driver::Driver::run`]: whatever L1 says while it moves, the next look may succeed.
async fn look_at_moving(node: &mut Node) -> anyhow::Result<()> {
    match node.driver.step().await {
        Err(error)
            if error
                .downcast_ref::<l1::L1Error>()
                .is_none_or(|e| matches!(e, l1::L1Error::Contract(..))) =>
        {
            Err(error)
        }
        _ => Ok(()),
    }
}

/// Steps and reorgs in random order; a failure tells its seed. `TRIBUTARY_SEED` plays one again, `TRIBUTARY_STORIES`
/// sets how many there are.
#[tokio::test]
async fn random_stories_end_in_agreement() {
    let seeds = match std::env::var("TRIBUTARY_SEED") {
        Ok(seed) => vec![seed.parse::<u64>().unwrap()],
        Err(_) => {
            let count =
                std::env::var("TRIBUTARY_STORIES").map_or(6, |count| count.parse::<u64>().unwrap());
            (0..count).collect()
        }
    };
    for seed in seeds {
        tell(async {
            random_story(seed)
                .await
                .map_err(|e| e.context(format!("TRIBUTARY_SEED={seed}")))
        })
        .await;
    }
}

async fn random_story(seed: u64) -> anyhow::Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    let mut world = World::funded(DaChoice::Calldata).await?;
    world.act_settle().await?;
    world.l1.act_mine(10)?;
    let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
    let mut paid = Vec::new();
    for n in 0..150 {
        match random.random_range(0..100) {
            0..6 => world
                .l1
                .act_reorg(random.random_range(1..=10), random.random())?,
            6..10 => follower.act_look().await?,
            10..12 => world = world.act_restart_sequencer_as(DaChoice::Calldata).await?,
            other => {
                let step = [Deposit, Pay, Look, Look, Blocks, Batch, Post, Mine, Mine][other % 9];
                act(&mut world, step, n, &mut paid).await?;
            }
        }
    }
    world.act_settle().await?;
    follower.act_look().await?;
    assert_all_included(&world, &follower, &paid)?;
    assert_agree(&world.sequencer, &follower)?;
    assert_follows(&world.l1, &world.sequencer).await?;
    assert_backed(&world.l1, &world.sequencer).await
}

/// No payment is lost that somebody once sent.
fn assert_all_included(world: &World, follower: &Node, paid: &[B256]) -> anyhow::Result<()> {
    for (at, hash) in paid.iter().enumerate() {
        if follower.includes(*hash)? {
            continue;
        }
        let pool = &world.sequencer.chain.pool;
        let counts = pool.lock().counts();
        for number in 0..=follower.head().header.number {
            let block = follower.chain.store.block(number)?.unwrap();
            anyhow::ensure!(
                block.transactions.iter().all(|tx| tx.hash != *hash),
                "{hash} is in block {number}, and not in the index"
            );
        }
        anyhow::bail!(
            "payment {at} of {} was lost: {hash}; waiting: {}; pool {counts:?}",
            paid.len(),
            pool.lock().contains(hash)
        );
    }
    Ok(())
}

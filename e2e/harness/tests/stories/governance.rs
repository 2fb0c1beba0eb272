//! Stakers change a number of the economy on a running chain, two weeks after it was proposed; nobody else changes any.

use crate::tell;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::{SolCall, SolValue};
use anyhow::ensure;
use bindings::{
    asset_registry::{AssetRegistry, IAssetRegistry},
    fee_policy::FeePolicy,
    open_governor::OpenGovernor,
    revenue_router::RevenueRouter,
    stake_manager::StakeManager,
};
use harness::{USERS, World, assert_agree, assert_backed, assert_follows, eth, user};
use poster::DaChoice;
use primitives::predeploys as at;

const DAY_S: u64 = 86_400;
const REASON: &str = "a fifth is enough";
const FOR: u8 = 1;
const UPSTREAM_PPB: u32 = 200_000_000;
/// Within genesis' bound of 30 %, above the one that is voted for.
const QUARTER_PPB: u32 = 250_000_000;
/// Numbers of `Kind`, `Edge` and `Role` in `contracts/src/l2`.
const BASE_MODEL: u8 = 2;
const ADAPTER: u8 = 3;
const DERIVED: u8 = 0;
const ROLE_OPERATOR: u8 = 0;

/// One call, as the governor wants to see it at each step.
struct Motion {
    target: Address,
    data: Bytes,
}

impl Motion {
    fn new(target: Address, call: &impl SolCall) -> Self {
        let data = call.abi_encode().into();
        Self { target, data }
    }

    fn propose(&self) -> OpenGovernor::proposeCall {
        OpenGovernor::proposeCall {
            targets: vec![self.target],
            values: vec![U256::ZERO],
            calldatas: vec![self.data.clone()],
            description: REASON.to_owned(),
        }
    }

    fn queue(&self) -> OpenGovernor::queueCall {
        OpenGovernor::queueCall {
            targets: vec![self.target],
            values: vec![U256::ZERO],
            calldatas: vec![self.data.clone()],
            descriptionHash: keccak256(REASON),
        }
    }

    fn execute(&self) -> OpenGovernor::executeCall {
        OpenGovernor::executeCall {
            targets: vec![self.target],
            values: vec![U256::ZERO],
            calldatas: vec![self.data.clone()],
            descriptionHash: keccak256(REASON),
        }
    }

    /// Its id with the governor: the hash of what `queue` is given.
    fn id(&self) -> U256 {
        let whole = (
            vec![self.target],
            vec![U256::ZERO],
            vec![self.data.clone()],
            keccak256(REASON),
        );
        U256::from_be_bytes(keccak256(whole.abi_encode_params()).0)
    }
}

/// Users with so many million OPEN on L2, and a thousand for gas.
async fn rich(millions: [u64; USERS as usize]) -> anyhow::Result<World> {
    let mut world = World::found(DaChoice::Calldata).await?;
    for index in 0..USERS {
        let to = user(index)?.address();
        let amount = eth(millions[index as usize] * 1_000_000 + 1_000);
        world.l1.act_mint(to, amount).await?;
        world.l1.act_mine(1)?;
        world.l1.act_deposit(index, to, amount).await?;
    }
    world.l1.act_mine(2)?;
    world.sequencer.act_look().await?;
    world.sequencer.act_blocks()?;
    for index in 0..USERS {
        let has = world.sequencer.balance(user(index)?.address())?;
        ensure!(
            has >= eth(millions[index as usize] * 1_000_000),
            "user {index} has {has}"
        );
    }
    Ok(world)
}

/// L1's time passes, and L2's with it.
async fn wait(world: &mut World, seconds: u64) -> anyhow::Result<()> {
    world.act_settle().await?;
    world.l1.act_time_passes(seconds)?;
    world.act_turn().await?;
    world.sequencer.act_look().await
}

fn stake(world: &World, index: u32, amount: U256) -> anyhow::Result<bool> {
    let account = world.address(index)?;
    let call = StakeManager::depositCall { account };
    world
        .sequencer
        .act_call(index, at::STAKE_MANAGER, amount, &call)
}

/// Registers a model that passes a quarter on to `parent`.
fn register(world: &World, parent: Option<u64>) -> anyhow::Result<bool> {
    let parents = parent.map(|id| IAssetRegistry::Parent {
        id,
        weightPpb: 1_000_000_000,
        edge: DERIVED,
    });
    let call = AssetRegistry::registerCall {
        kind: if parent.is_some() {
            ADAPTER
        } else {
            BASE_MODEL
        },
        contentRoot: B256::repeat_byte(1),
        uri: "story:model".to_owned(),
        upstreamPpb: if parent.is_some() { QUARTER_PPB } else { 0 },
        parents: parents.into_iter().collect(),
        floorPpb: 0,
        licence: B256::ZERO,
        payout: world.address(3)?,
    };
    world
        .sequencer
        .act_call(3, at::ASSET_REGISTRY, U256::ZERO, &call)
}

/// A user calls the governor. Whether it succeeded.
fn governor(world: &World, from: u32, call: &impl SolCall) -> anyhow::Result<bool> {
    world
        .sequencer
        .act_call(from, at::GOVERNOR, U256::ZERO, call)
}

#[tokio::test]
async fn stakers_change_a_bounded_number_and_nobody_else_does() {
    tell(async {
        let mut world = rich([3, 2, 0, 0]).await?;
        let change = FeePolicy::setUpstreamMaxCall { ppb: UPSTREAM_PPB };
        let motion = Motion::new(at::FEE_POLICY, &change);
        ensure!(stake(&world, 0, eth(3_000_000))? && stake(&world, 1, eth(1_500_000))?);
        ensure!(register(&world, None)? && register(&world, Some(1))?);
        wait(&mut world, 60).await?;

        // Not by itself, not without votes, not beyond what governance may.
        let from_outside = world
            .sequencer
            .act_call(0, at::FEE_POLICY, U256::ZERO, &change)?;
        assert!(!from_outside);
        assert!(!governor(&world, 2, &motion.propose())?);
        let to = world.address(0)?;
        let seize = Motion::new(at::FEE_POLICY, &FeePolicy::offerOwnershipCall { to });
        assert!(!governor(&world, 0, &seize.propose())?);

        assert!(governor(&world, 0, &motion.propose())?);
        wait(&mut world, DAY_S + 1).await?;
        let vote = OpenGovernor::castVoteCall {
            proposalId: motion.id(),
            support: FOR,
        };
        assert!(governor(&world, 0, &vote)? && governor(&world, 1, &vote)?);
        assert!(!governor(&world, 1, &vote)?, "voted twice");
        assert!(!governor(&world, 2, &motion.queue())?, "queued too early");
        wait(&mut world, 7 * DAY_S).await?;
        assert!(governor(&world, 2, &motion.queue())?);
        assert!(!governor(&world, 2, &motion.execute())?, "no week to leave");
        wait(&mut world, 7 * DAY_S).await?;
        assert!(governor(&world, 2, &motion.execute())?);

        // In force at the second day boundary from now.
        assert!(register(&world, Some(1))?);
        wait(&mut world, 2 * DAY_S).await?;
        assert!(!register(&world, Some(1))?);

        world.act_settle().await?;
        let (follower, _dir) = world.l1.act_follow_from_nothing().await?;
        assert_agree(&world.sequencer, &follower)?;
        assert_follows(&world.l1, &world.sequencer).await?;
        assert_backed(&world.l1, &follower).await
    })
    .await;
}

/// Genesis approves the court, and nobody else, to slash operators.
#[tokio::test]
async fn operators_stake_towards_the_court_from_the_first_day() {
    tell(async {
        let world = rich([1, 0, 0, 0]).await?;
        let payout = world.address(0)?;
        let call = RevenueRouter::registerOperatorCall {
            payout,
            sharePpb: 450_000_000,
        };
        let node = &world.sequencer;
        ensure!(node.act_call(0, at::REVENUE_ROUTER, U256::ZERO, &call)?);
        ensure!(stake(&world, 0, eth(20_000))?);
        for (verifier, thaw_days, may) in [
            (at::ATTRIBUTION_SETTLEMENT, 14, false),
            (at::ATTRIBUTION_COURT, 6, false),
            (at::ATTRIBUTION_COURT, 7, true),
        ] {
            let call = StakeManager::provisionCall {
                role: ROLE_OPERATOR,
                subject: 1,
                verifier,
                amount: eth(20_000),
                rewardPpb: 500_000_000,
                thawS: thaw_days * DAY_S as u32,
            };
            let did = node.act_call(0, at::STAKE_MANAGER, U256::ZERO, &call)?;
            assert_eq!(did, may, "{verifier}, {thaw_days} days");
        }
        Ok(())
    })
    .await;
}

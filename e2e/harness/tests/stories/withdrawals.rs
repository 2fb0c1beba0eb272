//! OPEN leaves L2 and arrives on L1.

use crate::tell;
use alloy_primitives::{Address, B256, Bytes, U256};
use bindings::message_passer::L2ToL1MessagePasser::initiateWithdrawalCall;
use harness::{
    Asserter, Node, RELAYER, USERS, World, assert_backed, assert_follows, eth, relay, unpaid, user,
};
use node::{keys::dev_key, relay::Relay};
use poster::DaChoice;
use primitives::withdrawal::Withdrawal;
use relayer::{Carry, calls, fee};
use rpc::rollup_withdrawals::{Stage, find, stage, stored_proof};

const SHOP: Address = Address::repeat_byte(0x5a);

fn plain(to: Address) -> initiateWithdrawalCall {
    initiateWithdrawalCall {
        target: to,
        gasLimit: U256::ZERO,
        data: Bytes::new(),
    }
}

/// A world with everybody who is needed.
struct Crossing {
    world: World,
    asserter: Asserter,
    relays: Vec<Relay>,
}

impl Crossing {
    async fn begin(carry: Carry, relays: u32) -> anyhow::Result<Self> {
        let mut world = World::funded(DaChoice::Calldata).await?;
        world.act_settle().await?;
        let asserter = Asserter::open(&world.l1, &world.sequencer).await?;
        let mut all = Vec::new();
        for n in 0..relays {
            all.push(relay(&world.l1, &world.sequencer, RELAYER + n, carry).await?);
        }
        Ok(Self {
            world,
            asserter,
            relays: all,
        })
    }

    /// Everybody once; the money is counted after each of them.
    async fn turn(&mut self) -> anyhow::Result<()> {
        self.world.act_turn().await?;
        self.count().await?;
        self.world.sequencer.act_look().await?;
        self.asserter
            .step(&self.world.l1, &self.world.sequencer)
            .await?;
        for relay in &mut self.relays {
            relay.step().await?;
        }
        self.world.l1.act_mine(1)?;
        self.count().await
    }

    async fn count(&self) -> anyhow::Result<()> {
        assert_backed(&self.world.l1, &self.world.sequencer).await
    }

    async fn until_paid(&mut self) -> anyhow::Result<()> {
        for _ in 0..120 {
            self.turn().await?;
            let waits = self.relays.iter().any(|relay| relay.open() > 0);
            if !waits
                && unpaid(&self.world.l1, &self.world.sequencer)
                    .await?
                    .is_empty()
            {
                return Ok(());
            }
        }
        let left = unpaid(&self.world.l1, &self.world.sequencer).await?;
        anyhow::bail!("120 turns, and {left:?} are not paid")
    }
}

fn message_of(node: &Node, tx: B256) -> anyhow::Result<(B256, Withdrawal)> {
    let found = find(&node.chain.store, tx, 0)?.expect("a withdrawal in this transaction");
    Ok((found.hash, found.withdrawal))
}

#[tokio::test]
async fn a_withdrawal_is_paid_on_l1() {
    tell(async {
        let mut crossing = Crossing::begin(Carry::All, 1).await?;
        let tx = crossing
            .world
            .sequencer
            .act_withdraw(0, eth(10), &plain(SHOP))?;
        crossing.until_paid().await?;
        let world = &crossing.world;
        assert_eq!(world.l1.balance(SHOP).await?, eth(10));
        assert_eq!(
            world.l1.escrowed().await?,
            eth(1_000 * u64::from(USERS)) - eth(10)
        );
        let (hash, _) = message_of(&world.sequencer, tx)?;
        let found = find(&world.sequencer.chain.store, hash, 0)?.unwrap();
        let now = world.l1.time();
        assert!(matches!(
            stage(&world.sequencer.chain.store, &found, now)?,
            Stage::Finalised {
                succeeded: true,
                ..
            }
        ));
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

/// A message counts once, whoever comes again and however.
#[tokio::test]
async fn nothing_is_paid_twice() {
    tell(async {
        let mut crossing = Crossing::begin(Carry::All, 1).await?;
        let tx = crossing
            .world
            .sequencer
            .act_withdraw(0, eth(3), &plain(SHOP))?;
        crossing.until_paid().await?;
        let world = &crossing.world;
        let (hash, message) = message_of(&world.sequencer, tx)?;
        let network = &world.l1.network;
        let carrier = dev_key(RELAYER)?.address();
        let again = calls::finalise(network, &message, carrier);
        assert!(!world.l1.act_call(3, again).await?.status());
        let proof = node::relay::proof_of(&world.sequencer.chain.store, hash)?.unwrap();
        let again = calls::prove(network, &message, &proof);
        assert!(!world.l1.act_call(3, again).await?.status());
        let mut richer = message.clone();
        richer.value += U256::from(1);
        let forged = calls::prove(network, &richer, &proof);
        assert!(!world.l1.act_call(3, forged).await?.status());
        assert_eq!(world.l1.balance(SHOP).await?, eth(3));
        crossing.count().await
    })
    .await;
}

/// The second one to come loses a race now and then, and nothing else.
#[tokio::test]
async fn two_relayers_carry_side_by_side() {
    tell(async {
        let mut crossing = Crossing::begin(Carry::All, 2).await?;
        for n in 0..6 {
            crossing
                .world
                .sequencer
                .act_withdraw(n % USERS, eth(1), &plain(SHOP))?;
        }
        crossing.until_paid().await?;
        assert_eq!(crossing.world.l1.balance(SHOP).await?, eth(6));
        Ok(())
    })
    .await;
}

/// Who offers a fee is carried, and the fee goes to whoever finalises; others wait for somebody else.
#[tokio::test]
async fn a_relayer_carries_those_who_pay() {
    tell(async {
        let mut crossing = Crossing::begin(Carry::All, 0).await?;
        let (l1, node) = (&crossing.world.l1, &crossing.world.sequencer);
        let relay_fee = l1.network.contracts.relay_fee;
        let carry = Carry::Paid {
            relay_fee,
            min: eth(1),
        };
        let paid = relay(l1, node, RELAYER, carry).await?;
        crossing.relays.push(paid);
        let offering = |offered: U256| initiateWithdrawalCall {
            target: relay_fee,
            gasLimit: U256::from(fee::GAS),
            data: fee::offer(SHOP, offered),
        };
        node.act_withdraw(0, eth(20), &offering(eth(2)))?;
        let low = node.act_withdraw(1, eth(20), &offering(U256::from(5)))?;
        let free = node.act_withdraw(2, eth(20), &plain(SHOP))?;
        for _ in 0..60 {
            crossing.turn().await?;
        }
        let (l1, node) = (&crossing.world.l1, &crossing.world.sequencer);
        assert_eq!(l1.balance(SHOP).await?, eth(18));
        assert_eq!(l1.balance(dev_key(RELAYER)?.address()).await?, eth(2));
        assert_eq!(l1.balance(relay_fee).await?, U256::ZERO);
        let waiting: Vec<B256> = unpaid(l1, node).await?.into_keys().collect();
        let mut want = vec![message_of(node, low)?.0, message_of(node, free)?.0];
        want.sort();
        assert_eq!(waiting, want);
        Ok(())
    })
    .await;
}

/// L1 replaces its newest blocks at each phase of a withdrawal, with and without their transactions.
#[tokio::test]
async fn reorgs_of_l1_lose_nothing_and_pay_nothing_twice() {
    tell(async {
        for (depth, drop) in [(1, true), (3, false), (5, true)] {
            let mut crossing = Crossing::begin(Carry::All, 1).await?;
            // The users' deposits must stand.
            crossing.world.l1.act_mine(depth)?;
            for phase in 0..16u32 {
                let from = phase % USERS;
                crossing
                    .world
                    .sequencer
                    .act_withdraw(from, eth(1), &plain(SHOP))?;
                crossing.turn().await?;
                if phase % 3 != 0 {
                    crossing.world.l1.act_reorg(depth, drop)?;
                    crossing.world.sequencer.act_look().await?;
                }
            }
            crossing.until_paid().await?;
            assert_eq!(crossing.world.l1.balance(SHOP).await?, eth(16));
            assert_follows(&crossing.world.l1, &crossing.world.sequencer).await?;
        }
        Ok(())
    })
    .await;
}

/// Proofs are written down when L1 holds an output root: they are there after a restart, and at a node that begins years
/// later, whatever it has derived since.
#[tokio::test]
async fn proofs_survive_restarts_and_are_made_again_by_followers() {
    tell(async {
        let mut crossing = Crossing::begin(Carry::All, 1).await?;
        let mut hashes = Vec::new();
        for round in 0..3 {
            for from in 0..USERS {
                let node = &crossing.world.sequencer;
                hashes.push(node.act_withdraw(from, eth(1), &plain(SHOP))?);
            }
            for _ in 0..=round {
                crossing.turn().await?;
            }
        }
        crossing.until_paid().await?;
        let Crossing {
            world,
            asserter,
            relays,
        } = crossing;
        let store = &world.sequencer.chain.store;
        let mut proofs = Vec::new();
        for tx in hashes {
            let hash = find(store, tx, 0)?.expect("sent").hash;
            proofs.push((hash, stored_proof(store, hash)?.expect("covered")));
        }
        drop((asserter, relays));
        let (follower, _dir) = world.l1.act_follow_from_nothing().await?;
        let mut world = world.act_restart_sequencer_as(DaChoice::Calldata).await?;
        world.sequencer.act_look().await?;
        for (hash, proof) in proofs {
            for node in [&world.sequencer, &follower] {
                assert_eq!(stored_proof(&node.chain.store, hash)?, Some(proof.clone()));
            }
        }
        Ok(())
    })
    .await;
}

/// A contradiction stops payment, and its end is not guessed at.
#[tokio::test]
async fn a_contested_output_pays_nobody() {
    tell(async {
        let mut crossing = Crossing::begin(Carry::All, 1).await?;
        let tx = crossing
            .world
            .sequencer
            .act_withdraw(0, eth(10), &plain(SHOP))?;
        // Until it is proven, and its window is open.
        let store = crossing.world.sequencer.chain.store.clone();
        let mut output = None;
        for _ in 0..20 {
            crossing.turn().await?;
            crossing.world.sequencer.act_look().await?;
            let found = find(&store, tx, 0)?.expect("sent");
            if let Stage::Proven(proven) = stage(&store, &found, crossing.world.l1.time())? {
                output = Some(proven.output);
                break;
            }
        }
        let output = output.expect("proven within twenty turns");
        crate::assertions::contradict(&crossing.world, &output).await?;
        for _ in 0..60 {
            crossing.turn().await?;
        }
        assert_eq!(crossing.world.l1.balance(SHOP).await?, U256::ZERO);
        let found = find(&store, tx, 0)?.expect("sent");
        match stage(&store, &found, crossing.world.l1.time())? {
            Stage::Proven(proven) => assert!(proven.contested),
            other => panic!("{other:?}"),
        }
        Ok(())
    })
    .await;
}

/// A smart account's message to L1 whose call fails stays open, holds nobody up, and pays once it can.
#[tokio::test]
async fn a_message_whose_call_fails_holds_nobody_up() {
    tell(async {
        let mut crossing = Crossing::begin(Carry::All, 1).await?;
        // The token refuses to be called by the portal.
        let token = crossing.world.l1.network.contracts.open_token;
        let trap = initiateWithdrawalCall {
            target: token,
            gasLimit: U256::from(100_000),
            data: Bytes::from_static(&[1, 2, 3, 4]),
        };
        let node = &crossing.world.sequencer;
        node.act_withdraw(0, eth(1), &trap)?;
        node.act_withdraw(1, eth(1), &plain(user(2)?.address()))?;
        let before = crossing.world.l1.balance(user(2)?.address()).await?;
        for _ in 0..60 {
            crossing.turn().await?;
        }
        let after = crossing.world.l1.balance(user(2)?.address()).await?;
        assert_eq!(after - before, eth(1));
        let left = unpaid(&crossing.world.l1, &crossing.world.sequencer).await?;
        assert_eq!(left.len(), 1);
        Ok(())
    })
    .await;
}

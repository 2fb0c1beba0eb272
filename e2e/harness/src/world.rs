//! An L1, a sequencer on it, and a poster between them.

use crate::{L1, Node};
use alloy_primitives::{Address, U256};
use anyhow::{bail, ensure};
use config::Network;
use l1::{PrivateKeySigner, Sender};
use node::{
    keys::dev_key,
    producer,
    roles::{Poster, StoreJournal},
};
use poster::DaChoice;
use tempfile::TempDir;

/// Development accounts with OPEN on L1.
pub const USERS: u32 = 4;
pub(crate) const DEPLOYER: u32 = 20;
/// Signs batches.
pub const SEQUENCER: u32 = 21;
/// Brings batches to L1.
pub const POSTER: u32 = 22;
/// Asserts outputs.
pub const PROPOSER: u32 = 23;
/// The first of two that carry withdrawals.
pub const RELAYER: u32 = 24;

/// A user's key, the same on both sides.
pub fn user(index: u32) -> anyhow::Result<PrivateKeySigner> {
    ensure!(index < USERS, "there are {USERS} users");
    dev_key(index)
}

/// Whole coins in wei.
pub fn eth(coins: u64) -> U256 {
    U256::from(coins) * U256::from(1_000_000_000_000_000_000u64)
}

/// What a story begins with.
pub struct World {
    /// Mined by hand.
    pub l1: L1,
    /// Makes blocks and batches.
    pub sequencer: Node,
    /// Brings batches to L1.
    pub poster: Poster,
    /// The sequencer's; a story may open it again.
    pub dir: TempDir,
}

impl World {
    /// Nobody owns anything on L2 yet.
    pub async fn found(da: DaChoice) -> anyhow::Result<Self> {
        Self::found_with(da, |_| {}).await
    }

    /// With other settings than the development network's.
    pub async fn found_with(
        da: DaChoice,
        change: impl FnOnce(&mut Network),
    ) -> anyhow::Result<Self> {
        let l1 = L1::found(change).await?;
        let dir = tempfile::tempdir()?;
        let sequencer = Node::open(&l1.network, &l1.client, dir.path(), da)?;
        let poster = poster(&l1, &sequencer).await?;
        let mut world = Self {
            l1,
            sequencer,
            poster,
            dir,
        };
        world.sequencer.act_look().await?;
        Ok(world)
    }

    /// A world in which every user owns a thousand OPEN on L2.
    pub async fn funded(da: DaChoice) -> anyhow::Result<Self> {
        let mut world = Self::found(da).await?;
        for index in 0..USERS {
            world
                .l1
                .act_deposit(index, user(index)?.address(), eth(1_000))
                .await?;
        }
        world.l1.act_mine(2)?;
        world.sequencer.act_look().await?;
        world.sequencer.act_blocks()?;
        for index in 0..USERS {
            ensure!(
                world.sequencer.balance(user(index)?.address())? == eth(1_000),
                "user {index} got another amount"
            );
        }
        Ok(world)
    }

    /// The sequencer's process ends without a word, and begins again on the same folder.
    pub async fn act_restart_sequencer_as(self, da: DaChoice) -> anyhow::Result<Self> {
        let Self {
            l1,
            sequencer,
            poster: old,
            dir,
        } = self;
        drop((sequencer, old));
        let sequencer = Node::open(&l1.network, &l1.client, dir.path(), da)?;
        let poster = poster(&l1, &sequencer).await?;
        Ok(Self {
            l1,
            sequencer,
            poster,
            dir,
        })
    }

    /// One turn of everything: look, blocks of what waits, a batch, posting, an L1 block.
    pub async fn act_turn(&mut self) -> anyhow::Result<()> {
        self.sequencer.act_look().await?;
        self.sequencer.act_blocks()?;
        self.sequencer.act_batch()?;
        self.poster.step().await;
        self.l1.act_mine(1)
    }

    /// Turns until everything that waited is in blocks and every block is on L1.
    pub async fn act_settle(&mut self) -> anyhow::Result<()> {
        for _ in 0..60 {
            self.act_turn().await?;
            self.sequencer.act_look().await?;
            let chain = &self.sequencer.chain;
            if !producer::has_work(chain)?
                && self.sequencer.safe() == self.sequencer.head().header.number
            {
                return Ok(());
            }
        }
        bail!(
            "sixty turns, and block {} is not safe: {} is; {} batches wait",
            self.sequencer.head().header.number,
            self.sequencer.safe(),
            self.sequencer.maker.signed().len()
        )
    }

    /// Address of a user.
    pub fn address(&self, index: u32) -> anyhow::Result<Address> {
        Ok(user(index)?.address())
    }
}

async fn poster(l1: &L1, sequencer: &Node) -> anyhow::Result<Poster> {
    let key = dev_key(POSTER)?;
    let journal = StoreJournal::new(sequencer.chain.store.clone(), "poster", key.address());
    let sender = Sender::open(l1.client.clone(), key, journal).await?;
    Ok(Poster::new(
        sequencer.maker.clone(),
        l1.network.clone(),
        sender,
    ))
}

//! Those who bring L2's word to L1: a proposer, relayers, and a user who leaves alone.

use crate::{L1, Node, world::PROPOSER};
use alloy_primitives::U256;
use l1::Sender;
use node::{
    assemble,
    exit::{Exit, Wish},
    file_journal::FileNotes,
    keys::dev_key,
    relay::Relay,
    roles::{Proposer, StoreJournal},
};
use poster::proposer::Pace;
use relayer::Carry;
use std::{path::Path, sync::Arc};

/// Asserts outputs, confirms them, takes bonds back.
pub struct Asserter {
    proposer: Proposer,
    sender: Sender,
    pace: Pace,
}

impl Asserter {
    /// Over a node's chain.
    pub async fn open(l1: &L1, node: &Node) -> anyhow::Result<Self> {
        Ok(Self {
            proposer: Proposer::new(&node.chain),
            sender: sender(l1, node, PROPOSER, "proposer").await?,
            pace: Pace {
                interval_s: l1.network.assertion.interval_s,
                window_s: l1.network.assertion.window_s,
            },
        })
    }

    /// One look, and what follows from it.
    pub async fn step(&mut self, l1: &L1, node: &Node) -> anyhow::Result<()> {
        self.sender.poll().await?;
        self.proposer
            .step(&node.chain, &l1.client, &mut self.sender, self.pace, |_| {
                true
            })
            .await?;
        Ok(())
    }
}

async fn sender(l1: &L1, node: &Node, index: u32, role: &str) -> anyhow::Result<Sender> {
    let key = dev_key(index)?;
    let journal = StoreJournal::new(node.chain.store.clone(), role, key.address());
    Ok(Sender::open(l1.client.clone(), key, journal).await?)
}

/// Carries withdrawals with the key of a development account.
pub async fn relay(l1: &L1, node: &Node, index: u32, carry: Carry) -> anyhow::Result<Relay> {
    let sender = sender(l1, node, index, "relayer").await?;
    Ok(Relay::new(
        node.chain.clone(),
        l1.client.clone(),
        sender,
        carry,
        1 << 24,
    ))
}

/// A user with a key, an L1 node and a folder.
pub async fn exit(l1: &L1, index: u32, amount: Option<U256>, dir: &Path) -> anyhow::Result<Exit> {
    let key = dev_key(index)?;
    let to = key.address();
    let chain = assemble::open(l1.network.clone(), dir, None, false)?;
    let notes = FileNotes::open(&dir.join("notes"))?;
    let sender = Sender::open(l1.client.clone(), key, Arc::new(notes)).await?;
    Exit::new(chain, l1.client.clone(), sender, Wish { amount, to })
}

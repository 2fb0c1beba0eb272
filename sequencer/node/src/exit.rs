//! `tributary exit`: out of L2 with one key and an L1 node, whoever else is there or not.
//!
//! The chain is derived from L1 as `follow` does; `relayer::exit` says what comes next. L1 is the only memory: begun
//! again at any point, it goes on from what L1 holds.

use crate::{
    driver::Driver,
    producer::Chain,
    relay::{proof_of, sent_between},
    roles::Proposer,
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolCall;
use anyhow::{Context, ensure};
use bindings::{
    inbox::Inbox, message_passer::L2ToL1MessagePasser, open_token::OpenToken, portal::Portal,
};
use l1::{Client, Intent, L1Error, Sender, Settled, intent_id};
use poster::proposer::{Move, Pace};
use primitives::predeploys::MESSAGE_PASSER;
use relayer::{
    calls,
    exit::{Place, Step, next},
};
use rpc::rollup_withdrawals::{self as withdrawals, Stage};
use std::sync::{Arc, atomic::Ordering};
use stf::StateReader;

/// L1 seconds beyond the proposer's interval before we assert an output ourselves: 25 slots, in which an honest
/// proposer sees the record and gets an assertion mined.
const PATIENCE_S: u64 = 300;
/// L2 gas of a forced withdrawal: a message with one new slot and its log, three times over.
pub const FORCED_WITHDRAWAL_GAS: u64 = 300_000;

/// What is to leave, and whereto.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// OPEN in wei; everything, if `None`.
    pub amount: Option<U256>,
    /// Receiver on L1.
    pub to: Address,
}

/// One exit under way.
pub struct Exit {
    chain: Arc<Chain>,
    /// Reads L1.
    pub driver: Driver,
    client: Client,
    sender: Sender,
    proposer: Proposer,
    wish: Wish,
    /// Nothing was on its way so far, so that a new withdrawal may begin.
    may_enqueue: bool,
    /// L2 blocks up to this one were searched for withdrawals of ours, when blocks had been taken back so often.
    searched: (u64, u64),
    /// Hashes of ours.
    ours: Vec<B256>,
}

impl Exit {
    /// Of the sender's account. What of it is on its way already comes first.
    pub fn new(
        chain: Arc<Chain>,
        client: Client,
        sender: Sender,
        wish: Wish,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            driver: Driver::new(chain.clone(), client.clone())?,
            proposer: Proposer::new(&chain),
            chain,
            client,
            sender,
            wish,
            may_enqueue: true,
            searched: (0, 0),
            ours: Vec::new(),
        })
    }

    /// One look at L1 and what follows from it. Returns the step that was due; a step that L1 did not take yet is due
    /// again.
    pub async fn step(&mut self) -> anyhow::Result<Step> {
        // Before the driver looks: what the sender holds for mined, such as our entry in the queue, it then knows of.
        for (_, how) in self.sender.poll().await? {
            if how != Settled::Succeeded {
                // Somebody did the same before us, or L1 moved; the next look says.
                tracing::info!(?how, "a transaction had no effect");
            }
        }
        self.driver.step().await?;
        let now = self.now()?;
        let place = self.place(now).await?;
        let step = next(place, now);
        let pace = Pace {
            // Everything at once: each assertion locks a bond.
            interval_s: 1,
            window_s: self.chain.network.assertion.window_s,
        };
        let me = self.sender.address();
        let is_late = matches!(place, Place::Uncovered { assert_from } if now >= assert_from);
        let open = self
            .proposer
            .step(
                &self.chain,
                &self.client,
                &mut self.sender,
                pace,
                |m| match m {
                    Move::Assert { .. } => is_late,
                    Move::Confirm(_) => !matches!(place, Place::Gone),
                    Move::WithdrawBond(_) => true,
                },
            )
            .await?;
        tracing::debug!(?place, ?step, account = %me, "exit");
        match step {
            Step::Enqueue => self.enqueue().await?,
            Step::ForceAdvance => {
                let inbox = self.chain.network.contracts.inbox;
                let records = self.driver.records();
                let id = id_of(&format!("forceAdvance {records}"));
                self.submit(id, Intent::call(inbox, &Inbox::forceAdvanceCall {}))
                    .await?;
            }
            Step::Prove { hash, output } => {
                let found = withdrawals::find(&self.chain.store, hash, 0)?;
                let proof = proof_of(&self.chain.store, hash)?;
                if let (Some(found), Some(proof)) = (found, proof) {
                    let intent = calls::prove(&self.chain.network, &found.withdrawal, &proof);
                    self.submit(id_of(&format!("prove {hash} {output}")), intent)
                        .await?;
                }
            }
            Step::Finalise { hash, by } => {
                if let Some(found) = withdrawals::find(&self.chain.store, hash, 0)? {
                    let intent = calls::finalise(&self.chain.network, &found.withdrawal, by);
                    self.submit(id_of(&format!("finalise {hash} {by}")), intent)
                        .await?;
                }
            }
            // The OPEN is there; a bond of ours may still be on its way back.
            Step::Done if open > 0 => {
                return Ok(Step::Wait {
                    what: relayer::exit::Wait::Bond,
                    until: None,
                });
            }
            Step::Wait { .. } | Step::Done => {}
        }
        Ok(step)
    }

    fn now(&self) -> anyhow::Result<u64> {
        let head = self.chain.l1.heads().0.context("L1 was not read yet")?;
        Ok(head.timestamp)
    }

    /// OPEN on L2, wei.
    pub fn balance(&self) -> anyhow::Result<U256> {
        let account = self
            .chain
            .store
            .latest_state()
            .account(self.sender.address())?;
        Ok(account.map_or(U256::ZERO, |account| account.balance))
    }

    /// L1 time, seconds.
    pub fn l1_time(&self) -> u64 {
        self.chain.l1.heads().0.map_or(0, |head| head.timestamp)
    }

    /// How far the oldest of our withdrawals is that L1 has not paid.
    async fn place(&mut self, now: u64) -> anyhow::Result<Place> {
        let (store, me) = (self.chain.store.clone(), self.sender.address());
        let safe = store.safe();
        let rewinds = self.chain.rewinds.load(Ordering::SeqCst);
        if rewinds != self.searched.1 {
            self.searched = (0, rewinds);
            self.ours.clear();
        }
        for (_, _, message) in sent_between(&store, self.searched.0 + 1, safe)? {
            if message.sender == me {
                self.ours.push(message.hash());
            }
        }
        self.searched.0 = safe;
        for hash in self.ours.clone() {
            let found = withdrawals::find(&store, hash, 0)?;
            // What L1 does not hold at present will be found there again, or is not ours to carry.
            let Some(found) = found.filter(|found| found.block <= safe) else {
                continue;
            };
            let place = match withdrawals::stage(&store, &found, now)? {
                Stage::Finalised { .. } => continue,
                Stage::Uncovered { .. } => {
                    let record = store.record_of_block(found.block)?;
                    let record = record.context("a safe block is in no record")?;
                    let header = self.client.header(record.l1_block).await?;
                    let posted_at = header.ok_or(L1Error::Moved)?.timestamp;
                    let interval_s = self.chain.network.assertion.interval_s;
                    Place::Uncovered {
                        assert_from: posted_at + interval_s + PATIENCE_S,
                    }
                }
                Stage::Provable(output) => Place::Provable {
                    hash,
                    output: output.index,
                },
                Stage::Proven(proven) | Stage::Finalisable(proven) => Place::Proven {
                    hash,
                    by: proven.by,
                    ready_at: proven.ready_at,
                    contested: proven.contested,
                },
            };
            self.may_enqueue = false;
            return Ok(place);
        }
        if let Some(place) = self.queued().await? {
            self.may_enqueue = false;
            return Ok(place);
        }
        let wants = self.wish.amount.is_none_or(|amount| !amount.is_zero());
        Ok(if self.may_enqueue && wants && !self.balance()?.is_zero() {
            Place::OnL2
        } else {
            Place::Gone
        })
    }

    /// The oldest entry of ours that no block from L1 has consumed.
    async fn queued(&self) -> anyhow::Result<Option<Place>> {
        let chain = &self.chain;
        let meta = chain.store.meta(chain.store.safe())?;
        let consumed = meta.map_or(0, |meta| meta.queue_consumed);
        let me = self.sender.address();
        let waiting = chain.l1.entries_from(consumed, usize::MAX);
        let delays = &chain.network.delays;
        // From then on L1 takes no batch that leaves the oldest entry out, and anyone may advance.
        let left_out_until = waiting.first().map_or(u64::MAX, |(oldest, _)| {
            oldest.timestamp + delays.force_delay_s + delays.window_s
        });
        let Some((entry, _)) = waiting
            .into_iter()
            .find(|(entry, _)| entry.from == me && entry.to == MESSAGE_PASSER)
        else {
            return Ok(None);
        };
        let inbox = chain.network.contracts.inbox;
        let last = self.client.view(inbox, &Inbox::lastRecordCall {}).await?;
        Ok(Some(Place::Queued {
            index: entry.index,
            forceable_after: (last._3 + delays.window_s).min(left_out_until),
            include_by: entry.timestamp + delays.force_delay_s,
        }))
    }

    async fn enqueue(&mut self) -> anyhow::Result<()> {
        let id = id_of("enqueue");
        if self.sender.pending().any(|busy| busy == id) {
            return Ok(());
        }
        let balance = self.balance()?;
        let amount = self.wish.amount.unwrap_or(balance);
        ensure!(
            amount <= balance,
            "{} has {balance} wei of OPEN on L2, {amount} are to leave",
            self.sender.address()
        );
        let deposit = forced_withdrawal(self.wish.to, amount);
        let contracts = self.chain.network.contracts.clone();
        if !pay_for_gas(&self.client, &mut self.sender, FORCED_WITHDRAWAL_GAS).await? {
            return Ok(());
        }
        tracing::info!(%amount, "the withdrawal enters L1's queue");
        self.submit(id, Intent::call(contracts.portal, &deposit))
            .await
    }

    async fn submit(&mut self, id: u64, intent: Intent) -> anyhow::Result<()> {
        if self.sender.pending().any(|busy| busy == id) {
            return Ok(());
        }
        match self.sender.submit(id, intent).await {
            Ok(()) => Ok(()),
            // Somebody else was quicker, or it is a block too early: the next look says.
            Err(L1Error::Refused(why)) => {
                tracing::info!(%why, "L1 does not take a step now");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// A deposit-queue transaction that withdraws `amount` from the caller's L2 account to `to` on L1.
pub fn forced_withdrawal(to: Address, amount: U256) -> Portal::depositCall {
    let initiate = L2ToL1MessagePasser::initiateWithdrawalCall {
        target: to,
        gasLimit: U256::ZERO,
        data: Bytes::new(),
    };
    Portal::depositCall {
        to: MESSAGE_PASSER,
        mint: U256::ZERO,
        value: amount,
        gasLimit: FORCED_WITHDRAWAL_GAS,
        isCreation: false,
        data: initiate.abi_encode().into(),
    }
}

/// Lets the portal take what `gas` costs on L2. True once it may; until then an approval is under way.
async fn pay_for_gas(client: &Client, sender: &mut Sender, gas: u64) -> anyhow::Result<bool> {
    let contracts = client.network().contracts.clone();
    let cost = client
        .view(contracts.portal, &Portal::gasCostCall { gasLimit: gas })
        .await?;
    let (owner, spender) = (sender.address(), contracts.portal);
    let token = contracts.open_token;
    let has = client
        .view(token, &OpenToken::balanceOfCall { account: owner })
        .await?;
    ensure!(
        has >= cost,
        "{owner} has {has} wei of OPEN on L1; {cost} are needed to prepay the gas of the forced transaction"
    );
    let allowed = client
        .view(token, &OpenToken::allowanceCall { owner, spender })
        .await?;
    if allowed >= cost {
        return Ok(true);
    }
    let id = id_of("approve");
    if !sender.pending().any(|busy| busy == id) {
        let value = cost;
        let approve = OpenToken::approveCall { spender, value };
        sender.submit(id, Intent::call(token, &approve)).await?;
    }
    Ok(false)
}

fn id_of(name: &str) -> u64 {
    intent_id(keccak256(name))
}

//! `rollup_withdrawalProof` and `rollup_withdrawalStatus`: all of it was written down when L1 said it, so an answer is
//! a few reads, whatever the withdrawal's age.

use crate::{Node, errors::RpcError, module::Registry, params::Args, rollup::rollup};
use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::{
    OutputRoot,
    withdrawal::{Withdrawal, sent_slot},
};
use serde::Serialize;
use store::{L1Event, OutputInfo, Store, StoreError};

pub(crate) fn register(registry: &mut Registry) {
    registry.light("rollup_withdrawalProof", 2, |node, args| {
        proof(node, &found(node, &args)?)
    });
    registry.light("rollup_withdrawalStatus", 2, |node, args| {
        status(node, &found(node, &args)?)
    });
}

/// A withdrawal and where it stands on L2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its name on both sides.
    pub hash: B256,
    /// The message.
    pub withdrawal: Withdrawal,
    /// L2 block that holds it.
    pub block: u64,
}

/// The withdrawal with this hash, or the `nth` of the L2 transaction with this hash.
pub fn find(store: &Store, hash: B256, nth: usize) -> Result<Option<Found>, StoreError> {
    if let Some(place) = store.withdrawal(hash)? {
        let block = store.block(place.block)?;
        let log = block.as_ref().and_then(|block| {
            let mut logs = block.receipts.iter().flat_map(|receipt| &receipt.logs);
            logs.nth(place.log as usize)
        });
        return Ok(log.and_then(|log| found_in(place.block, log)));
    }
    let Some((number, index)) = store.transaction(hash)? else {
        return Ok(None);
    };
    let block = store.block(number)?;
    let receipt = block
        .as_ref()
        .and_then(|block| block.receipts.get(index as usize));
    Ok(receipt.and_then(|receipt| {
        let mut all = receipt.logs.iter().filter_map(|log| found_in(number, log));
        all.nth(nth)
    }))
}

fn found_in(block: u64, log: &alloy_primitives::Log) -> Option<Found> {
    let withdrawal = Withdrawal::from_log(log)?;
    Some(Found {
        hash: withdrawal.hash(),
        withdrawal,
        block,
    })
}

fn found(node: &Node, args: &Args<'_>) -> Result<Found, RpcError> {
    rollup(node)?;
    let hash: B256 = args.required(0)?;
    let nth: Option<crate::params::Number> = args.optional(1)?;
    let nth = usize::try_from(nth.map_or(0, |nth| nth.0)).unwrap_or(usize::MAX);
    find(&node.store, hash, nth)?.ok_or_else(|| {
        RpcError::new(
            crate::errors::NOT_FOUND,
            format!(
                "no withdrawal {hash}: neither a message of this chain nor a transaction that sent one; if it was just \
                 sent, wait for its receipt"
            ),
        )
    })
}

/// How far a withdrawal is on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// No output root on L1 covers it.
    Uncovered {
        /// L1 has the batch with its block.
        posted: bool,
    },
    /// It can be proven against this output.
    Provable(OutputInfo),
    /// It is proven, and may be finalised after L1 time `ready_at`, which is to come.
    Proven(Proven),
    /// It is proven, and the time has come. Finalising confirms the output if nobody has.
    Finalisable(Proven),
    /// It was paid or called.
    Finalised {
        /// The target's call went through.
        succeeded: bool,
        /// L1 transaction.
        l1_tx: B256,
        /// L1 time, seconds.
        at: u64,
    },
}

/// A proof that L1 holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proven {
    /// Against which output.
    pub output: OutputInfo,
    /// By whom.
    pub by: Address,
    /// L1 time of the proof, seconds.
    pub at: u64,
    /// L1 time after which it can be finalised, seconds.
    pub ready_at: u64,
    /// Another output contradicts that one: until that is settled, nothing is paid by it.
    pub contested: bool,
}

/// How L1 judges an output, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Judged {
    /// It stands for good.
    Confirmed,
    /// Nobody said otherwise so far.
    Unopposed,
    /// Somebody did.
    Contested,
}

/// What L1 said last of an output.
pub fn judged(store: &Store, output: &OutputInfo) -> Result<Judged, StoreError> {
    let mut judged = Judged::Unopposed;
    for note in store.l1_events(output.id)? {
        judged = match note.event {
            L1Event::Confirmed => Judged::Confirmed,
            L1Event::Contested => Judged::Contested,
            L1Event::Asserted { .. } | L1Event::Proven { .. } | L1Event::Finalised { .. } => judged,
        };
    }
    Ok(judged)
}

/// The output to prove against among those of one L2 block: ours, and the one that L1 thinks best of.
fn best_output(
    store: &Store,
    l2_block: u64,
    ours: B256,
) -> Result<Option<(Judged, OutputInfo)>, StoreError> {
    let mut best: Option<(Judged, OutputInfo)> = None;
    for output in store.outputs_of(l2_block, l2_block)? {
        if output.output_root == ours {
            let judged = judged(store, &output)?;
            if best.as_ref().is_none_or(|(b, _)| judged < *b) {
                best = Some((judged, output));
            }
        }
    }
    Ok(best)
}

/// How far it is at L1 time `now`.
pub fn stage(store: &Store, found: &Found, now: u64) -> Result<Stage, StoreError> {
    let notes = store.l1_events(found.hash)?;
    for note in notes.iter().rev() {
        if let L1Event::Finalised { succeeded } = note.event {
            return Ok(Stage::Finalised {
                succeeded,
                l1_tx: note.l1_tx,
                at: note.timestamp,
            });
        }
    }
    // A later proof of the same account replaces its earlier one; of several accounts', the first that pays.
    let mut proofs: Vec<Proven> = Vec::new();
    for note in &notes {
        let L1Event::Proven {
            by,
            output,
            ready_at,
        } = note.event
        else {
            continue;
        };
        let Some(output) = store.output(output)? else {
            continue;
        };
        proofs.retain(|proof| proof.by != by);
        proofs.push(Proven {
            output,
            by,
            at: note.timestamp,
            ready_at,
            contested: judged(store, &output)? == Judged::Contested,
        });
    }
    let best = proofs
        .into_iter()
        .min_by_key(|proof| (proof.contested, proof.ready_at));
    if let Some(proven) = best.filter(|proven| !proven.contested) {
        return Ok(if proven.ready_at < now {
            Stage::Finalisable(proven)
        } else {
            Stage::Proven(proven)
        });
    }
    let covered = match store.withdrawal_proof(found.hash)? {
        Some((proof, header)) => best_output(store, proof.l2_block, root_of(&header).hash())?,
        None => None,
    };
    Ok(match (best, covered) {
        // Proving again helps only against an output that nobody contradicts.
        (Some(proven), None | Some((Judged::Contested, _))) => Stage::Proven(proven),
        (_, Some((_, output))) => Stage::Provable(output),
        (None, None) => Stage::Uncovered {
            posted: found.block <= store.safe(),
        },
    })
}

fn root_of(header: &primitives::Header) -> OutputRoot {
    OutputRoot {
        state_root: header.state_root,
        withdrawals_root: header.withdrawals_root.unwrap_or_default(),
        block_hash: header.hash_slow(),
    }
}

/// Everything that `Portal.proveWithdrawalTransaction` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What it is proven against.
    pub output: OutputInfo,
    /// What the output root is made of.
    pub root: OutputRoot,
    /// From the passer's storage root down.
    pub nodes: Vec<Bytes>,
}

/// The proof kept for a withdrawal; `None` while no standing output covers it.
pub fn stored_proof(store: &Store, hash: B256) -> Result<Option<Proof>, StoreError> {
    let Some((proof, header)) = store.withdrawal_proof(hash)? else {
        return Ok(None);
    };
    let root = root_of(&header);
    let best = best_output(store, proof.l2_block, root.hash())?;
    Ok(best.map(|(_, output)| Proof {
        output,
        root,
        nodes: proof.nodes,
    }))
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProofForm {
    withdrawal_transaction: WithdrawalForm,
    withdrawal_hash: B256,
    l2_output_index: u64,
    l2_block_number: u64,
    output_root_proof: RootForm,
    withdrawal_proof: Vec<Bytes>,
    assertion: B256,
    storage_slot: B256,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct WithdrawalForm {
    nonce: U256,
    sender: Address,
    target: Address,
    value: U256,
    gas_limit: U256,
    data: Bytes,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct RootForm {
    version: B256,
    state_root: B256,
    message_passer_storage_root: B256,
    latest_blockhash: B256,
}

fn form(withdrawal: &Withdrawal) -> WithdrawalForm {
    WithdrawalForm {
        nonce: withdrawal.nonce,
        sender: withdrawal.sender,
        target: withdrawal.target,
        value: withdrawal.value,
        gas_limit: withdrawal.gas_limit,
        data: withdrawal.data.clone(),
    }
}

fn proof(node: &Node, found: &Found) -> Result<ProofForm, RpcError> {
    let Some(proof) = stored_proof(&node.store, found.hash)? else {
        let waits = waits(node, found)?;
        return Err(RpcError::server(format!(
            "withdrawal {} cannot be proven yet: {}",
            found.hash, waits.text
        ))
        .with_data(waits));
    };
    Ok(ProofForm {
        withdrawal_transaction: form(&found.withdrawal),
        withdrawal_hash: found.hash,
        l2_output_index: proof.output.index,
        l2_block_number: proof.output.l2_block,
        output_root_proof: RootForm {
            version: B256::ZERO,
            state_root: proof.root.state_root,
            message_passer_storage_root: proof.root.withdrawals_root,
            latest_blockhash: proof.root.block_hash,
        },
        withdrawal_proof: proof.nodes,
        assertion: proof.output.id,
        storage_slot: sent_slot(found.hash),
    })
}

/// What an uncovered withdrawal waits for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Waits {
    #[serde(rename = "waitsFor")]
    text: String,
    l2_block_number: u64,
    /// The newest L2 block that L1 holds.
    safe_block: u64,
    /// The newest L2 block that an output root describes.
    asserted_block: Option<u64>,
}

fn waits(node: &Node, found: &Found) -> Result<Waits, RpcError> {
    let safe = node.store.safe();
    let asserted = node.store.last_output()?.map(|output| output.l2_block);
    let (block, network) = (found.block, &rollup(node)?.network);
    let text = if block > safe {
        format!(
            "wait for block {block} to be posted to L1 (posted up to {safe}; a batch is due every {} s), and then for an \
             output root that covers it",
            network.batch.interval_ms.div_ceil(1_000)
        )
    } else {
        format!(
            "wait for an output root at or above block {block} (asserted up to {}; {}). Anyone may assert one with a \
             bond: `tributary exit` does",
            asserted.unwrap_or(0),
            match network.assertion.interval_s {
                0 => "one is due for every batch".to_owned(),
                every => format!("one is due every {every} s"),
            }
        )
    };
    Ok(Waits {
        text,
        l2_block_number: block,
        safe_block: safe,
        asserted_block: asserted,
    })
}

/// viem's words.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Word {
    WaitingToProve,
    ReadyToProve,
    WaitingToFinalize,
    ReadyToFinalize,
    Finalized,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct StatusForm {
    status: Word,
    withdrawal_hash: B256,
    l2_block_number: u64,
    /// What happens next, in words.
    waits_for: String,
    /// Until the next stage at the earliest; absent when nobody knows or nothing is to come.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds_left: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    l2_output_index: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    assertion: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_by: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proven_at: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    finalized_at: Option<u64>,
    /// L1 transaction that finalised it.
    #[serde(skip_serializing_if = "Option::is_none")]
    l1_tx: Option<B256>,
    /// Whether the target's call went through.
    #[serde(skip_serializing_if = "Option::is_none")]
    succeeded: Option<bool>,
}

impl StatusForm {
    fn set_proven(&mut self, proven: &Proven) {
        self.l2_output_index = Some(proven.output.index);
        self.assertion = Some(proven.output.id);
        self.proven_by = Some(proven.by);
        self.proven_at = Some(proven.at);
    }
}

fn status(node: &Node, found: &Found) -> Result<StatusForm, RpcError> {
    let rollup = rollup(node)?;
    let now = rollup.view.l1().head.map(|head| head.timestamp);
    let network = &rollup.network;
    let stage = stage(&node.store, found, now.unwrap_or(0))?;
    let mut form = StatusForm {
        status: Word::WaitingToProve,
        withdrawal_hash: found.hash,
        l2_block_number: found.block,
        waits_for: String::new(),
        seconds_left: None,
        l2_output_index: None,
        assertion: None,
        proven_by: None,
        proven_at: None,
        finalized_at: None,
        l1_tx: None,
        succeeded: None,
    };
    match stage {
        Stage::Uncovered { .. } => {
            form.waits_for = waits(node, found)?.text;
            form.seconds_left = node.store.last_output()?.zip(now).map(|(output, now)| {
                let due = output
                    .asserted_at
                    .saturating_add(network.assertion.interval_s);
                due.saturating_sub(now)
            });
        }
        Stage::Provable(output) => {
            form.status = Word::ReadyToProve;
            form.waits_for = "Portal.proveWithdrawalTransaction, by anyone".into();
            form.l2_output_index = Some(output.index);
            form.assertion = Some(output.id);
        }
        Stage::Proven(proven) => {
            form.status = Word::WaitingToFinalize;
            if proven.contested {
                form.waits_for = "the end of a contradiction: another output root says otherwise than the one it is \
                                  proven against, and neither pays until it is settled"
                    .into();
            } else {
                form.waits_for = "the challenge window of the output root".into();
                form.seconds_left = now.map(|now| (proven.ready_at + 1).saturating_sub(now));
            }
            form.set_proven(&proven);
        }
        Stage::Finalisable(proven) => {
            form.status = Word::ReadyToFinalize;
            form.waits_for = "Portal.finalizeWithdrawalTransaction, by anyone".into();
            form.set_proven(&proven);
        }
        Stage::Finalised {
            succeeded,
            l1_tx,
            at,
        } => {
            form.status = Word::Finalized;
            form.waits_for = if succeeded {
                "nothing: it is done".into()
            } else {
                "the target's call failed".into()
            };
            form.l1_tx = Some(l1_tx);
            (form.finalized_at, form.succeeded) = (Some(at), Some(succeeded));
        }
    }
    Ok(form)
}

//! `testing_buildBlockV1` (execution-apis): the block that would follow another one, as a maker of blocks would be handed
//! it. Nothing of it is kept.
//!
//! For chains that nobody makes blocks for: a sequencer's own blocks leave no room for somebody else's. Absent on purpose:
//! blobs, which the chain does not hold; a blob transaction is taken without them.

use crate::{
    Node,
    errors::{RpcError, SERVER},
    forms::{WithdrawalForm, withdrawal_forms},
    module::{Long, Patience, Registry},
    params::Args,
};
use alloy_consensus::Transaction as _;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, Bloom, Bytes, U64, U256};
use config::L1Fork;
use jsonrpsee::Methods;
use primitives::{Anchor, CheckedTx, Header, SealedBlock};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use stf::{BlockError, BlockExecutor, Rules, TxRejection};
use trie::StateTrie;

/// Gas that blocks tend to, a 1024th of their parent's at a time: what geth's makers of blocks want unless told otherwise.
const GAS_AIM: u64 = 60_000_000;
/// Bytes that a maker of a block may write into its header.
const EXTRA_BYTES_MAX: usize = 32;

/// The method, to be merged into those of an Ethereum chain.
pub fn testing_methods(node: &Arc<Node>) -> Methods {
    let mut registry = Registry::new(node.clone());
    registry.long("testing_buildBlockV1", Long::Call, 4, build);
    registry.module.into()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attributes {
    timestamp: U64,
    prev_randao: B256,
    suggested_fee_recipient: Address,
    withdrawals: Option<Vec<Withdrawal>>,
    parent_beacon_block_root: Option<B256>,
}

fn build(node: &Node, args: Args<'_>, patience: &Patience) -> Result<BuiltForm, RpcError> {
    let hash: B256 = args.required(0)?;
    let parent = node.block(hash.into())?;
    let parent = parent.ok_or_else(|| RpcError::params(format!("unknown parent {hash}")))?;
    node.within_proof_reach(parent.header.number)?;
    let attributes: Attributes = args.required(1)?;
    let wanted: Option<Vec<Bytes>> = args.optional(2)?;
    let extra: Bytes = args.optional(3)?.unwrap_or_default();
    if extra.len() > EXTRA_BYTES_MAX {
        return Err(RpcError::params(format!(
            "extra data of {} bytes, {EXTRA_BYTES_MAX} are the most",
            extra.len()
        )));
    }
    let withdrawals = attributes.withdrawals.clone().unwrap_or_default();
    let header = header(node, &parent, attributes, extra)?;
    let frame = SealedBlock {
        header,
        hash: B256::ZERO,
        transactions: Vec::new(),
        receipts: Vec::new(),
        ommers: Vec::new(),
        withdrawals,
    };
    let state = node.store.state_at(parent.header.number)?;
    let anchor = Anchor::default();
    let mut block = BlockExecutor::begin_again(&node.rules, &parent.header, &frame, anchor, state)
        .map_err(refused)?;
    match wanted {
        Some(given) => {
            for raw in given {
                patience.check()?;
                let tx = CheckedTx::decode(raw).map_err(|e| RpcError::params(e.to_string()))?;
                block.execute(&Arc::new(tx)).map_err(rejected)?;
            }
        }
        None => fill(node, &mut block, patience)?,
    }
    let mut executed = block.finish().map_err(refused)?;
    let requests = core::mem::take(&mut executed.requests);
    let keep_on = || patience.check().is_ok();
    let state_root = node
        .store
        .trie_at(parent.header.number, &keep_on, &mut |nodes, root| {
            let mut trie = StateTrie::new(nodes, root);
            executed.state_root(|diff| Ok(trie.apply(diff)?.state_root))
        })?;
    let (sealed, _) = executed.seal(state_root, None);
    Ok(BuiltForm::new(&sealed, requests))
}

/// Puts in what waits, each sender's in order, as far as the block takes it.
fn fill<S: stf::StateReader>(
    node: &Node,
    block: &mut BlockExecutor<S>,
    patience: &Patience,
) -> Result<(), RpcError> {
    for by_nonce in node.pool.content(None).pending.values() {
        for tx in by_nonce.values() {
            patience.check()?;
            match block.execute(tx) {
                Ok(_) => {}
                Err(TxRejection::State(error)) => return Err(error.into()),
                // The sender's later ones cannot stand without it.
                Err(_) => break,
            }
        }
    }
    Ok(())
}

fn rejected(why: TxRejection) -> RpcError {
    match why {
        TxRejection::State(error) => error.into(),
        why => RpcError::new(SERVER, why.to_string()),
    }
}

fn refused(why: BlockError) -> RpcError {
    match why {
        BlockError::State(error) => error.into(),
        why => RpcError::new(SERVER, why.to_string()),
    }
}

/// All that is known before the first transaction.
fn header(
    node: &Node,
    parent: &SealedBlock,
    attributes: Attributes,
    extra_data: Bytes,
) -> Result<Header, RpcError> {
    let Rules::Ethereum(rules) = &*node.rules else {
        return Err(RpcError::params(
            "only blocks of an Ethereum chain are built",
        ));
    };
    let before = &parent.header;
    let timestamp: u64 = attributes.timestamp.to();
    if timestamp <= before.timestamp {
        return Err(RpcError::params(format!(
            "invalid timestamp: {timestamp} <= {}",
            before.timestamp
        )));
    }
    let fork = rules.fork(timestamp);
    let since = |first: L1Fork| fork >= first;
    if since(L1Fork::Shanghai) != attributes.withdrawals.is_some() {
        return Err(RpcError::params(format!("withdrawals do not fit {fork:?}")));
    }
    if since(L1Fork::Cancun) != attributes.parent_beacon_block_root.is_some() {
        return Err(RpcError::params(format!(
            "parentBeaconBlockRoot does not fit {fork:?}"
        )));
    }
    Ok(Header {
        parent_hash: parent.hash,
        beneficiary: attributes.suggested_fee_recipient,
        number: before.number.saturating_add(1),
        gas_limit: gas_limit(before.gas_limit),
        timestamp,
        extra_data,
        mix_hash: attributes.prev_randao,
        base_fee_per_gas: Some(node.next_base_fee(before)),
        withdrawals_root: since(L1Fork::Shanghai).then_some(B256::ZERO),
        blob_gas_used: since(L1Fork::Cancun).then_some(0),
        excess_blob_gas: since(L1Fork::Cancun)
            .then(|| stf::next_excess_blob_gas(&node.rules, before, timestamp)),
        parent_beacon_block_root: attributes.parent_beacon_block_root,
        requests_hash: since(L1Fork::Prague).then_some(B256::ZERO),
        ..Header::default()
    })
}

fn gas_limit(parent: u64) -> u64 {
    let step = (parent / 1024).saturating_sub(1);
    if parent < GAS_AIM {
        parent.saturating_add(step).min(GAS_AIM)
    } else {
        parent.saturating_sub(step).max(GAS_AIM)
    }
}

/// `engine_getPayload`'s answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BuiltForm {
    execution_payload: PayloadForm,
    block_value: U256,
    blobs_bundle: BlobsForm,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_requests: Option<Vec<Bytes>>,
    should_override_builder: bool,
}

#[derive(Serialize)]
struct BlobsForm {
    commitments: Vec<Bytes>,
    proofs: Vec<Bytes>,
    blobs: Vec<Bytes>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PayloadForm {
    parent_hash: B256,
    fee_recipient: Address,
    state_root: B256,
    receipts_root: B256,
    logs_bloom: Bloom,
    prev_randao: B256,
    block_number: U64,
    gas_limit: U64,
    gas_used: U64,
    timestamp: U64,
    extra_data: Bytes,
    base_fee_per_gas: U64,
    block_hash: B256,
    transactions: Vec<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawals: Option<Vec<WithdrawalForm>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_gas_used: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excess_blob_gas: Option<U64>,
}

impl BuiltForm {
    fn new(block: &SealedBlock, requests: Vec<Bytes>) -> Self {
        let header = &block.header;
        let base_fee = header.base_fee_per_gas.unwrap_or(0);
        let tips = block.transactions.iter().enumerate().map(|(index, tx)| {
            let tip = tx.tx.effective_tip_per_gas(base_fee).unwrap_or(0);
            U256::from(tip) * U256::from(block.gas_used_by(index).unwrap_or(0))
        });
        Self {
            block_value: tips.sum(),
            blobs_bundle: BlobsForm {
                commitments: Vec::new(),
                proofs: Vec::new(),
                blobs: Vec::new(),
            },
            execution_requests: header.requests_hash.map(|_| requests),
            should_override_builder: false,
            execution_payload: PayloadForm {
                parent_hash: header.parent_hash,
                fee_recipient: header.beneficiary,
                state_root: header.state_root,
                receipts_root: header.receipts_root,
                logs_bloom: header.logs_bloom,
                prev_randao: header.mix_hash,
                block_number: U64::from(header.number),
                gas_limit: U64::from(header.gas_limit),
                gas_used: U64::from(header.gas_used),
                timestamp: U64::from(header.timestamp),
                extra_data: header.extra_data.clone(),
                base_fee_per_gas: U64::from(base_fee),
                block_hash: block.hash,
                transactions: block.transactions.iter().map(|tx| tx.raw.clone()).collect(),
                withdrawals: header
                    .withdrawals_root
                    .map(|_| withdrawal_forms(&block.withdrawals)),
                blob_gas_used: header.blob_gas_used.map(U64::from),
                excess_blob_gas: header.excess_blob_gas.map(U64::from),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::gas_limit;

    #[test]
    fn gas_limits_tend_to_sixty_million() {
        for (parent, next) in [
            (200_000_000, 199_804_689),
            (75_398_208, 75_324_578),
            (60_000_001, 60_000_000),
            (60_000_000, 60_000_000),
            (59_999_000, 60_000_000),
            (30_000_000, 30_029_295),
        ] {
            assert_eq!(gas_limit(parent), next);
        }
    }
}

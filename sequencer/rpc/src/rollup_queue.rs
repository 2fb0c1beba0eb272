//! What L1's queue and records mean for L2: deposits and forced transactions, batches, the safe head at an L1 block, and
//! what a transaction pays for its data.

use crate::{
    Node, call,
    errors::{NOT_FOUND, RpcError},
    module::Registry,
    params::{Args, Number},
    rollup::{BatchRef, rollup},
};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::{CheckedTx, QueueEntry, SealedBlock, Transaction};
use serde::Serialize;
use std::sync::Arc;
use store::{DepositInfo, Store};

/// Queue entries in one answer.
const QUEUE_ENTRIES_MAX: usize = 256;
/// Bytes of their data together, but for the first entry.
const QUEUE_DATA_BYTES_MAX: usize = 1 << 20;
/// Queue entries of one L1 transaction that are looked at.
const DEPOSITS_OF_TX_MAX: usize = 256;

pub(crate) fn register(registry: &mut Registry) {
    registry.light("rollup_depositStatus", 2, |node, args| {
        deposit_status(node, &args)
    });
    registry.light("rollup_forcedQueue", 1, |node, args| {
        forced_queue(node, &args)
    });
    registry.light("rollup_batchOfBlock", 1, |node, args| {
        batch_of_block(node, &args)
    });
    registry.light("rollup_safeHeadAtL1Block", 1, |node, args| {
        safe_head_at(node, &args)
    });
    registry.light("rollup_estimateDaGas", 1, |node, args| {
        estimate_da_gas(node, &args)
    });
}

fn absent(message: String) -> RpcError {
    RpcError::new(NOT_FOUND, message)
}

/// The L2 block that consumed entry `index`, by bisection: `queue_consumed` never falls along the chain.
pub fn block_of_entry(store: &Store, index: u64) -> Result<Option<u64>, store::StoreError> {
    let consumed =
        |number| Ok::<_, store::StoreError>(store.meta(number)?.map_or(0, |m| m.queue_consumed));
    let (mut low, mut high) = (store.genesis_number(), store.head().header.number);
    if consumed(high)? <= index {
        return Ok(None);
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if consumed(middle)? > index {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(Some(high))
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct DepositForm {
    /// `waiting-for-l1`, `queued`, `included`, `safe`, `finalized`.
    status: &'static str,
    index: u64,
    l1_block: u64,
    l1_tx: B256,
    /// Time of that L1 block, seconds.
    timestamp: u64,
    /// The L2 transaction that it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    l2_tx: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    l2_block: Option<u64>,
    /// Whether that transaction succeeded; what it mints stands either way.
    #[serde(skip_serializing_if = "Option::is_none")]
    succeeded: Option<bool>,
    /// L2 time by which a batch must have included it, seconds.
    include_by: u64,
    waits_for: String,
}

/// An entry by its index, or the `n`th that an L1 transaction made.
fn deposit_status(node: &Node, args: &Args<'_>) -> Result<DepositForm, RpcError> {
    rollup(node)?;
    let by_tx = args
        .raw(0)
        .is_some_and(|text| text.trim_matches('"').len() == 66);
    let deposit = if by_tx {
        let tx: B256 = args.required(0)?;
        let nth: Option<Number> = args.optional(1)?;
        let nth = usize::try_from(nth.map_or(0, |nth| nth.0)).unwrap_or(usize::MAX);
        let all = node.store.deposits_of(tx, DEPOSITS_OF_TX_MAX)?;
        all.get(nth).copied().ok_or_else(|| {
            absent(format!(
                "L1 transaction {tx} made {} queue entries as far as L1 was read ({}); if it was just sent, wait for \
                 its receipt",
                all.len(),
                l1_head(node)
            ))
        })?
    } else {
        let Number(index) = args.required(0)?;
        node.store.deposit(index)?.ok_or_else(|| {
            absent(format!(
                "no queue entry {index} as far as L1 was read ({})",
                l1_head(node)
            ))
        })?
    };
    let rollup = rollup(node)?;
    let include_by = deposit.timestamp + rollup.network.delays.force_delay_s;
    let mut form = DepositForm {
        status: "queued",
        index: deposit.index,
        l1_block: deposit.l1_block,
        l1_tx: deposit.l1_tx,
        timestamp: deposit.timestamp,
        l2_tx: None,
        l2_block: None,
        succeeded: None,
        include_by,
        waits_for: String::new(),
    };
    if let Some((block, at)) = included(node, &deposit)? {
        let number = block.header.number;
        form.l2_tx = block.transactions.get(at).map(|tx| tx.hash);
        form.l2_block = Some(number);
        form.succeeded = block.receipts.get(at).map(|receipt| receipt.success);
        (form.status, form.waits_for) = if number <= node.store.finalized().min(node.store.safe()) {
            ("finalized", "nothing: it is done".into())
        } else if number <= node.store.safe() {
            ("safe", "L1 to finalize the batch".into())
        } else {
            ("included", format!("block {number} to be posted to L1"))
        };
        return Ok(form);
    }
    let confirmed_at = deposit.l1_block + rollup.network.l1.queue_confirmations;
    let head = rollup.view.l1().head.map_or(0, |head| head.number);
    if head < confirmed_at {
        form.status = "waiting-for-l1";
        form.waits_for = format!("L1 block {confirmed_at} (now {head})");
    } else {
        form.waits_for = format!(
            "the next L2 block; if the sequencer leaves it out, no batch that passes L2 time {include_by} is valid \
             without it, and after {} s without any batch anyone may call Inbox.forceAdvance",
            rollup.network.delays.window_s
        );
    }
    Ok(form)
}

fn l1_head(node: &Node) -> String {
    let head = node
        .rollup
        .as_ref()
        .and_then(|rollup| rollup.view.l1().head);
    head.map_or_else(
        || "L1 was not read yet".to_owned(),
        |head| format!("L1 block {}", head.number),
    )
}

/// The block that holds the entry's transaction, and its place there.
fn included(
    node: &Node,
    deposit: &DepositInfo,
) -> Result<Option<(Arc<SealedBlock>, usize)>, RpcError> {
    let Some(number) = block_of_entry(&node.store, deposit.index)? else {
        return Ok(None);
    };
    let before = match number.checked_sub(1) {
        Some(parent) => node
            .store
            .meta(parent)?
            .map_or(0, |meta| meta.queue_consumed),
        None => 0,
    };
    let Some(block) = node.store.block(number)? else {
        return Ok(None);
    };
    // Deposits come first in a block.
    let at = usize::try_from(deposit.index.saturating_sub(before)).unwrap_or(usize::MAX);
    Ok(Some((block, at)))
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct QueueForm {
    /// Index of the first entry that the newest block has not consumed.
    next: u64,
    entries: Vec<EntryForm>,
    /// Seconds of L2 time after which a batch must have consumed an entry.
    force_delay_s: u64,
    /// Seconds of L1 time without a batch after which anyone may call `Inbox.forceAdvance`.
    window_s: u64,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntryForm {
    index: u64,
    timestamp: u64,
    l1_block: u64,
    from: Address,
    to: Address,
    mint: U256,
    value: U256,
    gas_limit: u64,
    is_creation: bool,
    data: Bytes,
    /// L2 time, seconds.
    include_by: u64,
    /// Hash of the L2 transaction that it will be.
    l2_tx: B256,
}

/// Entries that wait, from the first that no block has consumed, or from `index` on.
fn forced_queue(node: &Node, args: &Args<'_>) -> Result<QueueForm, RpcError> {
    let rollup = rollup(node)?;
    let head = node.store.head().header.number;
    let next = node.store.meta(head)?.map_or(0, |m| m.queue_consumed);
    let from: Option<Number> = args.optional(0)?;
    let from = from.map_or(next, |from| from.0.max(next));
    let delays = &rollup.network.delays;
    let form = |(entry, acc): (QueueEntry, B256)| EntryForm {
        index: entry.index,
        timestamp: entry.timestamp,
        l1_block: entry.l1_block,
        from: entry.from,
        to: entry.to,
        mint: U256::from(entry.mint),
        value: entry.value,
        gas_limit: entry.gas_limit,
        is_creation: entry.is_creation,
        include_by: entry.timestamp + delays.force_delay_s,
        l2_tx: CheckedTx::deposit(entry.deposit(acc)).hash,
        data: entry.data,
    };
    let mut waiting = rollup.view.queue(from, QUEUE_ENTRIES_MAX);
    let mut bytes = 0;
    let fit = waiting.iter().take_while(|(entry, _)| {
        let before = bytes;
        bytes += entry.data.len();
        before <= QUEUE_DATA_BYTES_MAX
    });
    let fit = fit.count();
    waiting.truncate(fit);
    Ok(QueueForm {
        next,
        entries: waiting.into_iter().map(form).collect(),
        force_delay_s: delays.force_delay_s,
        window_s: delays.window_s,
    })
}

/// The record on L1 that holds a block.
fn batch_of_block(node: &Node, args: &Args<'_>) -> Result<BatchRef, RpcError> {
    let network = &rollup(node)?.network;
    let id = args.required(0)?;
    let number = node.number(id)?.ok_or_else(RpcError::header_not_found)?;
    match node.store.record_of_block(number)? {
        Some(info) => Ok(info.into()),
        None if number == node.store.genesis_number() => Err(absent(
            "the first block is in no batch: L1 knows it by its hash".into(),
        )),
        None => Err(absent(format!(
            "block {number} is in no batch yet: L1 holds blocks up to {}, and a batch is due every {} s",
            node.store.safe(),
            network.batch.interval_ms.div_ceil(1_000)
        ))),
    }
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct SafeHeadForm {
    l1_block: BlockName,
    safe_head: BlockName,
}

#[derive(Debug, Clone, Serialize)]
struct BlockName {
    hash: B256,
    number: u64,
}

/// The newest L2 block that follows from L1 up to a block; `l1Block` is the one that said so, as in the OP Stack's answer.
fn safe_head_at(node: &Node, args: &Args<'_>) -> Result<SafeHeadForm, RpcError> {
    let l1 = rollup(node)?.view.l1();
    let Number(asked) = args.required(0)?;
    let head = l1.head.map_or(0, |head| head.number);
    if asked > head {
        return Err(absent(format!(
            "L1 block {asked} was not read yet: L1 is at {head}"
        )));
    }
    let store = &node.store;
    let first = absent(format!("L1 held no batch up to block {asked}"));
    let (mut low, mut high) = match store.last_record()? {
        Some(last) => (0, last.index),
        None => return Err(first),
    };
    let at = |index| Ok::<_, RpcError>(store.record(index)?.map_or(u64::MAX, |info| info.l1_block));
    if at(low)? > asked {
        return Err(first);
    }
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        if at(middle)? <= asked {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    let info = store.record(low)?.ok_or(first)?;
    let hash = store
        .hash_of(info.last_block)?
        .ok_or_else(RpcError::header_not_found)?;
    Ok(SafeHeadForm {
        l1_block: BlockName {
            hash: info.l1_block_hash,
            number: info.l1_block,
        },
        safe_head: BlockName {
            hash,
            number: info.last_block,
        },
    })
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct DaGasForm {
    /// Bytes that the transaction is charged for.
    da_bytes: u64,
    /// Gas per such byte now; it moves by an eighth per L1 block at most.
    da_gas_per_byte: u64,
    /// Part of the transaction's gas that pays for them.
    da_gas: u64,
    /// What that costs at the next block's base fee, wei of OPEN.
    fee: U256,
}

/// Of a raw transaction, or of a call as `eth_estimateGas` takes it.
fn estimate_da_gas(node: &Node, args: &Args<'_>) -> Result<DaGasForm, RpcError> {
    rollup(node)?;
    let tx = if args.raw(0).is_some_and(|text| text.starts_with('"')) {
        Transaction::decode(&args.hex(0)?).map_err(|error| RpcError::invalid(0, error))?
    } else {
        call::request(node, args.required(0)?)?.unsigned(node.chain_id)
    };
    let (state, header) = node.state(BlockNumberOrTag::Latest.into())?;
    let da_bytes = primitives::da::da_bytes(&tx);
    let da_gas_per_byte = stf::da_gas_per_byte(&state);
    let da_gas = da_gas_per_byte.saturating_mul(da_bytes);
    Ok(DaGasForm {
        da_bytes,
        da_gas_per_byte,
        da_gas,
        fee: U256::from(da_gas) * U256::from(node.next_base_fee(&header)),
    })
}

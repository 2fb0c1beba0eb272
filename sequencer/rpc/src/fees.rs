//! What gas costs, and what it cost.

use crate::{
    Node,
    errors::RpcError,
    module::{Long, Patience, Registry},
    params::{Args, Number},
};
use alloy_consensus::{Header, Transaction as _};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{U64, U256};
use primitives::SealedBlock;
use serde::Serialize;

/// Percentiles that one request may ask for (geth's bound).
const PERCENTILES_MAX: usize = 100;
/// Gas of one blob (EIP-4844).
const GAS_PER_BLOB: u64 = 1 << 17;
/// A block this full, in parts of a hundred, makes senders compete.
const FULL_PERCENT: u64 = 90;

pub(crate) fn register(registry: &mut Registry) {
    registry.light("eth_gasPrice", 0, |node, _| {
        let head = node.store.head();
        Ok(U256::from(
            u128::from(node.next_base_fee(&head.header)) + suggested_tip(node, &head),
        ))
    });
    registry.light("eth_maxPriorityFeePerGas", 0, |node, _| {
        Ok(U256::from(suggested_tip(node, &node.store.head())))
    });
    registry.light("eth_baseFee", 0, |node, _| {
        Ok(U64::from(node.next_base_fee(&node.store.head().header)))
    });
    registry.light("eth_blobBaseFee", 0, |node, _| {
        Ok(U256::from(
            node.blob_base_fee(&node.pending_header())
                .unwrap_or_default(),
        ))
    });
    registry.long("eth_feeHistory", Long::Read, 3, |node, args, patience| {
        history(node, &args, patience)
    });
}

/// A tip that gets a transaction into the next block: the configured one while there is room, and a tenth above
/// the last full block's median when there is not.
pub(crate) fn suggested_tip(node: &Node, head: &SealedBlock) -> u128 {
    let base = u128::from(node.limits.tip_wei);
    if head.header.gas_used * 100 < head.header.gas_limit.saturating_mul(FULL_PERCENT) {
        return base;
    }
    let mut tips: Vec<u128> = signed_tips(head).map(|(tip, _)| tip).collect();
    if tips.is_empty() {
        return base;
    }
    let middle = tips.len() / 2;
    let (_, median, _) = tips.select_nth_unstable(middle);
    (*median + *median / 10).max(base)
}

/// What each signed transaction paid above the base fee, and the gas it used.
fn signed_tips(block: &SealedBlock) -> impl Iterator<Item = (u128, u64)> {
    let base_fee = block.header.base_fee_per_gas.unwrap_or(0);
    block
        .transactions
        .iter()
        .enumerate()
        .filter(|(_, tx)| !tx.tx.is_deposit())
        .map(move |(index, tx)| {
            let price = tx.tx.effective_gas_price(Some(base_fee));
            (
                price.saturating_sub(base_fee.into()),
                block.gas_used_by(index).unwrap_or_default(),
            )
        })
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryForm {
    #[serde(with = "alloy_serde::quantity")]
    oldest_block: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    reward: Option<Vec<Vec<U256>>>,
    base_fee_per_gas: Vec<U256>,
    gas_used_ratio: Vec<f64>,
    base_fee_per_blob_gas: Vec<U256>,
    blob_gas_used_ratio: Vec<f64>,
}

fn history(node: &Node, args: &Args<'_>, patience: &Patience) -> Result<HistoryForm, RpcError> {
    let Number(count) = args.required(0)?;
    let newest: BlockNumberOrTag = args.required(1)?;
    let percentiles: Vec<f64> = args.optional(2)?.unwrap_or_default();
    check_percentiles(&percentiles)?;
    let head = node.head_number();
    let newest = node.tag(newest).ok_or_else(|| {
        RpcError::server(format!(
            "request beyond head block: requested {newest}, head {head}"
        ))
    })?;
    let count = count
        .min(node.limits.fee_history_blocks_max)
        .min(newest + 1);
    let mut form = HistoryForm {
        oldest_block: (newest + 1).saturating_sub(count),
        reward: (!percentiles.is_empty()).then(Vec::new),
        base_fee_per_gas: Vec::new(),
        gas_used_ratio: Vec::new(),
        base_fee_per_blob_gas: Vec::new(),
        blob_gas_used_ratio: Vec::new(),
    };
    if count == 0 {
        form.oldest_block = 0;
        return Ok(form);
    }
    let mut last = None;
    for number in form.oldest_block..=newest {
        patience.check()?;
        let block = node.known_block(number.into())?;
        let header = &block.header;
        form.base_fee_per_gas
            .push(U256::from(header.base_fee_per_gas.unwrap_or(0)));
        form.gas_used_ratio
            .push(ratio(header.gas_used, header.gas_limit));
        form.base_fee_per_blob_gas
            .push(U256::from(node.blob_base_fee(header).unwrap_or_default()));
        let blob_gas_max = node.blobs_max(header) * GAS_PER_BLOB;
        form.blob_gas_used_ratio
            .push(ratio(header.blob_gas_used.unwrap_or(0), blob_gas_max));
        if let Some(reward) = &mut form.reward {
            reward.push(rewards(&block, &percentiles));
        }
        last = Some(block);
    }
    // One entry more than blocks: what the block after the newest will ask.
    if let Some(block) = last {
        let header = &block.header;
        form.base_fee_per_gas
            .push(U256::from(node.next_base_fee(header)));
        let excess = stf::next_excess_blob_gas(&node.rules, header, header.timestamp);
        let next = Header {
            excess_blob_gas: header.excess_blob_gas.map(|_| excess),
            ..header.clone()
        };
        form.base_fee_per_blob_gas
            .push(U256::from(node.blob_base_fee(&next).unwrap_or_default()));
    }
    Ok(form)
}

fn check_percentiles(percentiles: &[f64]) -> Result<(), RpcError> {
    if percentiles.len() > PERCENTILES_MAX {
        return Err(RpcError::server(format!(
            "invalid reward percentile: over the query limit {PERCENTILES_MAX}"
        )));
    }
    if let Some(p) = percentiles.iter().find(|p| !(0.0..=100.0).contains(*p)) {
        return Err(RpcError::server(format!("invalid reward percentile: {p}")));
    }
    if let Some((index, pair)) = percentiles
        .windows(2)
        .enumerate()
        .find(|(_, pair)| pair[0] >= pair[1])
    {
        let at = index + 1;
        return Err(RpcError::server(format!(
            "invalid reward percentile: #{index}:{} >= #{at}:{}",
            pair[0], pair[1]
        )));
    }
    Ok(())
}

fn ratio(used: u64, of: u64) -> f64 {
    if of == 0 {
        0.0
    } else {
        used as f64 / of as f64
    }
}

/// The tips at each percentile of the block's gas.
fn rewards(block: &SealedBlock, percentiles: &[f64]) -> Vec<U256> {
    let mut tips: Vec<(u128, u64)> = signed_tips(block).collect();
    if tips.is_empty() {
        return vec![U256::ZERO; percentiles.len()];
    }
    tips.sort_unstable();
    let total: u64 = tips.iter().map(|(_, gas)| gas).sum();
    let mut rest = tips.iter();
    let (mut tip, mut gas) = rest.next().copied().unwrap_or_default();
    percentiles
        .iter()
        .map(|percentile| {
            let threshold = (total as f64 * percentile / 100.0) as u64;
            while gas < threshold {
                let Some((next, more)) = rest.next() else {
                    break;
                };
                tip = *next;
                gas += more;
            }
            U256::from(tip)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(percentiles: &[f64], want: &str) {
        assert_eq!(check_percentiles(percentiles).unwrap_err().message, want);
    }

    #[test]
    fn percentiles_stay_between_0_and_100() {
        check(&[-1.0], "invalid reward percentile: -1");
        check(&[100.5], "invalid reward percentile: 100.5");
        assert!(check_percentiles(&[0.0, 50.0, 100.0]).is_ok());
    }

    #[test]
    fn percentiles_ascend() {
        check(&[10.0, 10.0], "invalid reward percentile: #0:10 >= #1:10");
    }

    #[test]
    fn nan_is_no_percentile() {
        check(&[f64::NAN], "invalid reward percentile: NaN");
    }
}

//! Signed batches and proposer's moves as transactions.

use crate::{SignedBatch, proposer::Move};
use alloy_primitives::{Bytes, U256};
use alloy_sol_types::SolCall;
use bindings::{inbox::Inbox, rollup::Rollup};
use config::Network;
use l1::Intent;

/// Gas of `Inbox.post` without its payload, with room for a first-used slot and an old anchor.
const POST_GAS: u64 = 180_000;
/// Gas per byte of calldata: EIP-7623's floor for bytes that are not zero.
const POST_GAS_PER_BYTE: u64 = 40;

/// `Inbox.post`. A batch behind others that are not mined yet cannot be estimated: `follows` gives it a fixed limit.
pub fn post(network: &Network, batch: &SignedBatch, follows: bool) -> Intent {
    let record = &batch.record;
    let call = Inbox::postCall {
        record: bindings::inbox::Record {
            prevAcc: record.prev_acc,
            kind: record.kind as u8,
            lastTimestamp: record.last_timestamp,
            queueConsumed: record.queue_consumed,
            queueAcc: record.queue_acc,
            anchorNumber: record.anchor_number,
            anchorHash: record.anchor_hash,
            payloadHash: record.payload_hash,
        },
        signature: Bytes::copy_from_slice(&batch.signature.as_bytes()),
        payload: batch.payload.clone(),
    };
    let data: Bytes = call.abi_encode().into();
    Intent {
        to: Some(network.contracts.inbox),
        gas_limit: follows.then(|| POST_GAS + POST_GAS_PER_BYTE * data.len() as u64),
        data,
        value: U256::ZERO,
        sidecar: batch.sidecar.clone(),
    }
}

/// One move of the proposer.
pub fn propose(network: &Network, step: &Move) -> Intent {
    let rollup = network.contracts.rollup;
    match *step {
        Move::Assert {
            parent,
            record_count,
            batch_acc,
            l2_number,
            output_root,
        } => {
            let assert = Rollup::assertOutputCall {
                parentId: parent,
                recordIndex: record_count,
                batchAcc: batch_acc,
                l2Number: l2_number,
                outputRoot: output_root,
            };
            Intent::call(rollup, &assert).paying(U256::from(network.assertion.bond_wei))
        }
        Move::Confirm(id) => Intent::call(rollup, &Rollup::confirmCall { id }),
        Move::WithdrawBond(id) => Intent::call(rollup, &Rollup::withdrawBondCall { id }),
    }
}

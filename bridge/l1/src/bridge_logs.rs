//! What L1's contracts say of the bridge: queue entries, asserted outputs, and what becomes of withdrawals.

use crate::{Client, L1Error, L1Ref, client::log_block};
use alloy_primitives::{Address, B256, TxHash, U256};
use alloy_provider::Provider;
use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::SolEvent;
use bindings::{inbox::Inbox, portal::Portal, rollup::Rollup};

/// One event and its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeLog {
    /// Block. Its time is 0 where the node does not tell it with a log.
    pub at: L1Ref,
    /// Place among the logs of the block.
    pub log: u64,
    /// Transaction.
    pub tx: TxHash,
    /// What it says.
    pub event: BridgeEvent,
}

/// Somebody's claim about L2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asserted {
    /// Its id.
    pub id: B256,
    /// What it builds on.
    pub parent: B256,
    /// Who stands for it.
    pub proposer: Address,
    /// Records that it covers.
    pub record_count: u64,
    /// L2 block.
    pub l2_block: u64,
    /// What it claims.
    pub output_root: B256,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BridgeEvent {
    /// An entry joined the queue.
    Enqueued {
        /// Its place, from 0.
        index: u64,
        /// The queue's accumulator after it.
        acc: B256,
    },
    /// Somebody stands for an output root. If nobody did before, `Listed` follows in the same transaction.
    Asserted(Asserted),
    /// What was asserted just before is new, and has a place in the list of outputs.
    Listed {
        /// Which place.
        output: u64,
    },
    /// An output is contradicted, as are those that it contradicts.
    Contested {
        /// The first assertion of the later one.
        id: B256,
    },
    /// An output stands for good.
    Confirmed {
        /// Its place in the list.
        output: u64,
    },
    /// A withdrawal was proven.
    Proven {
        /// Which.
        hash: B256,
        /// By whom.
        by: Address,
    },
    /// A withdrawal was paid or called.
    Finalised {
        /// Which.
        hash: B256,
        /// The target's call went through.
        succeeded: bool,
    },
}

impl Client {
    /// Everything the contracts said of the bridge in blocks `from..=to`, in order.
    pub async fn bridge_logs(&self, from: u64, to: u64) -> Result<Vec<BridgeLog>, L1Error> {
        let contracts = &self.network().contracts;
        let filter = Filter::new()
            .address(vec![contracts.inbox, contracts.portal, contracts.rollup])
            .event_signature(vec![
                Inbox::Enqueued::SIGNATURE_HASH,
                Rollup::Asserted::SIGNATURE_HASH,
                Rollup::OutputProposed::SIGNATURE_HASH,
                Rollup::Contested::SIGNATURE_HASH,
                Portal::OutputConfirmed::SIGNATURE_HASH,
                Portal::WithdrawalProvenExtension1::SIGNATURE_HASH,
                Portal::WithdrawalFinalized::SIGNATURE_HASH,
            ])
            .from_block(from)
            .to_block(to);
        let logs = self
            .provider()
            .get_logs(&filter)
            .await
            .map_err(L1Error::transport)?;
        logs.iter()
            .filter(|log| !log.removed)
            .map(BridgeLog::parse)
            .collect()
    }
}

impl BridgeLog {
    fn parse(log: &Log) -> Result<Self, L1Error> {
        Ok(Self {
            at: log_block(log)?,
            log: log.log_index.unwrap_or_default(),
            tx: log.transaction_hash.unwrap_or_default(),
            event: BridgeEvent::parse(log)?,
        })
    }
}

impl BridgeEvent {
    fn parse(log: &Log) -> Result<Self, L1Error> {
        Ok(match log.topic0() {
            Some(&Inbox::Enqueued::SIGNATURE_HASH) => {
                let event = decode::<Inbox::Enqueued>(log)?;
                Self::Enqueued {
                    index: event.index,
                    acc: event.queueAcc,
                }
            }
            Some(&Rollup::Asserted::SIGNATURE_HASH) => {
                let event = decode::<Rollup::Asserted>(log)?;
                Self::Asserted(Asserted {
                    id: event.id,
                    parent: event.parent,
                    proposer: event.proposer,
                    record_count: event.recordIndex,
                    l2_block: event.l2Number,
                    output_root: event.outputRoot,
                })
            }
            Some(&Rollup::Contested::SIGNATURE_HASH) => Self::Contested {
                id: decode::<Rollup::Contested>(log)?.id,
            },
            Some(&Rollup::OutputProposed::SIGNATURE_HASH) => Self::Listed {
                output: place(decode::<Rollup::OutputProposed>(log)?.l2OutputIndex)?,
            },
            Some(&Portal::OutputConfirmed::SIGNATURE_HASH) => Self::Confirmed {
                output: place(decode::<Portal::OutputConfirmed>(log)?.l2OutputIndex)?,
            },
            Some(&Portal::WithdrawalProvenExtension1::SIGNATURE_HASH) => {
                let event = decode::<Portal::WithdrawalProvenExtension1>(log)?;
                Self::Proven {
                    hash: event.withdrawalHash,
                    by: event.proofSubmitter,
                }
            }
            _ => {
                let event = decode::<Portal::WithdrawalFinalized>(log)?;
                Self::Finalised {
                    hash: event.withdrawalHash,
                    succeeded: event.success,
                }
            }
        })
    }
}

fn place(index: U256) -> Result<u64, L1Error> {
    index
        .try_into()
        .map_err(|_| L1Error::Contract("Rollup", format!("output {index}")))
}

fn decode<E: SolEvent>(log: &Log) -> Result<E, L1Error> {
    E::decode_log(&log.inner)
        .map(|log| log.data)
        .map_err(|e| L1Error::Contract(E::SIGNATURE, e.to_string()))
}

//! JSON-RPC methods of development chains, under the names and with the arguments of anvil.

use crate::{L1DevError, Mining, chain::Chain};
use alloy_primitives::{B256, U64};
use jsonrpsee::{RpcModule, types::ErrorObjectOwned};
use rpc::{Args, Number, RpcError};
use serde_json::{Value, json};
use std::sync::Arc;

/// Blocks that one request may make or replace: a typo must not fill the disk.
const BLOCKS_MAX: u64 = 100_000;

/// The methods, to be merged with those of every chain.
pub fn methods(chain: Arc<Chain>) -> RpcModule<Chain> {
    let mut module = RpcModule::from_arc(chain);
    add(&mut module, &["evm_mine"], 1, |chain, args| {
        // A timestamp, or an object with one; hardhat and anvil take both.
        let timestamp = match args.optional::<Value>(0)? {
            Some(Value::Object(fields)) => fields.get("timestamp").cloned().unwrap_or_default(),
            Some(value) => value,
            None => Value::Null,
        };
        match timestamp {
            Value::Null => chain.mine(1),
            value => {
                let Number(at) =
                    serde_json::from_value(value).map_err(|e| RpcError::invalid(0, e))?;
                chain.mine_at(at)
            }
        }
        .map_err(server)?;
        Ok(json!("0x0"))
    });
    add(
        &mut module,
        &["anvil_mine", "hardhat_mine"],
        2,
        |chain, args| {
            let blocks = args.optional::<Number>(0)?.map_or(1, |n| n.0);
            let apart_s = args.optional::<Number>(1)?.map(|n| n.0);
            bounded(blocks)?;
            match apart_s {
                None => drop(chain.mine(blocks).map_err(server)?),
                Some(apart_s) => {
                    for made in 0..blocks {
                        if made > 0 {
                            let next = chain
                                .store
                                .head()
                                .header
                                .timestamp
                                .saturating_add(apart_s.max(1));
                            chain.set_next_timestamp(next).map_err(server)?;
                        }
                        chain.mine(1).map_err(server)?;
                    }
                }
            }
            Ok(Value::Null)
        },
    );
    add(&mut module, &["evm_increaseTime"], 1, |chain, args| {
        let Number(seconds) = args.required(0)?;
        Ok(json!(chain.increase_time(seconds).map_err(server)?))
    });
    add(
        &mut module,
        &["evm_setNextBlockTimestamp", "anvil_setNextBlockTimestamp"],
        1,
        |chain, args| {
            let Number(timestamp) = args.required(0)?;
            chain.set_next_timestamp(timestamp).map_err(server)?;
            Ok(Value::Null)
        },
    );
    add(&mut module, &["anvil_reorg"], 3, |chain, args| {
        let Number(depth) = args.required(0)?;
        bounded(depth)?;
        if args
            .optional::<Vec<Value>>(1)?
            .is_some_and(|pairs| !pairs.is_empty())
        {
            return Err(RpcError::invalid(
                1,
                "a reorg takes no transactions of its own here; send them",
            ));
        }
        chain
            .reorg(depth, args.optional(2)?.unwrap_or(false))
            .map_err(server)?;
        Ok(Value::Null)
    });
    add(
        &mut module,
        &["evm_setAutomine", "anvil_setAutomine"],
        1,
        |chain, args| {
            let wanted: bool = args.required(0)?;
            match (wanted, chain.signal.mining()) {
                (true, _) => chain.signal.set_mining(Mining::Auto),
                (false, Mining::Auto) => chain.signal.set_mining(Mining::Manual),
                (false, _) => {}
            }
            Ok(Value::Null)
        },
    );
    add(
        &mut module,
        &["evm_setIntervalMining", "anvil_setIntervalMining"],
        1,
        |chain, args| {
            let Number(seconds) = args.required(0)?;
            chain.signal.set_mining(match seconds {
                0 => Mining::Manual,
                seconds => Mining::Interval(seconds.saturating_mul(1000)),
            });
            Ok(Value::Null)
        },
    );
    add(&mut module, &["anvil_dropTransaction"], 1, |chain, args| {
        let hash: B256 = args.required(0)?;
        Ok(json!(chain.pool.lock().reject(&hash).map(|tx| tx.hash)))
    });
    add(&mut module, &["anvil_getIntervalMining"], 0, |chain, _| {
        Ok(match chain.signal.mining() {
            Mining::Interval(ms) => json!(U64::from(ms / 1000)),
            Mining::Auto | Mining::Manual => Value::Null,
        })
    });
    module
}

/// Registers a method under all its names. Making blocks waits for the disk, so all run on the blocking threads.
fn add(
    module: &mut RpcModule<Chain>,
    names: &[&'static str],
    args_max: usize,
    method: impl Fn(&Chain, Args<'_>) -> Result<Value, RpcError> + Clone + Send + Sync + 'static,
) {
    for name in names {
        let method = method.clone();
        let added = module.register_blocking_method(name, move |params, chain, _| {
            let args = Args::parse(params.as_str(), args_max)?;
            method(&chain, args).map_err(ErrorObjectOwned::from)
        });
        assert!(added.is_ok(), "{name} is registered twice");
    }
}

fn bounded(blocks: u64) -> Result<(), RpcError> {
    if blocks > BLOCKS_MAX {
        return Err(RpcError::limit(
            format!("{blocks} blocks are too many"),
            "blocks",
            BLOCKS_MAX,
            blocks,
        ));
    }
    Ok(())
}

fn server(error: L1DevError) -> RpcError {
    RpcError::server(error.to_string())
}

//! What makes a network file acceptable.

use crate::Network;
use alloc::{format, string::String};

/// Why a network file is refused, in words for the person who wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not TOML, or a key is missing, unknown or of another type.
    #[error("network file: {0}")]
    Syntax(String),
    /// A value that cannot work.
    #[error("network file: {key} = {value}: {reason}")]
    Value {
        /// Dotted name.
        key: &'static str,
        /// As written.
        value: String,
        /// What to write instead.
        reason: &'static str,
    },
}

/// Chain ids that belong to others or that wallets treat specially.
const TAKEN_IDS: [u64; 5] = [1, 1337, 31337, 1612, 161_201];

impl Network {
    /// Refuses values that cannot work together.
    pub fn check(&self) -> Result<(), ConfigError> {
        let c = &self.chain;
        rule(
            !TAKEN_IDS.contains(&c.id) && c.id > 0,
            "chain.id",
            c.id,
            "is taken; choose another",
        )?;
        rule(
            c.id != self.l1.chain_id,
            "chain.id",
            c.id,
            "must differ from l1.chain_id",
        )?;
        rule(
            c.block_time_ms >= 20,
            "chain.block_time_ms",
            c.block_time_ms,
            "must be at least 20",
        )?;
        rule(
            c.heartbeat_ms >= c.block_time_ms,
            "chain.heartbeat_ms",
            c.heartbeat_ms,
            "must be at least block_time_ms",
        )?;
        rule(
            c.tx_gas_cap <= 1 << 24 && c.tx_gas_cap >= 21_000,
            "chain.tx_gas_cap",
            c.tx_gas_cap,
            "must be from 21000 to 2^24 (EIP-7825)",
        )?;
        rule(
            c.gas_limit >= c.tx_gas_cap,
            "chain.gas_limit",
            c.gas_limit,
            "must hold one transaction of tx_gas_cap",
        )?;
        rule(
            c.gas_target > 0 && c.gas_target <= c.gas_limit,
            "chain.gas_target",
            c.gas_target,
            "must be from 1 to gas_limit",
        )?;
        rule(
            (60..=3 * 86_400).contains(&self.genesis.attribution_window_s),
            "genesis.attribution_window_s",
            self.genesis.attribution_window_s,
            "must be from 60 to 259200: an operator's stake may leave after seven days",
        )?;
        let f = &self.fees;
        rule(
            f.base_fee_floor_wei > 0,
            "fees.base_fee_floor_wei",
            f.base_fee_floor_wei,
            "must be above 0",
        )?;
        rule(
            f.base_fee_genesis_wei >= f.base_fee_floor_wei,
            "fees.base_fee_genesis_wei",
            f.base_fee_genesis_wei,
            "must be at least the floor",
        )?;
        rule(
            f.base_fee_change_denominator > 1,
            "fees.base_fee_change_denominator",
            f.base_fee_change_denominator,
            "must be above 1",
        )?;
        let b = &self.batch;
        rule(
            (1..=6).contains(&b.blobs_max),
            "batch.blobs_max",
            b.blobs_max,
            "must be from 1 to 6",
        )?;
        rule(
            (1..=120_000).contains(&b.calldata_bytes_max),
            "batch.calldata_bytes_max",
            b.calldata_bytes_max,
            "must be from 1 to 120000, what a mempool takes",
        )?;
        rule(
            (1_000_000..=16_000_000).contains(&b.decoded_bytes_max),
            "batch.decoded_bytes_max",
            b.decoded_bytes_max,
            "must be from 1 MB to 16 MB",
        )?;
        rule(
            (1..=10_000).contains(&b.blocks_max),
            "batch.blocks_max",
            b.blocks_max,
            "must be from 1 to 10000",
        )?;
        let d = &self.delays;
        rule(
            d.window_s > 0,
            "delays.window_s",
            d.window_s,
            "must be above 0",
        )?;
        rule(
            d.max_drift_s > 0,
            "delays.max_drift_s",
            d.max_drift_s,
            "must be above 0",
        )?;
        let r = &self.rpc;
        for (key, value) in [
            ("rpc.request_bytes_max", u64::from(r.request_bytes_max)),
            ("rpc.response_bytes_max", r.response_bytes_max.into()),
            ("rpc.batch_calls_max", r.batch_calls_max.into()),
            ("rpc.connections_max", r.connections_max.into()),
            ("rpc.filter_idle_s", r.filter_idle_s),
            ("rpc.log_blocks_max", r.log_blocks_max),
            ("rpc.call_gas_max", r.call_gas_max),
            ("rpc.simulate_blocks_max", r.simulate_blocks_max),
            ("rpc.calls_at_once", r.calls_at_once as u64),
            ("rpc.reads_at_once", r.reads_at_once as u64),
            ("rpc.call_timeout_ms", r.call_timeout_ms),
            ("rpc.traces_at_once", r.traces_at_once as u64),
            ("rpc.trace_timeout_ms", r.trace_timeout_ms),
            ("rpc.trace_blocks_max", r.trace_blocks_max),
        ] {
            rule(value > 0, key, value, "must be above 0")?;
        }
        let schedule = &self.l1.blob_schedule;
        rule(
            schedule.first().is_some_and(|p| p.from_s == 0),
            "l1.blob_schedule",
            schedule.len(),
            "must have a first entry with from_s = 0",
        )?;
        rule(
            schedule.windows(2).all(|w| w[0].from_s < w[1].from_s),
            "l1.blob_schedule",
            schedule.len(),
            "must ascend by from_s",
        )
    }
}

fn rule(
    holds: bool,
    key: &'static str,
    value: impl core::fmt::Display,
    reason: &'static str,
) -> Result<(), ConfigError> {
    if holds {
        Ok(())
    } else {
        Err(ConfigError::Value {
            key,
            value: format!("{value}"),
            reason,
        })
    }
}

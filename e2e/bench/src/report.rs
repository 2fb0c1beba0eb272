//! What is written to `bench.json` and printed.

use crate::{da::DaSizes, send::Mode, workload::Workload};
use clap::ValueEnum;
use serde::Serialize;
use std::{collections::BTreeMap, fmt::Write};

/// One workload in one mode.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// What was sent.
    pub workload: Workload,
    /// How.
    pub mode: Mode,
    /// Our node, if it ran.
    pub ours: Option<Side>,
    /// anvil, if it ran.
    pub peer: Option<Side>,
    /// Sizes on L1 of the same transactions.
    pub da: Option<DaSizes>,
}

/// One node in one row.
#[derive(Debug, Clone, Serialize)]
pub struct Side {
    /// Included transactions a second.
    pub tps: f64,
    /// Gas in blocks a second, millions; ours includes the gas for data on L1.
    pub mgas_s: f64,
    /// CPU time of the whole process, all threads.
    pub cpu_us_per_tx: f64,
    /// Send→receipt in the open loop.
    pub p50_ms: f64,
    /// Send→receipt in the open loop.
    pub p99_ms: f64,
    /// Most memory until the end of the saturated run.
    pub rss_mib: f64,
    /// Ours: bytes of signed batches. Peer: RLP + brotli-10 of the transactions that ours included.
    pub da_bytes_per_tx: Option<f64>,
    /// Length of the stretch that counts.
    pub seconds: f64,
    /// Transactions in it.
    pub transactions: u64,
    /// Blocks in it.
    pub blocks: usize,
    /// Gas of a transaction.
    pub gas_per_tx: f64,
    /// Receipts behind p50 and p99.
    pub latency_samples: u64,
    /// Refusals that were sent again.
    pub refused: u64,
    /// CPU time of the load generator.
    pub loadgen_cpu_us_per_tx: f64,
    /// Of what was included during the saturated run, the part that was in signed batches by its end; the work for the
    /// others is not in the CPU time. None for anvil.
    pub batched_part: Option<f64>,
    /// CPU time by thread name, whole saturated run.
    pub threads_us_per_tx: BTreeMap<String, f64>,
    /// Wall time by stage, from `/metrics`, whole saturated run.
    pub stages_us_per_tx: BTreeMap<String, f64>,
}

/// A name as the command line has it.
pub fn name(value: &impl ValueEnum) -> String {
    let possible = value.to_possible_value();
    possible.map_or_else(String::new, |value| value.get_name().to_owned())
}

/// One line a row: ours / peer / ratio.
pub fn summary(rows: &[Row]) -> String {
    let mut out = String::from(
        "| load | tx/s ours / anvil | ratio | Mgas/s | CPU µs/tx | ratio | p50 ms | p99 ms | RSS MiB | DA B/tx ours / RLP+brotli / span+brotli |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
    );
    for row in rows {
        let (ours, peer) = (row.ours.as_ref(), row.peer.as_ref());
        let pair = |of: fn(&Side) -> f64, digits: usize| {
            let show = |side: Option<&Side>| {
                side.map_or_else(|| "–".to_owned(), |side| format!("{:.digits$}", of(side)))
            };
            format!("{} / {}", show(ours), show(peer))
        };
        let ratio = |of: fn(&Side) -> f64| match (ours, peer) {
            (Some(ours), Some(peer)) => format!("{:.2}", of(ours) / of(peer)),
            _ => "–".to_owned(),
        };
        let da = match (&row.da, ours.and_then(|side| side.da_bytes_per_tx)) {
            (Some(da), Some(posted)) => format!(
                "{posted:.1} / {:.1} / {:.1}",
                da.rlp_brotli10_bytes_per_tx, da.span_brotli10_bytes_per_tx
            ),
            _ => "–".to_owned(),
        };
        let _ = writeln!(
            out,
            "| {} {} | {} | {} | {} | {} | {} | {} | {} | {} | {da} |",
            name(&row.workload),
            name(&row.mode),
            pair(|side| side.tps, 0),
            ratio(|side| side.tps),
            pair(|side| side.mgas_s, 0),
            pair(|side| side.cpu_us_per_tx, 0),
            ratio(|side| side.cpu_us_per_tx),
            pair(|side| side.p50_ms, 0),
            pair(|side| side.p99_ms, 0),
            pair(|side| side.rss_mib, 0),
        );
    }
    out
}

/// Where a row's time goes: CPU by thread, wall time by stage, and what measuring itself took.
pub fn details(row: &Row) -> String {
    let mut out = String::new();
    for (who, side) in [("ours", &row.ours), ("anvil", &row.peer)] {
        let Some(side) = side else { continue };
        let _ = writeln!(
            out,
            "{} {} on {who}: {} transactions in {} blocks, {:.1} s, {:.0} gas each; {} refusals; \
             load generator {:.1} µs/tx; {} latency samples",
            name(&row.workload),
            name(&row.mode),
            side.transactions,
            side.blocks,
            side.seconds,
            side.gas_per_tx,
            side.refused,
            side.loadgen_cpu_us_per_tx,
            side.latency_samples
        );
        let list = |of: &BTreeMap<String, f64>| {
            let mut of: Vec<_> = of.iter().filter(|(_, us)| **us >= 0.05).collect();
            of.sort_by(|a, b| b.1.total_cmp(a.1));
            let parts: Vec<_> = of.iter().map(|(n, us)| format!("{n} {us:.1}")).collect();
            parts.join(", ")
        };
        let _ = writeln!(
            out,
            "  CPU µs/tx by thread: {}",
            list(&side.threads_us_per_tx)
        );
        if let Some(part) = side.batched_part {
            let _ = writeln!(out, "  in batches by the end: {:.0} %", part * 100.0);
        }
        if !side.stages_us_per_tx.is_empty() {
            let _ = writeln!(
                out,
                "  wall µs/tx by stage: {}",
                list(&side.stages_us_per_tx)
            );
        }
    }
    if let Some(da) = &row.da {
        let _ = writeln!(
            out,
            "  DA of {} transactions: columns {:.1} B/tx at {:.2} µs/tx, RLP+brotli-10 {:.1}, span+brotli-10 {:.1}",
            da.transactions,
            da.columns_bytes_per_tx,
            da.columns_us_per_tx,
            da.rlp_brotli10_bytes_per_tx,
            da.span_brotli10_bytes_per_tx
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(tps: f64) -> Side {
        Side {
            tps,
            mgas_s: 1.0,
            cpu_us_per_tx: 2.0,
            p50_ms: 3.0,
            p99_ms: 4.0,
            rss_mib: 5.0,
            da_bytes_per_tx: None,
            seconds: 60.0,
            transactions: 7,
            blocks: 8,
            gas_per_tx: 9.0,
            latency_samples: 10,
            refused: 0,
            loadgen_cpu_us_per_tx: 11.0,
            batched_part: None,
            threads_us_per_tx: BTreeMap::new(),
            stages_us_per_tx: BTreeMap::new(),
        }
    }

    fn row() -> Row {
        Row {
            workload: Workload::Erc20,
            mode: Mode::Batch50,
            ours: Some(side(3.0)),
            peer: Some(side(2.0)),
            da: None,
        }
    }

    #[test]
    fn the_file_has_the_promised_fields() {
        let row = serde_json::to_value(row()).unwrap();
        assert_eq!(
            (&row["workload"], &row["mode"]),
            (&"erc20".into(), &"batch50".into())
        );
        for who in ["ours", "peer"] {
            for field in [
                "tps",
                "mgas_s",
                "cpu_us_per_tx",
                "p50_ms",
                "p99_ms",
                "rss_mib",
                "da_bytes_per_tx",
            ] {
                assert!(row[who].get(field).is_some(), "{who}.{field}");
            }
        }
    }

    #[test]
    fn a_ratio_is_ours_over_the_peer() {
        assert!(summary(&[row()]).contains("| erc20 batch50 | 3 / 2 | 1.50 |"));
    }

    #[test]
    fn one_side_alone_has_no_ratio() {
        let row = Row {
            peer: None,
            ..row()
        };
        assert!(summary(&[row]).contains("| 3 / – | – |"));
    }
}

//! The node as a library: the binary and the end-to-end harness put the same stages together.
//!
//! This crate owns the clock, the threads and the environment; everything below it is told what time it is.
//!
//! ```text
//! rpc ─▶ mempool ─▶ producer (builder, stf ∥ re-execution) ─▶ store ─▶ batches ─▶ roles::post ─▶ ║ L1 ║
//!                      ▲                                         ▲                               │
//!                      └────────── l1_view ◀── driver (derivation) ◀────────────── l1 ◀──────────┘
//! ```
#![forbid(unsafe_code)]

pub mod admin;
pub mod ask;
pub mod assemble;
pub mod batch_rpc;
pub mod batches;
pub mod bridge_watch;
pub mod cli;
pub mod cli_bridge;
pub mod clock;
pub mod commands;
pub mod commands_bridge;
pub mod demo;
pub mod deploy;
pub mod dev;
pub mod driver;
pub mod ethereum;
pub mod exit;
pub mod file_journal;
pub mod force;
pub mod genesis;
pub mod keys;
pub mod l1_view;
pub mod ops;
pub mod privileges;
pub mod producer;
pub mod relay;
pub mod roles;
pub mod token_bridge;
pub mod tokens;
pub mod wallet;
pub mod withdraw;

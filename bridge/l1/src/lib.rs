//! The only connection to L1.
//!
//! [`Client`] asks; [`Tracker`] turns what L1 holds into queue entries, records and reorgs; [`Outbox`] decides when a
//! transaction is sent, sent again at a higher price, or done, and [`Sender`] does what it says.
//!
//! What always holds: nothing is handed on whose accumulator does not follow from what came before; a blob is handed
//! on only if its commitment gives the versioned hash that L1 holds.
//!
//! Absent on purpose: what records mean (`derivation`), what to post (`poster`), and clocks.
#![forbid(unsafe_code)]

mod bridge_logs;
mod client;
mod error;
mod outbox;
mod sender;
mod sidecar;
mod tracker;

/// TLS needs a provider of cryptography before the first HTTP client is made; a second call finds it installed.
pub fn install_tls() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}

pub use alloy_signer_local::PrivateKeySigner;
pub use bridge_logs::{Asserted, BridgeEvent, BridgeLog};
pub use client::{Client, Heads, L1Ref, queue_entry};
pub use error::L1Error;
pub use outbox::{Fees, FeesNow, Intent, Outbox, Settled, Status, intent_id};
pub use sender::{Journal, Note, Sender};
pub use sidecar::{Sidecar, sidecar};
pub use tracker::{L1Update, PostedRecord, QueuedEntry, Tracker, TrackerStart};

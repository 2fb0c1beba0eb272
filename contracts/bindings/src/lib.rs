//! The contracts as Rust sees them: one module each, read at compile time from the ABI and bytecode snapshots in
//! `artifacts/`, so that a Rust build needs no Solidity tools.
//!
//! `contracts/tools/snapshot` writes the snapshots and, with `--check`, shows that they equal what the sources compile
//! to. A module has the contract's calls, events and errors, and its structs; the same struct reached through two
//! contracts is two Rust types.
//!
//! Absent on purpose: connections, providers, and any type that is not in an ABI.
#![no_std]
#![forbid(unsafe_code)]

use alloy_primitives::Bytes;

/// One module per contract, and `bytecode` / `runtime` over all of them.
macro_rules! contracts {
    ($($module:ident: $name:ident, $path:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), "`: its ABI and bytecode.")]
            #[allow(missing_docs, clippy::too_many_arguments)]
            pub mod $module {
                alloy_sol_types::sol!($name, $path);
                pub use $name::*;
            }
        )*

        /// Every contract here, by its Solidity name.
        pub const NAMES: &[&str] = &[$(stringify!($name)),*];

        /// The init code of a contract, without constructor arguments; `None` for a name not in [`NAMES`].
        pub fn bytecode(name: &str) -> Option<&'static Bytes> {
            match name {
                $(stringify!($name) => Some(&$module::$name::BYTECODE),)*
                _ => None,
            }
        }

        /// The code a contract has once deployed, its immutables still zero; `None` for a name not in [`NAMES`].
        pub fn runtime(name: &str) -> Option<&'static Bytes> {
            match name {
                $(stringify!($name) => Some(&$module::$name::DEPLOYED_BYTECODE),)*
                _ => None,
            }
        }
    };
}

contracts! {
    // L1
    l1_token_bridge: L1TokenBridge, "artifacts/L1TokenBridge.json";
    inbox: Inbox, "artifacts/Inbox.json";
    open_token: OpenToken, "artifacts/OpenToken.json";
    portal: Portal, "artifacts/Portal.json";
    proxy_admin: ProxyAdmin, "artifacts/ProxyAdmin.json";
    relay_fee: RelayFee, "artifacts/RelayFee.json";
    rollup: Rollup, "artifacts/Rollup.json";
    system_config: SystemConfig, "artifacts/SystemConfig.json";
    timelock: Timelock, "artifacts/Timelock.json";
    proxy: TransparentUpgradeableProxy, "artifacts/TransparentUpgradeableProxy.json";
    // L2
    bridged_token: BridgedToken, "artifacts/BridgedToken.json";
    l2_token_bridge: L2TokenBridge, "artifacts/L2TokenBridge.json";
    asset_registry: AssetRegistry, "artifacts/AssetRegistry.json";
    attribution_court: AttributionCourt, "artifacts/AttributionCourt.json";
    attribution_settlement: AttributionSettlement, "artifacts/AttributionSettlement.json";
    datanet: Datanet, "artifacts/Datanet.json";
    fee_policy: FeePolicy, "artifacts/FeePolicy.json";
    fee_vault: FeeVault, "artifacts/FeeVault.json";
    grant_pool: GrantPool, "artifacts/GrantPool.json";
    l1_info: L1Info, "artifacts/L1Info.json";
    message_passer: L2ToL1MessagePasser, "artifacts/L2ToL1MessagePasser.json";
    metrics: Metrics, "artifacts/Metrics.json";
    open_governor: OpenGovernor, "artifacts/OpenGovernor.json";
    pay_to: PayTo, "artifacts/PayTo.json";
    pool_ledger: PoolLedger, "artifacts/PoolLedger.json";
    receipts: Receipts, "artifacts/Receipts.json";
    revenue_router: RevenueRouter, "artifacts/RevenueRouter.json";
    spend_account: SpendAccount, "artifacts/SpendAccount.json";
    stake_manager: StakeManager, "artifacts/StakeManager.json";
    wrapped_open: WrappedOpen, "artifacts/WrappedOpen.json";
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::{collections::BTreeMap, fs, path::Path, string::String, vec::Vec};

    fn artifacts() -> BTreeMap<String, serde_json::Value> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("artifacts");
        fs::read_dir(folder)
            .expect("artifacts/ is checked in")
            .map(|entry| entry.expect("readable").path())
            .map(|path| {
                let name = path
                    .file_stem()
                    .expect("named")
                    .to_string_lossy()
                    .into_owned();
                let text = fs::read_to_string(path).expect("readable");
                (name, serde_json::from_str(&text).expect("JSON"))
            })
            .collect()
    }

    #[test]
    fn every_snapshot_has_a_binding() {
        let mut names: Vec<_> = NAMES.to_vec();
        names.sort_unstable();
        let files = artifacts();
        let files: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(
            names, files,
            "add the contract to `contracts!` in bindings/src/lib.rs, or run tools/snapshot"
        );
    }

    #[test]
    fn the_code_is_that_of_the_snapshot() {
        for (name, artifact) in artifacts() {
            let want = |field: &str| {
                alloy_primitives::hex::decode(artifact[field].as_str().expect("a string"))
                    .expect("hex")
            };
            assert_eq!(
                bytecode(&name).expect("bound").as_ref(),
                want("bytecode"),
                "{name}"
            );
            assert_eq!(
                runtime(&name).expect("bound").as_ref(),
                want("deployedBytecode"),
                "{name}"
            );
        }
        assert!(bytecode("Nothing").is_none() && runtime("Nothing").is_none());
    }

    #[test]
    fn the_record_is_eight_words() {
        use alloy_sol_types::SolValue;
        let record = inbox::Record {
            prevAcc: [1; 32].into(),
            kind: 2,
            lastTimestamp: 3,
            queueConsumed: 4,
            queueAcc: [5; 32].into(),
            anchorNumber: 6,
            anchorHash: [7; 32].into(),
            payloadHash: [8; 32].into(),
        };
        assert_eq!(record.abi_encode().len(), 8 * 32);
    }
}

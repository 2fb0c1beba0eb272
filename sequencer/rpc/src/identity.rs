//! Who answers: `web3_`, `net_`, `rpc_` and the constants of `eth_`.

use crate::{module::Registry, params::Args};
use alloy_primitives::{Address, U64, keccak256};
use serde_json::{Map, Value};

pub(crate) fn register(registry: &mut Registry) {
    registry.light("web3_clientVersion", 0, |node, _| {
        Ok(node.client_version.clone())
    });
    registry.light("web3_sha3", 1, |_, args: Args<'_>| {
        Ok(keccak256(args.hex(0)?))
    });
    registry.light("net_version", 0, |node, _| Ok(node.chain_id.to_string()));
    registry.light("net_listening", 0, |_, _| Ok(true));
    // Blocks come from L1 and from the sequencer, never from peers.
    registry.light("net_peerCount", 0, |_, _| Ok(U64::ZERO));
    registry.light("rpc_modules", 0, |node, _| {
        let mut spaces = vec![
            "debug", "eth", "net", "ots", "rpc", "trace", "txpool", "web3",
        ];
        if node.rollup.is_some() {
            spaces.push("rollup");
        }
        Ok(spaces
            .into_iter()
            .map(|space| (space.to_owned(), Value::from("1.0")))
            .collect::<Map<_, _>>())
    });
    registry.light("eth_chainId", 0, |node, _| Ok(U64::from(node.chain_id)));
    registry.light("eth_accounts", 0, |_, _| Ok(Vec::<Address>::new()));
    registry.light("eth_coinbase", 0, |node, _| {
        Ok(node.store.head().header.beneficiary)
    });
    registry.light("eth_mining", 0, |_, _| Ok(false));
    registry.light("eth_hashrate", 0, |_, _| Ok(U64::ZERO));
    // The version of the wire protocol that geth would speak.
    registry.light("eth_protocolVersion", 0, |_, _| Ok("0x44"));
    registry.light("eth_blockNumber", 0, |node, _| {
        Ok(U64::from(node.head_number()))
    });
    registry.light("eth_syncing", 0, |node, _| {
        let progress = node
            .rollup
            .as_ref()
            .and_then(|rollup| rollup.view.syncing());
        serde_json::to_value(progress)
            .map(|value| {
                if value.is_null() {
                    Value::Bool(false)
                } else {
                    value
                }
            })
            .map_err(crate::RpcError::internal)
    });
}

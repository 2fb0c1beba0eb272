//! A header in revm's form.

use crate::{Rules, fees};
use alloy_primitives::U256;
use primitives::Header;
use revm::{
    context::{BlockEnv, CfgEnv},
    context_interface::block::BlobExcessGasAndPrice,
};

/// The block that a header describes, seen from inside.
pub(crate) fn block(rules: &Rules, header: &Header) -> BlockEnv {
    BlockEnv {
        number: U256::from(header.number),
        beneficiary: header.beneficiary,
        timestamp: U256::from(header.timestamp),
        gas_limit: header.gas_limit,
        basefee: header.base_fee_per_gas.unwrap_or(0),
        difficulty: header.difficulty,
        prevrandao: Some(header.mix_hash),
        blob_excess_gas_and_price: Some(BlobExcessGasAndPrice {
            excess_blob_gas: header.excess_blob_gas.unwrap_or(0),
            blob_gasprice: fees::blob_base_fee(rules, header),
        }),
        slot_num: 0,
    }
}

/// The chain and fork at a time.
pub(crate) fn cfg(rules: &Rules, timestamp: u64) -> CfgEnv {
    let mut cfg = CfgEnv::new_with_spec(rules.spec(timestamp)).with_chain_id(rules.chain_id());
    cfg.tx_chain_id_check = true;
    cfg.tx_gas_limit_cap = Some(rules.tx_gas_cap(timestamp));
    cfg.max_blobs_per_tx = rules.blobs_per_tx(timestamp);
    cfg
}

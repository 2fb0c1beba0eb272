//! A header in revm's form.

use crate::{Rules, fees, net_metering};
use alloy_primitives::U256;
use config::L1Fork;
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

/// The chain and its fork in the block that a header describes.
pub(crate) fn cfg(rules: &Rules, header: &Header) -> CfgEnv {
    let mut cfg = CfgEnv::new_with_spec(rules.spec(header)).with_chain_id(rules.chain_id());
    if let Rules::Ethereum(rules) = rules
        && rules.fork_of(header) == L1Fork::Constantinople
    {
        cfg.set_gas_params(net_metering::prices());
    }
    cfg.tx_chain_id_check = true;
    cfg.tx_gas_limit_cap = Some(rules.tx_gas_cap_in(header));
    cfg.max_blobs_per_tx = rules.blobs_per_tx(header);
    cfg
}

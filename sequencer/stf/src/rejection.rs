//! Revm's reasons in geth's words.

use crate::{TxRejection, handler::EvmError};
use alloc::string::ToString;
use alloy_primitives::U256;
use revm::{
    context::{BlockEnv, CfgEnv, TxEnv, result::InvalidTransaction},
    context_interface::Cfg,
};

/// Why revm did not run this transaction.
pub(crate) fn rejection(
    error: EvmError,
    tx: &TxEnv,
    block: &BlockEnv,
    cfg: &CfgEnv,
) -> TxRejection {
    match error {
        EvmError::Transaction(invalid) => invalid_transaction(invalid, tx, block, cfg),
        EvmError::Database(error) => TxRejection::State(error),
        EvmError::Header(error) => TxRejection::Other(error.to_string()),
        EvmError::Custom(text) => TxRejection::Other(text),
        EvmError::CustomAny(error) => TxRejection::Other(error.to_string()),
    }
}

fn invalid_transaction(
    invalid: InvalidTransaction,
    tx: &TxEnv,
    block: &BlockEnv,
    cfg: &CfgEnv,
) -> TxRejection {
    use InvalidTransaction as Why;
    let address = tx.caller;
    match invalid {
        Why::NonceTooLow { tx, state } => TxRejection::NonceTooLow { next: state, tx },
        Why::NonceTooHigh { tx, state } => TxRejection::NonceTooHigh {
            address,
            next: state,
            tx,
        },
        Why::NonceOverflowInTransaction => TxRejection::NonceMax {
            address,
            nonce: tx.nonce,
        },
        Why::LackOfFundForMaxFee { fee, balance } => TxRejection::InsufficientFunds {
            address,
            have: *balance,
            want: *fee,
        },
        // No balance reaches a cost that overflows.
        Why::OverflowPaymentInTransaction => TxRejection::InsufficientFunds {
            address,
            have: U256::ZERO,
            want: U256::MAX,
        },
        Why::CallGasCostMoreThanGasLimit {
            initial_gas,
            gas_limit,
        } => TxRejection::IntrinsicGasTooLow {
            have: gas_limit,
            want: initial_gas,
        },
        Why::GasFloorMoreThanGasLimit {
            gas_floor,
            gas_limit,
        } => TxRejection::FloorDataGas {
            have: gas_limit,
            want: gas_floor,
        },
        Why::GasPriceLessThanBasefee => TxRejection::FeeCapTooLow {
            address,
            max_fee: tx.gas_price,
            base_fee: block.basefee,
        },
        Why::PriorityFeeGreaterThanMaxFee => TxRejection::TipAboveFeeCap {
            address,
            tip: tx.gas_priority_fee.unwrap_or_default(),
            max_fee: tx.gas_price,
        },
        Why::CallerGasLimitMoreThanBlock => TxRejection::ExceedsBlockGasLimit,
        Why::TxGasLimitGreaterThanCap { gas_limit, cap } => TxRejection::GasLimitTooHigh {
            cap,
            gas: gas_limit,
        },
        Why::RejectCallerWithCode => TxRejection::SenderNotEoa { address },
        Why::CreateInitCodeSizeLimit => TxRejection::InitCodeTooLarge {
            size: tx.data.len(),
            limit: cfg.max_initcode_size(),
        },
        Why::InvalidChainId => TxRejection::ChainId {
            have: tx.chain_id.unwrap_or_default(),
            want: cfg.chain_id,
        },
        Why::MissingChainId => TxRejection::Unprotected,
        Why::BlobGasPriceGreaterThanMax {
            block_blob_gas_price,
            tx_max_fee_per_blob_gas,
        } => TxRejection::BlobFeeCapTooLow {
            address,
            max_fee: tx_max_fee_per_blob_gas,
            base_fee: block_blob_gas_price,
        },
        Why::EmptyBlobs => TxRejection::NoBlobs,
        Why::TooManyBlobs { max, have } => TxRejection::TooManyBlobs { have, max },
        Why::BlobVersionNotSupported => TxRejection::BlobHashVersion,
        Why::EmptyAuthorizationList => TxRejection::NoAuthorizations { address },
        Why::Eip2930NotSupported
        | Why::Eip1559NotSupported
        | Why::Eip4844NotSupported
        | Why::Eip7702NotSupported
        | Why::Eip7873NotSupported => TxRejection::TypeNotSupported,
        other => TxRejection::Other(other.to_string()),
    }
}

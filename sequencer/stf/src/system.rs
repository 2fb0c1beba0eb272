//! What happens in a block outside of transactions: system calls of Ethereum's forks.

use crate::{
    BlockError, StateReader,
    handler::{EvmError, Flow, TxHandler},
    machine::Machine,
};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes};
use primitives::predeploys::SYSTEM_CALLER;
use revm::{
    context::{ContextTr, JournalTr, TxEnv, result::ExecutionResult},
    handler::{Handler, system_call::SystemCallTx},
    precompile::crypto,
};

/// Calls a system contract with 30 M gas that nobody pays. `None` if it has no code.
pub(crate) fn call<S: StateReader>(
    evm: &mut Machine<S>,
    contract: Address,
    data: Bytes,
) -> Result<Option<ExecutionResult>, BlockError> {
    if evm
        .ctx
        .journaled_state
        .database
        .account(contract)?
        .is_none_or(|a| a.code_hash == primitives::diff::KECCAK_EMPTY)
    {
        return Ok(None);
    }
    evm.ctx.tx = TxEnv::new_system_tx_with_caller(SYSTEM_CALLER, contract, data);
    let result = TxHandler::<S, Machine<S>>::new(Flow::Ethereum).run_system_call(evm);
    let changes = evm.ctx.journal_mut().finalize();
    match result {
        Ok(result) => {
            evm.state().commit(changes)?;
            Ok(Some(result))
        }
        Err(EvmError::Database(error)) => Err(error.into()),
        Err(_) => Err(BlockError::SystemCall(contract)),
    }
}

/// The hash of a block's requests (EIP-7685): each is a type byte and the data that its contract returned.
pub(crate) fn requests_hash(requests: &[(u8, Bytes)]) -> B256 {
    let sha256 = |bytes: &[u8]| crypto().sha256(bytes);
    let mut hashes = Vec::with_capacity(32 * requests.len());
    for (kind, data) in requests.iter().filter(|(_, data)| !data.is_empty()) {
        let mut bytes = Vec::with_capacity(1 + data.len());
        bytes.push(*kind);
        bytes.extend_from_slice(data);
        hashes.extend_from_slice(&sha256(&bytes));
    }
    B256::from(sha256(&hashes))
}

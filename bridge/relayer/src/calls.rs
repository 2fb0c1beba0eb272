//! Moves as transactions.

use alloy_primitives::{Address, B256, Bytes, U256};
use bindings::portal::{self, Portal};
use config::Network;
use l1::Intent;
use primitives::{OutputRoot, withdrawal::Withdrawal};

/// Everything that `proveWithdrawalTransaction` takes beside the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// Place of the output in L1's list.
    pub output: u64,
    /// What its root is made of.
    pub root: OutputRoot,
    /// Nodes from the message passer's storage root to the message's slot.
    pub nodes: Vec<Bytes>,
}

fn message(withdrawal: &Withdrawal) -> portal::Withdrawal {
    portal::Withdrawal {
        nonce: withdrawal.nonce,
        sender: withdrawal.sender,
        target: withdrawal.target,
        value: withdrawal.value,
        gasLimit: withdrawal.gas_limit,
        data: withdrawal.data.clone(),
    }
}

/// `Portal.proveWithdrawalTransaction`
pub fn prove(network: &Network, withdrawal: &Withdrawal, proof: &Proof) -> Intent {
    let call = Portal::proveWithdrawalTransactionCall {
        w: message(withdrawal),
        l2OutputIndex: U256::from(proof.output),
        outputRootProof: portal::OutputRootProof {
            version: B256::ZERO,
            stateRoot: proof.root.state_root,
            messagePasserStorageRoot: proof.root.withdrawals_root,
            latestBlockhash: proof.root.block_hash,
        },
        withdrawalProof: proof.nodes.clone(),
    };
    Intent::call(network.contracts.portal, &call)
}

/// `Portal.finalizeWithdrawalTransactionExternalProof`, by what `prover` has proven.
pub fn finalise(network: &Network, withdrawal: &Withdrawal, prover: Address) -> Intent {
    let call = Portal::finalizeWithdrawalTransactionExternalProofCall {
        w: message(withdrawal),
        proofSubmitter: prover,
    };
    Intent::call(network.contracts.portal, &call)
}

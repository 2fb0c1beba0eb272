//! Blobs with what L1's mempool wants to see beside them: commitments, and proofs in the form of the L1 fork.

use crate::L1Error;
use alloy_eips::{
    eip4844::{Blob, BlobTransactionSidecar, env_settings::EnvKzgSettings},
    eip7594::{BlobTransactionSidecarEip7594, BlobTransactionSidecarVariant},
};
use alloy_primitives::{B256, Bytes};

/// Blobs, commitments and proofs.
pub type Sidecar = BlobTransactionSidecarVariant;

/// Commits to packed blobs. `cell_proofs` chooses EIP-7594's form over EIP-4844's. Tens to hundreds of milliseconds
/// a blob: call it where nobody waits.
pub fn sidecar(blobs: &[Bytes], cell_proofs: bool) -> Result<(Sidecar, Vec<B256>), L1Error> {
    let wrong = |what: String| L1Error::Contract("blob", what);
    let blobs = blobs
        .iter()
        .map(|bytes| Blob::try_from(bytes.as_ref()).map_err(|e| wrong(e.to_string())))
        .collect::<Result<Vec<_>, _>>()?;
    let setup = EnvKzgSettings::Default.get();
    let sidecar: Sidecar = if cell_proofs {
        BlobTransactionSidecarEip7594::try_from_blobs_with_settings(blobs, setup)
            .map_err(|e| wrong(e.to_string()))?
            .into()
    } else {
        BlobTransactionSidecar::try_from_blobs_with_settings(blobs, setup)
            .map_err(|e| wrong(e.to_string()))?
            .into()
    };
    let hashes = sidecar.versioned_hashes().collect();
    Ok((sidecar, hashes))
}

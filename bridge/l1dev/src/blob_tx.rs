//! Blob transactions as they are sent: the signed transaction with blobs, commitments and proofs around it
//! (EIP-4844's network form, EIP-7594's from Osaka on), taken apart and checked.

use crate::blobs::NamedBlob;
use alloy_consensus::{
    EthereumTxEnvelope, Signed, Transaction as _, TxEip4844, TxEip4844WithSidecar, Typed2718 as _,
};
use alloy_eips::{
    eip2718::{Decodable2718, Encodable2718},
    eip4844::{VERSIONED_HASH_VERSION_KZG, env_settings::EnvKzgSettings},
    eip7594::BlobTransactionSidecarVariant as Sidecar,
};
use alloy_primitives::{B256, Bytes};
use config::L1Fork;
use primitives::TxError;

/// EIP-2718 type of blob transactions.
const BLOB_TX_TYPE: u8 = 3;

/// What nobody may pay less than, wei per blob gas: EIP-4844's lower bound of the price.
const BLOB_FEE_MIN_WEI: u128 = 1;

/// Why a blob transaction is not taken. The texts follow geth's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BlobTxError {
    /// Not a transaction at all.
    #[error(transparent)]
    Decode(#[from] TxError),
    /// A transaction as it stands in a block: its blobs are unknown.
    #[error("missing sidecar in blob transaction")]
    NoSidecar,
    /// EIP-4844 forbids an empty list.
    #[error("blobless blob transaction")]
    NoBlobs,
    /// More than one transaction may have.
    #[error("too many blobs in transaction: have {have}, permitted {permitted}")]
    TooMany {
        /// Blobs.
        have: usize,
        /// Blobs.
        permitted: usize,
    },
    /// Could never be included.
    #[error("transaction gas price below minimum: blob fee cap {have}, minimum needed {needed}")]
    FeeCap {
        /// Wei per blob gas.
        have: u128,
        /// Wei per blob gas.
        needed: u128,
    },
    /// Proofs of the other fork.
    #[error("unexpected sidecar version, want: {want}, got: {got}")]
    Form {
        /// 0: EIP-4844. 1: EIP-7594.
        want: u8,
        /// As `want`.
        got: u8,
    },
    /// Hashes and blobs do not pair up.
    #[error("invalid number of {have} {what} compared to {hashes} blob hashes")]
    Count {
        /// Of what.
        what: &'static str,
        /// How many.
        have: usize,
        /// Versioned hashes in the transaction.
        hashes: usize,
    },
    /// Not a hash of a KZG commitment.
    #[error("blob {index} has invalid hash version")]
    HashVersion {
        /// Which.
        index: usize,
    },
    /// Commitments or proofs do not belong to the blobs.
    #[error("invalid blobs: {0}")]
    Proofs(String),
}

/// A blob transaction in its two parts. Nothing is checked yet but the shape.
#[derive(Debug, Clone)]
pub struct BlobTx {
    /// As it will stand in a block.
    pub raw: Bytes,
    /// Of `raw`.
    pub hash: B256,
    tx: TxEip4844,
    sidecar: Sidecar,
}

/// True if `raw` says that it is a blob transaction.
pub fn is_blob_tx(raw: &[u8]) -> bool {
    raw.first() == Some(&BLOB_TX_TYPE)
}

impl BlobTx {
    /// Takes the network form apart: one trailing byte is an error.
    pub fn decode(raw: &[u8]) -> Result<Self, BlobTxError> {
        let mut rest = raw;
        let decoded = EthereumTxEnvelope::<TxEip4844WithSidecar<Sidecar>>::decode_2718(&mut rest);
        let signed = match decoded {
            Ok(EthereumTxEnvelope::Eip4844(signed)) if rest.is_empty() => signed,
            Ok(_) => return Err(TxError::Rlp("trailing bytes").into()),
            Err(_) => {
                // As it stands in a block, or nonsense.
                primitives::Transaction::decode(raw)?;
                return Err(BlobTxError::NoSidecar);
            }
        };
        let (with_sidecar, signature, hash) = signed.into_parts();
        let (tx, sidecar) = with_sidecar.into_parts();
        let envelope = EthereumTxEnvelope::<TxEip4844>::Eip4844(Signed::new_unchecked(
            tx.clone(),
            signature,
            hash,
        ));
        debug_assert_eq!(envelope.ty(), BLOB_TX_TYPE);
        Ok(Self {
            raw: envelope.encoded_2718().into(),
            hash,
            tx,
            sidecar,
        })
    }

    /// All that can be said without cryptography.
    pub fn check_form(&self, fork: L1Fork, blobs_max: usize) -> Result<(), BlobTxError> {
        let hashes = &self.tx.blob_versioned_hashes;
        if hashes.is_empty() {
            return Err(BlobTxError::NoBlobs);
        }
        if hashes.len() > blobs_max {
            return Err(BlobTxError::TooMany {
                have: hashes.len(),
                permitted: blobs_max,
            });
        }
        if let Some(index) = hashes
            .iter()
            .position(|hash| hash[0] != VERSIONED_HASH_VERSION_KZG)
        {
            return Err(BlobTxError::HashVersion { index });
        }
        let fee = self.tx.max_fee_per_blob_gas().unwrap_or_default();
        if fee < BLOB_FEE_MIN_WEI {
            return Err(BlobTxError::FeeCap {
                have: fee,
                needed: BLOB_FEE_MIN_WEI,
            });
        }
        let want = u8::from(fork >= L1Fork::Osaka);
        let got = u8::from(matches!(self.sidecar, Sidecar::Eip7594(_)));
        if got != want {
            return Err(BlobTxError::Form { want, got });
        }
        for (what, have) in [
            ("blobs", self.sidecar.blobs().len()),
            ("blob commitments", self.sidecar.commitments().len()),
        ] {
            if have != hashes.len() {
                return Err(BlobTxError::Count {
                    what,
                    have,
                    hashes: hashes.len(),
                });
            }
        }
        Ok(())
    }

    /// Commitments against versioned hashes, and blobs against commitments: milliseconds per blob.
    pub fn check_proofs(&self) -> Result<(), BlobTxError> {
        self.sidecar
            .validate(
                &self.tx.blob_versioned_hashes,
                EnvKzgSettings::Default.get(),
            )
            .map_err(|error| BlobTxError::Proofs(error.to_string()))
    }

    /// True if this may take the place of `old`: geth's blob pool wants every price doubled, since blobs are dear
    /// to pass around.
    pub fn outbids(&self, old: &primitives::Transaction) -> bool {
        let doubled = |new: u128, old: u128| new >= old.saturating_mul(2);
        doubled(self.tx.max_fee_per_gas, old.max_fee_per_gas())
            && doubled(
                self.tx.max_priority_fee_per_gas,
                old.max_priority_fee_per_gas().unwrap_or_default(),
            )
            && doubled(
                self.tx.max_fee_per_blob_gas,
                old.max_fee_per_blob_gas().unwrap_or_default(),
            )
    }

    /// The blobs by versioned hash.
    pub fn blobs(&self) -> Vec<NamedBlob> {
        let blobs = self
            .sidecar
            .blobs()
            .iter()
            .map(|blob| Bytes::copy_from_slice(blob.as_slice()));
        self.tx
            .blob_versioned_hashes
            .iter()
            .copied()
            .zip(blobs)
            .collect()
    }
}

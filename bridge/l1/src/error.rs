//! What can go wrong when asking L1.

/// Each variant is one thing the caller does next.
#[derive(Debug, thiserror::Error)]
pub enum L1Error {
    /// L1 did not answer, or not with what was asked: ask again later.
    #[error("L1 does not answer: {0}")]
    Unreachable(String),
    /// L1 refused a transaction; the text is its own.
    #[error("L1 refuses: {0}")]
    Refused(String),
    /// The chain moved while we read it: read again.
    #[error("L1 moved while it was read")]
    Moved,
    /// A blob that L1 once held cannot be had: name another blob API.
    #[error("blob {0} cannot be had from {1}")]
    BlobMissing(alloy_primitives::B256, String),
    /// L1's contracts contradict their own events: wrong addresses in the network file.
    #[error("L1 contract {0}: {1}")]
    Contract(&'static str, String),
}

impl L1Error {
    pub(crate) fn transport(error: impl std::fmt::Display) -> Self {
        Self::Unreachable(error.to_string())
    }
}

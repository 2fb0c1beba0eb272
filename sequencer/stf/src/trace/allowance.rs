//! How much a trace may take.

use crate::{BlockError, StateError, TxRejection};

/// Bytes that an answer may have, and whether somebody still waits for it. One allowance serves all traces of an
/// answer.
pub struct Allowance<'a> {
    max: u64,
    left: u64,
    given_up: &'a dyn Fn() -> bool,
}

/// Why there is no trace. The executor that gave it must be dropped.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// The recording outgrew the allowance. Ask for less.
    #[error("the trace is larger than {max} bytes")]
    TooLarge {
        /// Bytes.
        max: u64,
    },
    /// Nobody waits for the answer any more.
    #[error("execution timeout")]
    GivenUp,
    /// The transaction or call cannot run here.
    #[error(transparent)]
    Rejected(#[from] TxRejection),
    /// The block that is executed again cannot exist.
    #[error(transparent)]
    Block(#[from] BlockError),
}

impl From<StateError> for TraceError {
    fn from(error: StateError) -> Self {
        Self::Rejected(error.into())
    }
}

impl<'a> Allowance<'a> {
    /// `bytes` of JSON at most, while `given_up` says no. Bytes are counted low: who serves the answer measures it
    /// again.
    pub fn new(bytes: u64, given_up: &'a dyn Fn() -> bool) -> Self {
        Self {
            max: bytes,
            left: bytes,
            given_up,
        }
    }

    pub(super) fn spend(&mut self, bytes: u64) -> Result<(), TraceError> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(TraceError::TooLarge { max: self.max })
            }
        }
    }

    pub(super) fn check(&self) -> Result<(), TraceError> {
        if (self.given_up)() {
            Err(TraceError::GivenUp)
        } else {
            Ok(())
        }
    }
}

impl core::fmt::Debug for Allowance<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Allowance")
            .field("max", &self.max)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}

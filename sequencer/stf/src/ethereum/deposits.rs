//! Deposits to the beacon chain, from the logs of its contract (EIP-6110).

use crate::BlockError;
use alloc::{string::ToString, vec::Vec};
use alloy_primitives::{Address, B256, Bytes, Log, U256, b256};

/// `DepositEvent(bytes,bytes,bytes,bytes,bytes)`.
const DEPOSIT_EVENT: B256 =
    b256!("649bbc62d0e31342afea4e5cd82d4049e7e1ee912fc0889aa790803be39038c5");
/// Where each part's length stands in the log's data, and what it must be: public key, withdrawal credentials, amount,
/// signature, index.
const PARTS: [(usize, usize); 5] = [(160, 48), (256, 32), (320, 8), (384, 96), (512, 8)];
const DATA_BYTES: usize = 576;

/// The data of the block's deposit requests. A log of another shape makes the block invalid.
pub(crate) fn requests<'a>(
    contract: Address,
    logs: impl Iterator<Item = &'a Log>,
) -> Result<Bytes, BlockError> {
    let mut requests = Vec::new();
    for log in logs {
        if log.address == contract && log.topics().first() == Some(&DEPOSIT_EVENT) {
            append(&log.data.data, &mut requests).ok_or_else(|| {
                BlockError::Body("a log of the deposit contract is no deposit".to_string())
            })?;
        }
    }
    Ok(requests.into())
}

fn append(data: &[u8], out: &mut Vec<u8>) -> Option<()> {
    if data.len() != DATA_BYTES {
        return None;
    }
    for (index, (at, length)) in PARTS.into_iter().enumerate() {
        if word(data, 32 * index)? != U256::from(at) || word(data, at)? != U256::from(length) {
            return None;
        }
        out.extend_from_slice(data.get(at + 32..at + 32 + length)?);
    }
    Some(())
}

fn word(data: &[u8], at: usize) -> Option<U256> {
    data.get(at..at + 32).map(U256::from_be_slice)
}

//! A payload in blobs and back (`bridge/FORMATS.md`, section 4). Bytes only: commitments are the caller's.

use alloc::{vec, vec::Vec};
use alloy_primitives::Bytes;

/// One blob: 4096 field elements of 32 bytes (EIP-4844).
pub const BLOB_BYTES: usize = 131_072;
/// What one blob carries: 31 bytes in each element, behind a zero byte that keeps it below the modulus.
pub const BLOB_CAPACITY: usize = BLOB_BYTES / 32 * 31;
/// Blobs in one record at most; `Inbox` refuses more.
pub const BLOBS_MAX: usize = 6;
/// The length in front of the payload.
const HEAD: usize = 4;

/// Why blobs carry no payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// None, or more than [`BLOBS_MAX`].
    #[error("not 1 to {BLOBS_MAX} blobs")]
    Count,
    /// A blob of another length than [`BLOB_BYTES`].
    #[error("blob of the wrong size")]
    Size,
    /// The first byte of a field element is not zero.
    #[error("field element does not begin with zero")]
    Element,
    /// The written length does not need exactly these blobs.
    #[error("length does not fit the number of blobs")]
    Length,
    /// A byte behind the payload is not zero.
    #[error("padding is not zero")]
    Padding,
}

/// Longest payload that fits in `blobs` blobs.
pub const fn capacity(blobs: usize) -> usize {
    (blobs * BLOB_CAPACITY).saturating_sub(HEAD)
}

/// Blobs that a payload of `len` bytes takes.
pub const fn blobs_needed(len: usize) -> usize {
    (HEAD + len).div_ceil(BLOB_CAPACITY)
}

/// Packs a payload; `None` if it takes more than [`BLOBS_MAX`] blobs.
pub fn pack(payload: &[u8]) -> Option<Vec<Bytes>> {
    if payload.len() > capacity(BLOBS_MAX) {
        return None;
    }
    let mut stream = Vec::with_capacity(HEAD + payload.len());
    stream.extend_from_slice(&(payload.len() as u32).to_be_bytes());
    stream.extend_from_slice(payload);
    let blobs = stream.chunks(BLOB_CAPACITY).map(|part| {
        let mut blob = vec![0; BLOB_BYTES];
        for (element, bytes) in blob.chunks_mut(32).zip(part.chunks(31)) {
            for (to, from) in element.iter_mut().skip(1).zip(bytes) {
                *to = *from;
            }
        }
        Bytes::from(blob)
    });
    Some(blobs.collect())
}

/// The payload in `blobs`, all of which it must need.
pub fn unpack(blobs: &[Bytes]) -> Result<Vec<u8>, BlobError> {
    if blobs.is_empty() || blobs.len() > BLOBS_MAX {
        return Err(BlobError::Count);
    }
    let mut stream = Vec::with_capacity(blobs.len() * BLOB_CAPACITY);
    for blob in blobs {
        if blob.len() != BLOB_BYTES {
            return Err(BlobError::Size);
        }
        for element in blob.chunks(32) {
            match element.split_first() {
                Some((0, bytes)) => stream.extend_from_slice(bytes),
                _ => return Err(BlobError::Element),
            }
        }
    }
    let head = stream.first_chunk::<HEAD>().ok_or(BlobError::Length)?;
    let len = u32::from_be_bytes(*head) as usize;
    if len > capacity(BLOBS_MAX) || blobs_needed(len) != blobs.len() {
        return Err(BlobError::Length);
    }
    if stream.iter().skip(HEAD + len).any(|byte| *byte != 0) {
        return Err(BlobError::Padding);
    }
    stream.truncate(HEAD + len);
    stream.drain(..HEAD);
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round(len: usize) -> Vec<Bytes> {
        let payload: Vec<u8> = (0..len).map(|i| (i * 7 + 1) as u8 | 1).collect();
        let blobs = pack(&payload).unwrap();
        assert_eq!(unpack(&blobs).unwrap(), payload);
        assert_eq!(blobs.len(), blobs_needed(len));
        blobs
    }

    fn with(blobs: &[Bytes], blob: usize, at: usize, byte: u8) -> Vec<Bytes> {
        let mut blobs = blobs.to_vec();
        let mut bytes = blobs[blob].to_vec();
        bytes[at] = byte;
        blobs[blob] = bytes.into();
        blobs
    }

    #[test]
    fn every_edge_of_a_blob_survives() {
        for blobs in 1..=BLOBS_MAX {
            let full = capacity(blobs);
            assert_eq!(round(full).len(), blobs);
            assert_eq!(round(full - 1).len(), blobs);
        }
        assert_eq!(round(capacity(1) + 1).len(), 2);
        assert_eq!(round(0).len(), 1);
    }

    #[test]
    fn a_payload_too_long_for_six_blobs_is_not_packed() {
        assert_eq!(pack(&vec![0; capacity(BLOBS_MAX) + 1]), None);
    }

    #[test]
    fn a_non_zero_top_byte_is_refused() {
        assert_eq!(
            unpack(&with(&round(100), 0, 32 * 4095, 1)),
            Err(BlobError::Element)
        );
    }

    #[test]
    fn non_zero_padding_is_refused() {
        assert_eq!(
            unpack(&with(&round(100), 0, BLOB_BYTES - 1, 1)),
            Err(BlobError::Padding)
        );
    }

    #[test]
    fn a_blob_more_or_less_than_needed_is_refused() {
        let one = round(100);
        let more = [one.clone(), vec![Bytes::from(vec![0; BLOB_BYTES])]].concat();
        assert_eq!(unpack(&more), Err(BlobError::Length));
        assert_eq!(unpack(&round(capacity(1) + 1)[..1]), Err(BlobError::Length));
        assert_eq!(unpack(&[]), Err(BlobError::Count));
        assert_eq!(unpack(&vec![one[0].clone(); 7]), Err(BlobError::Count));
    }

    #[test]
    fn an_absurd_length_is_refused() {
        assert_eq!(
            unpack(&with(&round(100), 0, 1, 0xff)),
            Err(BlobError::Length)
        );
    }

    #[test]
    fn swapped_blobs_do_not_give_the_payload() {
        let payload: Vec<u8> = (0..capacity(2)).map(|i| (i % 251) as u8 + 1).collect();
        let mut blobs = pack(&payload).unwrap();
        blobs.swap(0, 1);
        assert_ne!(unpack(&blobs), Ok(payload));
    }

    #[test]
    fn a_short_blob_is_refused() {
        assert_eq!(unpack(&[round(1)[0].slice(1..)]), Err(BlobError::Size));
    }
}

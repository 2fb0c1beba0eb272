//! The entropy stage, writing side: libzstd where there is an operating system, nothing in the guest.
//!
//! What it writes does not decide what is valid; `zstd_blocks` does.

use crate::columns::Stored;

/// libzstd with its memory, kept from column to column.
#[cfg(feature = "std")]
pub(crate) struct Compressor(Option<zstd::bulk::Compressor<'static>>);

/// Stores every column as it is.
#[cfg(not(feature = "std"))]
pub(crate) struct Compressor;

#[cfg(not(feature = "std"))]
impl Compressor {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn store(&mut self, _index: usize, _column: &[u8]) -> Stored {
        Stored::Raw
    }
}

#[cfg(feature = "std")]
impl Compressor {
    /// Length of a column above which compression is tried: below, block headers cost more than they save.
    const FROM: usize = 24;
    /// Quality comes from the layout; higher levels cost more than they save.
    const LEVEL: i32 = 3;

    pub(crate) fn new() -> Self {
        let open = || {
            let mut zstd = zstd::bulk::Compressor::new(Self::LEVEL)?;
            zstd.include_contentsize(false)?;
            zstd.include_checksum(false)?;
            std::io::Result::Ok(zstd)
        };
        Self(open().ok())
    }

    /// Compresses a column if that makes it shorter and our own decoder gives it back.
    pub(crate) fn store(&mut self, index: usize, column: &[u8]) -> Stored {
        // Signatures, the last column, do not compress; trying costs more than all the rest.
        if column.len() < Self::FROM || index + 1 == crate::columns::NAMES.len() {
            return Stored::Raw;
        }
        let frame = self.0.as_mut().and_then(|zstd| zstd.compress(column).ok());
        match frame.as_deref().and_then(blocks_of) {
            Some(blocks)
                if blocks.len() < column.len()
                    && crate::zstd_blocks::decode(blocks, column.len()).as_deref()
                        == Ok(column) =>
            {
                Stored::Blocks(blocks.to_vec())
            }
            _ => Stored::Raw,
        }
    }
}

/// A frame without its header (RFC 8878, 3.1.1.1).
#[cfg(feature = "std")]
fn blocks_of(frame: &[u8]) -> Option<&[u8]> {
    let descriptor = *frame.get(4)?;
    let single_segment = descriptor >> 5 & 1;
    let content_size = match descriptor >> 6 {
        0 => usize::from(single_segment),
        flag => 1 << flag,
    };
    let dictionary_id = [0, 1, 2, 4][usize::from(descriptor & 3)];
    frame.get(5 + usize::from(1 - single_segment) + dictionary_id + content_size..)
}

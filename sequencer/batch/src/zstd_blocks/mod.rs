//! The blocks of a Zstandard frame (RFC 8878, 3.1.1.2), without the frame.
//!
//! A batch column is such a sequence of blocks: no magic, window, dictionary, checksum or skippable frame exists
//! that could be hostile. This is the only decoder that decides what a column holds; `libzstd` is only ever the
//! compressor, and the tests hold the two together.
//!
//! Always: the output never grows past the declared length, one block gives at most 128 KiB, all input is consumed, time is
//! linear in input and output, nothing panics.
//!
//! Why not a published decoder: the ones without `unsafe` C expand one 128 KiB block to gigabytes before they look at a limit, and assert on
//! malformed input.

mod bits;
mod fse;
mod huffman;
mod sequences;

use alloc::vec::Vec;
use huffman::Huffman;
use sequences::{Sequences, append};

/// Largest block, compressed or not.
pub const BLOCK_BYTES_MAX: usize = 128 * 1024;

/// Fewest literals in four streams: with less, the last one would have less than none (RFC 8878, erratum 7297).
const FOUR_STREAMS_FROM: usize = 6;

/// Not a sequence of blocks that gives exactly the declared length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Corrupt;

/// Decodes all of `blocks` into exactly `len` bytes. The caller bounds `len`.
pub fn decode(mut blocks: &[u8], len: usize) -> Result<Vec<u8>, Corrupt> {
    // Grows with what is really there: a block of four bytes gives 128 KiB at most.
    let mut out = Vec::with_capacity(len.min(blocks.len().saturating_mul(8)));
    let mut huffman = None;
    let mut sequences = Sequences::new();
    loop {
        let (&[a, b, c], rest) = blocks.split_first_chunk().ok_or(Corrupt)?;
        let head = u32::from(a) | u32::from(b) << 8 | u32::from(c) << 16;
        let size = (head >> 3) as usize;
        if size > BLOCK_BYTES_MAX {
            return Err(Corrupt);
        }
        let end = len.min(out.len() + BLOCK_BYTES_MAX);
        let stored = if head >> 1 & 3 == 1 { 1 } else { size };
        let (content, rest) = rest.split_at_checked(stored).ok_or(Corrupt)?;
        match head >> 1 & 3 {
            0 => append(content, &mut out, end)?,
            1 => {
                if size > end - out.len() {
                    return Err(Corrupt);
                }
                out.resize(out.len() + size, content.first().copied().ok_or(Corrupt)?);
            }
            2 => compressed(content, &mut huffman, &mut sequences, &mut out, end)?,
            _ => return Err(Corrupt),
        }
        blocks = rest;
        if head & 1 == 1 {
            break;
        }
    }
    if blocks.is_empty() && out.len() == len {
        Ok(out)
    } else {
        Err(Corrupt)
    }
}

fn compressed(
    content: &[u8],
    huffman: &mut Option<Huffman>,
    sequences: &mut Sequences,
    out: &mut Vec<u8>,
    end: usize,
) -> Result<(), Corrupt> {
    let byte = |i: usize| content.get(i).map(|b| *b as usize).ok_or(Corrupt);
    let head = byte(0)?;
    let format = head >> 2 & 3;
    if head & 3 < 2 {
        // Literals as they are, or one byte repeated.
        let (size, header_len) = match format {
            0 | 2 => (head >> 3, 1),
            1 => (head >> 4 | byte(1)? << 4, 2),
            _ => (head >> 4 | byte(1)? << 4 | byte(2)? << 12, 3),
        };
        if size > BLOCK_BYTES_MAX {
            return Err(Corrupt);
        }
        let rest = content.get(header_len..).ok_or(Corrupt)?;
        if head & 3 == 0 {
            let (literals, section) = rest.split_at_checked(size).ok_or(Corrupt)?;
            return sequences.execute(section, literals, out, end);
        }
        let (&symbol, section) = rest.split_first().ok_or(Corrupt)?;
        return sequences.execute(section, &alloc::vec![symbol; size], out, end);
    }
    // Size format: width of the two lengths, and whether there are four streams.
    let (width, header_len, streams) = match format {
        0 => (10, 3, 1),
        1 => (10, 3, 4),
        2 => (14, 4, 4),
        _ => (18, 5, 4),
    };
    let mut lengths = 0u64;
    for i in (0..header_len).rev() {
        lengths = lengths << 8 | byte(i)? as u64;
    }
    let mask = (1u64 << width) - 1;
    let size = (lengths >> 4 & mask) as usize;
    let stored = (lengths >> (4 + width) & mask) as usize;
    if size > BLOCK_BYTES_MAX {
        return Err(Corrupt);
    }
    let rest = content.get(header_len..).ok_or(Corrupt)?;
    let (mut stored, section) = rest.split_at_checked(stored).ok_or(Corrupt)?;
    if head & 3 == 2 {
        let (tree, used) = Huffman::read(stored)?;
        *huffman = Some(tree);
        stored = stored.get(used..).ok_or(Corrupt)?;
    }
    let tree = huffman.as_ref().ok_or(Corrupt)?;
    let mut literals = Vec::with_capacity(size);
    if streams == 1 {
        tree.decode(stored, size, &mut literals)?;
    } else if size < FOUR_STREAMS_FROM {
        return Err(Corrupt);
    } else {
        let (&[a, b, c, d, e, f], mut rest) = stored.split_first_chunk().ok_or(Corrupt)?;
        let quarter = size.div_ceil(4);
        for stream_len in [[a, b], [c, d], [e, f]] {
            let (stream, after) = rest
                .split_at_checked(u16::from_le_bytes(stream_len).into())
                .ok_or(Corrupt)?;
            tree.decode(stream, quarter, &mut literals)?;
            rest = after;
        }
        let last = size.checked_sub(3 * quarter).ok_or(Corrupt)?;
        tree.decode(rest, last, &mut literals)?;
    }
    sequences.execute(section, &literals, out, end)
}

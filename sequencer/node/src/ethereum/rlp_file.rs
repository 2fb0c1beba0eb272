//! A file of blocks in RLP, one behind the other, as `geth export` writes it: read block by block.

use anyhow::{Context, bail, ensure};
use primitives::Header;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

/// No block is larger: gas bounds the transactions of those before EIP-7934 to a small part of this.
const BLOCK_BYTES_MAX: u64 = 64 << 20;

/// An open file.
pub struct BlockFile<R> {
    from: R,
    offset: u64,
}

/// The bytes of one block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawBlock {
    /// Where it begins in the file.
    pub offset: u64,
    /// All of it.
    pub bytes: Vec<u8>,
}

impl BlockFile<BufReader<File>> {
    /// Opens a file.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path).context("cannot be opened")?;
        Ok(Self::new(BufReader::with_capacity(1 << 20, file)))
    }
}

impl<R: Read> BlockFile<R> {
    /// Reads from anything.
    pub fn new(from: R) -> Self {
        Self { from, offset: 0 }
    }

    /// The next block, or `None` at the end. The error says where the file stops being a chain.
    pub fn next_block(&mut self) -> anyhow::Result<Option<RawBlock>> {
        let offset = self.offset;
        let mut bytes = vec![0; 1];
        if self.from.read(&mut bytes)? == 0 {
            return Ok(None);
        }
        let length = match bytes[0] {
            short @ 0xc0..=0xf7 => u64::from(short - 0xc0),
            long @ 0xf8.. => {
                let width = usize::from(long - 0xf7);
                let mut length = [0; 8];
                self.fill(&mut length[8 - width..], offset)?;
                bytes.extend_from_slice(&length[8 - width..]);
                u64::from_be_bytes(length)
            }
            _ => bail!(
                "no block begins at byte {offset}: the file is not an RLP export, or it is compressed"
            ),
        };
        ensure!(
            length <= BLOCK_BYTES_MAX,
            "the block at byte {offset} says that it takes {length} bytes; {BLOCK_BYTES_MAX} are the most"
        );
        let head = bytes.len();
        bytes.resize(head + length as usize, 0);
        self.fill(&mut bytes[head..], offset)?;
        self.offset += bytes.len() as u64;
        Ok(Some(RawBlock { offset, bytes }))
    }

    fn fill(&mut self, into: &mut [u8], offset: u64) -> anyhow::Result<()> {
        self.from
            .read_exact(into)
            .with_context(|| format!("the file ends within the block that begins at byte {offset}"))
    }
}

impl RawBlock {
    /// The header alone, without a look at the rest.
    pub fn header(&self) -> anyhow::Result<Header> {
        let mut rest = &self.bytes[..];
        let header = alloy_rlp::Header::decode_bytes(&mut rest, true)
            .and_then(|mut block| alloy_rlp::Decodable::decode(&mut block));
        header.with_context(|| format!("the block at byte {}: header", self.offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<Result<Vec<u8>, String>> {
        let mut file = BlockFile::new(bytes);
        let mut found = Vec::new();
        loop {
            match file.next_block() {
                Ok(Some(block)) => found.push(Ok(block.bytes)),
                Ok(None) => return found,
                Err(error) => {
                    found.push(Err(format!("{error:#}")));
                    return found;
                }
            }
        }
    }

    #[test]
    fn lists_follow_one_another() {
        let long = [&[0xf8, 56][..], &[7; 56]].concat();
        let found = read(&[&[0xc0][..], &[0xc2, 1, 2], &long].concat());
        assert_eq!(found, [Ok(vec![0xc0]), Ok(vec![0xc2, 1, 2]), Ok(long)]);
    }

    #[test]
    fn a_cut_file_says_where() {
        assert!(matches!(&read(&[0xc0, 0xc2, 1])[1], Err(e) if e.contains("begins at byte 1")));
        assert!(matches!(&read(&[0xf9, 1])[0], Err(e) if e.contains("begins at byte 0")));
    }

    #[test]
    fn what_is_no_list_is_no_block() {
        assert!(matches!(&read(&[0x1f, 0x8b])[0], Err(e) if e.contains("compressed")));
    }

    #[test]
    fn a_length_beyond_reason_is_refused_before_it_is_read() {
        assert!(matches!(&read(&[0xff; 9])[0], Err(e) if e.contains("the most")));
    }
}

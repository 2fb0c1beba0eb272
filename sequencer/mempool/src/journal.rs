//! Waiting transactions on disk, so that a restart finds them again.
//!
//! A file of `len: u32 ‖ crc32: u32 ‖ raw` (little-endian), append-only until it is rewritten with what still
//! waits. It is a courtesy, not a promise: the end may be torn, what sits in the buffer is lost with the process,
//! and what was mined since is refused again when it is replayed.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

/// Where admitted transactions are written down.
pub trait Journal: Send {
    /// Writes one transaction down; it may stay in a buffer.
    fn append(&mut self, raw: &[u8]) -> io::Result<()>;
    /// True if [`Self::rewrite`] is due.
    fn is_full(&self) -> bool;
    /// Starts over with these.
    fn rewrite(&mut self, live: &mut dyn Iterator<Item = &[u8]>) -> io::Result<()>;
    /// Hands the buffer to the operating system.
    fn flush(&mut self) -> io::Result<()>;
}

const HEADER_BYTES: usize = 8;

/// A journal in one file.
#[derive(Debug)]
pub struct FileJournal {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    /// Rewrite when this large. Doubles what a rewrite left, so that rewrites stay rare.
    bytes_full: u64,
    bytes_max: u64,
    raw_max: usize,
}

impl FileJournal {
    /// Opens or creates the journal; returns with it what it holds, up to the first entry that is torn or false.
    /// `bytes_max`: size at which it wants to be rewritten; `raw_max`: longest transaction.
    pub fn open(path: &Path, bytes_max: u64, raw_max: usize) -> io::Result<(Self, Vec<Vec<u8>>)> {
        let mut file = File::options()
            .read(true)
            .append(true)
            .create(true)
            .open(path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let (entries, valid) = parse(&bytes, raw_max);
        // Appending behind a torn entry would hide all that follows.
        file.set_len(valid)?;
        let journal = Self {
            path: path.to_owned(),
            file: BufWriter::with_capacity(1 << 16, file),
            bytes: valid,
            bytes_full: bytes_max,
            bytes_max,
            raw_max,
        };
        Ok((journal, entries))
    }
}

fn parse(bytes: &[u8], raw_max: usize) -> (Vec<Vec<u8>>, u64) {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while let Some((header, tail)) = rest.split_first_chunk::<HEADER_BYTES>() {
        let [l0, l1, l2, l3, c0, c1, c2, c3] = *header;
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        let Some((raw, tail)) = tail.split_at_checked(length) else {
            break;
        };
        if length > raw_max || crc32fast::hash(raw) != u32::from_le_bytes([c0, c1, c2, c3]) {
            break;
        }
        entries.push(raw.to_vec());
        rest = tail;
    }
    (entries, (bytes.len() - rest.len()) as u64)
}

fn write_entry(file: &mut impl Write, raw: &[u8]) -> io::Result<u64> {
    let length = u32::try_from(raw.len()).map_err(io::Error::other)?;
    file.write_all(&length.to_le_bytes())?;
    file.write_all(&crc32fast::hash(raw).to_le_bytes())?;
    file.write_all(raw)?;
    Ok((HEADER_BYTES + raw.len()) as u64)
}

impl Journal for FileJournal {
    fn append(&mut self, raw: &[u8]) -> io::Result<()> {
        if raw.len() <= self.raw_max {
            self.bytes += write_entry(&mut self.file, raw)?;
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.bytes >= self.bytes_full
    }

    fn rewrite(&mut self, live: &mut dyn Iterator<Item = &[u8]>) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = BufWriter::with_capacity(1 << 16, File::create(&new)?);
        let mut bytes = 0;
        for raw in live {
            bytes += write_entry(&mut file, raw)?;
        }
        file.flush()?;
        fs::rename(&new, &self.path)?;
        self.file = file;
        self.bytes = bytes;
        self.bytes_full = self.bytes_max.max(2 * bytes);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RAW_MAX: usize = 100;

    fn journal(entries: &[&[u8]]) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, _) = FileJournal::open(&path, 1 << 20, RAW_MAX).unwrap();
        entries.iter().for_each(|raw| journal.append(raw).unwrap());
        journal.flush().unwrap();
        (dir, path)
    }

    fn reopen(path: &Path) -> (FileJournal, Vec<Vec<u8>>) {
        FileJournal::open(path, 1 << 20, RAW_MAX).unwrap()
    }

    #[test]
    fn what_was_appended_comes_back_in_order() {
        let (_dir, path) = journal(&[b"one", b"", b"three"]);
        assert_eq!(
            reopen(&path).1,
            [b"one".to_vec(), b"".to_vec(), b"three".to_vec()]
        );
    }

    #[test]
    fn a_file_cut_anywhere_keeps_every_whole_entry_and_takes_new_ones() {
        let (_dir, path) = journal(&[b"one", b"two", b"three"]);
        let whole = fs::read(&path).unwrap();
        for cut in 0..whole.len() {
            fs::write(&path, &whole[..cut]).unwrap();
            let (mut journal, entries) = reopen(&path);
            let kept = [11, 22].iter().filter(|end| **end <= cut).count();
            assert_eq!(entries.len(), kept, "cut at {cut}");
            journal.append(b"after").unwrap();
            journal.flush().unwrap();
            assert_eq!(reopen(&path).1.last().unwrap(), b"after", "cut at {cut}");
        }
    }

    #[test]
    fn a_flipped_byte_ends_the_journal_before_it() {
        let (_dir, path) = journal(&[b"one", b"two"]);
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        assert_eq!(reopen(&path).1, [b"one".to_vec()]);
    }

    #[test]
    fn a_rewrite_keeps_what_is_live_and_grows_from_there() {
        let (_dir, path) = journal(&[b"one", b"two"]);
        let (mut journal, _) = reopen(&path);
        journal
            .rewrite(&mut [b"two".as_slice()].into_iter())
            .unwrap();
        journal.append(b"three").unwrap();
        journal.flush().unwrap();
        assert_eq!(reopen(&path).1, [b"two".to_vec(), b"three".to_vec()]);
    }

    #[test]
    fn it_is_full_at_its_limit_and_a_rewrite_makes_room() {
        let (_dir, path) = journal(&[]);
        let (mut journal, _) = FileJournal::open(&path, 40, RAW_MAX).unwrap();
        for full in [false, false, false, true] {
            journal.append(b"12").unwrap();
            assert_eq!(journal.is_full(), full);
        }
        journal.rewrite(&mut std::iter::empty()).unwrap();
        assert!(!journal.is_full());
    }
}

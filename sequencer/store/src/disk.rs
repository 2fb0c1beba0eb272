//! The seam below the block log: a folder of files that only grow.
//!
//! A test puts a disk here that dies at its n-th write. Absent on purpose: any knowledge of records.

use parking_lot::RwLock;
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A folder of append-only files.
pub trait Disk: Send + Sync {
    /// Names of all files, ascending.
    fn list(&self) -> io::Result<Vec<String>>;
    /// Length in bytes; an error if there is no such file.
    fn len(&self, file: &str) -> io::Result<u64>;
    /// Fills `buf` from `offset`; an error if the file ends before.
    fn read(&self, file: &str, offset: u64, buf: &mut [u8]) -> io::Result<()>;
    /// Writes `bytes` at the end; makes the file if needed. Durable only after [`Disk::sync`].
    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()>;
    /// Returns once all that was appended to `file`, and its name, would survive a power cut.
    fn sync(&self, file: &str) -> io::Result<()>;
    /// Cuts the file, durably.
    fn truncate(&self, file: &str, len: u64) -> io::Result<()>;
}

/// A folder of the operating system.
pub struct Folder {
    path: PathBuf,
    open: RwLock<BTreeMap<String, Arc<Open>>>,
}

struct Open {
    file: File,
    /// The name is not yet known to be durable.
    fresh: std::sync::atomic::AtomicBool,
}

impl Folder {
    /// Opens or makes the folder.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        if !path.is_dir() {
            fs::create_dir_all(path)?;
            // A synced file in a folder whose own name is lost would be lost with it.
            if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
                File::open(parent)?.sync_all()?;
            }
        }
        Ok(Self {
            path: path.to_path_buf(),
            open: RwLock::default(),
        })
    }

    fn file(&self, name: &str, create: bool) -> io::Result<Arc<Open>> {
        if let Some(open) = self.open.read().get(name) {
            return Ok(open.clone());
        }
        let path = self.path.join(name);
        let fresh = !path.exists();
        let file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(create)
            .open(path)?;
        let open = Arc::new(Open {
            file,
            fresh: fresh.into(),
        });
        Ok(self
            .open
            .write()
            .entry(name.to_owned())
            .or_insert(open)
            .clone())
    }
}

impl Disk for Folder {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            names.extend(entry?.file_name().into_string());
        }
        names.sort();
        Ok(names)
    }

    fn len(&self, file: &str) -> io::Result<u64> {
        Ok(self.file(file, false)?.file.metadata()?.len())
    }

    fn read(&self, file: &str, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.file(file, false)?.file.read_exact_at(buf, offset)
    }

    fn append(&self, file: &str, bytes: &[u8]) -> io::Result<()> {
        use io::Write;
        (&self.file(file, true)?.file).write_all(bytes)
    }

    fn sync(&self, file: &str) -> io::Result<()> {
        use std::sync::atomic::Ordering::{Acquire, Release};
        let open = self.file(file, false)?;
        open.file.sync_data()?;
        if open.fresh.load(Acquire) {
            File::open(&self.path)?.sync_all()?;
            open.fresh.store(false, Release);
        }
        Ok(())
    }

    fn truncate(&self, file: &str, len: u64) -> io::Result<()> {
        let open = self.file(file, false)?;
        open.file.set_len(len)?;
        open.file.sync_all()
    }
}

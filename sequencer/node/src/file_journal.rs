//! Notes of a process that has no store: one small file each, replaced atomically and synced.

use anyhow::Context;
use l1::Journal;
use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
};

/// A folder of notes.
pub struct FileNotes(PathBuf);

impl FileNotes {
    /// Makes the folder if it is not there.
    pub fn open(dir: &Path) -> anyhow::Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))?;
        Ok(Self(dir.to_owned()))
    }

    fn try_put(&self, key: &[u8], value: Option<&[u8]>) -> std::io::Result<()> {
        let path = self.0.join(alloy_primitives::hex::encode(key));
        match value {
            Some(value) => {
                let part = path.with_extension("part");
                let mut file = File::create(&part)?;
                file.write_all(value)?;
                file.sync_all()?;
                fs::rename(part, path)?;
            }
            None => match fs::remove_file(path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            },
        }
        File::open(&self.0)?.sync_all()
    }
}

impl Journal for FileNotes {
    fn put(&self, key: &[u8], value: Option<&[u8]>) -> Result<(), String> {
        self.try_put(key, value).map_err(|e| e.to_string())
    }

    fn scan(&self) -> Result<Vec<l1::Note>, String> {
        let mut notes = Vec::new();
        for entry in fs::read_dir(&self.0).map_err(|e| e.to_string())? {
            let path = entry.map_err(|e| e.to_string())?.path();
            let name = path
                .file_name()
                .and_then(|name| name.to_str())
                .unwrap_or_default();
            if let Ok(key) = alloy_primitives::hex::decode(name) {
                notes.push((key, fs::read(&path).map_err(|e| e.to_string())?));
            }
        }
        notes.sort();
        Ok(notes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_survive_reopening_and_can_be_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let notes = FileNotes::open(dir.path()).unwrap();
        notes.put(b"\x02", Some(b"two")).unwrap();
        notes.put(b"\x01", Some(b"one")).unwrap();
        notes.put(b"\x03", None).unwrap();
        let again = FileNotes::open(dir.path()).unwrap();
        assert_eq!(
            again.scan().unwrap(),
            [(vec![1], b"one".to_vec()), (vec![2], b"two".to_vec())]
        );
        again.put(b"\x01", None).unwrap();
        assert_eq!(again.scan().unwrap().len(), 1);
    }
}

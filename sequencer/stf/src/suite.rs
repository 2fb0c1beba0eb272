//! What the runners of Ethereum's JSON tests share: files in, counts and reasons out.

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use serde::de::DeserializeOwned;
use std::path::{Path, PathBuf};

/// What a run found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Cases whose outcome is the published one.
    pub passed: usize,
    /// Cases whose outcome differs, and files that cannot be read.
    pub failed: usize,
    /// Cases of rules that this program does not have: state tests of Constantinople without its fix, transitions to it,
    /// and block tests that check proofs of work.
    pub skipped: usize,
    /// One for each failure.
    pub failures: Vec<Failure>,
}

/// One failure, with what is needed to run it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// File.
    pub path: PathBuf,
    /// The case in it; empty if the file cannot be read.
    pub case: String,
    /// What differs.
    pub reason: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.path.display(), self.case, self.reason)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)
    }
}

impl Summary {
    pub(crate) fn fail(&mut self, path: &Path, case: String, reason: String) {
        self.failed += 1;
        self.failures.push(Failure {
            path: path.to_path_buf(),
            case,
            reason,
        });
    }

    fn cases(&self) -> usize {
        self.passed + self.failed + self.skipped
    }
}

/// Gives every `*.json` at and below these paths to `run_file`; hidden folders hold no tests. A path without any case is a
/// failure.
pub(crate) fn run<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    kind: &str,
    mut run_file: impl FnMut(&Path, &mut Summary),
    mut progress: impl FnMut(&Path, &Summary),
) -> Summary {
    let mut summary = Summary::default();
    for path in paths {
        let path = path.as_ref();
        let before = summary.cases();
        let files = walkdir::WalkDir::new(path)
            .sort_by_file_name()
            .into_iter()
            .filter_entry(|entry| {
                let hidden = entry.file_name().to_string_lossy().starts_with('.');
                entry.depth() == 0 || !hidden
            });
        for entry in files {
            match entry {
                Ok(entry) if entry.path().extension().is_some_and(|e| e == "json") => {
                    run_file(entry.path(), &mut summary);
                    progress(entry.path(), &summary);
                }
                Ok(_) => {}
                Err(error) => summary.fail(path, String::new(), error.to_string()),
            }
        }
        if before == summary.cases() {
            summary.fail(path, String::new(), format!("no {kind} tests here"));
        }
    }
    summary
}

/// A file's tests; the error says why there are none.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    serde_json::from_slice(&bytes).map_err(|error| error.to_string())
}

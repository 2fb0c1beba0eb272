//! Ethereum's JSON state tests (`GeneralStateTests`): our execution and our trie against the published roots.
//!
//! Every post state of every fork that revm knows is one case. A case passes if the state root and the hash of the
//! logs are the published ones, and if the transaction is refused exactly where the test says so. Which of several
//! reasons is named first when a transaction has more than one fault is not compared: clients differ there.

mod case;
mod fork;
mod format;

use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;
use std::path::{Path, PathBuf};

/// What a run found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Summary {
    /// Cases whose outcome is the published one.
    pub passed: usize,
    /// Cases whose outcome differs, and files that cannot be read.
    pub failed: usize,
    /// Cases of forks that revm does not know (Constantinople without its fix, transition forks).
    pub skipped: usize,
    /// One for each failure.
    pub failures: Vec<Failure>,
}

/// One failure, with what is needed to run it again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// File.
    pub path: PathBuf,
    /// Test, fork and position of the post state; empty if the file cannot be read.
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

/// Runs every `*.json` at and below these paths.
pub fn run<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Summary {
    run_with_progress(paths, |_, _| {})
}

/// [`run`], calling `progress` after each file.
pub fn run_with_progress<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    mut progress: impl FnMut(&Path, &Summary),
) -> Summary {
    let mut summary = Summary::default();
    for path in paths {
        let path = path.as_ref();
        let before = summary.passed + summary.failed + summary.skipped;
        for entry in walkdir::WalkDir::new(path).sort_by_file_name() {
            match entry {
                Ok(entry) if entry.path().extension().is_some_and(|e| e == "json") => {
                    run_file(entry.path(), &mut summary);
                    progress(entry.path(), &summary);
                }
                Ok(_) => {}
                Err(error) => summary.fail(path, String::new(), error.to_string()),
            }
        }
        if before == summary.passed + summary.failed + summary.skipped {
            summary.fail(path, String::new(), "no state tests here".to_string());
        }
    }
    summary
}

impl Summary {
    fn fail(&mut self, path: &Path, case: String, reason: String) {
        self.failed += 1;
        self.failures.push(Failure {
            path: path.to_path_buf(),
            case,
            reason,
        });
    }
}

fn run_file(path: &Path, summary: &mut Summary) {
    let suite = std::fs::read(path)
        .map_err(|error| error.to_string())
        .and_then(|bytes| {
            serde_json::from_slice::<format::Suite>(&bytes).map_err(|error| error.to_string())
        });
    let suite = match suite {
        Ok(suite) => suite,
        Err(error) => return summary.fail(path, String::new(), error),
    };
    for (name, test) in &suite.0 {
        for (fork_name, posts) in &test.post {
            let Some(fork) = fork::Fork::named(fork_name) else {
                summary.skipped += posts.len();
                continue;
            };
            for (index, post) in posts.iter().enumerate() {
                match case::run(test, fork, post) {
                    Ok(()) => summary.passed += 1,
                    Err(reason) => {
                        summary.fail(path, format!("{name} {fork_name}[{index}]"), reason)
                    }
                }
            }
        }
    }
}

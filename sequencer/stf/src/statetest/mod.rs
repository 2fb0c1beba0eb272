//! Ethereum's JSON state tests (`GeneralStateTests`): our execution and our trie against the published roots.
//!
//! Every post state of every fork that revm knows is one case. A case passes if the state root and the hash of the
//! logs are the published ones, and if the transaction is refused exactly where the test says so. Which of several
//! reasons is named first when a transaction has more than one fault is not compared: clients differ there.

pub(crate) mod case;
mod fork;
pub(crate) mod format;

use crate::suite;
pub use crate::suite::{Failure, Summary};
use alloc::format;
use std::path::Path;

/// Runs every `*.json` at and below these paths.
pub fn run<P: AsRef<Path>>(paths: impl IntoIterator<Item = P>) -> Summary {
    run_with_progress(paths, |_, _| {})
}

/// [`run`], calling `progress` after each file.
pub fn run_with_progress<P: AsRef<Path>>(
    paths: impl IntoIterator<Item = P>,
    progress: impl FnMut(&Path, &Summary),
) -> Summary {
    suite::run(paths, "state", run_file, progress)
}

fn run_file(path: &Path, summary: &mut Summary) {
    let suite: format::Suite = match suite::read(path) {
        Ok(suite) => suite,
        Err(error) => return summary.fail(path, Default::default(), error),
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

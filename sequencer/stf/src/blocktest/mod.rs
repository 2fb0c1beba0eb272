//! Ethereum's JSON blockchain tests (`BlockchainTests` of ethereum/tests, `blockchain_tests` of execution-spec-tests): whole
//! chains, valid and invalid blocks, side chains.
//!
//! A test passes if the first block has the published bytes and hash and the state root of the published accounts, if
//! exactly the blocks are refused that the test calls invalid, and if the head and its state in the end are the published
//! ones. Roots are computed by `trie`. Why a block is refused is not compared.
//!
//! Absent on purpose: proofs of work; tests that check them (`sealEngine` other than `NoProof`) are skipped.

mod case;
mod format;
mod network;

use crate::suite;
pub use crate::suite::{Failure, Summary};
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
    suite::run(paths, "block", run_file, progress)
}

fn run_file(path: &Path, summary: &mut Summary) {
    let suite: format::Suite = match suite::read(path) {
        Ok(suite) => suite,
        Err(error) => return summary.fail(path, Default::default(), error),
    };
    for (name, test) in suite.0 {
        let proofs = test.seal_engine.as_deref().unwrap_or("NoProof") != "NoProof";
        let rules = network::rules(&test.network, &test.config);
        let Some(rules) = rules.filter(|_| !proofs) else {
            summary.skipped += 1;
            continue;
        };
        match case::run(&test, rules) {
            Ok(()) => summary.passed += 1,
            Err(reason) => summary.fail(path, name, reason),
        }
    }
}

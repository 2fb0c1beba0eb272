//! Reads the repository as data, for the tests that keep it tidy.
//!
//! What git tracks is the repository: build products and installed packages are not looked at. A file counts as soon as it is
//! added, before it is committed.
//!
//! Absent on purpose: building, running and the network.
#![forbid(unsafe_code)]

mod code;
mod crates;
mod markdown;

pub use code::{code, literals, words};
pub use crates::{Crate, crates};
pub use markdown::{Mention, mentions};

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The repository's root folder.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every tracked file that is there, by its path from the root, with forward slashes.
pub fn files() -> &'static BTreeSet<String> {
    static FILES: OnceLock<BTreeSet<String>> = OnceLock::new();
    FILES.get_or_init(|| {
        let out = Command::new("git")
            .args(["ls-files", "-z"])
            .current_dir(root())
            .output();
        let out = out.expect("git must be installed: these tests look at what it tracks");
        assert!(
            out.status.success(),
            "git ls-files: {}",
            String::from_utf8_lossy(&out.stderr)
        );
        let list = String::from_utf8(out.stdout).expect("paths are UTF-8");
        let there = |path: &&str| !path.is_empty() && root().join(path).is_file();
        list.split('\0').filter(there).map(str::to_owned).collect()
    })
}

/// Every folder with a tracked file in it or below it.
pub fn folders() -> &'static BTreeSet<String> {
    static FOLDERS: OnceLock<BTreeSet<String>> = OnceLock::new();
    FOLDERS.get_or_init(|| {
        let parents = files()
            .iter()
            .flat_map(|file| Path::new(file).ancestors().skip(1));
        parents
            .filter_map(Path::to_str)
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect()
    })
}

/// Tracked files below `folder` (from the root; empty for all) whose name ends in `ending`.
pub fn files_in(folder: &str, ending: &str) -> Vec<&'static str> {
    let below = |file: &&String| {
        folder.is_empty()
            || file
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    files()
        .iter()
        .filter(below)
        .filter(|file| file.ends_with(ending))
        .map(String::as_str)
        .collect()
}

/// A file's text; of a file that is not text, what can be read of it.
pub fn read(file: &str) -> String {
    match fs::read(root().join(file)) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) => panic!("{file}: {error}"),
    }
}

/// Fails with every violation in one message, under what to do about them.
pub fn expect_none(violations: Vec<String>, what_to_do: &str) {
    assert!(
        violations.is_empty(),
        "{what_to_do}\n  {}\n",
        violations.join("\n  ")
    );
}

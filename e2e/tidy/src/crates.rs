//! The workspace as its manifests describe it.

use crate::{files_in, read};
use toml::{Table, Value};

/// One member of the workspace.
#[derive(Debug, Clone, PartialEq)]
pub struct Crate {
    /// As cargo knows it.
    pub name: String,
    /// From the root.
    pub folder: String,
    /// What it is built from: dependencies and build dependencies.
    pub built_from: Vec<String>,
    /// What its tests and benches use besides.
    pub tested_with: Vec<String>,
    /// The manifest.
    pub manifest: Table,
}

impl Crate {
    /// Its Rust files below `src`.
    pub fn sources(&self) -> Vec<&'static str> {
        files_in(&format!("{}/src", self.folder), ".rs")
    }
}

/// All members, in the order of the root manifest.
pub fn crates() -> Vec<Crate> {
    let manifest: Table = parse("Cargo.toml");
    let members = manifest["workspace"]["members"]
        .as_array()
        .expect("members is a list");
    members
        .iter()
        .map(|folder| read_crate(folder.as_str().expect("a member is a path")))
        .collect()
}

fn read_crate(folder: &str) -> Crate {
    let manifest = parse(&format!("{folder}/Cargo.toml"));
    let names = |table: &str| -> Vec<String> {
        manifest
            .get(table)
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(Table::keys)
            .cloned()
            .collect()
    };
    Crate {
        name: manifest["package"]["name"]
            .as_str()
            .expect("a crate has a name")
            .to_owned(),
        folder: folder.to_owned(),
        built_from: [names("dependencies"), names("build-dependencies")].concat(),
        tested_with: names("dev-dependencies"),
        manifest,
    }
}

fn parse(file: &str) -> Table {
    read(file)
        .parse()
        .unwrap_or_else(|error| panic!("{file}: {error}"))
}

//! What always holds in this repository. Each failure says what to do.

use std::collections::{BTreeMap, BTreeSet};
use tidy::{
    Crate, code, crates, expect_none, files, files_in, folders, literals, mentions, read, root,
    words,
};

// Who depends on whom

#[test]
fn crates_depend_on_crates_above_them() {
    let all = crates();
    let place: BTreeMap<&str, usize> = all
        .iter()
        .enumerate()
        .map(|(at, c)| (c.name.as_str(), at))
        .collect();
    let mut down = Vec::new();
    for (at, krate) in all.iter().enumerate() {
        for dependency in krate.built_from.iter().chain(&krate.tested_with) {
            if place
                .get(dependency.as_str())
                .is_some_and(|place| *place > at)
            {
                down.push(format!("{} uses {dependency}", krate.name));
            }
        }
    }
    expect_none(
        down,
        "A crate uses only crates above it in the members list of Cargo.toml. Move what is shared up, or hand it over as data:",
    );
}

#[test]
fn every_crate_of_the_repository_is_a_member() {
    let members: BTreeSet<String> = crates()
        .iter()
        .map(|krate| format!("{}/Cargo.toml", krate.folder))
        .collect();
    let manifests = files_in("", "Cargo.toml")
        .into_iter()
        .filter(|file| *file != "Cargo.toml");
    let lost = manifests
        .filter(|file| !members.contains(*file))
        .map(str::to_owned)
        .collect();
    expect_none(
        lost,
        "Add these to the members of the root Cargo.toml, at their place in the reading order:",
    );
}

/// Dependency, and the crates that may be built from it. Tests may use any of them.
const ONLY: &[(&str, &[&str])] = &[
    ("revm", &["stf"]),
    ("revm-inspectors", &["stf"]),
    ("rocksdb", &["store"]),
    ("alloy-provider", &["l1"]),
    ("alloy-rpc-client", &["l1"]),
    ("alloy-transport-http", &["l1"]),
    // `node` asks L2 nodes, `harness` is a client of whatever it started.
    ("reqwest", &["l1", "node", "harness"]),
    ("jsonrpsee", &["rpc", "l1dev", "node"]),
    ("secp256k1", &["bench"]),
];

#[test]
fn only_one_crate_touches_each_outside_thing() {
    let mut others = Vec::new();
    for krate in crates() {
        for (dependency, allowed) in ONLY {
            if krate.built_from.iter().any(|d| d == dependency)
                && !allowed.contains(&krate.name.as_str())
            {
                others.push(format!(
                    "{} depends on {dependency}, which only {allowed:?} may",
                    krate.name
                ));
            }
        }
    }
    expect_none(
        others,
        "Ask the crate that owns it, or change ONLY here and 'Only one' in ARCHITECTURE.md together:",
    );
}

#[test]
fn versions_and_lints_stand_in_the_root_manifest() {
    let mut own = Vec::new();
    for krate in crates() {
        let from_workspace = |value: Option<&toml::Value>| {
            value
                .and_then(|v| v.get("workspace"))
                .and_then(toml::Value::as_bool)
                == Some(true)
        };
        for table in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in krate
                .manifest
                .get(table)
                .and_then(toml::Value::as_table)
                .into_iter()
                .flatten()
            {
                // A crate whose tests want another feature of its own names itself by path.
                if *name != krate.name && !from_workspace(Some(value)) {
                    own.push(format!("{}: {name} in {table}", krate.name));
                }
            }
        }
        if !from_workspace(krate.manifest["package"].get("license")) {
            own.push(format!("{}: license", krate.name));
        }
        let lints = krate.manifest.get("lints");
        if !from_workspace(lints) {
            own.push(format!("{}: lints", krate.name));
        }
    }
    expect_none(
        own,
        "Write the version into [workspace.dependencies] and `workspace = true` here:",
    );
}

// What sources may not contain

/// Files that may hold `unsafe`, each block with the reason why it is sound. None so far.
const UNSAFE_ALLOWED: &[&str] = &[];

#[test]
fn nothing_is_unsafe() {
    let rust = files_in("", ".rs")
        .into_iter()
        .filter(|file| !UNSAFE_ALLOWED.contains(file));
    let found = rust
        .filter(|file| words(&code(&read(file))).any(|word| word == "unsafe"))
        .map(str::to_owned)
        .collect();
    expect_none(
        found,
        "Write it without `unsafe`, or move it to one of UNSAFE_ALLOWED:",
    );
}

#[test]
fn every_crate_root_forbids_unsafe() {
    let roots = crates()
        .into_iter()
        .flat_map(|krate| ["lib.rs", "main.rs"].map(|f| format!("{}/src/{f}", krate.folder)));
    let there = roots.filter(|file| files().contains(file));
    let open = there
        .filter(|file| {
            !read(file)
                .lines()
                .any(|line| line == "#![forbid(unsafe_code)]")
        })
        .collect();
    expect_none(open, "Write #![forbid(unsafe_code)] below the header of:");
}

#[test]
fn nothing_is_left_for_later() {
    // With a bar in each, so that this file does not find itself.
    let marks = [
        "TO|DO",
        "FIX|ME",
        "to|do!",
        "unimpl|emented!",
        "#[ig|nore",
        "db|g!(",
        "vm.sk|ip(",
    ];
    let marks: Vec<String> = marks.iter().map(|mark| mark.replace('|', "")).collect();
    let mut found = Vec::new();
    for file in files().iter().filter(|file| is_source(file)) {
        for (at, line) in read(file).lines().enumerate() {
            if let Some(mark) = marks.iter().find(|mark| line.contains(mark.as_str())) {
                found.push(format!("{file}:{}: {mark}", at + 1));
            }
        }
    }
    expect_none(
        found,
        "Do it now, or write down in the folder's README that it is absent:",
    );
}

/// Crates that build without `std` and end up in the fault-proof program.
const GUEST: &[&str] = &["primitives", "trie", "stf", "batch", "derivation"];

#[test]
fn guest_crates_know_no_clock_no_thread_and_no_chance() {
    let mut found = Vec::new();
    for krate in crates()
        .iter()
        .filter(|krate| GUEST.contains(&krate.name.as_str()))
    {
        let lib = read(&format!("{}/src/lib.rs", krate.folder));
        if !lib.contains("no_std") {
            found.push(format!("{} is not no_std", krate.name));
        }
        found.extend(uses(
            krate,
            &["std::time", "std::thread", "std::net", "std::env", "rand::"],
        ));
    }
    expect_none(
        found,
        "The caller gives time, randomness and settings as arguments; take these out of:",
    );
}

#[test]
fn only_binaries_read_the_wall_clock_and_the_environment() {
    let may = ["node", "harness", "bench", "tidy"];
    let others = crates()
        .into_iter()
        .filter(|krate| !may.contains(&krate.name.as_str()));
    let found = others
        .flat_map(|krate| uses(&krate, &["SystemTime", "env::var", "env::args", "rand::"]))
        .collect();
    expect_none(
        found,
        "`node` reads the clock and the environment and hands on what it read; take these out of:",
    );
}

/// What of `forbidden` stands in a crate's code, above its tests.
fn uses(krate: &Crate, forbidden: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in krate
        .sources()
        .into_iter()
        .filter(|file| !file.contains("/tests/"))
    {
        let source = read(file);
        let shipped = code(source.split("#[cfg(test)]\nmod").next().unwrap_or_default());
        found.extend(
            forbidden
                .iter()
                .filter(|text| shipped.contains(*text))
                .map(|text| format!("{file}: {text}")),
        );
    }
    found
}

fn is_source(file: &str) -> bool {
    let endings = [".rs", ".sol", ".toml", ".mjs", ".js", ".py", ".sh", ".md"];
    let script =
        !file.contains("LICENSE") && !file.rsplit('/').next().unwrap_or_default().contains('.');
    endings.iter().any(|ending| file.ends_with(ending)) || script
}

// Documents

#[test]
fn every_path_in_a_document_exists() {
    let all = mentions();
    assert!(
        all.len() > 100,
        "only {} paths found: the scanner no longer sees them",
        all.len()
    );
    let lost = all.into_iter().filter(|m| !m.exists);
    let lost = lost
        .map(|m| format!("{}:{}: {}", m.file, m.line, m.path))
        .collect();
    expect_none(
        lost,
        "Nothing tracked has this name. Correct the document, or `git add` the file:",
    );
}

#[test]
fn every_folder_has_a_readme() {
    // Inside a crate and beside decisions, the file headers tell. Snapshots are described one folder up.
    let told = [
        "src",
        "tests",
        "benches",
        "examples",
        "decisions",
        "artifacts",
        "storage",
    ];
    let in_contracts =
        |folder: &str| folder.starts_with("contracts/src") || folder.starts_with("contracts/test");
    let needs = folders().iter().filter(|folder| {
        let inner = folder
            .split('/')
            .any(|part| told.contains(&part) || part.starts_with('.'));
        !inner || in_contracts(folder)
    });
    let without = needs
        .filter(|folder| !files().contains(&format!("{folder}/README.md")))
        .cloned()
        .collect();
    expect_none(without, "Write a README.md of a few true sentences in:");
}

#[test]
fn a_readme_says_something() {
    let readmes = files().iter().filter(|file| file.ends_with("README.md"));
    let empty = readmes
        .filter(|file| !read(file).starts_with("# ") || read(file).lines().count() < 3)
        .cloned()
        .collect();
    expect_none(
        empty,
        "Begin with the folder's name as a heading, then say what is here:",
    );
}

#[test]
fn decisions_say_what_was_given_up() {
    let records = files().iter().filter(|file| file.contains("/decisions/"));
    let parts = [
        "**Context.**",
        "**Choice.**",
        "**Given up.**",
        "**We would notice it was wrong**",
    ];
    let short = records
        .filter(|file| !parts.iter().all(|part| read(file).contains(part)))
        .cloned()
        .collect();
    expect_none(
        short,
        "A decision record has these parts, in this order: Context, Choice, Given up, We would notice it was wrong:",
    );
}

#[test]
fn the_root_documents_are_there() {
    let wanted = [
        "README.md",
        "ARCHITECTURE.md",
        "GLOSSARY.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "LICENSE",
        "LICENSE-MIT",
        "LICENSE-APACHE",
        "deny.toml",
    ];
    expect_none(
        wanted
            .iter()
            .filter(|file| !files().contains(**file))
            .map(|f| f.to_string())
            .collect(),
        "Add:",
    );
}

// One truth in two languages

#[test]
fn predeploys_are_the_same_in_rust_and_solidity() {
    let (rust, solidity) = (
        "sequencer/primitives/src/predeploys.rs",
        "contracts/src/l2/Predeploys.sol",
    );
    let ours = constants(&read(rust), "const ", "address!(\"");
    let theirs = constants(&read(solidity), "constant ", "= 0x");
    assert_eq!(
        ours, theirs,
        "{rust} (left) and {solidity} (right) must name the same addresses"
    );
}

/// `NAME` behind `before`, and the hex behind `opening` on the same line.
fn constants(source: &str, before: &str, opening: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
    {
        if let (Some((_, name)), Some((_, hex))) =
            (line.split_once(before), line.split_once(opening))
        {
            let name = words(name).next().unwrap_or_default();
            let hex: String = hex.chars().take_while(char::is_ascii_hexdigit).collect();
            found.insert(name.to_owned(), hex.to_lowercase());
        }
    }
    assert!(
        !found.is_empty(),
        "no constants found: the form of the file has changed, change this test too"
    );
    found
}

/// A file and a text in it, and another file with the text that must stand there for the same thing.
const SAME: &[(&str, &str, &str, &str)] = &[
    (
        "sequencer/batch/src/blobs.rs",
        "BLOBS_MAX: usize = 6;",
        "contracts/src/l1/Inbox.sol",
        "MAX_BLOBS = 6;",
    ),
    (
        "config/dev.toml",
        "calldata_bytes_max = 120_000",
        "contracts/src/l1/Inbox.sol",
        "MAX_PAYLOAD_BYTES = 120_000;",
    ),
    (
        "config/dev.toml",
        "tx_gas_cap = 16_777_216",
        "contracts/src/l1/Portal.sol",
        "MAX_GAS_LIMIT = 2 ** 24;",
    ),
    (
        "sequencer/primitives/src/bridge.rs",
        "ALIAS_OFFSET: Address = address!(\"1111000000000000000000000000000000001111\")",
        "contracts/src/l1/AddressAlias.sol",
        "OFFSET = uint160(0x1111000000000000000000000000000000001111)",
    ),
    (
        "sequencer/primitives/src/bridge.rs",
        "SOURCE_DOMAIN: u64 = 3;",
        "bridge/FORMATS.md",
        "abi.encode(uint256(3), queueAcc[i+1])",
    ),
    (
        "sequencer/primitives/src/bridge.rs",
        "\"Batch(uint256 l2ChainId,bytes32 prevAcc,uint8 kind,",
        "contracts/src/l1/Record.sol",
        "Batch(uint256 l2ChainId,bytes32 prevAcc,uint8 kind,",
    ),
];

#[test]
fn constants_agree() {
    let mut missing = Vec::new();
    for (file, text, other_file, other_text) in SAME {
        for (file, text) in [(file, text), (other_file, other_text)] {
            if !read(file).contains(text) {
                missing.push(format!("{file}: {text}"));
            }
        }
    }
    expect_none(
        missing,
        "This stands in two places. Change both, and SAME in this test:",
    );
}

#[test]
fn every_abi_snapshot_has_its_binding() {
    let deployed: BTreeSet<String> = read("contracts/tools/contracts.txt")
        .lines()
        .map(str::to_owned)
        .collect();
    let snapshots: BTreeSet<String> = files_in("contracts/bindings/artifacts", ".json")
        .into_iter()
        .filter_map(|file| Some(file.rsplit('/').next()?.strip_suffix(".json")?.to_owned()))
        .collect();
    let bound: BTreeSet<String> = literals(&read("contracts/bindings/src/lib.rs"))
        .into_iter()
        .filter_map(|text| {
            Some(
                text.strip_prefix("artifacts/")?
                    .strip_suffix(".json")?
                    .to_owned(),
            )
        })
        .collect();
    assert_eq!(
        deployed, snapshots,
        "contracts/tools/contracts.txt (left), artifacts (right): run contracts/tools/snapshot"
    );
    assert_eq!(
        snapshots, bound,
        "artifacts (left), bindings (right): add a line to `contracts!` in contracts/bindings/src/lib.rs"
    );
}

#[test]
fn every_vector_is_read_by_both_languages() {
    let mut unread = Vec::new();
    for file in files_in("e2e/vectors", "")
        .into_iter()
        .filter(|file| !file.ends_with(".md"))
    {
        let name = file.rsplit('/').next().unwrap_or(file);
        let reads = |files: Vec<&str>| {
            files.iter().any(|file| {
                literals(&read(file))
                    .iter()
                    .any(|text| text.ends_with(name))
            })
        };
        if !reads(
            files_in("", ".rs")
                .into_iter()
                .filter(|file| file.contains("/tests/"))
                .collect(),
        ) {
            unread.push(format!("{file}: no test in Rust"));
        }
        if !reads(files_in("contracts/test", ".sol")) {
            unread.push(format!("{file}: no test in Solidity"));
        }
    }
    expect_none(
        unread,
        "Vectors bind two implementations: read the file in a test of each:",
    );
}

// The wire and the network file

/// Methods by name; what a subscription sends is not one.
fn methods(folder: &str) -> BTreeSet<String> {
    let namespaces = [
        "eth_", "net_", "web3_", "debug_", "txpool_", "rollup_", "rpc_", "admin_", "trace_",
        "ots_", "erigon_", "testing_",
    ];
    let texts = files_in(folder, ".rs")
        .into_iter()
        .flat_map(|file| literals(&read(file)));
    texts
        .filter(|text| {
            namespaces
                .iter()
                .any(|space| text.strip_prefix(space).is_some_and(is_method_name))
        })
        .filter(|text| text != "eth_subscription")
        .collect()
}

fn is_method_name(rest: &str) -> bool {
    !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric())
}

#[test]
fn every_rpc_method_is_in_a_readme() {
    let documents = ["sequencer/rpc/README.md", "sequencer/node/README.md"]
        .map(read)
        .concat();
    let served = methods("sequencer/rpc/src")
        .into_iter()
        .chain(methods("sequencer/node/src"));
    let unlisted = served
        .filter(|method| !documents.contains(&format!("`{method}`")))
        .collect();
    expect_none(
        unlisted,
        "List it with its status in sequencer/rpc/README.md, or in the README of the crate that serves it:",
    );
}

#[test]
fn every_listed_method_is_served() {
    let served = &methods("sequencer/rpc/src") | &methods("sequencer/node/src");
    let document = read("sequencer/rpc/README.md");
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let listed = rows.flat_map(|line| {
        line.split('|')
            .nth(1)
            .unwrap_or_default()
            .split('`')
            .skip(1)
            .step_by(2)
    });
    let gone = listed
        .filter(|method| !served.contains(*method))
        .map(str::to_owned)
        .collect();
    expect_none(gone, "The table names methods that nothing registers:");
}

#[test]
fn every_rpc_method_has_a_test() {
    let tests: Vec<String> = files()
        .iter()
        .filter(|f| {
            f.starts_with("sequencer/rpc/tests/")
                || f.starts_with("e2e/") && !f.starts_with("e2e/tidy/")
                || f.starts_with("sequencer/node/src/")
                || f.starts_with("sequencer/node/tests/")
        })
        .map(|f| match read(f).split_once("#[cfg(test)]") {
            Some((_, tests)) => tests.to_owned(),
            None if f.contains("/src/") && !f.starts_with("e2e/") => String::new(),
            None => read(f),
        })
        .collect();
    let called = |method: &String| {
        let quoted = [format!("\"{method}\""), format!("'{method}'")];
        tests
            .iter()
            .any(|test| quoted.iter().any(|name| test.contains(name.as_str())))
    };
    let untested = methods("sequencer/rpc/src")
        .into_iter()
        .chain(methods("sequencer/node/src"))
        .filter(|method| !called(method));
    expect_none(
        untested.collect(),
        "Call it by name in sequencer/rpc/tests/wire, in sequencer/node/tests, in e2e, or in a test beside its code:",
    );
}

#[test]
fn every_key_of_the_network_file_is_read() {
    let network: toml::Table = read("config/dev.toml")
        .parse()
        .expect("config/dev.toml is TOML");
    let readers = files_in("", ".rs")
        .into_iter()
        .filter(|file| file.contains("/src/") && *file != "config/src/check.rs");
    // On one line, so that a chain of calls broken over several is found.
    let sources: Vec<String> = readers
        .map(|file| code(&read(file)).lines().map(str::trim).collect())
        .collect();
    let mut unread = Vec::new();
    for (section, keys) in &network {
        for key in keys.as_table().into_iter().flat_map(toml::Table::keys) {
            // A short word is a field of many things: it counts where its section is named as well.
            let section = if key.contains('_') {
                String::new()
            } else {
                format!(".{section}")
            };
            if !sources
                .iter()
                .any(|source| source.contains(&section) && has_field(source, key))
            {
                unread.push(format!("{section} {key}"));
            }
        }
    }
    expect_none(
        unread,
        "Nothing reads this key. Use it, or take it out of config/src/lib.rs and config/dev.toml:",
    );
}

fn has_field(source: &str, name: &str) -> bool {
    let access = format!(".{name}");
    source.match_indices(&access).any(|(at, _)| {
        !source[at + access.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

// Size

#[test]
fn no_file_is_over_a_mebibyte() {
    let size = |file: &&String| std::fs::metadata(root().join(file)).map_or(0, |meta| meta.len());
    let large = files()
        .iter()
        .filter(|file| size(file) > 1 << 20)
        .cloned()
        .collect();
    expect_none(
        large,
        "Fetch it in e2e/setup, or make it smaller; git keeps it for ever:",
    );
}

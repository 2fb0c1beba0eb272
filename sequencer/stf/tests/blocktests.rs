//! Random chains of Ethereum's executable specification: every fork, transitions, ommers, and blocks with one thing wrong.

use std::path::PathBuf;

#[test]
fn chains_of_the_specification_come_out_alike() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/blocks/tests");
    let summary = stf::blocktest::run([&folder]);
    let failures: Vec<String> = summary.failures.iter().map(ToString::to_string).collect();
    assert_eq!(summary.failed, 0, "{summary}\n{}", failures.join("\n"));
    assert_eq!(summary.skipped, 0);
    assert_eq!(summary.passed, 34);
}

/// The file with one thing in it changed.
fn changed(file: &str, from: &str, to: &str) -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/blocks/tests");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    assert!(text.contains(from), "{from}");
    let own = tempfile::tempdir().unwrap();
    std::fs::write(own.path().join(file), text.replace(from, to)).unwrap();
    let summary = stf::blocktest::run([own.path()]);
    let reasons = summary.failures.into_iter().map(|f| f.reason);
    reasons.collect()
}

#[test]
fn an_invalid_block_that_is_called_valid_is_a_failure() {
    let found = changed(
        "London.json",
        r#""expectException": "changed""#,
        r#""blockHeader": {}"#,
    );
    assert!(found[0].contains("is refused"), "{found:?}");
}

#[test]
fn a_valid_block_that_is_called_invalid_is_a_failure() {
    let found = changed("Berlin.json", r#""blockHeader""#, r#""no""#);
    assert_eq!(found, ["block 2 is accepted, but invalid"]);
}

#[test]
fn another_head_or_state_is_a_failure() {
    let found = changed(
        "Osaka.json",
        r#""lastblockhash": "0x"#,
        r#""lastblockhash": "0x00"#,
    );
    assert!(
        found[0].contains("invalid") || found[0].contains("the head is"),
        "{found:?}"
    );
    let found = changed(
        "Frontier.json",
        r#""pre": {"#,
        r#""pre": { "0x00000000000000000000000000000000000000aa": {"balance": "0x1", "code": "0x", "nonce": "0x0", "storage": {}}, "#,
    );
    assert!(found[0].contains("the first state has root"), "{found:?}");
}

#[test]
fn proofs_of_work_are_not_checked() {
    let own = tempfile::tempdir().unwrap();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/blocks/tests");
    let text = std::fs::read_to_string(folder.join("Berlin.json")).unwrap();
    std::fs::write(own.path().join("a.json"), text.replace("NoProof", "Ethash")).unwrap();
    let summary = stf::blocktest::run([own.path()]);
    assert_eq!((summary.passed, summary.failed, summary.skipped), (0, 0, 1));
}

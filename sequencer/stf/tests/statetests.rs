//! Ethereum's published state tests, from the folder `statetests` of `TRIBUTARY_VECTORS`.

use std::path::PathBuf;

#[test]
fn published_state_tests_pass() {
    let vectors = std::env::var_os("TRIBUTARY_VECTORS")
        .map_or_else(|| PathBuf::from("../../../shared/vectors"), PathBuf::from);
    let folder = vectors.join("statetests");
    if !folder.is_dir() {
        let text = "no state tests: put GeneralStateTests of github.com/ethereum/tests into `statetests` of a folder and name that folder in TRIBUTARY_VECTORS";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{text}");
        println!("{text}");
        return;
    }
    let summary = stf::statetest::run([&folder]);
    let failures: Vec<String> = summary
        .failures
        .iter()
        .take(20)
        .map(ToString::to_string)
        .collect();
    assert_eq!(summary.failed, 0, "{summary}\n{}", failures.join("\n"));
    assert!(summary.passed > 0, "{summary}");
}

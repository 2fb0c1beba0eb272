//! A chain through all forks, made by Ethereum's executable specification, imported and asked about.

use node::ethereum::{import, open, serving};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use stf::Rules;
use store::Store;

const HEAD: &str = include_str!("../../stf/tests/blocks/chain/head.txt");

fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../stf/tests/blocks/chain")
        .join(name)
}

fn opened(dir: &Path) -> (Arc<Store>, Arc<Rules>) {
    open(&vector("genesis.json"), dir).unwrap()
}

/// The imported chain behind the methods of the RPC.
struct Asked {
    methods: jsonrpsee::Methods,
    store: Arc<Store>,
    _dir: tempfile::TempDir,
}

impl Asked {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (store, rules) = opened(dir.path());
        import(&store, &rules, &vector("chain.rlp"), |_| {}).unwrap();
        let (methods, _) = rpc::methods(serving(&store, &rules));
        Self {
            methods,
            store,
            _dir: dir,
        }
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let (answer, _) = self
            .methods
            .raw_json_request(&request.to_string(), 1)
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(answer.get()).unwrap();
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    /// The numbers of the blocks that `wanted` accepts.
    fn blocks(&self, wanted: impl Fn(&primitives::SealedBlock) -> bool) -> Vec<u64> {
        (0..=self.store.head().header.number)
            .filter(|number| wanted(&self.store.block(*number).unwrap().unwrap()))
            .collect()
    }
}

fn hex(number: u64) -> String {
    format!("{number:#x}")
}

#[test]
fn the_head_is_the_specifications() {
    let dir = tempfile::tempdir().unwrap();
    let (store, rules) = opened(dir.path());
    let imported = import(&store, &rules, &vector("chain.rlp"), |_| {}).unwrap();
    assert_eq!(imported.known, 0);
    assert_eq!(store.head().hash.to_string(), format!("0x{}", HEAD.trim()));
    assert_eq!(store.finalized(), store.head().header.number);
    assert_eq!(store.safe(), imported.blocks);
}

#[test]
fn an_import_goes_on_where_it_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(vector("chain.rlp")).unwrap();
    let part = dir.path().join("part.rlp");
    std::fs::write(&part, &bytes[..bytes.len() / 2]).unwrap();
    let before = {
        let (store, rules) = opened(dir.path());
        let error = import(&store, &rules, &part, |_| {}).unwrap_err();
        assert!(
            format!("{error:#}").contains("ends within the block"),
            "{error:#}"
        );
        store.head().header.number
    };
    assert!(before > 10);
    let (store, rules) = opened(dir.path());
    assert_eq!(store.head().header.number, before);
    let imported = import(&store, &rules, &vector("chain.rlp"), |_| {}).unwrap();
    assert_eq!(imported.known, before);
    assert_eq!(store.head().hash.to_string(), format!("0x{}", HEAD.trim()));
}

#[test]
fn the_log_alone_gives_the_chain_again() {
    let dir = tempfile::tempdir().unwrap();
    {
        let (store, rules) = opened(dir.path());
        import(&store, &rules, &vector("chain.rlp"), |_| {}).unwrap();
    }
    std::fs::remove_dir_all(dir.path().join("ethereum/tables")).unwrap();
    let (store, _) = opened(dir.path());
    assert_eq!(store.head().hash.to_string(), format!("0x{}", HEAD.trim()));
    drop(store);
    let report = store::check(&dir.path().join("ethereum"), &mut |_, _| {}).unwrap();
    assert_eq!(report.problem, None);
}

#[test]
fn a_wrong_state_root_is_told_with_both_values() {
    let dir = tempfile::tempdir().unwrap();
    let (store, rules) = opened(dir.path());
    let bytes = std::fs::read(vector("chain.rlp")).unwrap();
    let mut file = node::ethereum::BlockFile::new(&bytes[..]);
    let block = file.next_block().unwrap().unwrap();
    let header = block.header().unwrap();
    let at = block
        .bytes
        .windows(32)
        .position(|word| word == header.state_root.as_slice())
        .unwrap();
    let mut wrong = block.bytes.clone();
    wrong[at] ^= 1;
    let path = dir.path().join("wrong.rlp");
    std::fs::write(&path, wrong).unwrap();
    let error = format!("{:#}", import(&store, &rules, &path, |_| {}).unwrap_err());
    assert!(error.starts_with("block 1: state root is 0x"), "{error}");
    assert!(
        error.ends_with(&format!("computed {}", header.state_root)),
        "{error}"
    );
    assert_eq!(store.head().header.number, 0);
}

#[test]
fn another_chain_is_not_mixed_in() {
    let dir = tempfile::tempdir().unwrap();
    let (store, rules) = opened(dir.path());
    import(&store, &rules, &vector("chain.rlp"), |_| {}).unwrap();
    let mut bytes = std::fs::read(vector("chain.rlp")).unwrap();
    let extra = bytes
        .windows(4)
        .position(|w| w == [0x88, 0, 0, 0])
        .unwrap_or(40);
    bytes[extra.max(40)] ^= 1;
    let path = dir.path().join("other.rlp");
    std::fs::write(&path, bytes).unwrap();
    let error = format!("{:#}", import(&store, &rules, &path, |_| {}).unwrap_err());
    assert!(
        error.contains("two chains") || error.contains("header"),
        "{error}"
    );
}

#[tokio::test]
async fn receipts_before_byzantium_have_a_root_in_place_of_a_status() {
    let chain = Asked::new();
    let filled = chain.blocks(|block| !block.transactions.is_empty());
    let first = chain
        .ask("eth_getBlockReceipts", json!([hex(filled[0])]))
        .await;
    assert!(
        first[0]["root"].is_string() && first[0]["status"].is_null(),
        "{first}"
    );
    let last = chain
        .ask(
            "eth_getBlockReceipts",
            json!([hex(*filled.last().unwrap())]),
        )
        .await;
    assert!(
        last[0]["status"].is_string() && last[0]["root"].is_null(),
        "{last}"
    );
}

#[tokio::test]
async fn uncles_are_shown_and_counted() {
    let chain = Asked::new();
    let number = chain.blocks(|block| !block.ommers.is_empty())[0];
    let block = chain.store.block(number).unwrap().unwrap();
    let shown = chain
        .ask("eth_getBlockByNumber", json!([hex(number), false]))
        .await;
    assert_eq!(shown["uncles"][0], block.ommers[0].hash_slow().to_string());
    assert!(shown["totalDifficulty"].is_null() && shown["withdrawals"].is_null());
    let count = chain
        .ask("eth_getUncleCountByBlockNumber", json!([hex(number)]))
        .await;
    assert_eq!(count, hex(block.ommers.len() as u64));
    let count = chain
        .ask("eth_getUncleCountByBlockHash", json!([block.hash]))
        .await;
    assert_eq!(count, hex(block.ommers.len() as u64));
    for (method, id) in [
        ("eth_getUncleByBlockNumberAndIndex", json!(hex(number))),
        ("eth_getUncleByBlockHashAndIndex", json!(block.hash)),
    ] {
        let uncle = chain.ask(method, json!([id, "0x0"])).await;
        assert_eq!(uncle["hash"], block.ommers[0].hash_slow().to_string());
        assert!(chain.ask(method, json!([id, "0x5"])).await.is_null());
    }
}

#[tokio::test]
async fn the_size_is_that_of_the_bytes_that_came() {
    let chain = Asked::new();
    let bytes = std::fs::read(vector("chain.rlp")).unwrap();
    let mut file = node::ethereum::BlockFile::new(&bytes[..]);
    while let Some(raw) = file.next_block().unwrap() {
        let number = raw.header().unwrap().number;
        let shown = chain
            .ask("eth_getBlockByNumber", json!([hex(number), false]))
            .await;
        assert_eq!(shown["size"], hex(raw.bytes.len() as u64), "block {number}");
        let mut encoded = Vec::new();
        chain
            .store
            .block(number)
            .unwrap()
            .unwrap()
            .encode_l1(&mut encoded);
        assert_eq!(encoded, raw.bytes, "block {number}");
    }
}

#[tokio::test]
async fn withdrawals_and_blob_gas_are_shown() {
    let chain = Asked::new();
    let number = chain.blocks(|block| !block.withdrawals.is_empty())[0];
    let paid = chain.store.block(number).unwrap().unwrap().withdrawals[0];
    let shown = chain
        .ask("eth_getBlockByNumber", json!([hex(number), true]))
        .await;
    assert_eq!(
        shown["withdrawals"][0],
        json!({
            "index": hex(paid.index), "validatorIndex": hex(paid.validator_index),
            "address": format!("{:?}", paid.address), "amount": hex(paid.amount),
        })
    );
    let number = chain.blocks(|block| block.header.blob_gas_used.unwrap_or(0) > 0)[0];
    let receipts = chain
        .ask("eth_getBlockReceipts", json!([hex(number)]))
        .await;
    let receipts = receipts.as_array().unwrap();
    assert!(
        receipts
            .iter()
            .any(|r| r["blobGasUsed"].is_string() && r["blobGasPrice"].is_string())
    );
}

#[tokio::test]
async fn all_tags_are_the_head() {
    let chain = Asked::new();
    let latest = chain
        .ask("eth_getBlockByNumber", json!(["latest", false]))
        .await;
    for tag in ["safe", "finalized"] {
        assert_eq!(
            chain.ask("eth_getBlockByNumber", json!([tag, false])).await,
            latest
        );
    }
}

#[tokio::test]
async fn calls_run_under_the_rules_of_their_block() {
    let chain = Asked::new();
    // PUSH0 exists from Shanghai on.
    let code = json!({"data": "0x5f5ff3"});
    let old = chain.blocks(|block| block.header.base_fee_per_gas.is_none());
    let last_old = hex(*old.last().unwrap());
    let request =
        json!({"jsonrpc": "2.0", "id": 1, "method": "eth_call", "params": [code, last_old]});
    let (answer, _) = chain
        .methods
        .raw_json_request(&request.to_string(), 1)
        .await
        .unwrap();
    assert!(
        answer.get().contains("invalid opcode: PUSH0") || answer.get().contains("opcode"),
        "{}",
        answer.get()
    );
    assert_eq!(chain.ask("eth_call", json!([code, "latest"])).await, "0x");
    // The state of any block can be read and proven.
    let rich = "0x3000000000000000000000000000000000000001";
    chain.ask("eth_getProof", json!([rich, [], last_old])).await;
    let price = chain
        .ask("eth_feeHistory", json!(["0x2", last_old, []]))
        .await;
    assert_eq!(price["baseFeePerGas"][0], "0x0");
}

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
        let (mut methods, node) = rpc::methods(serving(&store, &rules));
        methods.merge(rpc::testing_methods(&node)).unwrap();
        Self {
            methods,
            store,
            _dir: dir,
        }
    }

    async fn answer(&self, method: &str, params: Value) -> Value {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let (answer, _) = self
            .methods
            .raw_json_request(&request.to_string(), 1)
            .await
            .unwrap();
        serde_json::from_str(answer.get()).unwrap()
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let answer = self.answer(method, params).await;
        assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
        answer["result"].clone()
    }

    /// Code and text of an error.
    async fn refused(&self, method: &str, params: Value) -> (i64, String) {
        let answer = self.answer(method, params).await;
        let error = &answer["error"];
        let text = error["message"].as_str();
        (
            error["code"].as_i64().unwrap_or_default(),
            text.unwrap_or_default().to_owned(),
        )
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

/// The last block under the rules before a fork, by the fields that its successors' headers have.
fn last_before(chain: &Asked, since: impl Fn(&primitives::Header) -> bool) -> String {
    let before = chain.blocks(|block| !since(&block.header));
    hex(*before.last().unwrap())
}

#[tokio::test]
async fn a_call_has_no_field_that_its_block_does_not_know() {
    let chain = Asked::new();
    let (from, to) = (
        "0x40D456EC29C74E5a2e2b5b20Bff4d78043213726",
        "0x0100000000000000000000000000000000000000",
    );
    let with = |more: &Value| {
        let mut call = json!({"from": from, "to": to});
        for (key, value) in more.as_object().unwrap() {
            call[key] = value.clone();
        }
        call
    };
    let authorization = json!([{
        "chainId": "0x0", "address": to, "nonce": "0x0", "yParity": "0x0", "r": "0x0", "s": "0x0",
    }]);
    let berlin = chain.blocks(|block| block.header.number == 34)[0];
    let london = last_before(&chain, |header| header.base_fee_per_gas.is_some());
    let cancun = last_before(&chain, |header| header.excess_blob_gas.is_some());
    let prague = last_before(&chain, |header| header.requests_hash.is_some());
    let kind = |kind: &str| format!("transaction type not supported: {kind} tx (sender {from})");
    let fees = "maxFeePerGas and maxPriorityFeePerGas are not valid before London is active";
    for (field, block, text) in [
        (json!({"accessList": []}), hex(berlin), kind("access list")),
        (
            json!({"maxFeePerGas": "0x0"}),
            london.clone(),
            fees.to_owned(),
        ),
        (
            json!({"maxPriorityFeePerGas": "0x1"}),
            london.clone(),
            fees.to_owned(),
        ),
        (
            json!({"maxFeePerBlobGas": "0x1"}),
            cancun.clone(),
            kind("blob"),
        ),
        (json!({"blobVersionedHashes": []}), cancun, kind("blob")),
        (
            json!({"authorizationList": authorization}),
            prague.clone(),
            kind("setcode"),
        ),
    ] {
        for method in ["eth_call", "eth_estimateGas", "eth_createAccessList"] {
            let got = chain.refused(method, json!([with(&field), block])).await;
            assert!(
                got.0 == -32000 && got.1.contains(&text),
                "{method} {field}: {got:?}"
            );
        }
    }
    // What a client calls the type says nothing, and a price is known to every fork.
    for field in [
        json!({"type": "0x4"}),
        json!({"gasPrice": "0x3b9aca00", "gas": "0x5208"}),
    ] {
        assert_eq!(
            chain.ask("eth_call", json!([with(&field), london])).await,
            "0x"
        );
    }
    let blobless = with(&json!({"maxFeePerBlobGas": "0x1"}));
    assert_eq!(
        chain.ask("eth_call", json!([blobless, "latest"])).await,
        "0x"
    );
    // An access list is what this method makes.
    let plain = json!([with(&json!({})), hex(berlin)]);
    let (code, text) = chain.refused("eth_createAccessList", plain).await;
    assert!(code == -32000 && text.contains("access list tx"), "{text}");
}

#[tokio::test]
async fn rewards_are_traced_before_the_merge_alone() {
    let chain = Asked::new();
    let number = chain.blocks(|block| !block.ommers.is_empty())[0];
    let block = chain.store.block(number).unwrap().unwrap();
    let traces = chain.ask("trace_block", json!([hex(number)])).await;
    let rewards: Vec<&Value> = traces
        .as_array()
        .unwrap()
        .iter()
        .filter(|trace| trace["type"] == "reward")
        .collect();
    assert_eq!(rewards.len(), 1 + block.ommers.len());
    assert_eq!(
        rewards[0]["action"]["author"],
        format!("{:?}", block.header.beneficiary)
    );
    // What the makers got is what the state says: nobody else pays an ommer's maker.
    let ommer = &block.ommers[0];
    let balance = async |number: u64| {
        let params = json!([ommer.beneficiary, hex(number)]);
        let wei = chain.ask("eth_getBalance", params).await;
        serde_json::from_value::<alloy_primitives::U256>(wei).unwrap()
    };
    let sum: alloy_primitives::U256 = rewards
        .iter()
        .filter(|reward| reward["action"]["author"] == format!("{:?}", ommer.beneficiary))
        .map(|reward| {
            serde_json::from_value::<alloy_primitives::U256>(reward["action"]["value"].clone())
                .unwrap()
        })
        .sum();
    assert!(sum > alloy_primitives::U256::ZERO);
    if ommer.beneficiary != block.header.beneficiary {
        assert_eq!(balance(number).await - balance(number - 1).await, sum);
    }
    let details = chain.ask("ots_getBlockDetails", json!([number])).await;
    assert_ne!(details["issuance"]["uncleReward"], "0x0");
    let merged = chain.ask("trace_block", json!(["latest"])).await;
    assert!(
        merged
            .as_array()
            .unwrap()
            .iter()
            .all(|trace| trace["type"] != "reward")
    );
}

#[tokio::test]
async fn blocks_are_built_for_whoever_tests() {
    let chain = Asked::new();
    // The head once more, from what it holds.
    let head = chain.store.head();
    let header = &head.header;
    let parent = chain.store.block(header.number - 1).unwrap().unwrap();
    let withdrawals = chain
        .ask("eth_getBlockByNumber", json!(["latest", false]))
        .await["withdrawals"]
        .clone();
    let attributes = json!({
        "timestamp": hex(header.timestamp), "prevRandao": header.mix_hash,
        "suggestedFeeRecipient": header.beneficiary, "withdrawals": withdrawals,
        "parentBeaconBlockRoot": header.parent_beacon_block_root,
    });
    let raw: Vec<_> = head.transactions.iter().map(|tx| tx.raw.clone()).collect();
    let params = |raw: Value| json!([parent.hash, attributes, raw, header.extra_data]);
    let built = chain.ask("testing_buildBlockV1", params(json!(raw))).await;
    let payload = &built["executionPayload"];
    assert_eq!(payload["receiptsRoot"], header.receipts_root.to_string());
    assert_eq!(payload["gasUsed"], hex(header.gas_used));
    assert_eq!(payload["transactions"], json!(raw));
    assert_eq!(payload["withdrawals"], withdrawals);
    assert_eq!(payload["stateRoot"], header.state_root.to_string());
    assert_eq!(
        payload["excessBlobGas"],
        hex(header.excess_blob_gas.unwrap())
    );
    assert_eq!(
        payload["baseFeePerGas"],
        hex(header.base_fee_per_gas.unwrap())
    );
    assert_eq!(built["executionRequests"], json!([]));
    assert_ne!(built["blockValue"], "0x0");

    let empty = chain.ask("testing_buildBlockV1", params(json!([]))).await;
    assert_eq!(empty["executionPayload"]["transactions"], json!([]));
    assert_eq!(empty["blockValue"], "0x0");
    // Nothing waits in the pool.
    let pool = chain.ask("testing_buildBlockV1", params(Value::Null)).await;
    assert_eq!(pool, empty);
    // The second of two equal transactions comes too late.
    let twice = json!([raw[0], raw[0]]);
    let (code, text) = chain.refused("testing_buildBlockV1", params(twice)).await;
    assert!(
        code == -32000 && text.starts_with("nonce too low"),
        "{text}"
    );
    let early = json!([head.hash, attributes, [], null]);
    assert_eq!(chain.refused("testing_buildBlockV1", early).await.0, -32602);
    assert_eq!(chain.store.head().hash, head.hash);
}

//! Made-up blocks: `eth_simulateV1`.

use crate::chain::{
    CLOCK, Chain, EMITTER, GWEI, KEEPER, L2_ID, RICH, TELLER, hex, number, plain, who,
};
use alloy_primitives::{Address, B256, U256};
use rpc::Limits;
use serde_json::{Value, json};

const NOBODY: Address = Address::repeat_byte(0x77);
const FRESH: Address = Address::repeat_byte(0x78);

async fn simulate(chain: &Chain, payload: Value) -> Value {
    chain
        .call("eth_simulateV1", json!([payload, "latest"]))
        .await
}

/// Code and text of a refused simulation.
async fn refused(chain: &Chain, payload: Value) -> (i64, String) {
    let (code, text, _) = chain
        .error("eth_simulateV1", json!([payload, "latest"]))
        .await;
    (code, text)
}

fn word(n: u64) -> B256 {
    U256::from(n).into()
}

#[tokio::test]
async fn blocks_follow_the_head_and_each_other() {
    for chain in [Chain::rollup().await, Chain::ethereum().await] {
        chain.mine();
        let head = chain.store.head();
        let blocks = simulate(&chain, json!({"blockStateCalls": [{}, {}, {}]})).await;
        let blocks = blocks.as_array().unwrap();
        assert_eq!(blocks.len(), 3);
        assert_eq!(blocks[0]["parentHash"], json!(head.hash));
        let step = if chain.chain_id == L2_ID { 1 } else { 12 };
        for (n, pair) in blocks.windows(2).enumerate() {
            assert_eq!(pair[1]["parentHash"], pair[0]["hash"]);
            assert_eq!(
                number(&pair[1]["number"]),
                head.header.number + 2 + n as u64
            );
            assert_eq!(
                number(&pair[1]["timestamp"]),
                number(&pair[0]["timestamp"]) + step
            );
        }
        assert_eq!(
            chain.store.head().hash,
            head.hash,
            "nothing is left of them"
        );
    }
}

#[tokio::test]
async fn a_simulated_block_is_the_one_that_is_made_afterwards() {
    let chain = Chain::ethereum().await;
    chain.mine();
    let tx = plain(chain.chain_id, 0);
    let call = json!({
        "from": who(0), "to": Address::repeat_byte(0xbb), "value": "0x1", "gas": "0x30d40",
        "maxFeePerGas": format!("{:#x}", tx.max_fee_per_gas),
        "maxPriorityFeePerGas": format!("{:#x}", tx.max_priority_fee_per_gas),
    });
    let head = chain.store.head().header.clone();
    let overrides = json!({
        "time": format!("{:#x}", head.timestamp + 1),
        "feeRecipient": Address::repeat_byte(0xcc),
        "prevRandao": B256::repeat_byte(0xdd),
    });
    let payload = json!({"validation": true, "blockStateCalls": [{"blockOverrides": overrides, "calls": [call]}]});
    let simulated = simulate(&chain, payload).await;
    chain.send(0, tx).await;
    let made = chain.mine();
    let simulated = &simulated[0];
    assert_eq!(simulated["stateRoot"], json!(made.header.state_root));
    assert_eq!(simulated["receiptsRoot"], json!(made.header.receipts_root));
    assert_eq!(number(&simulated["gasUsed"]), made.header.gas_used);
    assert_eq!(
        number(&simulated["baseFeePerGas"]),
        made.header.base_fee_per_gas.unwrap()
    );
}

#[tokio::test]
async fn state_goes_from_call_to_call_and_from_block_to_block() {
    let chain = Chain::rollup().await;
    let keep = |n: u64| json!({"to": KEEPER, "input": word(n)});
    // Reads what it stored: slot 0 with code that returns it.
    let told = json!({KEEPER.to_string(): {"code": "0x5f545f5260205ff3"}});
    let blocks = simulate(
        &chain,
        json!({"blockStateCalls": [
            {"calls": [keep(5), keep(7)]},
            {"stateOverrides": told, "calls": [{"to": KEEPER}]},
            {"calls": [{"to": KEEPER}]},
        ]}),
    )
    .await;
    assert_eq!(blocks[1]["calls"][0]["returnData"], json!(word(7)));
    assert_eq!(blocks[2]["calls"][0]["returnData"], json!(word(7)));
    assert_ne!(blocks[0]["stateRoot"], blocks[1]["stateRoot"]);
}

#[tokio::test]
async fn accounts_are_overridden() {
    let chain = Chain::rollup().await;
    let blocks = simulate(
        &chain,
        json!({"blockStateCalls": [{
            "stateOverrides": {
                NOBODY.to_string(): {"balance": "0x64", "nonce": "0x5"},
                TELLER.to_string(): {"state": {word(0).to_string(): word(9)}},
            },
            "calls": [{"from": NOBODY, "to": FRESH, "value": "0x64"}, {"to": TELLER}],
        }], "returnFullTransactions": true}),
    )
    .await;
    assert_eq!(blocks[0]["calls"][0]["status"], "0x1");
    assert_eq!(blocks[0]["calls"][1]["returnData"], json!(word(9)));
    let sent = &blocks[0]["transactions"][0];
    assert_eq!(
        (&sent["from"], &sent["nonce"], &sent["blockHash"]),
        (&json!(hex(NOBODY)), &json!("0x5"), &blocks[0]["hash"])
    );
    let (code, text) = refused(
        &chain,
        json!({"blockStateCalls": [{"stateOverrides": {NOBODY.to_string(): {"state": {}, "stateDiff": {}}}}]}),
    )
    .await;
    assert!(
        code == -32000 && text.contains("both 'state' and 'stateDiff'"),
        "{text}"
    );
}

#[tokio::test]
async fn the_block_is_overridden() {
    let chain = Chain::rollup().await;
    let blocks = simulate(
        &chain,
        json!({"blockStateCalls": [{
            "blockOverrides": {
                "number": "0x10", "time": "0x5000", "gasLimit": "0x100000", "feeRecipient": FRESH,
                "prevRandao": "0x7", "baseFeePerGas": "0x9",
            },
            "calls": [{"to": CLOCK}],
        }]}),
    )
    .await;
    let blocks = blocks.as_array().unwrap();
    assert_eq!(blocks.len(), 16, "the gap is filled with empty blocks");
    let last = &blocks[15];
    let told = last["calls"][0]["returnData"].as_str().unwrap();
    let want: String = [
        word(16).to_string(),
        word(0x5000).to_string()[2..].to_owned(),
        FRESH.into_word().to_string()[2..].to_owned(),
    ]
    .concat();
    assert_eq!(told, want);
    assert_eq!(
        (&last["mixHash"], &last["gasLimit"], &last["baseFeePerGas"]),
        (&json!(word(7)), &json!("0x100000"), &json!("0x9"))
    );
}

#[tokio::test]
async fn order_is_asked_for() {
    let chain = Chain::rollup().await;
    chain.mine();
    for (overrides, code, text) in [
        (
            json!([{"number": "0x1"}]),
            -38020,
            "block numbers must be in order: 1 <= 1",
        ),
        (
            json!([{"number": "0x5"}, {"number": "0x5"}]),
            -38020,
            "block numbers must be in order: 5 <= 5",
        ),
        (
            json!([{"time": "0x1"}]),
            -38021,
            "block timestamps must be in order: 1 <= 1001",
        ),
        (
            json!([{"number": "0xffffff"}]),
            -38026,
            "too many blocks (max 256)",
        ),
    ] {
        let blocks: Vec<Value> = overrides
            .as_array()
            .unwrap()
            .iter()
            .map(|one| json!({"blockOverrides": one}))
            .collect();
        assert_eq!(
            refused(&chain, json!({"blockStateCalls": blocks})).await,
            (code, text.to_owned())
        );
    }
    assert_eq!(
        refused(&chain, json!({"blockStateCalls": []})).await,
        (-32602, "empty input".to_owned())
    );
    let many = vec![json!({}); 257];
    assert_eq!(
        refused(&chain, json!({"blockStateCalls": many})).await.0,
        -38026
    );
}

#[tokio::test]
async fn failures_of_a_call_stand_in_its_result() {
    let chain = Chain::rollup().await;
    let reverter = crate::chain::REVERTER;
    let burner = crate::chain::BURNER;
    let blocks = simulate(
        &chain,
        json!({"blockStateCalls": [{"calls": [
            {"to": reverter, "input": "0x1234"},
            {"to": burner, "gas": "0x10000"},
            {"to": TELLER},
        ]}]}),
    )
    .await;
    let calls = &blocks[0]["calls"];
    assert_eq!(
        (
            &calls[0]["status"],
            &calls[0]["error"],
            &calls[0]["returnData"]
        ),
        (
            &json!("0x0"),
            &json!({"code": 3, "message": "execution reverted", "data": "0x1234"}),
            &json!("0x")
        )
    );
    assert_eq!(
        (&calls[1]["error"]["code"], &calls[1]["gasUsed"]),
        (&json!(-32015), &json!("0x10000"))
    );
    assert_eq!(calls[2]["status"], "0x1");
    assert_eq!(blocks[0]["transactions"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn without_validation_nonce_and_price_do_not_count() {
    let chain = Chain::rollup().await;
    let call = json!({"from": NOBODY, "to": FRESH, "nonce": "0x99"});
    let blocks = simulate(&chain, json!({"blockStateCalls": [{"calls": [call]}]})).await;
    assert_eq!(blocks[0]["calls"][0]["status"], "0x1");
    assert_eq!(blocks[0]["baseFeePerGas"], "0x0");
}

#[tokio::test]
async fn validation_has_a_code_for_each_reason() {
    let chain = Chain::rollup().await;
    let fee = format!("{:#x}", 10 * GWEI);
    chain.send(0, plain(L2_ID, 0)).await;
    chain.mine();
    let from = |more: Value| {
        let mut call = json!({"from": who(0), "to": FRESH, "maxFeePerGas": fee, "gas": "0x5208"});
        for (key, value) in more.as_object().unwrap() {
            call[key] = value.clone();
        }
        call
    };
    for (call, code, text) in [
        (from(json!({"nonce": "0x0"})), -38010, "nonce too low"),
        (from(json!({"nonce": "0x9"})), -38011, "nonce too high"),
        (
            from(json!({"maxFeePerGas": "0x1"})),
            -38012,
            "max fee per gas less than block base fee",
        ),
        (from(json!({"gas": "0x1"})), -38013, "intrinsic gas too low"),
        (
            from(json!({"value": format!("{:#x}", U256::from(RICH) * U256::from(2))})),
            -38014,
            "insufficient funds",
        ),
        (
            from(json!({"gas": "0xfffffffff"})),
            -38015,
            "block gas limit reached",
        ),
        (
            from(json!({"to": null, "gas": "0x1000000", "input": hex(vec![0; 50_000])})),
            -38025,
            "max initcode size exceeded",
        ),
    ] {
        let got = refused(
            &chain,
            json!({"validation": true, "blockStateCalls": [{"calls": [call]}]}),
        )
        .await;
        assert!(got.0 == code && got.1.contains(text), "{call}: {got:?}");
    }
}

#[tokio::test]
async fn transfers_leave_logs_where_they_are_asked_for() {
    let chain = Chain::rollup().await;
    // Sends one wei on to the address in the calldata, and then destroys itself in favour of the same.
    let forwarder = "0x5f5f5f5f60015f355af1505f35ff";
    let payload = |trace: bool| {
        json!({"traceTransfers": trace, "blockStateCalls": [{
            "stateOverrides": {NOBODY.to_string(): {"code": forwarder}},
            "calls": [
                {"from": who(0), "to": NOBODY, "value": "0x3", "input": FRESH.into_word()},
                {"from": who(0), "to": EMITTER, "input": word(1)},
                {"from": who(0), "to": crate::chain::REVERTER, "value": "0x3"},
            ],
        }]})
    };
    let without = simulate(&chain, payload(false)).await;
    assert_eq!(without[0]["calls"][0]["logs"], json!([]));
    let with = simulate(&chain, payload(true)).await;
    let logs = with[0]["calls"][0]["logs"].as_array().unwrap();
    let moved: Vec<(String, String, u64)> = logs
        .iter()
        .map(|log| {
            assert_eq!(log["address"], hex([0xee; 20]));
            let address = |n: usize| log["topics"][n].as_str().unwrap()[26..].to_owned();
            let wei = u64::from_str_radix(&log["data"].as_str().unwrap()[50..], 16).unwrap();
            (address(1), address(2), wei)
        })
        .collect();
    let plainly = |address: Address| hex(address)[2..].to_owned();
    assert_eq!(
        moved,
        [
            (plainly(who(0)), plainly(NOBODY), 3),
            (plainly(NOBODY), plainly(FRESH), 1),
            (plainly(NOBODY), plainly(FRESH), 2),
        ]
    );
    let later = &with[0]["calls"][1]["logs"];
    assert_eq!(
        later[0]["logIndex"], "0x3",
        "logs are counted through the block"
    );
    assert_eq!(
        with[0]["calls"][2]["logs"],
        json!([]),
        "a revert takes its transfer back"
    );
    assert_eq!(
        (&with[0]["receiptsRoot"], &with[0]["logsBloom"]),
        (&without[0]["receiptsRoot"], &without[0]["logsBloom"]),
        "the chain would know nothing of them"
    );
}

#[tokio::test]
async fn precompiles_move() {
    let chain = Chain::rollup().await;
    let identity = Address::with_last_byte(4);
    let moved = json!({identity.to_string(): {"movePrecompileToAddress": FRESH}});
    let ask = |to: Address| json!({"to": to, "input": "0xabcd"});
    let blocks = simulate(
        &chain,
        json!({"blockStateCalls": [
            {"stateOverrides": moved, "calls": [ask(FRESH), ask(identity)]},
            {"calls": [ask(identity)]},
        ]}),
    )
    .await;
    assert_eq!(blocks[0]["calls"][0]["returnData"], "0xabcd");
    assert_eq!(blocks[0]["calls"][1]["returnData"], "0x");
    assert_eq!(
        blocks[1]["calls"][0]["returnData"], "0xabcd",
        "only in that block"
    );
    // The same in a plain call, and with other code where the precompile was.
    let replaced = json!({identity.to_string(): {
        "movePrecompileToAddress": FRESH, "code": "0x60015f5260205ff3",
    }});
    for (to, want) in [
        (FRESH, "0xabcd".to_owned()),
        (identity, word(1).to_string()),
    ] {
        let got = chain
            .call("eth_call", json!([ask(to), "latest", replaced]))
            .await;
        assert_eq!(got, want);
    }
    // Of two in one place the second runs, as geth may have it.
    let both = json!({
        Address::with_last_byte(2).to_string(): {"movePrecompileToAddress": FRESH},
        identity.to_string(): {"movePrecompileToAddress": FRESH},
    });
    let got = chain
        .call("eth_call", json!([ask(FRESH), "latest", both]))
        .await;
    assert_eq!(got, "0xabcd");
    for (overrides, code, text) in [
        (
            json!({NOBODY.to_string(): {"movePrecompileToAddress": FRESH}}),
            -32000,
            "is not a precompile",
        ),
        (
            json!({identity.to_string(): {"movePrecompileToAddress": identity}}),
            -38022,
            "is already overridden",
        ),
        (
            json!({
                identity.to_string(): {"movePrecompileToAddress": FRESH},
                FRESH.to_string(): {"nonce": "0x1"},
            }),
            -38023,
            "is already overridden",
        ),
    ] {
        let got = refused(
            &chain,
            json!({"blockStateCalls": [{"stateOverrides": overrides}]}),
        )
        .await;
        assert!(got.0 == code && got.1.contains(text), "{got:?}");
        let (code, text_of_call, _) = chain
            .error("eth_call", json!([{"to": FRESH}, "latest", overrides]))
            .await;
        assert!(
            code == -32000 && text_of_call.contains(text),
            "{text_of_call}"
        );
    }
}

#[tokio::test]
async fn withdrawals_are_paid_on_ethereum_alone() {
    let withdrawal =
        json!([{"index": "0x0", "validatorIndex": "0x1", "address": NOBODY, "amount": "0x2"}]);
    let payload = json!({"blockStateCalls": [
        {"blockOverrides": {"withdrawals": withdrawal}},
        {"calls": [{"from": NOBODY, "to": FRESH, "value": "0x77359400"}]},
    ]});
    let chain = Chain::ethereum().await;
    let blocks = simulate(&chain, payload.clone()).await;
    assert_eq!(blocks[0]["withdrawals"], withdrawal);
    assert_eq!(blocks[1]["calls"][0]["status"], "0x1", "two gwei arrived");
    let chain = Chain::rollup().await;
    assert_eq!(refused(&chain, payload).await.0, -32602);
}

#[tokio::test]
async fn gas_of_all_calls_together_is_limited() {
    let limits = Limits {
        call_gas_max: 100_000,
        ..crate::chain::limits()
    };
    let chain = Chain::rollup_with(limits, 0).await;
    let burn = json!({"to": crate::chain::BURNER});
    let (code, text) = refused(
        &chain,
        json!({"blockStateCalls": [{"calls": [burn, burn]}]}),
    )
    .await;
    assert_eq!(
        (code, text.as_str()),
        (-38026, "gas limit reached: a simulation may use 100000 gas")
    );
}

#[tokio::test]
async fn block_hashes_are_those_of_the_simulated_blocks() {
    let chain = Chain::rollup().await;
    // blockhash(number - 1)
    let parent = json!({NOBODY.to_string(): {"code": "0x6001430340" .to_owned() + "5f5260205ff3"}});
    let blocks = simulate(
        &chain,
        json!({"blockStateCalls": [
            {"stateOverrides": parent, "calls": [{"to": NOBODY}]},
            {"calls": [{"to": NOBODY}]},
        ]}),
    )
    .await;
    assert_eq!(
        blocks[0]["calls"][0]["returnData"],
        json!(chain.store.genesis_hash())
    );
    assert_eq!(blocks[1]["calls"][0]["returnData"], blocks[0]["hash"]);
}

#[tokio::test]
async fn an_account_that_is_left_empty_exists_with_its_storage() {
    let chain = Chain::ethereum().await;
    let emptied = json!({"nonce": "0x0", "balance": "0x0", "code": "0x"});
    let blocks = simulate(
        &chain,
        json!({"blockStateCalls": [
            {"stateOverrides": {KEEPER.to_string(): {"state": {word(0).to_string(): word(9)}}}},
            {"stateOverrides": {KEEPER.to_string(): emptied}},
            // What TELLER does, where KEEPER was.
            {"stateOverrides": {KEEPER.to_string(): {"code": "0x5f545f5260205ff3"}}, "calls": [{"to": KEEPER}]},
        ]}),
    )
    .await;
    assert_eq!(blocks[2]["calls"][0]["returnData"], json!(word(9)));
    let mut roots = Vec::new();
    for account in [json!({}), json!({"code": "0x"})] {
        let block = json!({"stateOverrides": {FRESH.to_string(): account}});
        let blocks = simulate(&chain, json!({"blockStateCalls": [block]})).await;
        roots.push(blocks[0]["stateRoot"].clone());
    }
    assert_ne!(roots[0], roots[1], "it is in the state");
}

#[tokio::test]
async fn nonces_begin_again_after_the_last_one() {
    let chain = Chain::ethereum().await;
    let last = json!({NOBODY.to_string(): {"nonce": "0xffffffffffffffff"}});
    let call = json!({"from": NOBODY, "to": FRESH});
    let payload = |validation: bool| {
        json!({
            "blockStateCalls": [{"stateOverrides": last, "calls": [call, call]}],
            "validation": validation, "returnFullTransactions": true,
        })
    };
    let blocks = simulate(&chain, payload(false)).await;
    let nonces: Vec<u64> = (0..2)
        .map(|index| number(&blocks[0]["transactions"][index]["nonce"]))
        .collect();
    assert_eq!(nonces, [u64::MAX, 0]);
    // Geth looks at the nonce before it looks at the fee, which is missing here too.
    let (code, text) = refused(&chain, payload(true)).await;
    assert_eq!(code, -32603);
    assert!(
        text.starts_with("err: nonce has max value: address"),
        "{text}"
    );
    assert!(text.contains("(supplied gas "), "{text}");
}

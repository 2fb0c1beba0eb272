//! Calls, estimates and access lists.

use crate::chain::{
    BURNER, CLOCK, Chain, EMITTER, KEEPER, L2_ID, REVERTER, TELLER, hex, number, plain, who,
};
use alloy_primitives::{Address, U256};
use rpc::Limits;
use serde_json::{Value, json};

const FRESH: Address = Address::repeat_byte(0x5a);

#[tokio::test]
async fn a_call_returns_what_the_contract_returns() {
    let chain = Chain::rollup().await;
    let word = chain
        .call("eth_call", json!([{"to": TELLER}, "latest"]))
        .await;
    assert_eq!(word, hex([0u8; 32]));
    assert_eq!(
        chain.call("eth_call", json!([{"to": FRESH}])).await,
        "0x",
        "the block is the head if absent"
    );
    assert_eq!(
        chain
            .call(
                "eth_call",
                json!([{"to": FRESH, "data": "0x00", "input": "0x00"}, "latest"])
            )
            .await,
        "0x"
    );
}

#[tokio::test]
async fn a_call_sees_the_state_of_its_block() {
    let chain = Chain::rollup().await;
    let input = U256::from(9).to_be_bytes_vec().into();
    let to = alloy_primitives::TxKind::Call(KEEPER);
    chain
        .send(
            0,
            alloy_consensus::TxEip1559 {
                to,
                value: U256::ZERO,
                input,
                ..plain(L2_ID, 0)
            },
        )
        .await;
    let block = chain.mine();
    let runtime = json!({ KEEPER.to_string(): { "code": "0x5f545f5260205ff3" } });
    for (name, want) in [
        (json!("0x0"), 0),
        (json!("latest"), 9),
        (json!({"blockHash": block.hash}), 9),
        (json!("pending"), 9),
    ] {
        let word = chain
            .call("eth_call", json!([{"to": KEEPER}, name, runtime]))
            .await;
        assert_eq!(word, hex(U256::from(want).to_be_bytes_vec()), "{name}");
    }
}

#[tokio::test]
async fn a_revert_carries_its_data_and_reason() {
    let chain = Chain::rollup().await;
    let reason = "0x08c379a0\
        0000000000000000000000000000000000000000000000000000000000000020\
        0000000000000000000000000000000000000000000000000000000000000004\
        6e6f706500000000000000000000000000000000000000000000000000000000";
    for method in ["eth_call", "eth_estimateGas"] {
        let (code, text, data) = chain
            .error(method, json!([{"to": REVERTER, "data": reason}, "latest"]))
            .await;
        assert_eq!(
            (code, text.as_str(), data),
            (3, "execution reverted: nope", json!(reason)),
            "{method}"
        );
        let (code, text, data) = chain
            .error(
                method,
                json!([{"to": REVERTER, "input": "0xdeadbeef"}, "latest"]),
            )
            .await;
        assert_eq!(
            (code, text.as_str(), data),
            (3, "execution reverted", json!("0xdeadbeef")),
            "{method}"
        );
    }
}

#[tokio::test]
async fn overrides_replace_accounts_and_block() {
    let chain = Chain::rollup().await;
    let slot = hex([0u8; 32]);
    let seven = hex(U256::from(7).to_be_bytes_vec());
    for kind in ["state", "stateDiff"] {
        let word = chain
            .call(
                "eth_call",
                json!([{"to": TELLER}, "latest", {TELLER.to_string(): {kind: {&slot: &seven}}}]),
            )
            .await;
        assert_eq!(word, seven, "{kind}");
    }
    let block = json!({"number": "0x64", "time": "0xc8", "coinbase": who(3)});
    let words = chain
        .call("eth_call", json!([{"to": CLOCK}, "latest", {}, block]))
        .await;
    let words = words.as_str().unwrap().to_owned();
    assert_eq!(&words[2..66], &hex(U256::from(100).to_be_bytes_vec())[2..]);
    assert_eq!(
        &words[66..130],
        &hex(U256::from(200).to_be_bytes_vec())[2..]
    );
    assert_eq!(&words[130..], &hex(who(3).into_word())[2..]);
    let both = json!({TELLER.to_string(): {"state": {}, "stateDiff": {}}});
    let (_, text, _) = chain
        .error("eth_call", json!([{"to": TELLER}, "latest", both]))
        .await;
    assert!(text.ends_with("has both 'state' and 'stateDiff'"), "{text}");
}

#[tokio::test]
async fn value_must_be_there_unless_it_is_pretended() {
    let chain = Chain::rollup().await;
    let call = json!({"from": FRESH, "to": who(1), "value": "0x1"});
    let (code, text, _) = chain.error("eth_call", json!([call, "latest"])).await;
    assert!(code == -32000 && text.contains("insufficient"), "{text}");
    assert_eq!(
        chain
            .call(
                "eth_call",
                json!([call, "latest", {FRESH.to_string(): {"balance": "0x1"}}])
            )
            .await,
        "0x"
    );
}

#[tokio::test]
async fn requests_that_contradict_themselves_are_refused() {
    let chain = Chain::rollup().await;
    for (call, want) in [
        (
            json!({"gasPrice": "0x1", "maxFeePerGas": "0x1"}),
            "both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified",
        ),
        (
            json!({"maxFeePerGas": "0x1", "maxPriorityFeePerGas": "0x2"}),
            "maxFeePerGas (1) < maxPriorityFeePerGas (2)",
        ),
        (
            json!({"chainId": "0x1"}),
            "chainId does not match node's (have=1, want=902)",
        ),
        (
            json!({"data": "0x00", "input": "0x01"}),
            "both \"data\" and \"input\" are set and not equal",
        ),
    ] {
        let (code, text, _) = chain.error("eth_call", json!([call, "latest"])).await;
        assert!(code == -32000 && text.starts_with(want), "{text}");
    }
}

#[tokio::test]
async fn an_endless_loop_ends_with_the_gas() {
    let chain = Chain::rollup_with(
        Limits {
            call_gas_max: 5_000_000,
            ..crate::chain::limits()
        },
        0,
    )
    .await;
    let (code, text, _) = chain
        .error(
            "eth_call",
            json!([{"to": BURNER, "gas": "0xffffffffffff"}, "latest"]),
        )
        .await;
    assert_eq!((code, text.as_str()), (-32000, "out of gas"));
    let (_, text, _) = chain
        .error("eth_estimateGas", json!([{"to": BURNER}, "latest"]))
        .await;
    assert_eq!(text, "gas required exceeds allowance (5000000)");
}

#[tokio::test]
async fn a_plain_transfer_costs_21000() {
    for chain in [Chain::rollup().await, Chain::ethereum().await] {
        for call in [
            json!({"from": who(0), "to": FRESH, "value": "0x1"}),
            json!({"from": who(0), "to": FRESH, "value": "0x1", "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x0"}),
            json!({"to": FRESH}),
        ] {
            assert_eq!(
                chain.call("eth_estimateGas", json!([call])).await,
                "0x5208",
                "{call}"
            );
        }
    }
}

#[tokio::test]
async fn an_estimate_leaves_room_for_the_data_price_to_rise() {
    let chain = Chain::rollup_with(crate::chain::limits(), 100).await;
    let estimate = number(
        &chain
            .call(
                "eth_estimateGas",
                json!([{"from": who(0), "to": FRESH, "value": "0x1"}]),
            )
            .await,
    );
    let now = 21_000 + 100 * primitives::da::FRAME_BYTES;
    assert_eq!(estimate, now + 100 * primitives::da::FRAME_BYTES / 4);
}

#[tokio::test]
async fn what_was_estimated_suffices() {
    let chain = Chain::rollup_with(crate::chain::limits(), 10).await;
    let word = hex(U256::from(5).to_be_bytes_vec());
    for (nonce, (to, data)) in
        (0..).zip([(KEEPER, &*word), (EMITTER, &word), (FRESH, "0x00ff00ff")])
    {
        let call = json!({"from": who(0), "to": to, "data": data});
        let gas_limit = number(&chain.call("eth_estimateGas", json!([call, "latest"])).await);
        let to = alloy_primitives::TxKind::Call(to);
        let input = data.parse().unwrap();
        let hash = chain
            .send(
                0,
                alloy_consensus::TxEip1559 {
                    to,
                    value: U256::ZERO,
                    input,
                    gas_limit,
                    ..plain(L2_ID, nonce)
                },
            )
            .await;
        chain.mine();
        let receipt = chain.call("eth_getTransactionReceipt", json!([hash])).await;
        assert_eq!(receipt["status"], "0x1", "{call}");
        let used = number(&receipt["gasUsed"]);
        assert!(
            gas_limit >= used && gas_limit < used + used / 10 + 2_000,
            "{gas_limit} for {used}"
        );
    }
}

#[tokio::test]
async fn a_poor_sender_learns_what_is_missing() {
    let chain = Chain::rollup().await;
    let poor = json!({"from": FRESH, "to": who(1), "value": "0x1", "gasPrice": "0x3b9aca00"});
    let (_, text, _) = chain
        .error("eth_estimateGas", json!([poor, "latest"]))
        .await;
    assert_eq!(text, "insufficient funds for transfer");
    let funded = json!({FRESH.to_string(): {"balance": "0x5af3107a4000"}});
    let poor =
        json!({"from": FRESH, "to": KEEPER, "data": hex([1u8; 32]), "gasPrice": "0xe8d4a51000"});
    let (_, text, _) = chain
        .error("eth_estimateGas", json!([poor, "latest", funded]))
        .await;
    assert_eq!(text, "gas required exceeds allowance (100)");
}

#[tokio::test]
async fn an_access_list_names_what_was_touched() {
    let chain = Chain::rollup().await;
    let answer = chain
        .call(
            "eth_createAccessList",
            json!([{"from": who(0), "to": TELLER}, "latest"]),
        )
        .await;
    assert_eq!(
        answer["accessList"],
        json!([{"address": TELLER, "storageKeys": [hex([0u8; 32])]}])
    );
    assert!(number(&answer["gasUsed"]) > 21_000);
    let failed = chain
        .call("eth_createAccessList", json!([{"to": REVERTER}, "latest"]))
        .await;
    assert_eq!(failed["error"], "execution reverted");
    assert_eq!(answer.get("error"), None::<&Value>);
}

#[tokio::test]
async fn the_room_ends_where_the_money_does() {
    let chain = Chain::rollup_with(crate::chain::limits(), 100).await;
    let needed = 21_000 + 100 * primitives::da::FRAME_BYTES;
    let funded =
        json!({FRESH.to_string(): {"balance": format!("{:#x}", (needed + 7) * 1_000_000_000_000)}});
    let all = json!({"from": FRESH, "to": who(1), "gasPrice": "0xe8d4a51000"});
    let estimate = chain
        .call("eth_estimateGas", json!([all, "latest", funded]))
        .await;
    assert_eq!(number(&estimate), needed + 7);
}

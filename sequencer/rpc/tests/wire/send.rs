//! Sending, and waiting for the receipt.

use crate::chain::{Chain, GWEI, L2_ID, hex, plain, raw, sign};
use alloy_consensus::TxEip1559;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn the_hash_comes_back_at_once() {
    let chain = Chain::rollup().await;
    let bytes = raw(sign(0, plain(L2_ID, 0)));
    let hash = chain
        .call("eth_sendRawTransaction", json!([hex(&bytes)]))
        .await;
    assert_eq!(hash, hex(alloy_primitives::keccak256(&bytes)));
}

#[tokio::test]
async fn refusals_are_geths() {
    let chain = Chain::rollup().await;
    let send = |tx: TxEip1559| {
        let chain = &chain;
        async move {
            chain
                .error("eth_sendRawTransaction", json!([hex(raw(sign(0, tx)))]))
                .await
        }
    };
    chain.send(0, plain(L2_ID, 0)).await;
    for (tx, want) in [
        (plain(L2_ID, 0), "already known"),
        (
            TxEip1559 {
                max_fee_per_gas: 10 * GWEI + 1,
                ..plain(L2_ID, 0)
            },
            "replacement transaction underpriced",
        ),
        (
            TxEip1559 {
                gas_limit: 20_999,
                ..plain(L2_ID, 1)
            },
            "intrinsic gas too low",
        ),
        (
            TxEip1559 {
                value: alloy_primitives::U256::MAX >> 1,
                ..plain(L2_ID, 1)
            },
            "insufficient funds for gas * price + value",
        ),
        (plain(1, 1), "invalid chain id"),
        (
            TxEip1559 {
                gas_limit: 1 << 25,
                ..plain(L2_ID, 1)
            },
            "transaction gas limit too high",
        ),
        (
            TxEip1559 {
                max_priority_fee_per_gas: 11 * GWEI,
                ..plain(L2_ID, 1)
            },
            "max priority fee per gas higher than max fee per gas",
        ),
    ] {
        let (code, text, _) = send(tx).await;
        assert!(
            code == -32000 && text.contains(want),
            "{want}: {code} {text}"
        );
    }
    chain.mine();
    let (_, text, _) = send(TxEip1559 {
        max_fee_per_gas: 11 * GWEI,
        ..plain(L2_ID, 0)
    })
    .await;
    assert!(text.starts_with("nonce too low"), "{text}");
}

#[tokio::test]
async fn garbage_and_foreign_types_are_refused() {
    let chain = Chain::rollup().await;
    for (bytes, want) in [
        ("0x", "typed transaction too short"),
        ("0x02", "typed transaction too short"),
        (
            "0xdeadbeef",
            "rlp: value size exceeds available input length",
        ),
        ("0x80", "rlp: expected input list for types.LegacyTx"),
        ("0xc0", "rlp: too few elements for types.LegacyTx"),
        ("0x02f8", "rlp: value size exceeds available input length"),
        ("0x02c0", "rlp: too few elements for types.DynamicFeeTx"),
        (
            "0x02c100",
            "rlp: non-canonical integer (leading zero bytes) for *big.Int, decoding into (types.DynamicFeeTx).ChainID",
        ),
        ("0x00c0", "transaction type not supported"),
        ("0x05c0", "transaction type not supported"),
        // A deposit cannot come from outside.
        (
            "0x7ef83ba0000000000000000000000000000000000000000000000000000000000000000094111111111111111111111111111111111111111194222222222222222222222222222222222222222201018252088080",
            "transaction type not supported",
        ),
    ] {
        let (code, text, _) = chain.error("eth_sendRawTransaction", json!([bytes])).await;
        assert!(code == -32000 && text == want, "{bytes}: {code} {text}");
    }
    for (params, want) in [
        (json!([]), "missing value for required argument 0"),
        (
            json!(["f86b"]),
            "invalid argument 0: hex string without 0x prefix",
        ),
        (
            json!([{}]),
            "invalid argument 0: json: cannot unmarshal non-string into Go value of type hexutil.Bytes",
        ),
        (json!(["0x00", 1]), "too many arguments, want at most 1"),
    ] {
        let (code, text, _) = chain.error("eth_sendRawTransaction", params).await;
        assert_eq!((code, text.as_str()), (-32602, want));
    }
}

#[tokio::test]
async fn sync_answers_with_the_receipt_once_the_block_is_there() {
    let chain = Chain::rollup().await;
    let params = json!([hex(raw(sign(0, plain(L2_ID, 0)))), 20_000]);
    let mine = async {
        while chain.pool.lock().counts().pending == 0 {
            tokio::task::yield_now().await;
        }
        chain.mine()
    };
    let (receipt, block) = tokio::join!(chain.call("eth_sendRawTransactionSync", params), mine);
    assert_eq!(receipt["blockHash"], hex(block.hash));
    let later = chain
        .call(
            "eth_getTransactionReceipt",
            json!([receipt["transactionHash"]]),
        )
        .await;
    assert_eq!(receipt, later);
}

#[tokio::test]
async fn sync_gives_up_after_its_timeout_and_names_the_hash() {
    let chain = Chain::rollup().await;
    let bytes = raw(sign(0, plain(L2_ID, 0)));
    let started = Instant::now();
    let (code, text, data) = chain
        .error("eth_sendRawTransactionSync", json!([hex(&bytes), "0x32"]))
        .await;
    assert_eq!(
        (code, data),
        (4, json!(hex(alloy_primitives::keccak256(&bytes))))
    );
    assert!(text.contains("50ms"), "{text}");
    assert!(started.elapsed() >= Duration::from_millis(50));
}

#[tokio::test]
async fn sync_does_not_wait_behind_a_gap() {
    let chain = Chain::rollup().await;
    let bytes = raw(sign(0, plain(L2_ID, 3)));
    let (code, _, data) = chain
        .error("eth_sendRawTransactionSync", json!([hex(&bytes), 20_000]))
        .await;
    assert_eq!(
        (code, data),
        (5, json!(hex(alloy_primitives::keccak256(&bytes))))
    );
}

#[tokio::test]
async fn sync_refuses_what_the_pool_refuses() {
    let chain = Chain::rollup().await;
    let (code, text, _) = chain
        .error(
            "eth_sendRawTransactionSync",
            json!([hex(raw(sign(0, plain(1, 0))))]),
        )
        .await;
    assert!(
        code == -32000 && text.contains("invalid chain id"),
        "{text}"
    );
}

#[tokio::test]
async fn a_senseless_timeout_counts_as_none() {
    let chain = Chain::rollup_with(
        rpc::Limits {
            sync_timeout_ms: 40,
            ..crate::chain::limits()
        },
        0,
    )
    .await;
    for (nonce, timeout) in [json!(0), json!(-5), json!("soon"), json!(null)]
        .into_iter()
        .enumerate()
    {
        let bytes = hex(raw(sign(0, plain(L2_ID, nonce as u64))));
        let (code, text, _) = chain
            .error("eth_sendRawTransactionSync", json!([bytes, timeout]))
            .await;
        assert!(code == 4 && text.contains("40ms"), "{timeout}: {text}");
    }
}

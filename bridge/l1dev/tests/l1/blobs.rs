//! Blobs in, blobs out; and what is refused at the door.

use crate::chain::{Chain, blob_tx, cells, packed, sign, whole, with_blobs};
use alloy_eips::{eip2718::Encodable2718, eip7594::BlobTransactionSidecarVariant as Sidecar};
use alloy_primitives::{B256, Bytes};
use config::L1Fork;
use serde_json::json;

#[tokio::test]
async fn blobs_come_back_from_the_api() {
    let chain = Chain::manual();
    let blobs = packed(1, 3);
    let sidecar = cells(blobs.clone());
    let hashes: Vec<B256> = sidecar.versioned_hashes().collect();
    chain
        .send(with_blobs(0, blob_tx(0, &sidecar), &sidecar))
        .await;
    let block = chain.l1.mine(1).unwrap();
    let want: Vec<Bytes> = blobs
        .iter()
        .map(|blob| Bytes::copy_from_slice(blob.as_slice()))
        .collect();
    for id in ["head".to_owned(), "1".to_owned(), block.hash.to_string()] {
        assert_eq!(chain.blob_data(&id).await, want, "{id}");
    }
    let [a, _, c] = hashes[..] else {
        panic!("three hashes")
    };
    let some = [want[0].clone(), want[2].clone()];
    assert_eq!(
        chain
            .blob_data(&format!("1?versioned_hashes={a},{c}"))
            .await,
        some
    );
    assert_eq!(
        chain
            .blob_data(&format!("1?versioned_hashes={a}&versioned_hashes={c}"))
            .await,
        some
    );
    assert_eq!(
        chain
            .blob_data(&format!("1?versioned_hashes={}", B256::ZERO))
            .await,
        [] as [Bytes; 0]
    );
    assert_eq!(chain.blob_data("genesis").await, [] as [Bytes; 0]);
    let commitment = alloy_eips::eip4844::env_settings::EnvKzgSettings::Default
        .get()
        .blob_to_kzg_commitment(&alloy_eips::eip4844::c_kzg::Blob::from_bytes(&want[0]).unwrap())
        .unwrap();
    assert_eq!(
        alloy_eips::eip4844::kzg_to_versioned_hash(commitment.as_slice()),
        a
    );
}

#[tokio::test]
async fn the_api_says_what_is_wrong() {
    let chain = Chain::manual();
    for (path, status, message) in [
        ("7".to_owned(), 404, "Block not found"),
        (B256::repeat_byte(9).to_string(), 404, "Block not found"),
        ("latest".to_owned(), 400, "Invalid block ID: latest"),
        ("0x12".to_owned(), 400, "Invalid block ID: 0x12"),
        (
            "head?versioned_hashes=0x12".to_owned(),
            400,
            "Invalid versioned hash: 0x12",
        ),
    ] {
        assert_eq!(
            chain.blobs(&path).await,
            (status, json!({ "code": status, "message": message })),
            "{path}"
        );
    }
}

/// Sends a transaction with this sidecar to an L1 in this fork.
async fn refusal(fork: L1Fork, sidecar: &Sidecar) -> String {
    let chain = Chain::start(|options| options.fork = fork);
    let error = chain
        .try_send(with_blobs(0, blob_tx(0, sidecar), sidecar))
        .await
        .unwrap_err();
    assert_eq!(
        chain.call("txpool_status", json!([])).await["pending"],
        "0x0"
    );
    error
}

#[tokio::test]
async fn each_fork_takes_its_own_form_of_proofs() {
    let blobs = packed(1, 1);
    let (old, new) = (whole(blobs.clone()), cells(blobs));
    assert_eq!(
        refusal(L1Fork::Osaka, &old).await,
        "unexpected sidecar version, want: 1, got: 0"
    );
    assert_eq!(
        refusal(L1Fork::Prague, &new).await,
        "unexpected sidecar version, want: 0, got: 1"
    );
    for (fork, sidecar) in [
        (L1Fork::Cancun, &old),
        (L1Fork::Prague, &old),
        (L1Fork::Osaka, &new),
    ] {
        let chain = Chain::start(|options| options.fork = fork);
        chain
            .send(with_blobs(0, blob_tx(0, sidecar), sidecar))
            .await;
        assert_eq!(chain.l1.mine(1).unwrap().transactions.len(), 1, "{fork:?}");
    }
}

#[tokio::test]
async fn wrong_proofs_are_refused() {
    let other = |sidecar: &Sidecar| match sidecar.clone() {
        Sidecar::Eip4844(mut sidecar) => {
            sidecar.proofs[0] = sidecar.commitments[0];
            Sidecar::Eip4844(sidecar)
        }
        Sidecar::Eip7594(mut sidecar) => {
            sidecar.cell_proofs.swap(0, 1);
            Sidecar::Eip7594(sidecar)
        }
    };
    let (old, new) = (whole(packed(1, 1)), cells(packed(1, 1)));
    for (fork, sidecar) in [(L1Fork::Prague, other(&old)), (L1Fork::Osaka, other(&new))] {
        assert_eq!(
            refusal(fork, &sidecar).await,
            "invalid blobs: invalid KZG proof",
            "{fork:?}"
        );
    }
}

#[tokio::test]
async fn blobs_of_another_commitment_are_refused() {
    let (good, mut bad) = (whole(packed(1, 1)), whole(packed(2, 1)));
    let chain = Chain::start(|options| options.fork = L1Fork::Prague);
    let error = chain
        .try_send(with_blobs(0, blob_tx(0, &good), &bad))
        .await
        .unwrap_err();
    assert!(error.contains("wrong versioned hash"), "{error}");
    if let (Sidecar::Eip4844(bad), Sidecar::Eip4844(good)) = (&mut bad, &good) {
        bad.commitments.clone_from(&good.commitments);
    }
    let error = chain
        .try_send(with_blobs(0, blob_tx(0, &good), &bad))
        .await
        .unwrap_err();
    assert_eq!(error, "invalid blobs: invalid KZG proof");
}

#[tokio::test]
async fn malformed_blob_transactions_are_refused() {
    let chain = Chain::manual();
    let sidecar = cells(packed(1, 1));
    let tx = blob_tx(0, &sidecar);
    let check = async |raw: Vec<u8>, want: &str| {
        let error = chain.try_send(raw).await.unwrap_err();
        assert!(error.contains(want), "{error}, not {want}");
    };
    check(
        sign(0, tx.clone()).encoded_2718(),
        "missing sidecar in blob transaction",
    )
    .await;
    let mut long = with_blobs(0, tx.clone(), &sidecar);
    long.push(0);
    check(long, "rlp").await;
    check(vec![3], "rlp").await;
    let mut other = tx.clone();
    other.blob_versioned_hashes[0][0] = 2;
    check(
        with_blobs(0, other, &sidecar),
        "blob 0 has invalid hash version",
    )
    .await;
    let mut other = tx.clone();
    other
        .blob_versioned_hashes
        .push(other.blob_versioned_hashes[0]);
    check(
        with_blobs(0, other, &sidecar),
        "invalid number of 1 blobs compared to 2 blob hashes",
    )
    .await;
    let mut other = tx.clone();
    other.blob_versioned_hashes = vec![other.blob_versioned_hashes[0]; 7];
    check(
        with_blobs(0, other, &sidecar),
        "too many blobs in transaction: have 7, permitted 6",
    )
    .await;
    let mut other = tx.clone();
    other.blob_versioned_hashes.clear();
    check(
        with_blobs(0, other, &cells(Vec::new())),
        "blobless blob transaction",
    )
    .await;
    let mut other = tx;
    other.max_fee_per_blob_gas = 0;
    check(
        with_blobs(0, other, &sidecar),
        "blob fee cap 0, minimum needed 1",
    )
    .await;
    assert_eq!(chain.l1.mine(1).unwrap().transactions.len(), 0);
}

#[tokio::test]
async fn a_blob_transaction_is_known_once() {
    let chain = Chain::manual();
    let sidecar = cells(packed(1, 1));
    let raw = with_blobs(0, blob_tx(0, &sidecar), &sidecar);
    let hash = chain.send(&raw).await;
    assert_eq!(chain.try_send(&raw).await.unwrap_err(), "already known");
    // Without its blobs, as it stands in a block, it has this hash.
    let tx = chain.call("eth_getTransactionByHash", json!([hash])).await;
    assert_eq!(
        (&tx["type"], &tx["blockNumber"]),
        (&json!("0x3"), &json!(null))
    );
}

#[tokio::test]
async fn a_blob_transaction_is_replaced_at_twice_its_prices() {
    let chain = Chain::start(|options| options.fork = L1Fork::Prague);
    let (old, new) = (whole(packed(1, 1)), whole(packed(2, 1)));
    let first = blob_tx(0, &old);
    chain.send(with_blobs(0, first.clone(), &old)).await;
    let mut second = blob_tx(0, &new);
    second.max_fee_per_gas = 2 * first.max_fee_per_gas;
    second.max_priority_fee_per_gas = 2 * first.max_priority_fee_per_gas;
    second.max_fee_per_blob_gas = 2 * first.max_fee_per_blob_gas - 1;
    let error = chain
        .try_send(with_blobs(0, second.clone(), &new))
        .await
        .unwrap_err();
    assert_eq!(error, "replacement transaction underpriced");
    second.max_fee_per_blob_gas += 1;
    chain.send(with_blobs(0, second, &new)).await;
    chain.l1.mine(1).unwrap();
    assert_eq!(
        chain.blob_data("1").await,
        [Bytes::copy_from_slice(new.blobs()[0].as_slice())]
    );
}

#[tokio::test]
async fn old_blobs_leave_when_there_are_too_many() {
    let chain = Chain::start(|options| {
        options.fork = L1Fork::Prague;
        options.blobs_max = 2;
    });
    for nonce in 0..3 {
        let sidecar = whole(packed(nonce as u8, 1));
        chain
            .send(with_blobs(0, blob_tx(nonce, &sidecar), &sidecar))
            .await;
        chain.l1.mine(1).unwrap();
    }
    let (status, body) = chain.blobs("1").await;
    assert!(
        status == 404
            && body["message"]
                .as_str()
                .unwrap()
                .ends_with("is no longer kept"),
        "{body}"
    );
    for id in ["2", "3"] {
        assert_eq!(chain.blob_data(id).await.len(), 1);
    }
}

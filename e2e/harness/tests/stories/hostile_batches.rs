//! Whatever L1 accepts has a meaning, and everybody finds the same one.

use crate::tell;
use alloy_primitives::{Address, Bytes, U256};
use batch::blobs;
use harness::{
    Craft, Node, Payload, Reverted, World, assert_agree, assert_backed, assert_follows, blobs_with,
    eth, payment, user,
};
use node::keys::dev_key;
use poster::{DaChoice, SignedBatch};
use primitives::CheckedTx;

const SHOP: Address = Address::repeat_byte(0x5a);
/// Any size is encoded.
const NO_LIMIT: usize = usize::MAX / 2;

/// Users own OPEN, everything is on L1, and a deposit waits in the queue.
async fn world() -> anyhow::Result<World> {
    let mut world = World::funded(DaChoice::Calldata).await?;
    world.act_settle().await?;
    Ok(world)
}

/// L1 accepts the batch; its blocks hold the waiting deposit and nothing else; what users sent meanwhile is included
/// again; sequencer and follower agree before and after.
async fn deposits_alone(
    world: &mut World,
    follower: &mut Node,
    name: &str,
    craft: impl AsyncFnOnce(&World) -> anyhow::Result<SignedBatch>,
) -> anyhow::Result<()> {
    world.l1.act_deposit(0, SHOP, eth(1)).await?;
    world.l1.act_mine(1)?;
    world.sequencer.act_look().await?;
    let paid = world.sequencer.act_pay(1, SHOP, eth(1))?;
    world.sequencer.act_block()?;
    assert!(world.sequencer.includes(paid)?);
    let safe = world.sequencer.safe();

    let batch = craft(world).await?;
    let posted = world.l1.act_post(3, &batch).await?;
    assert!(posted.is_ok(), "{name}: L1 refused it: {posted:?}");
    world.sequencer.act_look().await?;
    follower.act_look().await?;
    assert_agree(&world.sequencer, follower).map_err(|e| e.context(name.to_owned()))?;
    let last = follower.head().header.number;
    assert!(last > safe, "{name}: a record gives at least one block");
    for number in safe + 1..=last {
        let block = follower.chain.store.block(number)?.unwrap();
        assert!(
            block.transactions.iter().all(|tx| tx.tx.is_deposit()),
            "{name}: block {number}"
        );
    }
    let meta = follower.chain.store.meta(last)?.unwrap();
    assert_eq!(meta.queue_consumed, batch.record.queue_consumed, "{name}");

    world.act_settle().await?;
    follower.act_look().await?;
    assert_agree(&world.sequencer, follower).map_err(|e| e.context(name.to_owned()))?;
    assert!(follower.includes(paid)?, "{name}: the payment was lost");
    Ok(())
}

/// An honest payload for the record.
fn honest(craft: &Craft<'_>, world: &World) -> anyhow::Result<Vec<u8>> {
    let network = &world.l1.network;
    let key = user(2)?;
    let account =
        stf::StateReader::account(&world.sequencer.chain.store.latest_state(), key.address())?;
    let nonce = account.map_or(0, |account| account.nonce);
    let transactions = (0..4)
        .map(|n| {
            Ok(CheckedTx::decode(payment(
                network,
                &key,
                nonce + n,
                SHOP,
                U256::from(n + 1),
            )?)?)
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    craft.encode(transactions, NO_LIMIT)
}

/// One transaction, in a payload that is well formed.
async fn with_transaction(world: &World, raw: Bytes) -> anyhow::Result<SignedBatch> {
    let craft = Craft::next(&world.l1, &world.sequencer).await?;
    let payload = craft.encode(vec![CheckedTx::decode(raw)?], NO_LIMIT)?;
    craft.sign(Payload::Calldata(payload))
}

#[tokio::test]
async fn payloads_that_do_not_decode_count_as_their_deposits() {
    tell(async {
        let mut world = world().await?;
        let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
        type Change = fn(Vec<u8>) -> Vec<u8>;
        let changes: &[(&str, Change)] = &[
            ("one byte only", |_| vec![1]),
            ("unknown version", |mut p| {
                p[0] = 0xff;
                p
            }),
            ("first half", |p| p[..p.len() / 2].to_vec()),
            ("last byte missing", |p| p[..p.len() - 1].to_vec()),
            ("a byte more", |mut p| {
                p.push(0);
                p
            }),
            ("a column's length wrong", |mut p| {
                p[2] ^= 0x7f;
                p
            }),
            ("zeros", |p| vec![0; p.len()]),
            ("noise", |p| {
                (0..p.len()).map(|i| (i * i * 131 + 7) as u8).collect()
            }),
            ("the longest noise", |_| {
                (0..120_000u64)
                    .map(|i| (i.wrapping_mul(i).wrapping_mul(2_654_435_761) >> 13) as u8)
                    .collect()
            }),
            ("twice", |p| [p.clone(), p].concat()),
        ];
        for (name, change) in changes {
            deposits_alone(&mut world, &mut follower, name, async |world| {
                let craft = Craft::next(&world.l1, &world.sequencer).await?;
                craft.sign(Payload::Calldata(change(honest(&craft, world)?)))
            })
            .await?;
        }
        assert_follows(&world.l1, &world.sequencer).await?;
        assert_backed(&world.l1, &world.sequencer).await
    })
    .await;
}

/// A flipped bit may leave a payload that is valid, with other transactions: then it counts as what it says. Whatever
/// it is, both nodes find the same.
#[tokio::test]
async fn a_flipped_bit_anywhere_has_one_meaning() {
    tell(async {
        let mut world = world().await?;
        let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
        for at in 0..24 {
            world.sequencer.act_pay(1, SHOP, eth(1))?;
            world.sequencer.act_block()?;
            let craft = Craft::next(&world.l1, &world.sequencer).await?;
            let mut payload = honest(&craft, &world)?;
            let at = at * payload.len() / 24;
            payload[at] ^= 1 << (at % 8);
            assert!(
                world
                    .l1
                    .act_post(3, &craft.sign(Payload::Calldata(payload))?)
                    .await?
                    .is_ok()
            );
            follower.act_look().await?;
            world.sequencer.act_look().await?;
            assert_agree(&world.sequencer, &follower)
                .map_err(|e| e.context(format!("bit in byte {at}")))?;
        }
        world.act_settle().await?;
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

/// Compressed to a few kilobytes on L1, beyond `decoded_bytes_max` when expanded.
#[tokio::test]
async fn a_payload_that_expands_beyond_the_limit_counts_as_its_deposits() {
    tell(async {
        let mut world = world().await?;
        let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
        deposits_alone(&mut world, &mut follower, "a bomb", async |world| {
            let craft = Craft::next(&world.l1, &world.sequencer).await?;
            let size = world.l1.network.batch.decoded_bytes_max as usize + 1_000_000;
            let raw = call_with(world, vec![0; size])?;
            let payload = craft.encode(vec![CheckedTx::decode(raw)?], NO_LIMIT)?;
            assert!(payload.len() < 10_000, "{} bytes", payload.len());
            craft.sign(Payload::Calldata(payload))
        })
        .await?;
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

fn call_with(world: &World, input: Vec<u8>) -> anyhow::Result<Bytes> {
    use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
    use alloy_eips::eip2718::Encodable2718;
    use alloy_signer::SignerSync;
    let tx = TxEip1559 {
        chain_id: world.l1.network.chain.id,
        gas_limit: 16_000_000,
        max_fee_per_gas: 100_000_000_000,
        to: SHOP.into(),
        input: input.into(),
        ..TxEip1559::default()
    };
    let signature = user(3)?.sign_hash_sync(&tx.signature_hash())?;
    Ok(TxEnvelope::from(tx.into_signed(signature))
        .encoded_2718()
        .into())
}

#[tokio::test]
async fn one_bad_transaction_leaves_the_deposits_alone() {
    tell(async {
        let mut world = world().await?;
        let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
        deposits_alone(
            &mut world,
            &mut follower,
            "a nonce to come",
            async |world| {
                with_transaction(
                    world,
                    payment(&world.l1.network, &user(0)?, 1_000_000, SHOP, eth(1))?,
                )
                .await
            },
        )
        .await?;
        deposits_alone(
            &mut world,
            &mut follower,
            "a sender without money",
            async |world| {
                with_transaction(
                    world,
                    payment(&world.l1.network, &dev_key(9)?, 0, SHOP, eth(1))?,
                )
                .await
            },
        )
        .await?;
        deposits_alone(
            &mut world,
            &mut follower,
            "more value than the sender has",
            async |world| {
                with_transaction(
                    world,
                    payment(&world.l1.network, &user(0)?, 0, SHOP, eth(1_000_000))?,
                )
                .await
            },
        )
        .await?;
        deposits_alone(
            &mut world,
            &mut follower,
            "the same transaction twice",
            async |world| {
                let craft = Craft::next(&world.l1, &world.sequencer).await?;
                let tx =
                    CheckedTx::decode(payment(&world.l1.network, &user(3)?, 0, SHOP, eth(1))?)?;
                craft.sign(Payload::Calldata(
                    craft.encode(vec![tx.clone(), tx], NO_LIMIT)?,
                ))
            },
        )
        .await?;
        deposits_alone(
            &mut world,
            &mut follower,
            "a good one and a bad one",
            async |world| {
                let craft = Craft::next(&world.l1, &world.sequencer).await?;
                let good =
                    CheckedTx::decode(payment(&world.l1.network, &user(3)?, 0, SHOP, eth(1))?)?;
                let bad =
                    CheckedTx::decode(payment(&world.l1.network, &user(3)?, 7, SHOP, eth(1))?)?;
                craft.sign(Payload::Calldata(craft.encode(vec![good, bad], NO_LIMIT)?))
            },
        )
        .await?;
        assert_follows(&world.l1, &world.sequencer).await?;
        assert_backed(&world.l1, &world.sequencer).await
    })
    .await;
}

#[tokio::test]
async fn blobs_that_are_not_a_batch_count_as_their_deposits() {
    tell(async {
        let mut world = world().await?;
        let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
        type Change = fn(&mut [u8]);
        let changes: &[(&str, Change)] = &[
            ("a set top byte", |blob| blob[64] = 1),
            ("a length beyond the blobs", |blob| {
                blob[1..5].copy_from_slice(&[0xff; 4])
            }),
            ("a length that ends early", |blob| blob[4] ^= 1),
            ("padding that is not zero", |blob| blob[131_071] = 1),
            ("a flipped bit inside", |blob| blob[9] ^= 0x40),
        ];
        for (name, change) in changes {
            deposits_alone(&mut world, &mut follower, name, async |world| {
                let craft = Craft::next(&world.l1, &world.sequencer).await?;
                craft.sign(Payload::Blobs(blobs_with(&honest(&craft, world)?, change)?))
            })
            .await?;
        }
        deposits_alone(
            &mut world,
            &mut follower,
            "a blob more than needed",
            async |world| {
                let craft = Craft::next(&world.l1, &world.sequencer).await?;
                let mut blobs = blobs::pack(&honest(&craft, world)?).unwrap();
                blobs.push(vec![0; blobs::BLOB_BYTES].into());
                craft.sign(Payload::Blobs(blobs))
            },
        )
        .await?;
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

/// The record says one thing, the payload another.
#[tokio::test]
async fn a_payload_that_ends_elsewhere_than_its_record_counts_as_its_deposits() {
    tell(async {
        let mut world = world().await?;
        let (mut follower, _dir) = world.l1.act_follow_from_nothing().await?;
        deposits_alone(&mut world, &mut follower, "a later time", async |world| {
            let mut craft = Craft::next(&world.l1, &world.sequencer).await?;
            let payload = honest(&craft, world)?;
            craft.record.last_timestamp += 3;
            craft.sign(Payload::Calldata(payload))
        })
        .await?;
        deposits_alone(
            &mut world,
            &mut follower,
            "an older anchor",
            async |world| {
                let mut craft = Craft::next(&world.l1, &world.sequencer).await?;
                let payload = honest(&craft, world)?;
                let older = world
                    .l1
                    .client
                    .header(craft.record.anchor_number - 1)
                    .await?
                    .unwrap();
                (craft.record.anchor_number, craft.record.anchor_hash) =
                    (older.number, older.hash_slow());
                craft.sign(Payload::Calldata(payload))
            },
        )
        .await?;
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

/// What L1 must refuse, it refuses, and nothing changes.
#[tokio::test]
async fn forged_and_repeated_batches_revert() {
    tell(async {
        let mut world = World::funded(DaChoice::Calldata).await?;
        let first = world.sequencer.act_batch()?.unwrap();
        assert!(world.l1.act_post(3, &first).await?.is_ok());
        world.sequencer.act_look().await?;
        let records = world.l1.record_count().await?;
        let sequencer = dev_key(21)?;
        let id = world.l1.network.chain.id;

        let mut refused: Vec<(&str, SignedBatch)> = vec![("posted again", (*first).clone())];
        let craft = Craft::next(&world.l1, &world.sequencer).await?;
        let payload = honest(&craft, &world)?;
        let carried = || Payload::Calldata(payload.clone());
        refused.push((
            "signed by somebody else",
            craft.sign_as(&dev_key(3)?, id, carried())?,
        ));
        refused.push((
            "signed for another chain",
            craft.sign_as(&sequencer, id + 1, carried())?,
        ));
        let mut stale = craft.sign(carried())?;
        stale.record.last_timestamp += 1;
        refused.push(("changed after signing", stale));
        let mut other = craft.sign(carried())?;
        other.payload = vec![1, 2, 3].into();
        refused.push(("with another payload", other));
        type Change = fn(&mut primitives::BatchRecord);
        let changes: &[(&str, Change)] = &[
            ("on an accumulator that is not L1's", |r| {
                r.prev_acc = alloy_primitives::B256::repeat_byte(1)
            }),
            ("on the empty inbox", |r| {
                r.prev_acc = alloy_primitives::B256::ZERO
            }),
            ("consuming more than there is", |r| r.queue_consumed += 1),
            ("giving entries back", |r| r.queue_consumed = 0),
            ("with another queue", |r| {
                r.queue_acc = alloy_primitives::B256::repeat_byte(1)
            }),
            ("with an anchor that never was", |r| {
                r.anchor_hash = alloy_primitives::B256::repeat_byte(1)
            }),
            ("with an anchor to come", |r| r.anchor_number += 1_000),
            ("before the last record", |r| r.last_timestamp = 1),
            ("from the future", |r| r.last_timestamp += 100_000),
        ];
        for (name, change) in changes {
            let mut craft = Craft::next(&world.l1, &world.sequencer).await?;
            change(&mut craft.record);
            refused.push((name, craft.sign(carried())?));
        }
        let chain_before = world.sequencer.head().hash;
        for (name, batch) in &refused {
            let posted = world.l1.act_post(3, batch).await?;
            let Err(Reverted(why)) = posted else {
                panic!("{name}: L1 took it")
            };
            assert!(
                why.contains("0x"),
                "{name}: reverted without a reason: {why}"
            );
        }
        assert_eq!(world.l1.record_count().await?, records);
        world.sequencer.act_look().await?;
        assert_eq!(world.sequencer.head().hash, chain_before);
        world.act_settle().await?;
        assert_follows(&world.l1, &world.sequencer).await
    })
    .await;
}

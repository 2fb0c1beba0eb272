//! Somebody asserts on L1 what our chain does not say.

use crate::tell;
use alloy_primitives::{B256, U256};
use bindings::rollup::Rollup;
use harness::{World, eth, user};
use l1::Intent;
use node::genesis::output_root;
use poster::DaChoice;

async fn assert_on_l1(world: &World, output_root: B256) -> anyhow::Result<u64> {
    let (network, client) = (&world.l1.network, &world.l1.client);
    let records = world.l1.record_count().await?;
    let last = world.sequencer.chain.store.record(records - 1)?.unwrap();
    let parent = client
        .view(network.contracts.rollup, &Rollup::genesisCall {})
        .await?;
    let call = Rollup::assertOutputCall {
        parentId: parent,
        recordIndex: records,
        batchAcc: last.acc,
        l2Number: last.last_block,
        outputRoot: output_root,
    };
    let bond = U256::from(network.assertion.bond_wei);
    let intent = Intent::call(network.contracts.rollup, &call).paying(bond);
    assert!(world.l1.act_call(3, intent).await?.status());
    Ok(last.last_block)
}

/// Somebody stands for another root after the same records on the same parent.
pub async fn contradict(world: &World, output: &store::OutputInfo) -> anyhow::Result<()> {
    let (network, store) = (&world.l1.network, &world.sequencer.chain.store);
    let parent = store.output(output.parent)?.unwrap();
    let record = store.record(output.record_count - 1)?.unwrap();
    let call = Rollup::assertOutputCall {
        parentId: parent.id,
        recordIndex: output.record_count,
        batchAcc: record.acc,
        l2Number: output.l2_block,
        outputRoot: B256::repeat_byte(0xbd),
    };
    let bond = U256::from(network.assertion.bond_wei);
    let intent = Intent::call(network.contracts.rollup, &call).paying(bond);
    assert!(world.l1.act_call(3, intent).await?.status());
    Ok(())
}

async fn world() -> anyhow::Result<World> {
    let mut world = World::funded(DaChoice::Calldata).await?;
    world.sequencer.act_pay(0, user(1)?.address(), eth(1))?;
    world.act_settle().await?;
    Ok(world)
}

#[tokio::test]
async fn a_wrong_output_root_stops_a_follower_that_compares() {
    tell(async {
        let world = world().await?;
        let block = assert_on_l1(&world, B256::repeat_byte(0xbd)).await?;
        let dir = tempfile::tempdir()?;
        let mut follower = harness::Node::open(
            &world.l1.network,
            &world.l1.client,
            dir.path(),
            DaChoice::Auto,
        )?;
        follower.driver.compare_assertions = true;
        let error = follower.act_look().await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("first differing block: {block}")),
            "{error}"
        );
        assert!(
            error.contains(&B256::repeat_byte(0xbd).to_string()),
            "{error}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_right_output_root_stops_nobody() {
    tell(async {
        let world = world().await?;
        assert_on_l1(&world, output_root(&world.sequencer.head().header)).await?;
        let dir = tempfile::tempdir()?;
        let mut follower = harness::Node::open(
            &world.l1.network,
            &world.l1.client,
            dir.path(),
            DaChoice::Auto,
        )?;
        follower.driver.compare_assertions = true;
        follower.act_look().await?;
        follower.act_look().await
    })
    .await;
}

//! `tributary demo`: a small lineage, one paid inference, and who earned what.

use crate::{cli::Demo, keys, wallet::Wallet};
use alloy_primitives::{U256, keccak256, utils::format_ether};
use anyhow::ensure;
use bindings::{
    asset_registry::{AssetRegistry, IAssetRegistry},
    pool_ledger::PoolLedger,
    revenue_router::RevenueRouter,
};
use primitives::predeploys as at;

const WHOLE_PPB: u32 = 1_000_000_000;
/// A fifth of what a model earns goes upstream.
const UPSTREAM_PPB: u32 = 200_000_000;
/// The operator's posted share.
const OPERATOR_PPB: u32 = 450_000_000;

const OPERATOR: &str = "operator 'mill'";

/// Numbers of `Kind` and `Edge` in `contracts/src/l2/IAssetRegistry.sol`.
const DATANET: u8 = 0;
const BASE_MODEL: u8 = 2;
const ADAPTER: u8 = 3;
const DERIVED: u8 = 0;
const TRAINED_ON: u8 = 1;

struct Party {
    name: &'static str,
    wallet: Wallet,
    asset: u64,
}

/// Runs the demo on a dev node.
pub async fn run(args: Demo) -> anyhow::Result<()> {
    let payer = Wallet::new(&args.rpc, keys::dev_key(0)?).await?;
    let operator = Wallet::new(&args.rpc, keys::dev_key(4)?).await?;
    let mut parties = Vec::new();
    for (index, name, kind, edge, content) in [
        (
            1,
            "Datanet  'field notes'",
            DATANET,
            DERIVED,
            "field notes, 12,000 rows",
        ),
        (
            2,
            "base     'river-7b'",
            BASE_MODEL,
            TRAINED_ON,
            "river-7b weights",
        ),
        (
            3,
            "adapter  'river-7b-med'",
            ADAPTER,
            DERIVED,
            "river-7b-med adapter",
        ),
    ] {
        let wallet = Wallet::new(&args.rpc, keys::dev_key(index)?).await?;
        let parents: Vec<IAssetRegistry::Parent> = parties
            .last()
            .map(|parent: &Party| IAssetRegistry::Parent {
                id: parent.asset,
                weightPpb: WHOLE_PPB,
                edge,
            })
            .into_iter()
            .collect();
        let upstream = if parents.is_empty() { 0 } else { UPSTREAM_PPB };
        let call = AssetRegistry::registerCall {
            kind,
            contentRoot: keccak256(content),
            uri: format!("demo:{content}"),
            parents,
            upstreamPpb: upstream,
            floorPpb: 0,
            licence: keccak256("CC-BY-4.0"),
            payout: wallet.address(),
        };
        let asset = wallet.view(at::ASSET_REGISTRY, &call).await?;
        wallet.send(at::ASSET_REGISTRY, &call, U256::ZERO).await?;
        println!(
            "registered  {name:<24} asset {asset}, owner {}",
            wallet.address()
        );
        parties.push(Party {
            name,
            wallet,
            asset,
        });
    }
    let call = RevenueRouter::registerOperatorCall {
        payout: operator.address(),
        sharePpb: OPERATOR_PPB,
    };
    let operator_id = operator.view(at::REVENUE_ROUTER, &call).await?;
    operator.send(at::REVENUE_ROUTER, &call, U256::ZERO).await?;
    println!(
        "registered  {:<24} operator {operator_id}, owner {}",
        OPERATOR,
        operator.address()
    );

    let Some(called) = parties.last().map(|party| party.asset) else {
        return Ok(());
    };
    let amount = args.amount_wei;
    let quote = RevenueRouter::quoteCall {
        assetId: called,
        operatorId: operator_id,
        agentId: 0,
        amount: amount.saturating_to(),
    };
    let quoted = payer.view(at::REVENUE_ROUTER, &quote).await?;
    let before = claimable(&payer, &parties, operator_id).await?;
    let pay = RevenueRouter::payCall {
        assetId: called,
        operatorId: operator_id,
        agentId: 0,
        r#ref: keccak256("one inference"),
    };
    let receipt = payer.send(at::REVENUE_ROUTER, &pay, amount).await?;
    println!(
        "\npaid        {} OPEN for one inference of asset {called}\n            transaction {}, gas {}\n",
        format_ether(amount),
        receipt["transactionHash"].as_str().unwrap_or_default(),
        u64::from_str_radix(
            receipt["gasUsed"]
                .as_str()
                .unwrap_or("0x0")
                .trim_start_matches("0x"),
            16
        )?
    );

    println!("who earned what (claimable now)");
    let after = claimable(&payer, &parties, operator_id).await?;
    for ((name, was), (_, is)) in before.iter().zip(&after) {
        println!("  {name:<26} {:>22} OPEN", format_ether(is - was));
    }
    let earned: U256 = after
        .iter()
        .zip(&before)
        .map(|((_, is), (_, was))| is - was)
        .sum();
    println!(
        "  {:<26} {:>22} OPEN",
        "treasury and burn",
        format_ether(amount - earned)
    );
    println!("  {:<26} {:>22} OPEN", "total", format_ether(amount));

    let total: U256 = quoted.amt.iter().copied().sum();
    ensure!(
        total == amount,
        "the quote adds up to {total} wei, not to {amount}"
    );
    // A quote names pools and operators by number, in the low eight bytes of its reason.
    let quoted_to = |is_operator: bool, id: u64| -> U256 {
        let parts = quoted.who.iter().zip(&quoted.why).zip(&quoted.amt);
        parts
            .filter(|((who, why), _)| {
                why.0.last_chunk::<8>().map(|low| u64::from_be_bytes(*low)) == Some(id)
                    && (**who == operator.address()) == is_operator
            })
            .map(|(_, amount)| *amount)
            .sum()
    };
    let expected = parties
        .iter()
        .map(|party| quoted_to(false, party.asset))
        .chain([quoted_to(true, operator_id.into())]);
    for (((name, was), (_, is)), quoted) in before.iter().zip(&after).zip(expected) {
        ensure!(
            is - was == quoted,
            "{name} earned {} wei, the quote said {quoted}",
            is - was
        );
    }
    println!("\nthe quote before paying said the same, to the wei");
    Ok(())
}

/// What each party could claim: assets from their pools, which have their numbers, operators from the router.
async fn claimable(
    wallet: &Wallet,
    parties: &[Party],
    operator_id: u32,
) -> anyhow::Result<Vec<(&'static str, U256)>> {
    let mut found = Vec::new();
    for party in parties {
        let call = PoolLedger::claimableCall {
            pool: party.asset,
            account: party.wallet.address(),
        };
        found.push((party.name, wallet.view(at::POOL_LEDGER, &call).await?));
    }
    let call = RevenueRouter::operatorClaimableCall {
        operatorId: operator_id,
    };
    found.push((OPERATOR, wallet.view(at::REVENUE_ROUTER, &call).await?));
    Ok(found)
}

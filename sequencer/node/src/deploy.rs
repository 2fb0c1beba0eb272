//! Puts the L1 contracts on any L1.
//!
//! Every address is known before the first transaction leaves (CREATE from one account, consecutive nonces), so all
//! transactions are sent at once and the contracts may name each other.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxHash, TxKind, U256};
use alloy_signer::SignerSync;
use alloy_sol_types::{SolCall, SolConstructor};
use anyhow::{Context, bail, ensure};
use bindings::{
    inbox::Inbox, l1_token_bridge::L1TokenBridge, open_token::OpenToken, portal::Portal,
    proxy::TransparentUpgradeableProxy as Proxy, relay_fee::RelayFee, rollup::Rollup,
    system_config::SystemConfig, timelock::Timelock,
};
use config::{Contracts, Network};
use l1::{Client, Fees, FeesNow, PrivateKeySigner};
use std::time::Duration;

/// Who holds which role at the start.
#[derive(Debug, Clone, Copy)]
pub struct Roles {
    /// Signs batches.
    pub sequencer: Address,
    /// Receives what deposits pay for L2 gas.
    pub fee_recipient: Address,
    /// Proposes and executes through the timelock.
    pub governance: Address,
    /// May pause new deposits and finalisation.
    pub council: Address,
    /// Delay of the timelock, seconds.
    pub timelock_delay_s: u64,
    /// OPEN wei per L2 gas that a deposit prepays.
    pub deposit_gas_price_wei: u64,
    /// L2 gas that the deposits of one L1 block may ask for.
    pub deposit_gas_per_block: u32,
}

/// Gas for any one of our deployments; the largest takes under six million.
const DEPLOY_GAS: u64 = 7_000_000;
/// The Inbox's proxy also opens the storage that its queue goes round in.
const INBOX_PROXY_GAS: u64 = 10_000_000;
/// Asked this often whether a transaction is mined.
const POLL: Duration = Duration::from_millis(50);
/// Then L1 is considered stuck: longer than ten slots.
const PATIENCE: Duration = Duration::from_secs(180);

/// Sends transactions of one key in order, without waiting in between.
pub struct Deployer<'a> {
    client: &'a Client,
    key: &'a PrivateKeySigner,
    chain_id: u64,
    nonce: u64,
    fees: Fees,
    sent: Vec<(String, TxHash)>,
}

impl<'a> Deployer<'a> {
    /// Starts at the account's present nonce.
    pub async fn new(client: &'a Client, key: &'a PrivateKeySigner) -> anyhow::Result<Self> {
        let header = client
            .header(alloy_eips::BlockNumberOrTag::Latest)
            .await?
            .context("L1 has no block")?;
        let base_fee = header.base_fee_per_gas.unwrap_or_default().into();
        Ok(Self {
            client,
            key,
            chain_id: client.chain_id().await?,
            nonce: client.nonce(key.address()).await?,
            fees: Fees::first(FeesNow {
                base_fee,
                blob_base_fee: 1,
            }),
            sent: Vec::new(),
        })
    }

    /// The address of a contract deployed `ahead` transactions from now.
    fn address(&self, ahead: u64) -> Address {
        self.key.address().create(self.nonce + ahead)
    }

    /// Where [`deploy`] will put the proxy of the L1 token bridge: the genesis that it is given names the address already.
    pub fn token_bridge(&self, open_token: Option<Address>) -> Address {
        // Behind the token, if it is deployed too, the timelock and the implementation.
        self.address(if open_token.is_none() { 3 } else { 2 })
    }

    /// Deploys `code ‖ arguments`.
    async fn create(
        &mut self,
        name: &str,
        code: &Bytes,
        arguments: Vec<u8>,
        gas_limit: u64,
    ) -> anyhow::Result<Address> {
        let at = self.address(0);
        self.transact(
            name,
            TxKind::Create,
            U256::ZERO,
            [code.as_ref(), &arguments].concat().into(),
            gas_limit,
        )
        .await?;
        Ok(at)
    }

    /// Calls a contract.
    pub async fn call<C: SolCall>(
        &mut self,
        to: Address,
        call: C,
        gas_limit: u64,
    ) -> anyhow::Result<()> {
        self.transact(
            C::SIGNATURE,
            TxKind::Call(to),
            U256::ZERO,
            call.abi_encode().into(),
            gas_limit,
        )
        .await
    }

    /// Calls a contract, with ETH.
    pub async fn call_paying<C: SolCall>(
        &mut self,
        to: Address,
        call: C,
        value: U256,
        gas_limit: u64,
    ) -> anyhow::Result<()> {
        let input = call.abi_encode().into();
        self.transact(C::SIGNATURE, TxKind::Call(to), value, input, gas_limit)
            .await
    }

    /// Sends ETH.
    pub async fn transfer(&mut self, to: Address, value: U256) -> anyhow::Result<()> {
        self.transact("transfer", TxKind::Call(to), value, Bytes::new(), 21_000)
            .await
    }

    async fn transact(
        &mut self,
        what: &str,
        to: TxKind,
        value: U256,
        input: Bytes,
        gas_limit: u64,
    ) -> anyhow::Result<()> {
        let tx = TxEip1559 {
            chain_id: self.chain_id,
            nonce: self.nonce,
            gas_limit,
            max_fee_per_gas: self.fees.max_fee,
            max_priority_fee_per_gas: self.fees.priority_fee,
            to,
            value,
            access_list: Default::default(),
            input,
        };
        let signature = self.key.sign_hash_sync(&tx.signature_hash())?;
        let envelope = TxEnvelope::from(tx.into_signed(signature));
        self.client
            .send(&envelope.encoded_2718())
            .await
            .with_context(|| format!("sending {what} to L1"))?;
        self.sent.push((what.to_owned(), *envelope.tx_hash()));
        self.nonce += 1;
        Ok(())
    }

    /// Waits until everything sent is mined; returns the first block that holds one of them.
    pub async fn finish(&mut self) -> anyhow::Result<u64> {
        let mut first = u64::MAX;
        for (what, hash) in self.sent.drain(..) {
            let deadline = tokio::time::Instant::now() + PATIENCE;
            let receipt = loop {
                if let Some(receipt) = self.client.receipt(hash).await? {
                    break receipt;
                }
                ensure!(
                    tokio::time::Instant::now() < deadline,
                    "L1 did not mine {what} ({hash}) within {PATIENCE:?}"
                );
                tokio::time::sleep(POLL).await;
            };
            if !receipt.status() {
                bail!("{what} reverted on L1 ({hash})");
            }
            first = first.min(receipt.block_number.unwrap_or(u64::MAX));
        }
        Ok(first)
    }
}

/// Deploys everything and returns where it is. `open_token` names an existing OPEN; without it a development token is
/// deployed, owned by the deployer. `network.contracts.token_bridge` is what [`Deployer::token_bridge`] said before.
pub async fn deploy(
    deployer: &mut Deployer<'_>,
    network: &Network,
    roles: Roles,
    open_token: Option<Address>,
    genesis_output: B256,
) -> anyhow::Result<Contracts> {
    let token_bridge = deployer.token_bridge(open_token);
    ensure!(
        network.contracts.token_bridge == token_bridge,
        "genesis names the token bridge {}, but it will be {token_bridge}: the deployer's nonce moved",
        network.contracts.token_bridge
    );
    let code = |name: &str| {
        bindings::bytecode(name).with_context(|| format!("no bytecode snapshot of {name}"))
    };
    let open_token = match open_token {
        Some(token) => token,
        None => {
            let owner = deployer.key.address();
            let arguments = OpenToken::constructorCall { owner_: owner }.abi_encode();
            deployer
                .create("OpenToken", code("OpenToken")?, arguments, DEPLOY_GAS)
                .await?
        }
    };
    let arguments = Timelock::constructorCall {
        minDelay: U256::from(roles.timelock_delay_s),
        proposers: vec![roles.governance],
        executors: vec![Address::ZERO],
        admin: Address::ZERO,
    };
    let timelock = deployer
        .create(
            "Timelock",
            code("Timelock")?,
            arguments.abi_encode(),
            DEPLOY_GAS,
        )
        .await?;

    // From here: implementation, proxy, in pairs.
    let system_config = deployer.address(3);
    let inbox = deployer.address(5);
    let portal = deployer.address(7);
    let rollup = deployer.address(9);

    let arguments = L1TokenBridge::constructorCall {
        open_: open_token,
        portal_: portal,
    }
    .abi_encode();
    let init = L1TokenBridge::initialiseCall {}.abi_encode();
    proxied(
        deployer,
        "L1TokenBridge",
        arguments,
        timelock,
        init,
        DEPLOY_GAS,
    )
    .await?;

    let settings = SystemConfig::initialiseCall {
        s: bindings::system_config::ISystemConfig::Settings {
            owner: timelock,
            council: roles.council,
            sequencer: roles.sequencer,
            feeRecipient: roles.fee_recipient,
            depositGasPrice: roles.deposit_gas_price_wei,
            depositGasPerBlock: roles.deposit_gas_per_block,
            bond: alloy_primitives::aliases::U96::from(network.assertion.bond_wei),
            programHash: network.assertion.program_hash,
        },
    };
    proxied(
        deployer,
        "SystemConfig",
        SystemConfig::constructorCall { inbox_: inbox }.abi_encode(),
        timelock,
        settings.abi_encode(),
        DEPLOY_GAS,
    )
    .await?;

    let seconds = |value: u64, key: &str| {
        u32::try_from(value).with_context(|| format!("{key} is above 136 years"))
    };
    let params = Inbox::initialiseCall {
        p: bindings::inbox::IInbox::Params {
            l2ChainId: network.chain.id,
            windowS: seconds(network.delays.window_s, "delays.window_s")?,
            forceDelayS: seconds(network.delays.force_delay_s, "delays.force_delay_s")?,
            maxDriftS: seconds(network.delays.max_drift_s, "delays.max_drift_s")?,
        },
    };
    let arguments = Inbox::constructorCall {
        config_: system_config,
        portal_: portal,
    }
    .abi_encode();
    proxied(
        deployer,
        "Inbox",
        arguments,
        timelock,
        params.abi_encode(),
        INBOX_PROXY_GAS,
    )
    .await?;

    let arguments = Portal::constructorCall {
        token_: open_token,
        inbox_: inbox,
        config_: system_config,
        rollup_: rollup,
    }
    .abi_encode();
    proxied(
        deployer,
        "Portal",
        arguments,
        timelock,
        Portal::initialiseCall {}.abi_encode(),
        DEPLOY_GAS,
    )
    .await?;

    let init = Rollup::initialiseCall {
        windowS_: network.assertion.window_s,
        genesisOutputRoot: genesis_output,
    };
    let arguments = Rollup::constructorCall {
        inbox_: inbox,
        config_: system_config,
    }
    .abi_encode();
    proxied(
        deployer,
        "Rollup",
        arguments,
        timelock,
        init.abi_encode(),
        DEPLOY_GAS,
    )
    .await?;

    let arguments = RelayFee::constructorCall {
        token_: open_token,
        portal_: portal,
    };
    let relay_fee = deployer
        .create(
            "RelayFee",
            code("RelayFee")?,
            arguments.abi_encode(),
            DEPLOY_GAS,
        )
        .await?;

    let deployed_at = deployer.finish().await?;
    Ok(Contracts {
        open_token,
        inbox,
        portal,
        rollup,
        system_config,
        timelock,
        token_bridge,
        relay_fee,
        deployed_at,
    })
}

/// An implementation and the proxy in front of it, initialised in the same transaction that makes it.
async fn proxied(
    deployer: &mut Deployer<'_>,
    name: &'static str,
    arguments: Vec<u8>,
    owner: Address,
    init: Vec<u8>,
    proxy_gas: u64,
) -> anyhow::Result<()> {
    let code =
        bindings::bytecode(name).with_context(|| format!("no bytecode snapshot of {name}"))?;
    let implementation = deployer.create(name, code, arguments, DEPLOY_GAS).await?;
    let proxy = bindings::bytecode("TransparentUpgradeableProxy")
        .context("no bytecode snapshot of the proxy")?;
    let arguments = Proxy::constructorCall {
        _logic: implementation,
        initialOwner: owner,
        _data: init.into(),
    };
    deployer
        .create(
            &format!("{name}'s proxy"),
            proxy,
            arguments.abi_encode(),
            proxy_gas,
        )
        .await?;
    Ok(())
}

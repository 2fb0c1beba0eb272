//! ETH and an ERC-20 go from L1 to L2 by the token bridge, and back by proof.

use crate::tell;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, b256, keccak256};
use alloy_signer::SignerSync;
use alloy_sol_types::{SolCall, SolConstructor, SolValue};
use anyhow::{Context, ensure};
use bindings::{
    bytecode,
    l1_token_bridge::L1TokenBridge,
    l2_token_bridge::L2TokenBridge,
    open_token::OpenToken,
    portal::{OutputRootProof, Portal, Withdrawal},
    rollup::Rollup,
};
use harness::{World, assert_backed, assert_follows, eth, user};
use l1::Intent;
use node::genesis::output_root;
use poster::DaChoice;
use primitives::predeploys::{MESSAGE_PASSER, TOKEN_BRIDGE};
use stf::StateReader;

/// Stands for ETH.
const ETH: Address = Address::repeat_byte(0xee);
/// Where OpenZeppelin's upgradeable ERC-20 keeps its balances (ERC-7201, "openzeppelin.storage.ERC20").
const BALANCES: B256 = b256!("52c63247e1f47db19d5ce0460030c497f067ca4cebf71ba98eeadabe20bace00");

fn to(address: Address, call: &impl SolCall, value: U256) -> Intent {
    Intent::call(address, call).paying(value)
}

/// The world with a token on L1 that user 0 owns, and has let the bridge take.
struct Bridged {
    world: World,
    bridge: Address,
    token: Address,
}

impl Bridged {
    async fn found() -> anyhow::Result<Self> {
        let world = World::funded(DaChoice::Calldata).await?;
        let owner = user(0)?.address();
        let code = bytecode("OpenToken").context("no OpenToken")?;
        let arguments = OpenToken::constructorCall { owner_: owner }.abi_encode();
        let deploy = Intent {
            to: None,
            data: [code.as_ref(), &arguments].concat().into(),
            value: U256::ZERO,
            sidecar: None,
            gas_limit: None,
        };
        let receipt = world.l1.act_call(0, deploy).await?;
        let token = receipt.contract_address.context("no token")?;
        let bridge = world.l1.network.contracts.token_bridge;
        let this = Self {
            world,
            bridge,
            token,
        };
        let amount = eth(1_000);
        this.on_l1(to(
            token,
            &OpenToken::mintCall { to: owner, amount },
            U256::ZERO,
        ))
        .await?;
        for token in [token, this.world.l1.network.contracts.open_token] {
            let approve = OpenToken::approveCall {
                spender: bridge,
                value: U256::MAX,
            };
            this.on_l1(to(token, &approve, U256::ZERO)).await?;
        }
        Ok(this)
    }

    /// User 0 does something on L1 that succeeds.
    async fn on_l1(&self, intent: Intent) -> anyhow::Result<()> {
        let receipt = self.world.l1.act_call(0, intent).await?;
        ensure!(receipt.status(), "{} reverted", receipt.transaction_hash);
        Ok(())
    }

    /// What L1 sent is in L2 blocks.
    async fn arrives(&mut self) -> anyhow::Result<()> {
        self.world.l1.act_mine(2)?;
        self.world.sequencer.act_look().await?;
        self.world.sequencer.act_blocks()
    }

    async fn l2_token(&self, l1: Address) -> anyhow::Result<Address> {
        let call = L1TokenBridge::l2TokenOfCall { token: l1 };
        Ok(self.world.l1.client.view(self.bridge, &call).await?)
    }

    async fn escrowed(&self, l1: Address) -> anyhow::Result<U256> {
        let call = L1TokenBridge::escrowedCall { token: l1 };
        Ok(self.world.l1.client.view(self.bridge, &call).await?)
    }

    /// What an account has of a bridged token on L2.
    async fn balance(&self, l1: Address, who: Address) -> anyhow::Result<U256> {
        let slot = keccak256((who, BALANCES).abi_encode());
        let token = self.l2_token(l1).await?;
        let state = self.world.sequencer.chain.store.latest_state();
        Ok(state.storage(token, slot.into())?)
    }

    /// User 0 calls a contract on L2.
    fn on_l2(&self, to: Address, call: &impl SolCall) -> anyhow::Result<B256> {
        let (key, node) = (user(0)?, &self.world.sequencer);
        let nonce = node.chain.store.latest_state().account(key.address())?;
        let tx = TxEip1559 {
            chain_id: self.world.l1.network.chain.id,
            nonce: nonce.map_or(0, |account| account.nonce),
            gas_limit: 1_000_000,
            max_fee_per_gas: 100_000_000_000,
            max_priority_fee_per_gas: 1,
            to: TxKind::Call(to),
            value: U256::ZERO,
            access_list: Default::default(),
            input: call.abi_encode().into(),
        };
        let signature = key.sign_hash_sync(&tx.signature_hash())?;
        let raw = TxEnvelope::from(tx.into_signed(signature)).encoded_2718();
        let hash = node.submit(raw.into())?;
        node.act_blocks()?;
        ensure!(node.includes(hash)?, "{hash} is in no block");
        Ok(hash)
    }

    /// Burns on L2; the message that goes to L1, by the format.
    async fn leaves(
        &self,
        l1: Address,
        receiver: Address,
        amount: U256,
    ) -> anyhow::Result<Withdrawal> {
        let token = self.l2_token(l1).await?;
        let state = self.world.sequencer.chain.store.latest_state();
        let count = state.storage(MESSAGE_PASSER, U256::from(1))?;
        let call = L2TokenBridge::withdrawToCall {
            token,
            to: receiver,
            amount,
        };
        self.on_l2(TOKEN_BRIDGE, &call)?;
        let finalize = L1TokenBridge::finalizeWithdrawalCall {
            token: l1,
            from: user(0)?.address(),
            to: receiver,
            amount,
        };
        Ok(Withdrawal {
            nonce: (U256::from(1) << 240) | count,
            sender: TOKEN_BRIDGE,
            target: self.bridge,
            value: U256::ZERO,
            gasLimit: U256::from(300_000),
            data: finalize.abi_encode().into(),
        })
    }

    /// Asserts the head of L2 on L1; its index there.
    async fn asserted(&mut self) -> anyhow::Result<U256> {
        self.world.act_settle().await?;
        let (network, client) = (&self.world.l1.network, &self.world.l1.client);
        let records = self.world.l1.record_count().await?;
        let last = self.world.sequencer.chain.store.record(records - 1)?;
        let last = last.context("no record")?;
        let head = self.world.sequencer.head();
        ensure!(
            last.last_block == head.header.number,
            "the head is not safe"
        );
        let rollup = network.contracts.rollup;
        let call = Rollup::assertOutputCall {
            parentId: client.view(rollup, &Rollup::genesisCall {}).await?,
            recordIndex: records,
            batchAcc: last.acc,
            l2Number: last.last_block,
            outputRoot: output_root(&head.header),
        };
        let bond = U256::from(network.assertion.bond_wei);
        self.on_l1(to(rollup, &call, bond)).await?;
        Ok(client
            .view(rollup, &Rollup::latestOutputIndexCall {})
            .await?)
    }

    async fn proves(&self, message: &Withdrawal, index: U256) -> anyhow::Result<()> {
        let head = self.world.sequencer.head();
        let hash = keccak256(message.abi_encode_params());
        let slot = keccak256((hash, U256::ZERO).abi_encode());
        let store = &self.world.sequencer.chain.store;
        let proof = store.proof_at(head.header.number, MESSAGE_PASSER, &[slot], &|| true)?;
        ensure!(proof.storage[0].value == U256::from(1), "no such message");
        let call = Portal::proveWithdrawalTransactionCall {
            w: message.clone(),
            l2OutputIndex: index,
            outputRootProof: OutputRootProof {
                version: B256::ZERO,
                stateRoot: head.header.state_root,
                messagePasserStorageRoot: head.header.withdrawals_root.unwrap_or_default(),
                latestBlockhash: head.hash,
            },
            withdrawalProof: proof.storage[0].proof.clone(),
        };
        self.on_l1(to(
            self.world.l1.network.contracts.portal,
            &call,
            U256::ZERO,
        ))
        .await
    }

    async fn finalises(&self, message: &Withdrawal) -> anyhow::Result<bool> {
        let call = Portal::finalizeWithdrawalTransactionCall { w: message.clone() };
        let portal = self.world.l1.network.contracts.portal;
        let receipt = self
            .world
            .l1
            .act_call(0, to(portal, &call, U256::ZERO))
            .await?;
        Ok(receipt.status())
    }
}

#[tokio::test]
async fn eth_and_a_token_cross_both_ways() {
    tell(async {
        let mut b = Bridged::found().await?;
        let (owner, friend, token) = (user(0)?.address(), Address::repeat_byte(0xf1), b.token);

        let call = L1TokenBridge::depositETHToCall { to: owner };
        b.on_l1(to(b.bridge, &call, eth(5))).await?;
        for amount in [eth(7), eth(1)] {
            let call = L1TokenBridge::depositERC20ToCall {
                token,
                to: owner,
                amount,
            };
            b.on_l1(to(b.bridge, &call, U256::ZERO)).await?;
        }
        b.arrives().await?;
        assert_eq!(b.balance(ETH, owner).await?, eth(5));
        assert_eq!(b.balance(token, owner).await?, eth(8));
        assert_eq!(b.escrowed(ETH).await?, eth(5));
        assert_eq!(b.escrowed(token).await?, eth(8));

        // On L2 it is an ERC-20 like any other.
        let weth = b.l2_token(ETH).await?;
        let call = OpenToken::transferCall {
            to: friend,
            value: eth(1),
        };
        b.on_l2(weth, &call)?;
        assert_eq!(b.balance(ETH, friend).await?, eth(1));

        let ether = b.leaves(ETH, friend, eth(4)).await?;
        let tokens = b.leaves(token, friend, eth(8)).await?;
        assert_eq!(b.balance(ETH, owner).await?, U256::ZERO);
        assert_eq!(b.balance(token, owner).await?, U256::ZERO);

        let index = b.asserted().await?;
        for message in [&ether, &tokens] {
            b.proves(message, index).await?;
            assert!(!b.finalises(message).await?, "the window still runs");
        }
        b.world
            .l1
            .act_time_passes(b.world.l1.network.assertion.window_s * 2)?;
        for message in [&ether, &tokens] {
            assert!(b.finalises(message).await?);
            assert!(!b.finalises(message).await?, "paid twice");
        }
        assert_eq!(b.world.l1.client.balance(friend).await?, eth(4));
        let call = OpenToken::balanceOfCall { account: friend };
        assert_eq!(b.world.l1.client.view(token, &call).await?, eth(8));
        assert_eq!(b.escrowed(ETH).await?, eth(1));
        assert_eq!(b.escrowed(token).await?, U256::ZERO);

        b.world.act_settle().await?;
        assert_follows(&b.world.l1, &b.world.sequencer).await?;
        assert_backed(&b.world.l1, &b.world.sequencer).await
    })
    .await;
}

#[tokio::test]
async fn a_message_sent_again_counts_once() {
    tell(async {
        let mut b = Bridged::found().await?;
        let owner = user(0)?.address();
        let call = L1TokenBridge::depositETHToCall { to: owner };
        b.on_l1(to(b.bridge, &call, eth(5))).await?;
        let message = L2TokenBridge::receiveDepositCall {
            nonce: U256::ZERO,
            l1Token: ETH,
            from: owner,
            to: owner,
            amount: eth(5),
            metadata: ("Ether", "WETH", U256::from(18)).abi_encode_params().into(),
        };
        let again = L1TokenBridge::resendCall {
            nonce: U256::ZERO,
            message: Bytes::from(message.abi_encode()),
            gasLimit: 2_000_000,
        };
        for _ in 0..2 {
            b.on_l1(to(b.bridge, &again, U256::ZERO)).await?;
        }
        b.arrives().await?;
        assert_eq!(b.balance(ETH, owner).await?, eth(5));
        assert_eq!(b.escrowed(ETH).await?, eth(5));
        b.world.act_settle().await?;
        assert_follows(&b.world.l1, &b.world.sequencer).await
    })
    .await;
}

//! A chain under Ethereum rules with a handful of senders and one contract, beside a model that keeps the whole
//! state of every height in maps.

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, hex, keccak256};
use config::L1Fork;
use primitives::{
    Account, AccountDiff, CheckedTx, Header, SealedBlock, SlotDiff, StateDiff, Transaction,
};
use std::sync::Arc;
use stf::{
    BlockContext, BlockExecutor, EthereumRules, ExecutedBlock, MemoryState, Rules, StateReader,
};
use store::{BlockMeta, Genesis, Store, StoreOptions};
use trie::{EMPTY_ROOT_HASH, NoNodes, StateTrie};

pub const SENDERS: u8 = 6;
pub const CONTRACT: Address = Address::repeat_byte(0xcc);
/// `sstore(calldata[0], calldata[32]); log1(topic = calldata[0])`
const STORE_AND_LOG: [u8; 16] = hex!("6020356000355560003560006000a100");

/// The contract that emits logs with this many topics.
pub fn logger(topics: u8) -> Address {
    Address::repeat_byte(0xd0 + topics % 5)
}

/// A word that logs have as a topic; some are addresses of loggers.
pub fn topic(n: u8) -> B256 {
    if n < 0xf0 {
        B256::with_last_byte(n)
    } else {
        logger(n).into_word()
    }
}

/// `log(topics = calldata[0..32 n], data = calldata[128..160])`, and again with the topics backwards and no data.
fn logger_code(topics: u8) -> Vec<u8> {
    let push = |i: u8| [0x60, 32 * i, 0x35];
    let log = 0xa0 + topics;
    [
        hex!("608035600052").to_vec(),
        (0..topics).rev().flat_map(push).collect(),
        vec![0x60, 0x20, 0x60, 0x00, log],
        (0..topics).flat_map(push).collect(),
        vec![0x60, 0x00, 0x60, 0x00, log, 0x00],
    ]
    .concat()
}

#[derive(Debug, Clone, Copy)]
pub enum Action {
    Pay {
        from: u8,
        to: u8,
        wei: u16,
    },
    Put {
        from: u8,
        slot: u8,
        value: u8,
    },
    /// Calls the logger of `count` topics.
    Log {
        from: u8,
        count: u8,
        topics: [u8; 4],
        data: u8,
    },
    Deploy {
        from: u8,
        code: u8,
    },
    /// Creates a contract that destroys itself at once: touched, never there.
    Fleeting {
        from: u8,
    },
}

pub fn sender(n: u8) -> Address {
    Address::repeat_byte(n % SENDERS + 1)
}

/// All addresses that actions can reach, but for deployed contracts.
pub fn addresses() -> Vec<Address> {
    let mut all: Vec<_> = (0..SENDERS).map(sender).collect();
    all.extend((0..8).map(payee));
    all.extend([CONTRACT, Address::ZERO, Address::repeat_byte(0xee)]);
    all
}

/// Half of the payees are senders, half are new.
pub fn payee(n: u8) -> Address {
    if n % 8 < 4 {
        sender(n)
    } else {
        Address::repeat_byte(0xa0 + n % 8)
    }
}

pub fn rules() -> Arc<Rules> {
    Arc::new(Rules::Ethereum(EthereumRules::new(
        1,
        60_000_000,
        L1Fork::Prague,
        Vec::new(),
    )))
}

pub fn options() -> StoreOptions {
    StoreOptions {
        flush_interval_ms: 3_600_000, // only when told to
        ..StoreOptions::new("unused")
    }
}

/// The genesis of funded senders, the contract with one slot set, and the loggers.
pub fn genesis() -> Genesis {
    let funded = Account {
        balance: U256::from(10).pow(U256::from(21)),
        ..Account::default()
    };
    let mut accounts: Vec<AccountDiff> = (0..SENDERS)
        .map(|n| new_account(sender(n), funded, Vec::new()))
        .collect();
    let code = Bytes::from_static(&STORE_AND_LOG);
    let contract = Account {
        nonce: 1,
        code_hash: keccak256(&code),
        ..Account::default()
    };
    let slots = vec![SlotDiff {
        slot: U256::from(7),
        before: U256::ZERO,
        after: U256::from(77),
    }];
    accounts.push(new_account(CONTRACT, contract, slots));
    let mut codes = vec![(keccak256(&code), code)];
    for topics in 0..5 {
        let code = Bytes::from(logger_code(topics));
        let account = Account {
            nonce: 1,
            code_hash: keccak256(&code),
            ..Account::default()
        };
        accounts.push(new_account(logger(topics), account, Vec::new()));
        codes.push((keccak256(&code), code));
    }
    accounts.sort_by_key(|a| a.address);
    let state = StateDiff { accounts, codes };
    let header = Header {
        state_root: root_of(&state),
        gas_limit: 60_000_000,
        base_fee_per_gas: Some(1_000_000_000),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        parent_beacon_block_root: Some(Default::default()),
        ..Header::default()
    };
    Genesis { header, state }
}

fn new_account(address: Address, account: Account, slots: Vec<SlotDiff>) -> AccountDiff {
    AccountDiff {
        address,
        before: None,
        after: Some(account),
        wiped: false,
        slots,
    }
}

fn root_of(state: &StateDiff) -> B256 {
    StateTrie::new(NoNodes, EMPTY_ROOT_HASH)
        .apply(state)
        .unwrap()
        .state_root
}

/// What the chain must be: every block, and the whole state after each.
#[derive(Clone)]
pub struct Model {
    pub rules: Arc<Rules>,
    pub states: Vec<MemoryState>,
    pub blocks: Vec<Arc<SealedBlock>>,
    trie: Vec<StateTrie<NoNodes>>,
}

impl Model {
    pub fn new() -> Self {
        let Genesis { header, state } = genesis();
        let mut memory = MemoryState::default();
        memory.apply(&state);
        let mut trie = StateTrie::new(NoNodes, EMPTY_ROOT_HASH);
        trie.apply(&state).unwrap();
        let hash = header.hash_slow();
        let block = SealedBlock {
            ommers: Vec::new(),
            withdrawals: Vec::new(),
            header,
            hash,
            transactions: Vec::new(),
            receipts: Vec::new(),
        };
        Self {
            rules: rules(),
            states: vec![memory],
            blocks: vec![Arc::new(block)],
            trie: vec![trie],
        }
    }

    pub fn head(&self) -> u64 {
        self.blocks.len() as u64 - 1
    }

    /// The next block with these actions, executed over the model's own state.
    pub fn execute(&self, actions: &[Action]) -> ExecutedBlock {
        execute(
            &self.rules,
            &self.blocks[self.blocks.len() - 1],
            actions,
            self.states[self.states.len() - 1].clone(),
        )
    }

    /// Appends a block that `execute` gave.
    pub fn push(&mut self, executed: ExecutedBlock) {
        let mut state = self.states[self.states.len() - 1].clone();
        state.apply(&executed.diff);
        let mut trie = self.trie[self.trie.len() - 1].clone();
        let root = trie.apply(&executed.diff).unwrap().state_root;
        let (block, _) = executed.seal(root, None);
        self.states.push(state);
        self.trie.push(trie);
        self.blocks.push(Arc::new(block));
    }

    pub fn rewind(&mut self, to: u64) {
        let keep = to as usize + 1;
        self.states.truncate(keep);
        self.blocks.truncate(keep);
        self.trie.truncate(keep);
    }

    /// Compares everything that a reader can ask for.
    pub fn check(&mut self, store: &Arc<Store>) {
        assert_eq!(store.head(), self.blocks[self.blocks.len() - 1], "head");
        assert_eq!(store.latest_state().number(), self.head());
        for number in 0..=self.head() {
            self.check_block(store, number);
            if number >= store.oldest_state() {
                self.check_state(store, number);
            }
        }
        assert!(
            store.block(self.head() + 1).unwrap().is_none(),
            "nothing above the head"
        );
        assert!(store.header(self.head() + 1).unwrap().is_none());
    }

    fn check_block(&self, store: &Arc<Store>, number: u64) {
        let want = &self.blocks[number as usize];
        assert_eq!(
            store.block(number).unwrap().as_ref(),
            Some(want),
            "block {number}"
        );
        assert_eq!(store.header(number).unwrap().as_ref(), Some(&want.header));
        assert_eq!(store.hash_of(number).unwrap(), Some(want.hash));
        assert_eq!(store.number_of(want.hash).unwrap(), Some(number));
        assert_eq!(store.meta(number).unwrap(), Some(meta(number)));
        for (index, tx) in want.transactions.iter().enumerate() {
            assert_eq!(
                store.transaction(tx.hash).unwrap(),
                Some((number, index as u32))
            );
        }
    }

    fn check_state(&mut self, store: &Arc<Store>, number: u64) {
        let (view, want) = (
            store.state_at(number).unwrap(),
            &self.states[number as usize],
        );
        let mut all = addresses();
        all.extend(
            self.states
                .iter()
                .flat_map(|s| s.accounts().map(|(address, _)| *address)),
        );
        for address in all {
            let account = view.account(address).unwrap();
            assert_eq!(
                account,
                want.account(address).unwrap(),
                "{address} at {number}"
            );
            if let Some(account) = account.filter(|a| a.code_hash != primitives::diff::KECCAK_EMPTY)
            {
                assert_eq!(
                    keccak256(view.code(account.code_hash).unwrap()),
                    account.code_hash
                );
            }
        }
        for slot in (0..=255).map(U256::from) {
            let want = want.storage(CONTRACT, slot).unwrap();
            assert_eq!(
                view.storage(CONTRACT, slot).unwrap(),
                want,
                "slot {slot} at {number}"
            );
        }
        for (address, slot) in [
            (CONTRACT, 7u64),
            (sender(1), 0),
            (Address::repeat_byte(0x99), 1),
        ] {
            let want = self.trie[number as usize]
                .account_proof(address, &[U256::from(slot)])
                .unwrap();
            let slot = U256::from(slot).to_be_bytes::<32>().into();
            assert_eq!(
                store.proof_at(number, address, &[slot], &|| true).unwrap(),
                want,
                "proof of {address} at {number}"
            );
        }
    }
}

pub fn meta(number: u64) -> BlockMeta {
    BlockMeta {
        queue_consumed: if number == 0 { 0 } else { number * 3 },
        ..BlockMeta::default()
    }
}

pub fn execute(
    rules: &Arc<Rules>,
    parent: &SealedBlock,
    actions: &[Action],
    state: impl StateReader,
) -> ExecutedBlock {
    let context = BlockContext {
        timestamp: parent.header.timestamp + 1,
        beneficiary: Address::repeat_byte(0xee),
        ..BlockContext::default()
    };
    let nonces: Vec<u64> = (0..SENDERS)
        .map(|n| state.account(sender(n)).unwrap().map_or(0, |a| a.nonce))
        .collect();
    let mut block =
        BlockExecutor::begin(rules, &parent.header, parent.hash, context, state).unwrap();
    let mut used = vec![0; SENDERS as usize];
    for action in actions {
        let (from, to, value, input) = match *action {
            Action::Pay { from, to, wei } => {
                (from, TxKind::Call(payee(to)), wei.into(), Vec::new())
            }
            Action::Put { from, slot, value } => {
                let words = [U256::from(slot), U256::from(value)].map(|w| w.to_be_bytes::<32>());
                (from, TxKind::Call(CONTRACT), 0u64, words.concat())
            }
            Action::Log {
                from,
                count,
                topics,
                data,
            } => {
                let words = topics.iter().map(|n| topic(*n));
                let words = words.chain([B256::with_last_byte(data)]);
                let input = words.flat_map(|word| word.0).collect();
                (from, TxKind::Call(logger(count)), 0, input)
            }
            Action::Deploy { from, code } => (
                from,
                TxKind::Create,
                0,
                [&[0x60, code][..], &hex!("600053 60016000f3")].concat(),
            ),
            Action::Fleeting { from } => (from, TxKind::Create, 0, hex!("32ff").to_vec()),
        };
        let n = (from % SENDERS) as usize;
        block
            .execute(&tx(from, nonces[n] + used[n], to, U256::from(value), input))
            .unwrap();
        used[n] += 1;
    }
    block.finish().unwrap()
}

/// A transaction whose signature says nothing but who sent it; executors do not look at it.
pub fn tx(from: u8, nonce: u64, to: TxKind, value: U256, input: Vec<u8>) -> Arc<CheckedTx> {
    let signature = Signature::new(U256::from(from % SENDERS + 1), U256::from(1), false);
    let tx = TxEip1559 {
        chain_id: 1,
        nonce,
        gas_limit: 200_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1,
        to,
        value,
        input: input.into(),
        ..TxEip1559::default()
    };
    let tx = Transaction::Signed(tx.into_signed(signature).into());
    let raw = Bytes::from(tx.encode());
    let hash = keccak256(&raw);
    Arc::new(CheckedTx {
        tx,
        raw,
        hash,
        sender: sender(from),
    })
}

/// Executes over the store's own view, compares with the model, seals and publishes.
pub fn publish(store: &Arc<Store>, model: &mut Model, actions: &[Action]) -> store::Result<()> {
    let want = model.execute(actions);
    let got = execute(&model.rules, &store.head(), actions, store.latest_state());
    assert_eq!(got, want, "execution over the store's view differs");
    let pending = store.seal(got, meta(want.header.number))?;
    store.publish(pending)?;
    model.push(want);
    Ok(())
}

//! A chain in a temporary folder, with a server before it.

use alloy_consensus::{EMPTY_ROOT_HASH, SignableTransaction, Signed, TxEip1559};
use alloy_eips::{eip2718::Encodable2718, eip7685::EMPTY_REQUESTS_HASH};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, bytes, keccak256};
use alloy_signer::SignerSync;
use alloy_signer_local::PrivateKeySigner;
use config::{BlobParams, L1Fork, Network};
use mempool::{PoolLimits, SharedPool};
use primitives::{
    Account, AccountDiff, Anchor, CheckedTx, Header, QueueEntry, SealedBlock, SlotDiff, StateDiff,
    predeploys::{L1_INFO, MESSAGE_PASSER},
};
use rpc::{Context, L1Block, L1View, Limits, LocalPool, Progress, Rollup, RollupView, Running};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use stf::{BlockContext, BlockExecutor, EthereumRules, RollupRules, Rules};
use store::{BlockMeta, Genesis, Store, StoreOptions};
use trie::{NoNodes, StateTrie};

/// Emits one log without data whose topic is the first word of the calldata.
pub const EMITTER: Address = address!("00000000000000000000000000000000000e0001");
/// Reverts with its calldata.
pub const REVERTER: Address = address!("00000000000000000000000000000000000e0002");
/// Stores the first word of the calldata in slot 0.
pub const KEEPER: Address = address!("00000000000000000000000000000000000e0003");
/// Returns slot 0.
pub const TELLER: Address = address!("00000000000000000000000000000000000e0004");
/// Returns number, timestamp and coinbase of the block.
pub const CLOCK: Address = address!("00000000000000000000000000000000000e0005");
/// Loops until the gas is gone.
pub const BURNER: Address = address!("00000000000000000000000000000000000e0006");

pub const CODES: [(Address, Bytes); 6] = [
    (EMITTER, bytes!("5f355f5fa100")),
    (REVERTER, bytes!("365f5f37365ffd")),
    (KEEPER, bytes!("5f355f5500")),
    (TELLER, bytes!("5f545f5260205ff3")),
    (CLOCK, bytes!("435f52426020524160405260605ff3")),
    (BURNER, bytes!("5b5f56")),
];

/// Stands where the message passer stands: notes the eighth word of the calldata in `sentMessages`, and logs with the
/// first four words as topics and the rest as data.
pub const PASSED: Bytes =
    bytes!("60e0355f52600160405f20556060356040356020355f35608036038060805f375fa400");

pub const RICH: u128 = 1_000_000_000_000_000_000_000;
pub const GWEI: u128 = 1_000_000_000;
pub const L2_ID: u64 = 902;
pub const L1_ID: u64 = 901;

/// Those of the development network.
pub fn limits() -> Limits {
    Network::parse(include_str!("../../../../config/dev.toml"))
        .unwrap()
        .rpc
}

pub fn signer(n: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(n + 1)).unwrap()
}

pub fn who(n: u8) -> Address {
    signer(n).address()
}

pub fn sign<T: SignableTransaction<Signature>>(n: u8, tx: T) -> Signed<T> {
    let signature = signer(n).sign_hash_sync(&tx.signature_hash()).unwrap();
    tx.into_signed(signature)
}

/// A transaction that most tests have enough with.
pub fn plain(chain_id: u64, nonce: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id,
        nonce,
        gas_limit: 200_000,
        max_fee_per_gas: 10 * GWEI,
        max_priority_fee_per_gas: GWEI,
        to: TxKind::Call(Address::repeat_byte(0xbb)),
        value: U256::from(1),
        ..Default::default()
    }
}

pub fn raw<T: Encodable2718>(tx: T) -> Bytes {
    tx.encoded_2718().into()
}

pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    alloy_primitives::hex::encode_prefixed(bytes)
}

pub fn number(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap().trim_start_matches("0x"), 16).unwrap()
}

/// Entries in L1's queue.
pub const WAITING: u64 = 5;

/// What the tests say about L1.
#[derive(Default)]
struct View;

pub const L1_HEAD: L1Block = L1Block {
    hash: B256::repeat_byte(0x11),
    number: 77,
    timestamp: 900,
};

impl RollupView for View {
    fn l1(&self) -> L1View {
        L1View {
            head: Some(L1_HEAD),
            safe: None,
            finalized: None,
        }
    }
    fn syncing(&self) -> Option<Progress> {
        None
    }
    fn queue(&self, from: u64, max: usize) -> Vec<(QueueEntry, B256)> {
        let all = (0..WAITING).map(|index| {
            let entry = QueueEntry {
                index,
                timestamp: 800 + index,
                ..deposit(who(0))
            };
            (entry, B256::with_last_byte(index as u8 + 1))
        });
        all.skip(from as usize).take(max).collect()
    }
}

pub struct Chain {
    pub store: Arc<Store>,
    pub pool: Arc<SharedPool>,
    pub rules: Arc<Rules>,
    pub chain_id: u64,
    pub address: std::net::SocketAddr,
    pub client: reqwest::Client,
    queue: AtomicU64,
    pub running: Running,
    _dir: tempfile::TempDir,
}

impl Chain {
    /// Our L2, with a data gas price of zero.
    pub async fn rollup() -> Self {
        Self::rollup_with(limits(), 0).await
    }

    pub async fn rollup_with(limits: Limits, da_gas_per_byte: u64) -> Self {
        let mut network = Network::parse(include_str!("../../../../config/dev.toml")).unwrap();
        network.chain.gas_limit = 60_000_000;
        network.chain.gas_target = 30_000_000;
        let rules = Rules::Rollup(RollupRules::new(&network));
        let mut accounts = accounts();
        let packed = U256::from_limbs([0, 0, da_gas_per_byte, 0]);
        let slots = if packed.is_zero() {
            Vec::new()
        } else {
            vec![SlotDiff {
                slot: U256::ZERO,
                before: U256::ZERO,
                after: packed,
            }]
        };
        accounts.push(contract(L1_INFO, &bytes!("00"), slots));
        accounts.push(contract(MESSAGE_PASSER, &PASSED, Vec::new()));
        let rollup = Rollup {
            network: Arc::new(network),
            view: Arc::new(View),
        };
        Self::start(rules, L2_ID, accounts, limits, Some(rollup)).await
    }

    /// An L1 in its newest fork.
    pub async fn ethereum() -> Self {
        let blobs = BlobParams {
            from_s: 0,
            target: 14,
            max: 21,
            update_fraction: 11_684_671,
        };
        let rules = Rules::Ethereum(EthereumRules::new(
            L1_ID,
            60_000_000,
            L1Fork::Osaka,
            vec![blobs],
        ));
        let mut accounts = accounts();
        // System contracts that the rules call; here they do nothing.
        for (address, code) in [
            (alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS, bytes!("00")),
            (alloy_eips::eip4788::BEACON_ROOTS_ADDRESS, bytes!("00")),
            (
                alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
                bytes!("00"),
            ),
            (
                alloy_eips::eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
                bytes!("00"),
            ),
        ] {
            accounts.push(contract(address, &code, Vec::new()));
        }
        Self::start(rules, L1_ID, accounts, limits(), None).await
    }

    async fn start(
        rules: Rules,
        chain_id: u64,
        mut accounts: Vec<AccountDiff>,
        limits: Limits,
        rollup: Option<Rollup>,
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let rules = Arc::new(rules);
        accounts.sort_by_key(|account| account.address);
        let mut codes: Vec<(B256, Bytes)> = CODES
            .iter()
            .map(|(_, code)| code.clone())
            .chain([bytes!("00"), PASSED])
            .map(|code| (keccak256(&code), code))
            .collect();
        codes.sort();
        let state = StateDiff { accounts, codes };
        let roots = StateTrie::new(NoNodes, EMPTY_ROOT_HASH)
            .apply(&state)
            .unwrap();
        let header = Header {
            timestamp: 1_000,
            gas_limit: rules.gas_limit(),
            base_fee_per_gas: Some(1_000_000_000),
            state_root: roots.state_root,
            withdrawals_root: Some(EMPTY_ROOT_HASH),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(B256::ZERO),
            requests_hash: Some(EMPTY_REQUESTS_HASH),
            ..Default::default()
        };
        let store = Store::open(
            StoreOptions::new(dir.path()),
            Genesis { header, state },
            rules.clone(),
        )
        .unwrap();
        let pool = Arc::new(SharedPool::new(rules.clone(), PoolLimits::sequencer(0)));
        let (methods, node) = rpc::methods(Context {
            store: store.clone(),
            pool: LocalPool::new(pool.clone(), store.clone(), Box::new(|| 0)),
            rules: rules.clone(),
            chain_id,
            client_version: "tributary/test".to_owned(),
            limits,
            rollup,
        });
        // The client wants one, although nothing here is encrypted; a second call finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let running = rpc::mount(methods, &node);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(rpc::serve(
            listener,
            running.router.clone(),
            std::future::pending(),
        ));
        Self {
            store,
            pool,
            rules,
            chain_id,
            address,
            client: reqwest::Client::new(),
            queue: AtomicU64::new(0),
            running,
            _dir: dir,
        }
    }

    /// Makes a block of what is ready.
    pub fn mine(&self) -> Arc<SealedBlock> {
        self.mine_with(&[])
    }

    /// Makes a block with deposits before what is ready.
    pub fn mine_with(&self, deposits: &[QueueEntry]) -> Arc<SealedBlock> {
        let head = self.store.head();
        let number = head.header.number + 1;
        let anchor = Anchor {
            number,
            hash: B256::from(U256::from(number)),
            timestamp: head.header.timestamp,
            ..Default::default()
        };
        let context = BlockContext {
            timestamp: head.header.timestamp + 1,
            anchor,
            beneficiary: Address::repeat_byte(0xcc),
            prev_randao: B256::repeat_byte(0xdd),
        };
        let mut block = BlockExecutor::begin(
            &self.rules,
            &head.header,
            head.hash,
            context,
            self.store.latest_state(),
        )
        .unwrap();
        for entry in deposits {
            let acc = B256::from(U256::from(self.queue.fetch_add(1, Ordering::Relaxed)));
            block
                .execute(&Arc::new(CheckedTx::deposit(entry.deposit(acc))))
                .unwrap();
        }
        let ready = self.pool.lock().take(block.base_fee(), 1_000);
        for tx in ready {
            block.execute(&tx).unwrap();
        }
        let meta = BlockMeta {
            anchor,
            queue_consumed: self.queue.load(Ordering::Relaxed),
        };
        let pending = self.store.seal(block.finish().unwrap(), meta).unwrap();
        let diff = pending.diff().clone();
        let block = self.store.publish(pending).unwrap();
        self.pool.lock().on_block(&diff, 0);
        block
    }

    /// Sends `tx` signed by account `n`.
    pub async fn send<T>(&self, n: u8, tx: T) -> B256
    where
        T: SignableTransaction<Signature>,
        Signed<T>: Encodable2718,
    {
        let answer = self
            .call("eth_sendRawTransaction", json!([hex(raw(sign(n, tx)))]))
            .await;
        answer.as_str().unwrap().parse().unwrap()
    }

    /// The result of a call that must succeed.
    pub async fn call(&self, method: &str, params: Value) -> Value {
        let answer = self.ask(method, params.clone()).await;
        match answer.get("result") {
            Some(result) => result.clone(),
            None => panic!("{method} {params}: {answer}"),
        }
    }

    /// The error of a call that must fail: code, text and data.
    pub async fn error(&self, method: &str, params: Value) -> (i64, String, Value) {
        let answer = self.ask(method, params.clone()).await;
        let Some(error) = answer.get("error") else {
            panic!("{method} {params}: {answer}")
        };
        (
            error["code"].as_i64().unwrap(),
            error["message"].as_str().unwrap().to_owned(),
            error["data"].clone(),
        )
    }

    async fn ask(&self, method: &str, params: Value) -> Value {
        let body = json!({ "jsonrpc": "2.0", "id": 7, "method": method, "params": params });
        let (_, text) = self.post(body.to_string()).await;
        let answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|_| panic!("{method}: {text}"));
        assert_eq!(
            (&answer["jsonrpc"], &answer["id"]),
            (&json!("2.0"), &json!(7)),
            "{answer}"
        );
        answer
    }

    /// Posts any body.
    pub async fn post(&self, body: impl Into<reqwest::Body>) -> (u16, String) {
        let request = self
            .client
            .post(self.url())
            .header("content-type", "application/json")
            .body(body);
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.address)
    }
}

fn accounts() -> Vec<AccountDiff> {
    let rich = (0..4).map(|n| AccountDiff {
        address: who(n),
        before: None,
        after: Some(Account {
            balance: U256::from(RICH),
            ..Account::default()
        }),
        wiped: false,
        slots: Vec::new(),
    });
    rich.chain(
        CODES
            .iter()
            .map(|(address, code)| contract(*address, code, Vec::new())),
    )
    .collect()
}

fn contract(address: Address, code: &Bytes, slots: Vec<SlotDiff>) -> AccountDiff {
    let account = Account {
        nonce: 1,
        balance: U256::ZERO,
        code_hash: keccak256(code),
    };
    AccountDiff {
        address,
        before: None,
        after: Some(account),
        wiped: false,
        slots,
    }
}

/// A deposit of one OPEN from `from` to itself.
pub fn deposit(from: Address) -> QueueEntry {
    QueueEntry {
        from,
        to: from,
        mint: RICH / 1_000,
        value: U256::ZERO,
        gas_limit: 100_000,
        ..Default::default()
    }
}

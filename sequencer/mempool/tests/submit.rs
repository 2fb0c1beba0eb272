//! Facts about the way in: signed bytes against a state, and geth's words for what is wrong with them.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_signer::{SignerSync, k256::ecdsa::SigningKey};
use alloy_signer_local::{LocalSigner, PrivateKeySigner};
use mempool::{FileJournal, HeadAccounts, HeadEnv, PoolError, PoolLimits, SenderState, SharedPool};
use parking_lot::Mutex;
use primitives::{Account, CheckedTx, Transaction, TxDeposit};
use std::sync::Arc;
use stf::{EthereumRules, MemoryState, RollupRules, Rules};

const ENV: HeadEnv = HeadEnv {
    timestamp: 0,
    da_gas_per_byte: 10,
};

fn network() -> config::Network {
    config::Network::parse(include_str!("../../../config/dev.toml")).unwrap()
}

fn chain_id() -> u64 {
    network().chain.id
}

fn rollup() -> SharedPool {
    let mut rules = RollupRules::new(&network());
    rules.allow_unprotected = false;
    SharedPool::new(Arc::new(Rules::Rollup(rules)), PoolLimits::sequencer(7))
}

fn l1(fork: config::L1Fork) -> SharedPool {
    let rules = EthereumRules::new(chain_id(), 60_000_000, fork, Vec::new());
    SharedPool::new(Arc::new(Rules::Ethereum(rules)), PoolLimits::sequencer(0))
}

fn key(n: u8) -> PrivateKeySigner {
    LocalSigner::from_signing_key(SigningKey::from_slice(&[n; 32]).unwrap())
}

fn state() -> MemoryState {
    let mut state = MemoryState::default();
    let account = Account {
        nonce: 3,
        balance: U256::from(10u64).pow(U256::from(18)),
        ..Account::default()
    };
    (1..=3).for_each(|n| state.set_account(key(n).address(), account));
    state
}

fn sign<T>(n: u8, tx: T) -> Bytes
where
    T: SignableTransaction<alloy_primitives::Signature>,
    alloy_consensus::EthereumTxEnvelope<TxEip4844>: From<alloy_consensus::Signed<T>>,
{
    let signature = key(n).sign_hash_sync(&tx.signature_hash()).unwrap();
    Transaction::Signed(tx.into_signed(signature).into())
        .encode()
        .into()
}

fn dynamic() -> TxEip1559 {
    TxEip1559 {
        chain_id: chain_id(),
        nonce: 3,
        gas_limit: 30_000,
        max_fee_per_gas: 1_000,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(Address::repeat_byte(9)),
        ..TxEip1559::default()
    }
}

fn set_code(authority: u8) -> TxEip7702 {
    let authorization = Authorization {
        chain_id: U256::ZERO,
        address: Address::repeat_byte(5),
        nonce: 3,
    };
    let signature = key(authority)
        .sign_hash_sync(&authorization.signature_hash())
        .unwrap();
    TxEip7702 {
        chain_id: chain_id(),
        nonce: 3,
        gas_limit: 100_000,
        max_fee_per_gas: 1_000,
        max_priority_fee_per_gas: 1,
        to: Address::repeat_byte(9),
        authorization_list: vec![authorization.into_signed(signature)],
        ..TxEip7702::default()
    }
}

fn blobs() -> TxEip4844 {
    TxEip4844 {
        chain_id: chain_id(),
        nonce: 3,
        gas_limit: 21_000,
        max_fee_per_gas: 1_000,
        max_priority_fee_per_gas: 1,
        max_fee_per_blob_gas: 1,
        blob_versioned_hashes: vec![B256::with_last_byte(1)],
        ..TxEip4844::default()
    }
}

fn submit(pool: &SharedPool, raw: Bytes) -> Result<Arc<CheckedTx>, PoolError> {
    pool.submit(raw, &state(), &ENV, 0)
}

/// What the rollup says to `raw`; "" if it takes it.
fn check(raw: Bytes, want: &str) {
    let said = submit(&rollup(), raw)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default();
    assert_eq!(said, want);
}

#[test]
fn types_0_1_2_and_4_are_taken() {
    let to = TxKind::Call(Address::repeat_byte(9));
    let (nonce, gas_price, gas_limit) = (3, 100, 30_000);
    check(
        sign(
            1,
            TxLegacy {
                chain_id: Some(chain_id()),
                nonce,
                gas_price,
                gas_limit,
                to,
                ..TxLegacy::default()
            },
        ),
        "",
    );
    check(
        sign(
            1,
            TxEip2930 {
                chain_id: chain_id(),
                nonce,
                gas_price,
                gas_limit,
                to,
                ..TxEip2930::default()
            },
        ),
        "",
    );
    check(sign(1, dynamic()), "");
    check(sign(1, set_code(2)), "");
}

#[test]
fn types_3_and_7e_are_not() {
    check(sign(1, blobs()), "transaction type not supported");
    check(
        CheckedTx::deposit(TxDeposit::default()).raw,
        "transaction type not supported",
    );
}

#[test]
fn an_l1_takes_blobs_and_from_prague_on_delegations() {
    assert!(submit(&l1(config::L1Fork::Cancun), sign(1, blobs())).is_ok());
    assert_eq!(
        submit(&l1(config::L1Fork::Cancun), sign(1, set_code(2))),
        Err(PoolError::TypeNotSupported)
    );
    assert!(submit(&l1(config::L1Fork::Prague), sign(1, set_code(2))).is_ok());
}

#[test]
fn an_l1_caps_gas_from_osaka_on() {
    let raw = sign(
        1,
        TxEip1559 {
            gas_limit: 20_000_000,
            ..dynamic()
        },
    );
    assert!(submit(&l1(config::L1Fork::Prague), raw.clone()).is_ok());
    let error = submit(&l1(config::L1Fork::Osaka), raw).unwrap_err();
    assert_eq!(
        error.to_string(),
        "transaction gas limit too high (cap: 16777216, tx: 20000000)"
    );
}

#[test]
fn what_is_wrong_is_said_in_geths_words() {
    let with = |change: fn(&mut TxEip1559)| {
        let mut tx = dynamic();
        change(&mut tx);
        sign(1, tx)
    };
    check(
        with(|tx| tx.chain_id = 5),
        &format!(
            "invalid sender: invalid chain id for signer: have 5 want {}",
            chain_id()
        ),
    );
    check(
        with(|tx| tx.nonce = 2),
        "nonce too low: next nonce 3, tx nonce 2",
    );
    check(with(|tx| tx.nonce = u64::MAX), "nonce has max value");
    // 21000 and 80 bytes of L1 data at 10 gas each.
    check(
        with(|tx| tx.gas_limit = 21_799),
        "intrinsic gas too low: gas 21799, minimum needed 21800",
    );
    check(with(|tx| tx.gas_limit = 21_800), "");
    check(
        with(|tx| tx.gas_limit = (1 << 24) + 1),
        "transaction gas limit too high (cap: 16777216, tx: 16777217)",
    );
    check(
        with(|tx| tx.max_priority_fee_per_gas = 1_001),
        "max priority fee per gas higher than max fee per gas",
    );
    check(
        with(|tx| tx.max_fee_per_gas = 6),
        "transaction underpriced: gas fee cap 6, minimum needed 7",
    );
    check(
        with(|tx| tx.value = U256::MAX),
        &format!(
            "insufficient funds for gas * price + value: balance 1000000000000000000, tx cost {}, overshot {}",
            U256::MAX,
            U256::MAX - U256::from(10u64).pow(U256::from(18))
        ),
    );
    check(
        with(|tx| {
            tx.to = TxKind::Create;
            tx.gas_limit = 10_000_000;
            tx.input = vec![0; 49_153].into();
        }),
        "max initcode size exceeded: code size 49153, limit 49152",
    );
    check(
        with(|tx| tx.input = vec![1; 131_072].into()),
        "oversized data: transaction size 131182, limit 131072",
    );
    check(
        sign(
            1,
            TxEip7702 {
                authorization_list: Vec::new(),
                ..set_code(2)
            },
        ),
        "set code tx must have at least one authorization tuple",
    );
    check(
        sign(
            1,
            TxLegacy {
                nonce: 3,
                gas_price: 100,
                gas_limit: 30_000,
                ..TxLegacy::default()
            },
        ),
        "only replay-protected (EIP-155) transactions allowed over RPC",
    );
    check(
        Bytes::from_static(&[0x05, 0xc0]),
        "transaction type not supported",
    );
}

#[test]
fn a_bad_signature_is_refused() {
    let mut raw = sign(1, dynamic()).to_vec();
    let s = raw.len() - 32;
    raw[s] = 0xff; // a high s (EIP-2)
    assert_eq!(
        submit(&rollup(), raw.into()).unwrap_err().to_string(),
        "invalid sender: invalid transaction v, r, s values"
    );
}

#[test]
fn a_pending_delegation_leaves_its_authority_one_slot() {
    let pool = rollup();
    submit(&pool, sign(1, set_code(2))).unwrap();
    submit(&pool, sign(2, dynamic())).unwrap();
    let second = submit(
        &pool,
        sign(
            2,
            TxEip1559 {
                nonce: 4,
                ..dynamic()
            },
        ),
    );
    assert_eq!(second, Err(PoolError::DelegatedInFlight));
}

#[test]
fn an_authority_with_two_waiting_cannot_be_delegated() {
    let pool = rollup();
    submit(&pool, sign(2, dynamic())).unwrap();
    submit(
        &pool,
        sign(
            2,
            TxEip1559 {
                nonce: 4,
                ..dynamic()
            },
        ),
    )
    .unwrap();
    assert_eq!(
        submit(&pool, sign(1, set_code(2))),
        Err(PoolError::AuthorityReserved)
    );
}

#[test]
fn a_delegation_that_left_the_pool_binds_nobody() {
    let pool = rollup();
    let tx = submit(&pool, sign(1, set_code(2))).unwrap();
    pool.lock().reject(&tx.hash);
    submit(&pool, sign(2, dynamic())).unwrap();
    submit(
        &pool,
        sign(
            2,
            TxEip1559 {
                nonce: 4,
                ..dynamic()
            },
        ),
    )
    .unwrap();
}

#[test]
fn listeners_hear_of_what_becomes_ready_and_of_nothing_else() {
    let pool = rollup();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = heard.clone();
    pool.subscribe(Box::new(move |ready| {
        ear.lock().extend(ready.iter().map(|tx| tx.hash))
    }));
    let late = submit(
        &pool,
        sign(
            1,
            TxEip1559 {
                nonce: 4,
                ..dynamic()
            },
        ),
    )
    .unwrap();
    assert!(heard.lock().is_empty());
    let first = submit(&pool, sign(1, dynamic())).unwrap();
    assert_eq!(*heard.lock(), [first.hash, late.hash]);
}

#[test]
fn the_journal_brings_back_what_waited_and_refuses_what_was_mined() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let pool = rollup();
    pool.attach_journal(Box::new(
        FileJournal::open(&path, 1 << 20, 1 << 17).unwrap().0,
    ));
    submit(&pool, sign(1, dynamic())).unwrap();
    let kept = submit(
        &pool,
        sign(
            1,
            TxEip1559 {
                nonce: 4,
                ..dynamic()
            },
        ),
    )
    .unwrap();
    pool.flush_journal().unwrap();

    let mut state = state();
    state.set_account(
        key(1).address(),
        Account {
            nonce: 4,
            balance: U256::from(1u64 << 60),
            ..Account::default()
        },
    );
    let pool = rollup();
    let (_, entries) = FileJournal::open(&path, 1 << 20, 1 << 17).unwrap();
    assert_eq!(pool.replay(entries, &state, &ENV, 0), 1);
    assert!(pool.lock().contains(&kept.hash));
}

#[test]
fn a_full_journal_is_rewritten_with_what_still_waits() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("journal");
    let pool = rollup();
    pool.attach_journal(Box::new(FileJournal::open(&path, 300, 1 << 17).unwrap().0));
    for bump in 0..20u32 {
        let max_fee_per_gas = 1_000 << bump;
        submit(
            &pool,
            sign(
                1,
                TxEip1559 {
                    max_fee_per_gas,
                    max_priority_fee_per_gas: 1 << bump,
                    ..dynamic()
                },
            ),
        )
        .unwrap();
    }
    pool.flush_journal().unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < 600);
    let (_, entries) = FileJournal::open(&path, 300, 1 << 17).unwrap();
    let pool_again = rollup();
    pool_again.replay(entries, &state(), &ENV, 0);
    assert_eq!(pool_again.lock().content(), pool.lock().content());
}

#[test]
fn a_rewind_puts_removed_transactions_back_and_drops_deposits() {
    let pool = rollup();
    let removed = [
        Arc::new(CheckedTx::deposit(TxDeposit::default())),
        Arc::new(CheckedTx::decode(sign(1, dynamic())).unwrap()),
        Arc::new(
            CheckedTx::decode(sign(
                1,
                TxEip1559 {
                    nonce: 4,
                    ..dynamic()
                },
            ))
            .unwrap(),
        ),
        Arc::new(
            CheckedTx::decode(sign(
                2,
                TxEip1559 {
                    value: U256::MAX,
                    ..dynamic()
                },
            ))
            .unwrap(),
        ),
    ];
    pool.rewind(&removed, &state(), 0).unwrap();
    let taken = pool.lock().take(0, 10);
    assert_eq!(
        taken.iter().map(|tx| tx.hash).collect::<Vec<_>>(),
        [removed[1].hash, removed[2].hash]
    );
}

/// The first read is of the state before a block, which the pool hears of before the transaction enters.
struct Overtaken<'a>(&'a SharedPool, Mutex<u64>);

impl HeadAccounts for Overtaken<'_> {
    fn account(&self, address: Address) -> Result<Option<Account>, stf::StateError> {
        let mut nonce = self.1.lock();
        let account = Account {
            nonce: *nonce,
            balance: U256::from(10u64).pow(U256::from(18)),
            ..Account::default()
        };
        if *nonce == 3 {
            *nonce = 4;
            let after = SenderState::from(Some(Account {
                nonce: 4,
                ..account
            }));
            self.0.lock().on_accounts([(address, after)], 1);
        }
        Ok(Some(account))
    }
}

#[test]
fn a_block_between_the_read_and_the_entry_leaves_nothing_waiting_for_ever() {
    let pool = rollup();
    let next = TxEip1559 {
        nonce: 4,
        ..dynamic()
    };
    let accounts = Overtaken(&pool, Mutex::new(3));
    pool.submit(sign(1, next), &accounts, &ENV, 0).unwrap();
    assert_eq!(pool.lock().counts().pending, 1);
}

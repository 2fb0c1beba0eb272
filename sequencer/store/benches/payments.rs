//! Microseconds per transaction in seal, publish and write-behind, and memory, over many accounts.
//!
//! Blocks are made up, not executed: what is measured is the store.
//! `cargo bench -p store -- [accounts] [transactions] [payments]`

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Address, B256, Bytes, Log, Signature, TxKind, U256, keccak256};
use config::L1Fork;
use primitives::{
    Account, AccountDiff, CheckedTx, Header, Receipt, SlotDiff, StateDiff, Transaction,
};
use std::{
    collections::BTreeMap,
    fs,
    sync::Arc,
    time::{Duration, Instant},
};
use stf::{EthereumRules, ExecutedBlock, Rules, StateReader};
use store::{BlockMeta, Genesis, Store, StoreOptions};
use trie::{EMPTY_ROOT_HASH, NoNodes, StateTrie};

/// As in the binary: memory figures depend on it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const TXS_IN_BLOCK: u64 = 2_000;
const TOKEN: Address = Address::repeat_byte(0x70);

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let accounts = numbers.first().copied().unwrap_or(1_000_000);
    let transactions = numbers.get(1).copied().unwrap_or(200_000);
    println!("{accounts} accounts, {transactions} transactions in blocks of {TXS_IN_BLOCK}");
    // One workload at a time leaves no memory of the other in the figures.
    let payments = std::env::args().any(|a| a == "payments");
    Run::new(accounts, payments).go(transactions / TXS_IN_BLOCK);
}

fn address(n: u64) -> Address {
    Address::from_word(keccak256(n.to_be_bytes()))
}

/// A fixed sequence that looks random.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

struct Run {
    payments: bool,
    _dir: tempfile::TempDir,
    store: Arc<Store>,
    accounts: Vec<(Address, Account)>,
    slots: BTreeMap<U256, U256>,
    dice: Dice,
}

impl Run {
    fn new(count: u64, payments: bool) -> Self {
        let account = Account {
            balance: U256::from(10).pow(U256::from(20)),
            ..Account::default()
        };
        let mut accounts: Vec<_> = (0..count).map(|n| (address(n), account)).collect();
        accounts.push((
            TOKEN,
            Account {
                nonce: 1,
                code_hash: keccak256([1]),
                ..account
            },
        ));
        accounts.sort_by_key(|(address, _)| *address);
        let diffs = accounts.iter().map(|(address, account)| AccountDiff {
            address: *address,
            before: None,
            after: Some(*account),
            wiped: false,
            slots: Vec::new(),
        });
        let state = StateDiff {
            accounts: diffs.collect(),
            codes: vec![(keccak256([1]), Bytes::from_static(&[1]))],
        };
        let state_root = StateTrie::new(NoNodes, EMPTY_ROOT_HASH)
            .apply(&state)
            .unwrap()
            .state_root;
        let header = Header {
            state_root,
            ..Header::default()
        };
        let dir = tempfile::tempdir().unwrap();
        let rules = Rules::Ethereum(EthereumRules::new(
            1,
            60_000_000,
            L1Fork::Prague,
            Vec::new(),
        ));
        let begun = Instant::now();
        let store = Store::open(
            StoreOptions::new(dir.path()),
            Genesis { header, state },
            Arc::new(rules),
        )
        .unwrap();
        println!(
            "\n{}: genesis written in {:.1} s, {} MiB resident",
            if payments {
                "payments (4 slots, 3 logs)"
            } else {
                "native transfers"
            },
            begun.elapsed().as_secs_f64(),
            resident_mib()
        );
        Self {
            payments,
            _dir: dir,
            store,
            accounts,
            slots: BTreeMap::new(),
            dice: Dice(88172645463325252),
        }
    }

    fn go(mut self, blocks: u64) {
        let mut seal = Duration::ZERO;
        let mut publish = Vec::new();
        let before = cpu_by_thread();
        let mut peak = 0;
        for _ in 0..blocks {
            let block = self.block();
            let begun = Instant::now();
            let pending = self.store.seal(block, BlockMeta::default()).unwrap();
            seal += begun.elapsed();
            let begun = Instant::now();
            self.store.publish(pending).unwrap();
            publish.push(begun.elapsed());
            peak = peak.max(resident_mib());
        }
        self.store.flush().unwrap();
        let after = cpu_by_thread();
        let txs = (blocks * TXS_IN_BLOCK) as f64;
        let micros = |d: Duration| d.as_secs_f64() * 1e6 / txs;
        println!("  seal     {:6.2} µs/tx (trie, wall)", micros(seal));
        publish.sort_unstable();
        let median = micros(publish[publish.len() / 2] * blocks as u32);
        let all = micros(publish.iter().sum());
        println!(
            "  publish  {median:6.2} µs/tx in most blocks (log, sync, overlay; wall), {all:.2} with the cuts"
        );
        for (thread, cpu) in after {
            let spent = cpu - before.get(&thread).copied().unwrap_or_default();
            if thread.starts_with("store") || thread.starts_with("rocksdb") {
                println!("  {thread:<16} {:6.2} µs/tx CPU", spent * 1e6 / txs);
            }
        }
        println!("  peak {peak} MiB resident, at the end {}", resident_mib());
        self.reads();
    }

    /// A read at the head of something that was read before.
    fn reads(&mut self) {
        let view = self.store.latest_state();
        let hot: Vec<Address> = (0..10_000).map(|_| self.pick_address()).collect();
        for round in ["first", "again"] {
            let begun = Instant::now();
            for address in &hot {
                view.account(*address).unwrap();
            }
            println!(
                "  read {round}: {:.2} µs",
                begun.elapsed().as_secs_f64() * 1e6 / hot.len() as f64
            );
        }
    }

    fn pick_address(&mut self) -> Address {
        let at = self.pick();
        self.accounts[at].0
    }

    fn pick(&mut self) -> usize {
        self.dice.roll(self.accounts.len() as u64) as usize
    }

    fn block(&mut self) -> ExecutedBlock {
        let head = self.store.head();
        let mut changed = BTreeMap::<usize, Account>::new();
        let mut slots = BTreeMap::<U256, U256>::new();
        let mut transactions = Vec::new();
        let mut receipts = Vec::new();
        for n in 0..TXS_IN_BLOCK {
            let (from, to) = (self.pick(), self.pick());
            for at in [from, to] {
                changed.entry(at).or_insert(self.accounts[at].1);
                let account = &mut self.accounts[at].1;
                account.nonce += u64::from(at == from);
                account.balance += U256::from(n);
            }
            let mut logs = Vec::new();
            if self.payments {
                for part in 0..4u64 {
                    let who = self.accounts[if part % 2 == 0 { from } else { to }]
                        .0
                        .into_word();
                    let slot =
                        U256::from_be_bytes(keccak256([who.as_slice(), &[part as u8]].concat()).0);
                    let value = self.slots.entry(slot).or_default();
                    slots.entry(slot).or_insert(*value);
                    *value += U256::from(n + 1);
                }
                for part in 0..3u8 {
                    let topics = vec![
                        B256::repeat_byte(part),
                        self.accounts[from].0.into_word(),
                        self.accounts[to].0.into_word(),
                    ];
                    logs.push(Log::new_unchecked(TOKEN, topics, vec![part; 64].into()));
                }
            }
            transactions.push(transaction(
                self.accounts[from].1.nonce,
                self.accounts[from].0,
                self.accounts[to].0,
            ));
            receipts.push(Receipt {
                tx_type: 2,
                post_state: None,
                success: true,
                cumulative_gas_used: 21_000 * (n + 1),
                logs,
            });
        }
        let mut accounts: Vec<AccountDiff> = changed
            .into_iter()
            .map(|(at, before)| {
                let (address, after) = self.accounts[at];
                AccountDiff {
                    address,
                    before: Some(before),
                    after: Some(after),
                    wiped: false,
                    slots: Vec::new(),
                }
            })
            .collect();
        if self.payments {
            let token = self
                .accounts
                .binary_search_by_key(&TOKEN, |(a, _)| *a)
                .ok()
                .map(|at| self.accounts[at].1);
            let slots = slots.iter().map(|(slot, before)| SlotDiff {
                slot: *slot,
                before: *before,
                after: self.slots[slot],
            });
            let slots = slots.collect();
            accounts.retain(|a| a.address != TOKEN);
            accounts.push(AccountDiff {
                address: TOKEN,
                before: token,
                after: token,
                wiped: false,
                slots,
            });
            accounts.sort_by_key(|a| a.address);
        }
        let header = Header {
            number: head.header.number + 1,
            parent_hash: head.hash,
            ..Header::default()
        };
        ExecutedBlock {
            ommers: Vec::new(),
            withdrawals: Vec::new(),
            steps: Vec::new(),
            requests: Vec::new(),
            header,
            transactions,
            receipts,
            diff: StateDiff {
                accounts,
                codes: Vec::new(),
            },
        }
    }
}

fn transaction(nonce: u64, sender: Address, to: Address) -> Arc<CheckedTx> {
    let signature = Signature::new(
        U256::from_be_bytes(sender.into_word().0),
        U256::from(1),
        false,
    );
    let tx = TxEip1559 {
        chain_id: 1,
        nonce,
        gas_limit: 21_000,
        to: TxKind::Call(to),
        ..TxEip1559::default()
    };
    let tx = Transaction::Signed(tx.into_signed(signature).into());
    let raw = Bytes::from(tx.encode());
    let hash = keccak256(&raw);
    Arc::new(CheckedTx {
        tx,
        raw,
        hash,
        sender,
    })
}

/// CPU seconds by thread name, in steps of 10 ms (`proc_pid_stat(5)`).
fn cpu_by_thread() -> BTreeMap<String, f64> {
    let mut cpu = BTreeMap::new();
    for task in fs::read_dir("/proc/self/task")
        .into_iter()
        .flatten()
        .flatten()
    {
        let Ok(stat) = fs::read_to_string(task.path().join("stat")) else {
            continue;
        };
        let Some((name, rest)) = stat.split_once('(').and_then(|(_, s)| s.rsplit_once(") ")) else {
            continue;
        };
        let fields: Vec<&str> = rest.split(' ').collect();
        let ticks: f64 = [fields[11], fields[12]]
            .iter()
            .filter_map(|t| t.parse::<f64>().ok())
            .sum();
        *cpu.entry(name.to_owned()).or_default() += ticks / 100.0;
    }
    cpu
}

fn resident_mib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find(|l| l.starts_with("VmRSS"))
        .unwrap_or("0");
    line.split_whitespace()
        .find_map(|w| w.parse::<u64>().ok())
        .unwrap_or(0)
        / 1024
}

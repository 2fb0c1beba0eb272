//! The pool against a naive one that looks at everything each time: after any sequence of calls both hold the
//! same transactions, split the same way, and hand them out in the same order.

mod support;

use alloy_primitives::U256;
use mempool::{Pool, PoolLimits, SenderState};
use primitives::CheckedTx;
use proptest::prelude::*;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

const SENDERS: u32 = 4;
const GAS: u128 = 21_000;

#[derive(Debug, Clone)]
enum Call {
    Add {
        sender: u32,
        nonce: u64,
        max_fee: u128,
        tip: u128,
        value: u64,
    },
    Take {
        base_fee: u64,
        max: usize,
    },
    /// Rejects, or sets aside, the n-th of what was taken last.
    Reject(usize),
    Defer(usize),
    Start,
    Release,
    /// The chain used this many of the sender's nonces, and left it this balance.
    Block {
        sender: u32,
        used: u64,
        balance: u64,
    },
    Rewind {
        sender: u32,
        back: u64,
    },
}

fn call() -> impl Strategy<Value = Call> {
    let sender = 0..SENDERS;
    let wei = prop_oneof![Just(u64::MAX), 0u64..2_000_000];
    prop_oneof![
        10 => (sender.clone(), 0u64..8, 0u128..30, 0u128..30, 0u64..4).prop_map(|(sender, nonce, a, b, value)| {
            Call::Add { sender, nonce, max_fee: a.max(b), tip: a.min(b), value: value * 100_000 }
        }),
        3 => (0u64..20, 1usize..6).prop_map(|(base_fee, max)| Call::Take { base_fee, max }),
        1 => (0usize..6).prop_map(Call::Reject),
        1 => (0usize..6).prop_map(Call::Defer),
        1 => Just(Call::Start),
        1 => Just(Call::Release),
        2 => (sender.clone(), 0u64..4, wei).prop_map(|(sender, used, balance)| Call::Block { sender, used, balance }),
        1 => (sender, 0u64..4).prop_map(|(sender, back)| Call::Rewind { sender, back }),
    ]
}

struct Waiting {
    tx: Arc<CheckedTx>,
    max_fee: u128,
    tip: u128,
    value: u64,
    arrival: u64,
}

impl Waiting {
    fn cost(&self) -> u128 {
        GAS * self.max_fee + u128::from(self.value)
    }
}

#[derive(Default)]
struct Account {
    nonce: u64,
    balance: u64,
    waiting: BTreeMap<u64, Waiting>,
    taken: BTreeSet<u64>,
    deferred: bool,
}

impl Account {
    fn ready(&self) -> Vec<u64> {
        (self.nonce..)
            .take_while(|nonce| self.waiting.contains_key(nonce))
            .collect()
    }

    fn state(&self) -> SenderState {
        SenderState {
            nonce: self.nonce,
            balance: U256::from(self.balance),
            has_code: false,
        }
    }

    /// What the pool must do whenever something changed.
    fn settle(&mut self) {
        let ready = self.ready();
        self.taken.retain(|nonce| ready.contains(nonce));
        // Taken ones are a prefix: what follows a gap in them goes back.
        let prefix = ready
            .iter()
            .take_while(|nonce| self.taken.contains(nonce))
            .count();
        self.taken = ready[..prefix].iter().copied().collect();
        // A sender without transactions is forgotten, and with it that it stood back.
        self.deferred &= !self.waiting.is_empty();
    }

    fn add(&mut self, nonce: u64, new: Waiting) -> bool {
        let ready = self.ready();
        if nonce < self.nonce + self.taken.len() as u64 {
            return false;
        }
        let others: u128 = ready
            .iter()
            .filter(|n| **n != nonce)
            .map(|n| self.waiting[n].cost())
            .sum();
        if others + new.cost() > u128::from(self.balance) || new.cost() > u128::from(self.balance) {
            return false;
        }
        if let Some(old) = self.waiting.get(&nonce) {
            let raised = |new: u128, old: u128| new > old && new >= old * 110 / 100;
            if !raised(new.max_fee, old.max_fee) || !raised(new.tip, old.tip) {
                return false;
            }
        }
        self.waiting.insert(nonce, new);
        true
    }
}

#[derive(Default)]
struct Model {
    accounts: Vec<Account>,
    arrivals: u64,
}

impl Model {
    fn take(&mut self, base_fee: u64, max: usize) -> Vec<Arc<CheckedTx>> {
        let mut out = Vec::new();
        while out.len() < max {
            let best = self
                .accounts
                .iter()
                .enumerate()
                .filter(|(_, account)| !account.deferred)
                .filter_map(|(n, account)| {
                    let nonce = *account.ready().get(account.taken.len())?;
                    let tx = &account.waiting[&nonce];
                    let tip = tx.tip.min(tx.max_fee.checked_sub(base_fee.into())?);
                    Some((tip, std::cmp::Reverse(tx.arrival), n, nonce))
                })
                .max();
            let Some((_, _, n, nonce)) = best else { break };
            self.accounts[n].taken.insert(nonce);
            out.push(self.accounts[n].waiting[&nonce].tx.clone());
        }
        out
    }
}

fn agree(pool: &Pool, model: &Model) {
    let (mut pending, mut queued) = (0, 0);
    for (n, account) in model.accounts.iter().enumerate() {
        let address = support::address(n as u32);
        let ready = account.ready();
        let content = pool.content_from(&address);
        let nonces = |lists: &[(_, Vec<Arc<CheckedTx>>)]| -> Vec<_> {
            lists
                .iter()
                .flat_map(|(_, list)| list)
                .map(|tx| tx.hash)
                .collect()
        };
        let want = |nonces: &mut dyn Iterator<Item = &u64>| -> Vec<_> {
            nonces.map(|nonce| account.waiting[nonce].tx.hash).collect()
        };
        assert_eq!(nonces(&content.pending), want(&mut ready.iter()));
        assert_eq!(
            nonces(&content.queued),
            want(&mut account.waiting.keys().filter(|n| !ready.contains(n)))
        );
        let pending_nonce =
            (!account.waiting.is_empty()).then(|| account.nonce + ready.len() as u64);
        assert_eq!(pool.pending_nonce(&address), pending_nonce);
        assert!(
            account
                .waiting
                .values()
                .all(|w| pool.get(&w.tx.hash).is_some_and(|tx| tx.hash == w.tx.hash))
        );
        pending += ready.len();
        queued += account.waiting.len() - ready.len();
    }
    let bytes = model
        .accounts
        .iter()
        .flat_map(|a| a.waiting.values())
        .map(|w| w.tx.raw.len())
        .sum();
    assert_eq!(
        pool.counts(),
        mempool::Counts {
            pending,
            queued,
            bytes
        }
    );
}

fn run(calls: Vec<Call>) {
    let mut pool = Pool::new(PoolLimits::sequencer(0));
    let mut model = Model::default();
    model.accounts.resize_with(SENDERS as usize, || Account {
        balance: u64::MAX,
        ..Account::default()
    });
    let mut last = Vec::new();
    for call in calls {
        match call {
            Call::Add {
                sender,
                nonce,
                max_fee,
                tip,
                value,
            } => {
                let tx = support::transfer(sender, nonce, max_fee, tip, value);
                let account = &mut model.accounts[sender as usize];
                let known = account.waiting.values().any(|w| w.tx.hash == tx.hash);
                model.arrivals += 1;
                let waiting = Waiting {
                    tx: tx.clone(),
                    max_fee,
                    tip,
                    value,
                    arrival: model.arrivals,
                };
                let state = account.state();
                let want = !known && account.add(nonce, waiting);
                assert_eq!(pool.add(tx, state, 0).is_ok(), want, "{call:?}");
            }
            Call::Take { base_fee, max } => {
                last = pool.take(base_fee, max);
                assert_eq!(last, model.take(base_fee, max), "{call:?}");
            }
            Call::Reject(n) => {
                let Some(tx) = last.get(n) else { continue };
                let account = &mut model.accounts[sender_of(tx)];
                let known = account
                    .waiting
                    .iter()
                    .find(|(_, w)| w.tx.hash == tx.hash)
                    .map(|(nonce, _)| *nonce);
                known.map(|nonce| account.waiting.remove(&nonce));
                account.settle();
                assert_eq!(pool.reject(&tx.hash).is_some(), known.is_some());
            }
            Call::Defer(n) => {
                let Some(tx) = last.get(n) else { continue };
                let account = &mut model.accounts[sender_of(tx)];
                let known = account
                    .waiting
                    .iter()
                    .find(|(_, w)| w.tx.hash == tx.hash)
                    .map(|(nonce, _)| *nonce);
                if let Some(nonce) = known {
                    account.taken.retain(|taken| *taken < nonce);
                    account.deferred = true;
                }
                pool.defer(&tx.hash);
            }
            Call::Start => {
                model
                    .accounts
                    .iter_mut()
                    .for_each(|account| account.deferred = false);
                pool.start_block();
            }
            Call::Release => {
                for account in &mut model.accounts {
                    account.deferred = false;
                    account.taken.clear();
                }
                pool.release();
            }
            Call::Block {
                sender,
                used,
                balance,
            } => {
                let account = &mut model.accounts[sender as usize];
                account.nonce += used;
                account.balance = balance;
                let (nonce, taken) = (account.nonce, account.taken.clone());
                account.waiting.retain(|n, w| {
                    *n >= nonce && (taken.contains(n) || w.cost() <= u128::from(balance))
                });
                account.settle();
                pool.on_accounts([(support::address(sender), account.state())], 0);
            }
            Call::Rewind { sender, back } => {
                for (n, account) in model.accounts.iter_mut().enumerate() {
                    account.taken.clear();
                    account.deferred = false;
                    if n as u32 == sender {
                        account.nonce = account.nonce.saturating_sub(back);
                        account.balance = u64::MAX;
                    }
                    let balance = u128::from(account.balance);
                    account.waiting.retain(|_, w| w.cost() <= balance);
                    account.settle();
                }
                let accounts = &model.accounts;
                let state = |address| {
                    accounts
                        .iter()
                        .enumerate()
                        .find(|(n, _)| support::address(*n as u32) == address)
                };
                pool.on_rewind(|address| {
                    state(address).map(|(_, account)| account.state()).ok_or(())
                })
                .unwrap();
            }
        }
        agree(&pool, &model);
    }
    // Whatever happened: given back and unblocked, everything ready can be taken.
    pool.release();
    let ready = pool.counts().pending;
    assert_eq!(pool.take(0, usize::MAX).len(), ready);
}

fn sender_of(tx: &CheckedTx) -> usize {
    (0..SENDERS)
        .find(|n| support::address(*n) == tx.sender)
        .unwrap() as usize
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_pool_equals_the_naive_one(calls in prop::collection::vec(call(), 1..60)) {
        run(calls);
    }

    #[test]
    fn caps_hold_whatever_comes(calls in prop::collection::vec(call(), 1..80)) {
        let limits = PoolLimits {
            pending_max: 5, queued_max: 3, per_sender_max: 4, queued_per_sender_max: 2, bytes_max: 700,
            ..PoolLimits::sequencer(0)
        };
        let mut pool = Pool::new(limits.clone());
        let mut nonces = [0u64; SENDERS as usize];
        let mut last = Vec::new();
        for call in calls {
            match call {
                Call::Add { sender, nonce, max_fee, tip, value } => {
                    let state = SenderState { nonce: nonces[sender as usize], balance: U256::MAX, has_code: false };
                    let before = pool.counts();
                    let tx = support::transfer(sender, nonce, max_fee, tip, value);
                    let hash = tx.hash;
                    match pool.add(tx, state, 0) {
                        Ok(added) => {
                            prop_assert!(pool.contains(&hash));
                            prop_assert!(added.evicted.iter().chain(&added.replaced).all(|gone| !pool.contains(gone)));
                        }
                        // A refusal changes nothing.
                        Err(_) => prop_assert_eq!(pool.counts(), before),
                    }
                }
                Call::Take { base_fee, max } => last = pool.take(base_fee, max),
                Call::Reject(n) => drop(last.get(n).map(|tx| pool.reject(&tx.hash))),
                Call::Defer(n) => drop(last.get(n).map(|tx| pool.defer(&tx.hash))),
                Call::Start => pool.start_block(),
                Call::Release => pool.release(),
                Call::Block { sender, used, .. } => {
                    nonces[sender as usize] += used;
                    let state = SenderState { nonce: nonces[sender as usize], balance: U256::MAX, has_code: false };
                    pool.on_accounts([(support::address(sender), state)], 0);
                }
                Call::Rewind { .. } => {}
            }
            let counts = pool.counts();
            prop_assert!(counts.queued <= limits.queued_max);
            // A gap that closes may promote what was queued.
            prop_assert!(counts.pending <= limits.pending_max + limits.queued_max);
            prop_assert!(counts.bytes <= limits.bytes_max);
            let content = pool.content();
            for (address, list) in &content.pending {
                prop_assert!(list.len() <= limits.per_sender_max);
                let first = list[0].tx.as_signed().map(alloy_consensus::Transaction::nonce).unwrap();
                for (n, tx) in list.iter().enumerate() {
                    prop_assert_eq!(alloy_consensus::Transaction::nonce(&tx.tx), first + n as u64);
                }
                prop_assert_eq!(pool.pending_nonce(address), Some(first + list.len() as u64));
            }
            let held: usize = content.pending.iter().chain(&content.queued).map(|(_, list)| list.len()).sum();
            prop_assert_eq!(held, counts.pending + counts.queued);
        }
    }
}

//! Facts about order, replacement, limits and what blocks do to the pool, each told as a story.
//!
//! ```text
//! a0@10      sender a, nonce 0, type 0, pays 10     a0@20/3   type 2, fee cap 20, tip 3     a0@10*5 value 5
//! take       takes all at base fee 0                take2     at most two                   take@15 at base fee 15
//! a=3        a's nonce becomes 3 (a block)          a=3$50    and its balance               release, start, show
//! x:a0       rejected       later:a0 deferred       a!code    a has code
//! at:500     time in ms     expire                  back:a0@9 from a removed block
//! ```

mod support;

use alloy_primitives::{Address, B256, U256};
use mempool::{Content, Pool, PoolLimits, SenderState};
use std::collections::HashMap;

const LIMITS: PoolLimits = PoolLimits {
    pending_max: 100,
    queued_max: 100,
    per_sender_max: 50,
    queued_per_sender_max: 50,
    bytes_max: 1 << 20,
    queued_lifetime_ms: 1_000,
    ..PoolLimits::sequencer(0)
};

struct Story {
    pool: Pool,
    accounts: HashMap<char, SenderState>,
    names: HashMap<B256, String>,
    now_ms: u64,
    told: Vec<String>,
}

fn id(name: char) -> u32 {
    name as u32 - 'a' as u32
}

impl Story {
    fn new(limits: PoolLimits) -> Self {
        Self {
            pool: Pool::new(limits),
            accounts: HashMap::new(),
            names: HashMap::new(),
            now_ms: 0,
            told: Vec::new(),
        }
    }

    fn account(&mut self, name: char) -> &mut SenderState {
        self.accounts.entry(name).or_insert(SenderState {
            nonce: 0,
            balance: U256::from(10_000_000),
            has_code: false,
        })
    }

    fn hash(&self, name: &str) -> B256 {
        *self
            .names
            .iter()
            .find(|(hash, known)| *known == name && self.pool.contains(hash))
            .expect(name)
            .0
    }

    fn list(&self, lists: &[(Address, Vec<std::sync::Arc<primitives::CheckedTx>>)]) -> String {
        let names = lists
            .iter()
            .flat_map(|(_, list)| list)
            .map(|tx| self.names[&tx.hash].clone());
        names.collect::<Vec<_>>().join(" ")
    }

    fn add(&mut self, word: &str, returned: bool) {
        let (name, price) = word.split_once('@').unwrap();
        let (price, value) = price.split_once('*').unwrap_or((price, "0"));
        let (max_fee, tip) = price.split_once('/').unwrap_or((price, price));
        let sender = name.chars().next().unwrap();
        let nonce = name[1..].parse().unwrap();
        let [max_fee, tip] = [max_fee, tip].map(|n| n.parse().unwrap());
        let tx = support::transfer(id(sender), nonce, max_fee, tip, value.parse().unwrap());
        self.names.insert(tx.hash, name.into());
        let account = *self.account(sender);
        let result = match returned {
            true => self.pool.add_returned(tx, account, self.now_ms),
            false => self.pool.add(tx, account, self.now_ms),
        };
        match result {
            Ok(added) => {
                if !added.promoted.is_empty() {
                    let names: Vec<_> = added
                        .promoted
                        .iter()
                        .map(|tx| self.names[&tx.hash].as_str())
                        .collect();
                    self.told.push(format!("promoted {}", names.join(" ")));
                }
                if added.replaced.is_some() {
                    self.told.push("replaced".into());
                }
                self.told.extend(
                    added
                        .evicted
                        .iter()
                        .map(|hash| format!("evicted {}", self.names[hash])),
                );
            }
            Err(error) => self.told.push(error.to_string()),
        }
    }

    fn step(&mut self, word: &str) {
        if let Some(rest) = word.strip_prefix("take") {
            let (count, base_fee) = rest.split_once('@').unwrap_or((rest, "0"));
            let taken = self.pool.take(
                base_fee.parse().unwrap(),
                count.parse().unwrap_or(usize::MAX),
            );
            let names: Vec<_> = taken
                .iter()
                .map(|tx| self.names[&tx.hash].clone())
                .collect();
            self.told.push(format!("[{}]", names.join(" ")));
        } else if let Some(name) = word.strip_prefix("x:") {
            self.pool.reject(&self.hash(name));
        } else if let Some(name) = word.strip_prefix("later:") {
            self.pool.defer(&self.hash(name));
        } else if let Some(ms) = word.strip_prefix("at:") {
            self.now_ms = ms.parse().unwrap();
        } else if let Some(tx) = word.strip_prefix("back:") {
            self.add(tx, true);
        } else if let Some((name, state)) = word.split_once('=') {
            let name = name.chars().next().unwrap();
            let (nonce, balance) = state.split_once('$').unwrap_or((state, ""));
            let account = self.account(name);
            account.nonce = nonce.parse().unwrap();
            if !balance.is_empty() {
                account.balance = balance.parse().unwrap();
            }
            let account = *account;
            self.pool
                .on_accounts([(support::address(id(name)), account)], self.now_ms);
        } else if let Some(name) = word.strip_suffix("!code") {
            self.account(name.chars().next().unwrap()).has_code = true;
        } else {
            match word {
                "release" => self.pool.release(),
                "start" => self.pool.start_block(),
                "expire" => drop(self.pool.drop_expired(self.now_ms)),
                "show" => {
                    let Content { pending, queued } = self.pool.content();
                    let shown = format!("{} | {}", self.list(&pending), self.list(&queued));
                    self.told.push(shown.trim().into());
                }
                _ => self.add(word, false),
            }
        }
    }
}

fn check_with(limits: PoolLimits, story: &str, want: &str) {
    let mut play = Story::new(limits);
    story.split_whitespace().for_each(|word| play.step(word));
    assert_eq!(play.told.join("; "), want, "{story}");
}

fn check(story: &str, want: &str) {
    check_with(LIMITS, story, want);
}

#[rustfmt::skip]
mod order {
    use super::*;
    #[test] fn the_higher_tip_goes_first()                 { check("a0@10 b0@20 c0@15 take", "[b0 c0 a0]") }
    #[test] fn equal_tips_go_by_arrival()                  { check("c0@10 a0@10 b0@10 take", "[c0 a0 b0]") }
    #[test] fn nonces_ascend_whatever_they_pay()           { check("a0@10 a1@90 b0@20 take", "[b0 a0 a1]") }
    #[test] fn the_base_fee_cuts_into_the_tip()            { check("a0@20/9 b0@90/5 take@10", "[a0 b0]"); check("a0@20/9 b0@90/5 take@17", "[b0 a0]") }
    #[test] fn below_the_base_fee_waits_and_is_not_lost()  { check("a0@10 b0@30 take@20 show take@10", "[b0]; a0 b0 |; [a0]") }
    #[test] fn what_is_taken_is_not_taken_twice()          { check("a0@10 a1@10 take1 take", "[a0]; [a1]") }
    #[test] fn a_late_better_one_goes_before_the_rest()    { check("a0@10 b0@9 take1 c0@50 take", "[a0]; [c0 b0]") }
}

#[rustfmt::skip]
mod nonces {
    use super::*;
    #[test] fn a_gap_waits()                               { check("a1@10 a0@10 a3@10 show", "promoted a1; a0 a1 | a3") }
    #[test] fn a_used_nonce_is_refused()                   { check("a=2 a1@10", "nonce too low: next nonce 2, tx nonce 1") }
    #[test] fn a_nonce_in_the_block_being_built_is_used()  { check("a0@10 take a0@90", "[a0]; nonce too low: next nonce 1, tx nonce 0") }
    #[test] fn the_same_transaction_is_known()             { check("a0@10 a0@10", "already known") }
    #[test] fn an_old_account_snapshot_changes_nothing()   {
        let mut story = Story::new(LIMITS);
        "a0@10 a1@10 a2@10 a=2".split(' ').for_each(|word| story.step(word));
        story.account('a').nonce = 0;
        story.step("a1@11");
        story.step("show");
        assert_eq!(story.told, ["nonce too low: next nonce 2, tx nonce 1", "a2 |"]);
    }
    #[test] fn a_newer_account_snapshot_is_believed()      {
        let mut story = Story::new(LIMITS);
        "a0@10 a1@10".split(' ').for_each(|word| story.step(word));
        story.account('a').nonce = 2;
        "a2@10 show".split(' ').for_each(|word| story.step(word));
        assert_eq!(story.told, ["a2 |"]);
    }
}

#[rustfmt::skip]
mod replacement {
    use super::*;
    const NO: &str = "replacement transaction underpriced";
    #[test] fn ten_percent_more_replaces()                 { check("a0@100 a0@110 take", "replaced; [a0]") }
    #[test] fn nine_percent_more_does_not()                { check("a0@100 a0@109", NO) }
    #[test] fn both_fees_have_to_rise()                    { check("a0@100/10 a0@200/10", NO); check("a0@100/10 a0@100/20", NO) }
    #[test] fn small_fees_rise_by_one_wei_at_least()       { check("a0@5 a0@5*1 a0@6", "replacement transaction underpriced; replaced") }
    #[test] fn a_queued_one_is_replaced_too()              { check("a3@100 a3@110 show", "replaced; | a3") }
    #[test] fn the_replacement_may_not_overdraw()          {
        check("a=0$500000 a0@10 a1@10 a0@20", "insufficient funds for gas * price + value: balance 500000, queued cost 420000, tx bumped 210000, overshot 130000");
    }
}

#[rustfmt::skip]
mod funds {
    use super::*;
    #[test] fn what_it_may_cost_must_be_there()            {
        check("a=0$210000 a0@10*1", "insufficient funds for gas * price + value: balance 210000, tx cost 210001, overshot 1");
    }
    #[test] fn pending_ones_add_up()                       {
        check("a=0$420000 a0@10 a1@10*1", "insufficient funds for gas * price + value: balance 420000, queued cost 210000, tx cost 210001, overshot 1");
    }
    #[test] fn what_a_block_made_unpayable_leaves()        { check("a0@10 a1@10*500000 a2@10 a=1$400000 show", "| a2") }
    #[test] fn what_is_taken_is_paid_for()                 { check("a0@10*500000 a1@10 take1 a=0$300000 show", "[a0]; a0 a1 |") }
}

#[rustfmt::skip]
mod full {
    use super::*;
    const TWO: PoolLimits = PoolLimits { pending_max: 2, queued_max: 2, ..LIMITS };
    #[test] fn the_cheapest_ready_one_makes_room()         { check_with(TWO, "a0@10 b0@20 c0@30 show", "evicted a0; b0 c0 |") }
    #[test] fn a_cheaper_one_is_refused()                  { check_with(TWO, "a0@10 b0@20 c0@10", "transaction underpriced") }
    #[test] fn only_last_nonces_are_evicted()              { check_with(TWO, "a0@10 a1@50 c0@60 show", "evicted a1; a0 c0 |") }
    #[test] fn what_is_taken_is_never_evicted()            { check_with(TWO, "a0@10 b0@20 take c0@90", "[b0 a0]; txpool is full") }
    #[test] fn ones_own_last_nonce_is_not_evicted()        { check_with(TWO, "a0@10 a1@10 a2@90", "txpool is full") }
    #[test] fn queued_ones_have_room_of_their_own()        { check_with(TWO, "a0@10 b0@10 c1@10 show", "a0 b0 | c1") }
    #[test] fn a_full_queue_evicts_its_cheapest()          { check_with(TWO, "a1@10 b1@20 c1@30 d1@5 show", "evicted a1; transaction underpriced; | b1 c1") }
    #[test] fn a_replacement_needs_no_room()               { check_with(TWO, "a0@10 b0@20 a0@11 show", "replaced; a0 b0 |") }
    #[test] fn ready_ones_that_became_queued_are_trimmed() { check_with(PoolLimits { queued_max: 1, ..LIMITS }, "a0@9 a1@9 a2@9 a3@9 take1 x:a0 show", "[a0]; | a1") }
    #[test] fn a_sender_has_a_limit()                      { check_with(PoolLimits { per_sender_max: 2, ..LIMITS }, "a0@9 a1@9 a2@9", "account limit exceeded: pooled 2 txs") }
    #[test] fn a_sender_has_a_limit_of_gaps()              { check_with(PoolLimits { queued_per_sender_max: 1, ..LIMITS }, "a0@9 a2@9 a3@9", "account limit exceeded: pooled 2 txs") }
    #[test] fn bytes_are_limited_and_queued_ones_go_first() {
        let bytes_max = support::transfer(0, 0, 10, 10, 0).raw.len() * 2 + 5;
        let bytes = PoolLimits { bytes_max, ..LIMITS };
        check_with(bytes.clone(), "a1@90 b0@10 c0@5 show", "evicted a1; b0 c0 |");
        check_with(bytes, "a0@10 b0@10 c1@90", "future transaction tries to replace pending");
    }
}

#[rustfmt::skip]
mod blocks {
    use super::*;
    #[test] fn included_ones_leave()                       { check("a0@9 a1@9 b0@9 take2 a=2 show", "[a0 a1]; b0 |") }
    #[test] fn a_given_up_block_loses_nothing()            { check("a0@9 a1@9 take release take", "[a0 a1]; [a0 a1]") }
    #[test] fn a_rejected_one_takes_its_successors_along() { check("a0@9 a1@9 b0@5 take x:a0 show release take", "[a0 a1 b0]; b0 | a1; [b0]") }
    #[test] fn a_deferred_one_waits_for_the_next_block()   { check("a0@9 a1@9 b0@5 take1 later:a0 take start take", "[a0]; [b0]; [a0 a1]") }
    #[test] fn those_taken_for_the_next_block_stay_taken() { check("a0@9 a1@9 take1 take1 a=1 take release take", "[a0]; [a1]; []; [a1]") }
    #[test] fn a_used_nonce_from_elsewhere_clears_its_own() { check("a0@9 a1@9 a=1 take", "[a1]") }
    #[test] fn the_last_nonce_freed_forgets_the_sender()   { check("a0@9 a=1 show b0@9 a1@9 show", "|; a1 b0 |") }
}

#[rustfmt::skip]
mod time {
    use super::*;
    #[test] fn a_gap_that_never_closes_expires()           { check("a0@9 a2@9 at:999 expire show at:1000 expire show", "a0 | a2; a0 |") }
    #[test] fn another_gap_of_the_sender_starts_anew()     { check("a2@9 at:900 a3@9 at:1800 expire show at:1900 expire show", "| a2 a3; |") }
    #[test] fn ready_ones_do_not_expire()                  { check("a0@9 at:90000 expire show", "a0 |") }
}

#[rustfmt::skip]
mod delegated {
    use super::*;
    #[test] fn a_delegated_account_has_one_slot()          { check("a!code a0@9 a1@9", "in-flight transaction limit reached for delegated accounts") }
    #[test] fn a_delegated_account_may_replace()           { check("a!code a0@9 a0@10", "replaced") }
    #[test] fn a_delegated_account_may_not_leave_a_gap()   { check("a!code a1@9", "gapped-nonce tx from delegated accounts") }
    #[test] fn a_removed_block_may_return_more()           { check("a!code back:a0@9 back:a1@9 show", "a0 a1 |") }
}

#[test]
fn a_rewind_reads_every_sender_again() {
    let mut story = Story::new(LIMITS);
    "a=2 a2@9 a3@9 b0@9 take"
        .split(' ')
        .for_each(|word| story.step(word));
    story.account('a').nonce = 0;
    let accounts = story.accounts.clone();
    let of = |address| {
        accounts[&if address == support::address(0) {
            'a'
        } else {
            'b'
        }]
    };
    story
        .pool
        .on_rewind(|address| Ok::<_, ()>(of(address)))
        .unwrap();
    "show back:a1@9 back:a0@9 take"
        .split(' ')
        .for_each(|word| story.step(word));
    assert_eq!(
        story.told,
        [
            "[a2 a3 b0]",
            "b0 | a2 a3",
            "promoted a1 a2 a3",
            "[b0 a0 a1 a2 a3]"
        ]
    );
}

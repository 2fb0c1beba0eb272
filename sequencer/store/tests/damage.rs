//! Bytes that are wrong: a torn end is cut off, damage anywhere else is named.

mod support;

use alloy_primitives::U256;
use std::sync::Arc;
use stf::StateReader;
use store::{Report, Store, StoreError, StoreOptions, TableId, check_on};
use support::*;

fn open(machine: &Machine) -> store::Result<Arc<Store>> {
    let options = StoreOptions {
        segment_bytes: 1500,
        ..options()
    };
    Store::open_on(
        Arc::new(machine.clone()),
        Arc::new(machine.clone()),
        options,
        genesis(),
        rules(),
    )
}

/// Four blocks in the log, over two segments; in the tables `flushed` of them.
fn machine(flushed: u64) -> (Machine, Model) {
    let machine = Machine::default();
    let store = open(&machine).unwrap();
    let mut model = Model::new();
    for n in 1..=4u8 {
        publish(
            &store,
            &mut model,
            &[Action::Put {
                from: n,
                slot: n,
                value: n,
            }],
        )
        .unwrap();
        if u64::from(n) == flushed {
            store.flush().unwrap();
        }
    }
    let left = machine.copy();
    assert_eq!(left.file_names(), ["0000000000.log", "0000000001.log"]);
    (left, model)
}

const LAST: &str = "0000000001.log";

#[test]
fn a_log_cut_anywhere_in_its_last_record_opens_with_the_block_before() {
    let (whole, mut model) = machine(1);
    let mut len = 0;
    whole.tamper(LAST, |bytes| len = bytes.len());
    model.rewind(3);
    let begin = {
        let copy = whole.copy();
        copy.tamper(LAST, |bytes| bytes.truncate(bytes.len() - 1));
        drop(open(&copy).unwrap());
        let mut begin = 0;
        copy.tamper(LAST, |bytes| begin = bytes.len());
        begin
    };
    assert!(begin < len - 100);
    for cut in begin..len {
        let copy = whole.copy();
        copy.tamper(LAST, |bytes| bytes.truncate(cut));
        let store = open(&copy).unwrap();
        assert_eq!(store.head(), model.blocks[3], "cut at {cut}");
    }
}

#[test]
fn zeros_or_garbage_behind_the_last_record_are_cut_off() {
    for tail in [
        vec![0; 4096],
        vec![0xb1; 100],
        vec![0xb1, 0x0c, 0x7e, 0xd5, 0, 0, 0, 1],
    ] {
        let (machine, mut model) = machine(2);
        machine.tamper(LAST, |bytes| bytes.extend_from_slice(&tail));
        let store = open(&machine).unwrap();
        publish(
            &store,
            &mut model,
            &[Action::Pay {
                from: 0,
                to: 1,
                wei: 1,
            }],
        )
        .unwrap();
        drop(store);
        model.check(&open(&machine).unwrap());
    }
}

#[test]
fn any_wrong_byte_before_the_last_record_is_named_with_its_place() {
    let (whole, _) = machine(0);
    let mut len = 0;
    whole.tamper("0000000000.log", |bytes| len = bytes.len());
    for at in 0..len {
        let copy = whole.copy();
        copy.tamper("0000000000.log", |bytes| bytes[at] ^= 0x40);
        match open(&copy).err() {
            Some(StoreError::LogDamaged { file, offset, .. }) => {
                assert!(
                    file == "0000000000.log" && offset <= at as u64,
                    "byte {at}: {offset}"
                );
            }
            other => panic!("byte {at}: {other:?}"),
        }
    }
}

#[test]
fn damage_says_what_to_do() {
    let (machine, _) = machine(0);
    machine.tamper("0000000000.log", |bytes| bytes[100] ^= 1);
    let text = open(&machine).err().unwrap().to_string();
    assert!(
        text.contains("byte 48 of 0000000000.log")
            && text.contains("truncate -s 48 0000000000.log"),
        "{text}"
    );
}

#[test]
fn a_log_shorter_than_the_tables_is_refused() {
    let (machine, _) = machine(4);
    machine.tamper(LAST, |bytes| bytes.truncate(60));
    assert!(matches!(
        open(&machine),
        Err(StoreError::LogBehindTables(_))
    ));
}

#[test]
fn tables_of_another_schema_are_refused_with_advice() {
    let (machine, _) = machine(4);
    machine.tamper_row(TableId::Tip, 0, |row| row[3] ^= 0x10);
    assert!(
        open(&machine)
            .err()
            .unwrap()
            .to_string()
            .contains("delete the folder `tables`")
    );
}

fn check_after(tamper: impl FnOnce(&Machine)) -> Report {
    let (machine, _) = machine(4);
    tamper(&machine);
    check_on(&machine, &machine, &mut |_, _| {}).unwrap()
}

/// Changes the n-th row of a table and looks for the words in what `check` says.
fn finds(table: TableId, n: usize, change: fn(&mut Vec<u8>), text: &str) {
    let problem = check_after(|m| m.tamper_row(table, n, change))
        .problem
        .unwrap();
    assert!(problem.contains(text), "{problem}");
}

#[test]
fn a_healthy_store_checks_clean() {
    let report = check_after(|_| {});
    assert_eq!(
        (
            report.problem,
            report.blocks,
            report.flushed,
            report.transactions
        ),
        (None, 4, 4, 4)
    );
}

#[test]
fn check_counts_a_torn_tail_without_cutting_it() {
    let (machine, _) = machine(3);
    machine.tamper(LAST, |bytes| bytes.truncate(bytes.len() - 5));
    let report = check_on(&machine, &machine, &mut |_, _| {}).unwrap();
    assert_eq!((report.problem, report.blocks), (None, 3));
    assert!(report.torn_bytes > 100);
}

#[test]
fn check_finds_a_changed_account() {
    finds(
        TableId::Accounts,
        0,
        |row| row[0] ^= 1,
        "the state in the tables has root",
    );
    finds(
        TableId::Accounts,
        0,
        |row| *row.last_mut().unwrap() ^= 1,
        "row of `accounts`",
    );
}

#[test]
fn check_finds_a_changed_slot() {
    finds(
        TableId::Slots,
        0,
        |row| row[1] ^= 0x40,
        "the state in the tables has root",
    );
}

#[test]
fn check_finds_changed_receipts() {
    finds(
        TableId::Receipts,
        2,
        |row| row[2] ^= 1,
        "the receipts of block 2",
    );
}

#[test]
fn check_finds_what_is_wrong_with_logs() {
    let block_2 = 2u64.to_be_bytes();
    let first_row = [&block_2[..], &[0; 4]].concat();
    let without = |m: &Machine| m.set_row(TableId::Logs, &first_row, None);
    let problem = check_after(without).problem.unwrap();
    assert!(
        problem.contains("the logs of block 2 are not all there"),
        "{problem}"
    );
    // The transaction's index, its hash, the log's address.
    finds(
        TableId::Logs,
        1,
        |row| row[0] = 1,
        "the receipts of block 2",
    );
    finds(
        TableId::Logs,
        1,
        |row| row[1] ^= 1,
        "a log of block 2 names transaction",
    );
    finds(
        TableId::Logs,
        1,
        |row| row[33] ^= 1,
        "the receipts of block 2",
    );
    let further = |m: &Machine| {
        m.set_row(
            TableId::Logs,
            &[&block_2[..], &[0, 0, 0, 1]].concat(),
            Some(&[]),
        )
    };
    assert_eq!(
        check_after(further).problem.unwrap(),
        "`logs` has 5 rows, the blocks need 4"
    );
}

#[test]
fn check_finds_what_is_wrong_with_the_index_of_logs() {
    finds(
        TableId::LogIndex,
        0,
        |row| row[0] ^= 1,
        "the index of logs does not name those of block",
    );
    finds(
        TableId::LogIndex,
        0,
        |row| row.push(0),
        "the index of logs does not name those of block",
    );
    let further = |m: &Machine| m.set_row(TableId::LogIndex, &[7; 16], Some(&[0]));
    assert_eq!(
        check_after(further).problem.unwrap(),
        "`log_index` has 9 rows, the blocks need 8"
    );
}

#[test]
fn check_finds_a_changed_header() {
    finds(TableId::Headers, 0, |row| row[0] ^= 1, "block 0 is");
    finds(TableId::Headers, 3, |row| row[0] ^= 1, "block 3 is");
    finds(TableId::Headers, 3, |row| row[50] ^= 1, "block 3 is");
}

#[test]
fn check_finds_a_misplaced_body_and_a_changed_hash_index() {
    finds(
        TableId::Bodies,
        4,
        |row| row[11] ^= 1,
        "block 4 is not where the tables say",
    );
    finds(TableId::Numbers, 0, |row| row[7] ^= 7, "");
}

#[test]
fn check_finds_a_changed_trie_node() {
    finds(TableId::AccountNodes, 0, |row| row[5] ^= 1, "trie");
    finds(TableId::AccountNodes, 3, |row| row[5] ^= 1, "trie");
    finds(TableId::StorageNodes, 0, |row| row[5] ^= 1, "trie");
}

#[test]
fn check_finds_a_damaged_log() {
    let problem = check_after(|m| m.tamper("0000000000.log", |bytes| bytes[200] ^= 1))
        .problem
        .unwrap();
    assert!(
        problem.contains("block log is damaged at byte 48"),
        "{problem}"
    );
}

#[test]
fn the_genesis_slot_is_there_from_the_start() {
    let store = open(&Machine::default()).unwrap();
    assert_eq!(
        store.latest_state().storage(CONTRACT, U256::from(7)),
        Ok(U256::from(77))
    );
}

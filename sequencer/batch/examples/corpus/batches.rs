//! Random batches, their limits, and everything that is done to them.

use crate::{
    Carried, Case, bytes,
    common::{self, Block, PARENT, RULES},
    entropy, forms,
    payload::{at, mixed, raw, split},
};
use alloy_primitives::Bytes;
use batch::{BatchEncoder, Parent, Rules, blobs};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rand::{Rng, rngs::StdRng, seq::IndexedRandom};

/// Blocks of `parts` random stories, one behind the other.
fn blocks(rng: &mut StdRng, parts: usize) -> Vec<Block> {
    let seed: [u8; 32] = rng.random();
    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        TestRng::from_seed(RngAlgorithm::ChaCha, &seed),
    );
    let mut all: Vec<Block> = Vec::new();
    for _ in 0..parts {
        let (time, anchor) = all.last().map_or((0, 0), |last| {
            (
                last.timestamp - PARENT.timestamp,
                last.anchor_number - PARENT.anchor_number,
            )
        });
        let more = common::blocks()
            .new_tree(&mut runner)
            .expect("a value")
            .current();
        all.extend(more.into_iter().map(|block| Block {
            timestamp: block.timestamp + time,
            anchor_number: block.anchor_number + anchor,
            ..block
        }));
    }
    all
}

fn encoder(blocks: &[Block]) -> BatchEncoder {
    common::encoder(blocks).expect("a batch of this size")
}

/// One random batch and what becomes of it.
pub fn cases(rng: &mut StdRng) -> Vec<Case> {
    let parts = *[1, 1, 2, 8].choose(rng).expect("not empty");
    let blocks = blocks(rng, parts);
    let (plain, packed) = (encoder(&blocks).finish_raw(), encoder(&blocks).finish());
    let columns = split(&plain);
    let mut cases = vec![
        Case::payload("as encoded", packed.clone()),
        Case::payload("without compression", plain.clone()),
        Case::payload("compressed otherwise", mixed(&columns, rng)),
    ];
    cases.extend(limits(&packed));
    cases.extend(readers(&packed));
    for (what, payload) in [("packed", &packed), ("plain", &plain)] {
        for _ in 0..8 {
            let mut payload = payload.clone();
            let how = bytes::damage(&mut payload, rng);
            cases.push(Case::payload(format!("{what}: {how}"), payload));
        }
    }
    for _ in 0..20 {
        let mut columns = columns.clone();
        let how = bytes::damage_columns(&mut columns, rng);
        cases.push(Case::payload(how, mixed(&columns, rng)));
    }
    for _ in 0..20 {
        let mut columns = columns.clone();
        if let Some(how) = forms::change(&mut columns, rng) {
            cases.push(Case::payload(how, mixed(&columns, rng)));
        }
    }
    cases.extend(entropy::cases(rng));
    cases.extend(in_blobs(&packed, rng));
    cases
}

/// The smallest limits under which the batch is valid, and those one below.
fn limits(payload: &[u8]) -> Vec<Case> {
    let smallest = |valid: &dyn Fn(usize) -> bool| {
        let (mut low, mut high) = (0, RULES.decoded_bytes_max);
        while low < high {
            let middle = (low + high) / 2;
            if valid(middle) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        low
    };
    let decodes = |rules: &Rules| batch::decode(payload, rules, PARENT).is_ok();
    let bytes = smallest(&|max| {
        decodes(&Rules {
            decoded_bytes_max: max,
            ..RULES
        })
    });
    let blocks = smallest(&|max| {
        decodes(&Rules {
            blocks_max: max,
            ..RULES
        })
    });
    let mut cases = Vec::new();
    for below in [0, 1] {
        let rules = [
            Rules {
                decoded_bytes_max: bytes - below,
                ..RULES
            },
            Rules {
                blocks_max: blocks - below,
                ..RULES
            },
        ];
        for rules in rules {
            let mut case = Case::payload(format!("{below} below its limits"), payload.to_vec());
            case.rules = rules;
            cases.push(case);
        }
    }
    cases
}

/// The same payload for other networks and behind other parents.
fn readers(payload: &[u8]) -> Vec<Case> {
    let mut cases = Vec::new();
    for chain_id in [1, 1 << 32, u64::MAX] {
        let mut case = Case::payload(format!("chain id {chain_id}"), payload.to_vec());
        case.rules.chain_id = chain_id;
        cases.push(case);
    }
    for (timestamp, anchor_number) in [
        (0, 0),
        (u64::MAX, 0),
        (0, u64::MAX),
        (u64::MAX - 3, u64::MAX - 3),
    ] {
        let mut case = Case::payload(
            format!("behind {timestamp}, {anchor_number}"),
            payload.to_vec(),
        );
        case.parent = Parent {
            timestamp,
            anchor_number,
        };
        cases.push(case);
    }
    cases
}

/// In blobs, as they must be and as they must not.
fn in_blobs(payload: &[u8], rng: &mut StdRng) -> Vec<Case> {
    let packed: Vec<Vec<u8>> = blobs::pack(payload)
        .expect("six blobs are enough")
        .iter()
        .map(|b| b.to_vec())
        .collect();
    let case = |name: String, blobs: Vec<Vec<u8>>| Case {
        name: format!("blobs: {name}"),
        rules: RULES,
        parent: PARENT,
        carried: Carried::Blobs(blobs.into_iter().map(Bytes::from).collect()),
    };
    let mut cases = vec![case("honest".into(), packed.clone())];
    let mut more = packed.clone();
    more.push(vec![0; blobs::BLOB_BYTES]);
    cases.push(case("one more than needed".into(), more));
    for _ in 0..4 {
        let mut blobs = packed.clone();
        let blob = rng.random_range(0..blobs.len());
        // The padding too, but more often what is in front of it.
        let used = payload.len() / 31 * 32 + 36;
        let at = if rng.random() {
            rng.random_range(0..blobs::BLOB_BYTES)
        } else {
            rng.random_range(0..used.min(blobs::BLOB_BYTES))
        };
        let at = if rng.random_bool(0.2) {
            at / 32 * 32
        } else {
            at
        };
        blobs[blob][at] ^= 1 << rng.random_range(0..8);
        cases.push(case(format!("byte {at} of blob {blob} changed"), blobs));
    }
    let mut blobs = packed;
    let length = payload.len() as u32;
    let wrong = *[
        0,
        1,
        length - 1,
        length + 1,
        length + 31,
        126_972,
        126_973,
        u32::MAX,
    ]
    .choose(rng)
    .expect("not empty");
    blobs[0][1..5].copy_from_slice(&wrong.to_be_bytes());
    cases.push(case(format!("length {wrong} instead of {length}"), blobs));
    cases
}

/// Batches that random ones do not reach: long dictionaries, many blocks, several blobs.
pub fn edges(rng: &mut StdRng) -> Vec<Case> {
    let long = blocks(rng, 120);
    let plain = encoder(&long).finish_raw();
    let columns = split(&plain);
    for references in [at::TO_REFS, at::WORD_ADDRESSES] {
        assert!(
            forms::splits(&columns, references).iter().any(|r| *r > 255),
            "dictionaries beyond one byte"
        );
    }
    let mut cases = vec![
        Case::payload("long dictionaries", plain),
        Case::payload("long dictionaries, compressed", mixed(&columns, rng)),
        Case::payload(
            "long dictionaries, as the sequencer does",
            encoder(&long).finish(),
        ),
    ];
    cases.extend(in_blobs(&raw(&columns), rng));
    for count in [RULES.blocks_max, RULES.blocks_max + 1] {
        let mut columns = vec![Vec::new(); 36];
        columns[..4]
            .iter_mut()
            .for_each(|column| *column = vec![0; count]);
        cases.push(Case::payload(
            format!("{count} empty blocks"),
            mixed(&columns, rng),
        ));
    }
    // As many transactions as the expanded size allows, and one more: deploying nothing, without a fee.
    for count in [
        RULES.decoded_bytes_max / 128,
        RULES.decoded_bytes_max / 128 + 1,
    ] {
        let mut columns = vec![Vec::new(); 36];
        columns[..3].iter_mut().for_each(|column| *column = vec![0]);
        columns[at::BLOCK_TXS] = crate::payload::from_varints(&[count as u64]);
        columns[at::KINDS] = vec![13; count];
        columns[5] = vec![0; count.div_ceil(8)];
        for column in [6, 7, 17, 18, 32] {
            columns[column] = vec![0; count];
        }
        for column in [8, 10] {
            columns[column] = vec![1; count];
            columns[column][0] = 0;
        }
        columns[9] = vec![0];
        columns[11] = vec![0; 2];
        columns[12] = vec![0; 2];
        columns[35] = vec![1; 64 * count];
        cases.push(Case::payload(
            format!("{count} empty transactions"),
            mixed(&columns, rng),
        ));
    }
    cases
}

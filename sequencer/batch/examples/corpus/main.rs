//! Writes what a second decoder must agree with: batches, honest and damaged, each with the verdict of `batch::decode`.
//!
//! `corpus SEED BATCHES` prints one case in each line, as `e2e/decoder/README.md` says. One seed gives one corpus.
#![forbid(unsafe_code)]

#[path = "../../tests/common/mod.rs"]
mod common;

mod batches;
mod blocks;
mod bytes;
mod entropy;
mod forms;
mod heads;
mod payload;

use alloy_primitives::{Bytes, hex, keccak256};
use batch::{BatchBlock, Parent, Rules};
use common::{PARENT, RULES};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    env,
    io::{self, BufWriter, Write},
};

/// What L1 carries for one batch, and what its reader knows.
struct Case {
    name: String,
    rules: Rules,
    parent: Parent,
    carried: Carried,
}

enum Carried {
    Payload(Vec<u8>),
    Blobs(Vec<Bytes>),
}

impl Case {
    fn payload(name: impl Into<String>, payload: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            rules: RULES,
            parent: PARENT,
            carried: Carried::Payload(payload),
        }
    }

    fn decode(&self) -> Option<Vec<BatchBlock>> {
        match &self.carried {
            Carried::Payload(payload) => batch::decode(payload, &self.rules, self.parent).ok(),
            Carried::Blobs(blobs) => {
                let payload = batch::blobs::unpack(blobs).ok()?;
                batch::decode(&payload, &self.rules, self.parent).ok()
            }
        }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<bool> {
        let blocks = self.decode();
        let digest = blocks.as_ref().map_or("null".to_owned(), |blocks| {
            format!("\"{}\"", keccak256(listing(blocks)))
        });
        let carried = match &self.carried {
            Carried::Payload(payload) => format!("\"payload\":\"{}\"", hex::encode(payload)),
            Carried::Blobs(blobs) => {
                let texts: Vec<_> = blobs
                    .iter()
                    .map(|b| format!("\"{}\"", without_end(b)))
                    .collect();
                format!("\"blobs\":[{}]", texts.join(","))
            }
        };
        let (rules, parent) = (&self.rules, &self.parent);
        writeln!(
            out,
            "{{\"name\":\"{}\",\"rules\":[{},{},{}],\"parent\":[{},{}],\"digest\":{digest},{carried}}}",
            self.name,
            rules.chain_id,
            rules.decoded_bytes_max,
            rules.blocks_max,
            parent.timestamp,
            parent.anchor_number,
        )?;
        Ok(blocks.is_some())
    }
}

/// A blob in hex without the zeros at its end.
fn without_end(blob: &[u8]) -> String {
    let len = blob
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |at| at + 1);
    hex::encode(&blob[..len])
}

/// Everything that a decoder says about a batch, in one string of bytes.
fn listing(blocks: &[BatchBlock]) -> Vec<u8> {
    let mut out = (blocks.len() as u32).to_be_bytes().to_vec();
    for block in blocks {
        for number in [block.timestamp, block.anchor_number, block.queue_count] {
            out.extend(number.to_be_bytes());
        }
        out.extend((block.transactions.len() as u32).to_be_bytes());
        for tx in &block.transactions {
            out.extend((tx.len() as u32).to_be_bytes());
            out.extend_from_slice(tx);
        }
    }
    out
}

fn main() -> io::Result<()> {
    let args: Vec<String> = env::args().collect();
    let [_, seed, batches] = args.as_slice() else {
        return Err(io::Error::other("usage: corpus SEED BATCHES"));
    };
    let number = |text: &str| text.parse::<u64>().map_err(io::Error::other);
    let (seed, batches) = (number(seed)?, number(batches)?);
    let mut out = BufWriter::new(io::stdout().lock());
    let (mut accepted, mut all) = (0u64, 0u64);
    let mut take = |cases: Vec<Case>| -> io::Result<()> {
        for case in cases {
            accepted += u64::from(case.write(&mut out)?);
            all += 1;
        }
        Ok(())
    };
    let mut rng = StdRng::seed_from_u64(seed);
    take(batches::edges(&mut rng))?;
    take(heads::cases())?;
    for batch in 0..batches {
        let mut rng = StdRng::seed_from_u64(rng.random());
        let mut cases = batches::cases(&mut rng);
        for case in &mut cases {
            case.name = format!("batch {batch}: {}", case.name);
        }
        take(cases)?;
    }
    eprintln!(
        "Rust: {accepted} accepted, {} refused, seed {seed}",
        all - accepted
    );
    out.flush()
}

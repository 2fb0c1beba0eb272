//! Bytes and time for each transaction, beside RLP + brotli-10 on the same transactions.
//!
//! `cargo bench -p batch --profile dev`: batches of 1000 EIP-1559 transactions of 400 senders, random signatures.
#![forbid(unsafe_code)]
#![allow(missing_docs)]

use alloy_consensus::{EthereumTxEnvelope, SignableTransaction, TxEip1559, TxEip4844};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256};
use batch::{BatchEncoder, Parent, Rules};
use primitives::{CheckedTx, predeploys};
use rand::{Rng, SeedableRng, rngs::StdRng};
use std::{
    hint::black_box,
    io::Write,
    sync::Arc,
    time::{Duration, Instant},
};

const RULES: Rules = Rules {
    chain_id: 902,
    decoded_bytes_max: 8_000_000,
    blocks_max: 2400,
};
const TXS: usize = 1000;
const BLOCKS: usize = 4;
const SENDERS: usize = 400;
const ROUNDS: usize = 200;

enum Load {
    Native,
    Erc20,
    Payment,
}

fn transactions(load: &Load, rng: &mut StdRng) -> Vec<Arc<CheckedTx>> {
    let mut nonces: Vec<u64> = (0..SENDERS).map(|_| rng.random_range(0..50)).collect();
    let word = |bytes: &[u8]| [vec![0; 32 - bytes.len()], bytes.to_vec()].concat();
    let token = Address::repeat_byte(0x77);
    let amount = |rng: &mut StdRng| {
        U256::from(rng.random_range(1..1_000_000u64)) * U256::from(10u64.pow(13))
    };
    (0..TXS)
        .map(|_| {
            let sender = rng.random_range(0..SENDERS);
            nonces[sender] += 1;
            let fresh: [u8; 20] = rng.random();
            let (to, value, gas_limit, input) = match load {
                Load::Native => (fresh.into(), amount(rng), 21_000, vec![]),
                Load::Erc20 => {
                    let amount: [u8; 32] = amount(rng).to_be_bytes();
                    (
                        token,
                        U256::ZERO,
                        65_000,
                        [vec![0xa9, 0x05, 0x9c, 0xbb], word(&fresh), amount.to_vec()].concat(),
                    )
                }
                Load::Payment => {
                    // pay(uint64 asset, uint32 operator, uint64 agent, bytes32 ref)
                    let asset = rng.random_range(1..50u64).to_be_bytes();
                    let operator = rng.random_range(1..20u32).to_be_bytes();
                    let agent = rng.random_range(1..400u64).to_be_bytes();
                    let reference: [u8; 32] = rng.random();
                    let input = [
                        vec![1, 2, 3, 4],
                        word(&asset),
                        word(&operator),
                        word(&agent),
                        reference.to_vec(),
                    ];
                    (
                        predeploys::REVENUE_ROUTER,
                        amount(rng),
                        160_000,
                        input.concat(),
                    )
                }
            };
            let tx = TxEip1559 {
                chain_id: RULES.chain_id,
                nonce: nonces[sender],
                gas_limit,
                max_fee_per_gas: 30_000_000,
                max_priority_fee_per_gas: 1_000_000,
                to: TxKind::Call(to),
                value,
                access_list: Default::default(),
                input: input.into(),
            };
            let signature = Signature::new(
                U256::from_be_bytes(rng.random::<[u8; 32]>()),
                U256::from_be_bytes(rng.random::<[u8; 32]>()) >> 1,
                rng.random(),
            );
            let raw =
                EthereumTxEnvelope::<TxEip4844>::Eip1559(tx.into_signed(signature)).encoded_2718();
            Arc::new(
                CheckedTx::decode_with_sender(Bytes::from(raw), Address::ZERO)
                    .expect("a transaction"),
            )
        })
        .collect()
}

fn encode(txs: &[Arc<CheckedTx>]) -> Vec<u8> {
    let mut encoder = BatchEncoder::new(RULES, Parent::default(), batch::blobs::capacity(6));
    for (i, block) in txs.chunks(TXS / BLOCKS).enumerate() {
        encoder
            .push(1_700_000_000 + i as u64 / 4, 20_000_000, block)
            .expect("it fits");
    }
    encoder.finish()
}

fn brotli(txs: &[Arc<CheckedTx>]) -> usize {
    let mut out = Vec::new();
    {
        let mut writer = brotli::CompressorWriter::new(&mut out, 1 << 16, 10, 22);
        for tx in txs {
            writer.write_all(&tx.raw).expect("memory");
        }
    }
    out.len()
}

fn per_tx(time: Duration, rounds: usize) -> f64 {
    time.as_secs_f64() * 1e6 / (rounds * TXS) as f64
}

fn main() {
    println!(
        "| transactions | columns B/tx | RLP + brotli-10 B/tx | encode µs/tx | decode µs/tx | brotli-10 µs/tx |"
    );
    println!("|---|--:|--:|--:|--:|--:|");
    for (name, load) in [
        ("native, fresh addresses", Load::Native),
        ("ERC-20, fresh addresses", Load::Erc20),
        ("payment", Load::Payment),
    ] {
        let txs = transactions(&load, &mut StdRng::seed_from_u64(7));
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(encode(black_box(&txs)));
        }
        let encode_time = start.elapsed();
        let payload = encode(&txs);
        let start = Instant::now();
        for _ in 0..ROUNDS {
            black_box(batch::decode(
                black_box(&payload),
                &RULES,
                Parent::default(),
            ))
            .expect("it decodes");
        }
        let decode_time = start.elapsed();
        let start = Instant::now();
        let peer = brotli(&txs);
        let brotli_time = start.elapsed();
        println!(
            "| {name} | {:.1} | {:.1} | {:.2} | {:.2} | {:.0} |",
            payload.len() as f64 / TXS as f64,
            peer as f64 / TXS as f64,
            per_tx(encode_time, ROUNDS),
            per_tx(decode_time, ROUNDS),
            per_tx(brotli_time, 1),
        );
    }
}

//! Bytes that a transaction takes on L1: our batches, and beside them OP-style RLP and span batches under brotli-10,
//! of the same transactions.

use crate::load::CHAIN_ID;
use alloy_consensus::{EthereumTxEnvelope, Transaction, TxEip4844, TxType};
use alloy_eips::eip2718::Decodable2718;
use alloy_primitives::{Address, Bytes};
use alloy_rlp::Encodable;
use anyhow::{Context, ensure};
use batch::{BatchEncoder, EncodeError, Parent, Rules};
use primitives::CheckedTx;
use serde::Serialize;
use std::{io::Write, sync::Arc, time::Instant};

/// As `config/dev.toml` has them.
const RULES: Rules = Rules {
    chain_id: CHAIN_ID,
    decoded_bytes_max: 8_000_000,
    blocks_max: 2_400,
};
const BLOBS: usize = 6;
/// brotli's strongest setting that OP's batchers use.
const BROTLI_QUALITY: u32 = 10;
const BROTLI_WINDOW_BITS: u32 = 22;

/// Bytes and time for each transaction.
#[derive(Debug, Clone, Serialize)]
pub struct DaSizes {
    /// How many were encoded.
    pub transactions: usize,
    /// Our batch format.
    pub columns_bytes_per_tx: f64,
    /// Writing our batch format, µs.
    pub columns_us_per_tx: f64,
    /// RLP, one after the other, under brotli-10.
    pub rlp_brotli10_bytes_per_tx: f64,
    /// The transactions of an OP span batch, under brotli-10.
    pub span_brotli10_bytes_per_tx: f64,
}

/// Measures blocks of raw transactions.
pub fn measure(blocks: &[Vec<Bytes>]) -> anyhow::Result<DaSizes> {
    let mut checked = Vec::new();
    for block in blocks {
        let mut txs = Vec::new();
        for raw in block {
            txs.push(Arc::new(CheckedTx::decode_with_sender(
                raw.clone(),
                Address::ZERO,
            )?));
        }
        checked.push(txs);
    }
    let transactions: usize = checked.iter().map(Vec::len).sum();
    ensure!(transactions > 0, "no transactions to encode");

    let began = Instant::now();
    let mut payload_bytes = 0;
    let mut encoder = fresh();
    for (number, txs) in checked.iter().enumerate() {
        let timestamp = 1_700_000_000 + number as u64 / 4;
        match encoder.push(timestamp, 20_000_000, txs) {
            Ok(()) => {}
            Err(EncodeError::Full) => {
                let full = std::mem::replace(&mut encoder, fresh());
                payload_bytes += full.finish().len();
                encoder.push(timestamp, 20_000_000, txs)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    if encoder.blocks() > 0 {
        payload_bytes += encoder.finish().len();
    }
    let took = began.elapsed();

    let raws: Vec<&Bytes> = blocks.iter().flatten().collect();
    let mut rlp = Vec::new();
    for raw in &raws {
        raw.encode(&mut rlp);
    }
    let each = |bytes: usize| bytes as f64 / transactions as f64;
    Ok(DaSizes {
        transactions,
        columns_bytes_per_tx: each(payload_bytes),
        columns_us_per_tx: took.as_secs_f64() * 1e6 / transactions as f64,
        rlp_brotli10_bytes_per_tx: each(brotli(&rlp)?),
        span_brotli10_bytes_per_tx: each(brotli(&span(&raws)?)?),
    })
}

fn fresh() -> BatchEncoder {
    BatchEncoder::new(RULES, Parent::default(), batch::blobs::capacity(BLOBS))
}

fn brotli(bytes: &[u8]) -> anyhow::Result<usize> {
    let mut out = Vec::new();
    let mut writer =
        brotli::CompressorWriter::new(&mut out, 1 << 16, BROTLI_QUALITY, BROTLI_WINDOW_BITS);
    writer.write_all(bytes)?;
    drop(writer);
    Ok(out.len())
}

/// The transaction part of a span batch, column after column, as the OP Stack's Delta specification lays it out:
/// creation bits, parities, signatures, recipients, `type ‖ rlp(fields)`, nonces, gas limits, protection bits.
fn span(raws: &[&Bytes]) -> anyhow::Result<Vec<u8>> {
    let count = raws.len();
    let (mut creations, mut parities) =
        (vec![0u8; count.div_ceil(8)], vec![0u8; count.div_ceil(8)]);
    let (mut signatures, mut recipients, mut datas) = (vec![], vec![], vec![]);
    let (mut nonces, mut gas) = (vec![], vec![]);
    for (i, raw) in raws.iter().enumerate() {
        let tx = EthereumTxEnvelope::<TxEip4844>::decode_2718(&mut raw.as_ref())?;
        ensure!(tx.tx_type() == TxType::Eip1559, "the load is EIP-1559");
        let signature = tx.signature();
        match tx.to() {
            Some(to) => recipients.extend_from_slice(to.as_slice()),
            None => creations[i / 8] |= 1 << (i % 8),
        }
        parities[i / 8] |= u8::from(signature.v()) << (i % 8);
        signatures.extend_from_slice(&signature.r().to_be_bytes::<32>());
        signatures.extend_from_slice(&signature.s().to_be_bytes::<32>());
        let tip = tx.max_priority_fee_per_gas().context("a tip")?;
        let list = tx.access_list().context("an access list")?;
        datas.push(2);
        let mut fields = Vec::new();
        tx.value().encode(&mut fields);
        tip.encode(&mut fields);
        tx.max_fee_per_gas().encode(&mut fields);
        tx.input().encode(&mut fields);
        list.encode(&mut fields);
        let payload_length = fields.len();
        alloy_rlp::Header {
            list: true,
            payload_length,
        }
        .encode(&mut datas);
        datas.extend_from_slice(&fields);
        varint(&mut nonces, tx.nonce());
        varint(&mut gas, tx.gas_limit());
    }
    let parts = [
        creations, parities, signatures, recipients, datas, nonces, gas,
    ];
    // Every one is protected, and no legacy transaction is among them: no bits.
    Ok(parts.concat())
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        load::{Account, Load},
        workload::Workload,
    };

    /// Columns against the others, for 2,000 transactions of 400 senders.
    fn check(workload: Workload) {
        let senders = Account::many("da", 400).unwrap();
        let token = Address::repeat_byte(7);
        let load = Load::sign(&senders, 5, |index| workload.call(token, index));
        let raws: Vec<Bytes> = (0..load.len())
            .map(|i| load.raw(i).to_vec().into())
            .collect();
        let blocks: Vec<_> = raws.chunks(500).map(<[_]>::to_vec).collect();
        let sizes = measure(&blocks).unwrap();
        assert!(
            sizes.columns_bytes_per_tx < sizes.span_brotli10_bytes_per_tx
                && sizes.span_brotli10_bytes_per_tx < sizes.rlp_brotli10_bytes_per_tx,
            "{sizes:?}"
        );
    }

    #[test]
    fn columns_are_smaller_for_native() {
        check(Workload::Native)
    }
    #[test]
    fn columns_are_smaller_for_erc20() {
        check(Workload::Erc20)
    }
    #[test]
    fn columns_are_smaller_for_payments() {
        check(Workload::Payment)
    }
}

//! Receipts, in the form whose trie root stands in the header.

use alloc::vec::Vec;
use alloy_primitives::{B256, Bloom, Log};
use alloy_rlp::{BufMut, Encodable, Header};

/// What a transaction did. Encoded as EIP-2718: `type ‖ rlp([status, cumulative gas, bloom, logs])`;
/// deposits (0x7E) take the same four fields, so that light tools verify them without special cases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// EIP-2718 type of the transaction.
    pub tx_type: u8,
    /// False if execution reverted or ran out of gas. Before Byzantium nothing says so on the chain.
    pub success: bool,
    /// Before Byzantium on an L1: the state root after the transaction, which stands in place of the status.
    pub post_state: Option<B256>,
    /// Gas used in the block up to and including this transaction.
    pub cumulative_gas_used: u64,
    /// In order of emission.
    pub logs: Vec<Log>,
}

impl Receipt {
    /// The bloom filter over the logs.
    pub fn bloom(&self) -> Bloom {
        alloy_primitives::logs_bloom(self.logs.iter())
    }

    /// Appends the EIP-2718 encoding, with a bloom that the caller already has.
    pub fn encode_2718(&self, bloom: Bloom, out: &mut dyn BufMut) {
        if self.tx_type != 0 {
            out.put_u8(self.tx_type);
        }
        let logs_payload: usize = self.logs.iter().map(Encodable::length).sum();
        let logs_header = Header {
            list: true,
            payload_length: logs_payload,
        };
        let outcome: &dyn Encodable = match &self.post_state {
            Some(root) => root,
            None => &self.success,
        };
        let payload_length = outcome.length()
            + self.cumulative_gas_used.length()
            + bloom.length()
            + logs_header.length()
            + logs_payload;
        Header {
            list: true,
            payload_length,
        }
        .encode(out);
        outcome.encode(out);
        self.cumulative_gas_used.encode(out);
        bloom.encode(out);
        logs_header.encode(out);
        for log in &self.logs {
            log.encode(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::{ReceiptEnvelope, ReceiptWithBloom};
    use alloy_eips::eip2718::Encodable2718;
    use alloy_primitives::{Address, bytes};

    #[test]
    fn encoding_equals_alloys_for_every_shared_type() {
        for tx_type in 0..=4u8 {
            let logs = alloc::vec![Log::new_unchecked(
                Address::repeat_byte(7),
                alloc::vec![B256::repeat_byte(1); tx_type as usize],
                bytes!("010203"),
            )];
            let ours = Receipt {
                tx_type,
                success: tx_type != 3,
                post_state: (tx_type == 0).then_some(B256::repeat_byte(9)),
                cumulative_gas_used: 21_000,
                logs,
            };
            let status = match ours.post_state {
                Some(root) => alloy_consensus::Eip658Value::PostState(root),
                None => ours.success.into(),
            };
            let inner = ReceiptWithBloom {
                receipt: alloy_consensus::Receipt {
                    status,
                    cumulative_gas_used: ours.cumulative_gas_used,
                    logs: ours.logs.clone(),
                },
                logs_bloom: ours.bloom(),
            };
            let theirs = match tx_type {
                0 => ReceiptEnvelope::Legacy(inner),
                1 => ReceiptEnvelope::Eip2930(inner),
                2 => ReceiptEnvelope::Eip1559(inner),
                3 => ReceiptEnvelope::Eip4844(inner),
                _ => ReceiptEnvelope::Eip7702(inner),
            };
            let mut bytes = Vec::new();
            ours.encode_2718(ours.bloom(), &mut bytes);
            assert_eq!(bytes, theirs.encoded_2718());
        }
    }
}

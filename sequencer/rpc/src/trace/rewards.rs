//! What a block with a difficulty earned its makers, as parity lists it behind the calls.

use alloy_rpc_types_trace::parity::{
    Action, LocalizedTransactionTrace, RewardAction, RewardType, TransactionTrace,
};
use primitives::SealedBlock;
use stf::{Rules, block_rewards};

/// The block's own first; none since the merge, and none on a rollup.
pub(super) fn rewards(rules: &Rules, block: &SealedBlock) -> Vec<LocalizedTransactionTrace> {
    let earned = block_rewards(rules, &block.header, &block.ommers);
    let kinds = std::iter::once(RewardType::Block).chain(std::iter::repeat(RewardType::Uncle));
    let listed = earned.into_iter().zip(kinds);
    listed
        .map(|((author, value), reward_type)| LocalizedTransactionTrace {
            trace: TransactionTrace {
                action: Action::Reward(RewardAction {
                    author,
                    reward_type,
                    value,
                }),
                ..TransactionTrace::default()
            },
            block_hash: Some(block.hash),
            block_number: Some(block.header.number),
            transaction_hash: None,
            transaction_position: None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::Header;
    use alloy_primitives::{Address, B256, U256};
    use config::L1Fork;
    use serde_json::{Value, json};
    use stf::EthereumRules;

    fn maker(number: u64, byte: u8) -> Header {
        Header {
            number,
            beneficiary: Address::repeat_byte(byte),
            difficulty: U256::from(1),
            ..Header::default()
        }
    }

    /// Block 10 of a chain in this fork, with an ommer of block 8.
    fn listed(fork: L1Fork) -> Value {
        let mut rules = EthereumRules::new(1, 8_000_000, L1Fork::Paris, Vec::new());
        rules.block_forks = vec![(0, fork)];
        let block = SealedBlock {
            header: maker(10, 1),
            hash: B256::repeat_byte(7),
            transactions: Vec::new(),
            receipts: Vec::new(),
            ommers: vec![maker(8, 2)],
            withdrawals: Vec::new(),
        };
        serde_json::to_value(rewards(&Rules::Ethereum(rules), &block)).unwrap()
    }

    #[test]
    fn makers_of_block_and_ommer_are_listed_with_their_wei() {
        let author = |byte: u8| Address::repeat_byte(byte);
        let entry = |byte, kind: &str, wei: &str| {
            json!({
                "action": { "author": author(byte), "rewardType": kind, "value": wei },
                "blockHash": B256::repeat_byte(7), "blockNumber": 10, "result": null, "subtraces": 0,
                "traceAddress": [], "transactionHash": null, "transactionPosition": null, "type": "reward"
            })
        };
        // 5 ETH and a 32nd of it; three quarters of 5 ETH.
        assert_eq!(
            listed(L1Fork::Frontier),
            json!([
                entry(1, "block", "0x478eae0e571ba000"),
                entry(2, "uncle", "0x340aad21b3b70000")
            ])
        );
    }

    #[test]
    fn the_reward_fell_twice() {
        for (fork, wei) in [
            (L1Fork::Byzantium, 3_093_750_000_000_000_000u64),
            (L1Fork::Constantinople, 2_062_500_000_000_000_000),
            (L1Fork::Petersburg, 2_062_500_000_000_000_000),
        ] {
            assert_eq!(listed(fork)[0]["action"]["value"], format!("{wei:#x}"));
        }
    }
}

//! What leaves L2: messages of the message passer, in OP's form (`bridge/FORMATS.md`, section 7).

use crate::{Receipt, predeploys::MESSAGE_PASSER};
use alloc::vec::Vec;
use alloy_primitives::{Address, B256, Bytes, Log, U256, b256, keccak256};

/// `MessagePassed(uint256 indexed nonce, address indexed sender, address indexed target, uint256 value, uint256
/// gasLimit, bytes data, bytes32 withdrawalHash)`.
pub const MESSAGE_PASSED: B256 =
    b256!("02a52367d10742d8032712c1bb8e0144ff1ec5ffda1ed7d70bb05a2744955054");
/// Slot of the passer's mapping `sentMessages`.
pub const SENT_MESSAGES_SLOT: u64 = 0;

/// One message from L2 to L1, and the OPEN that it takes along.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Withdrawal {
    /// The passer's counter, with the message version in its top 16 bits.
    pub nonce: U256,
    /// Who sent it on L2.
    pub sender: Address,
    /// Whom L1 pays or calls.
    pub target: Address,
    /// OPEN, wei.
    pub value: U256,
    /// Gas on L1 that the call gets at least.
    pub gas_limit: U256,
    /// Calldata on L1.
    pub data: Bytes,
}

impl Withdrawal {
    /// `keccak256(abi.encode(nonce, sender, target, value, gasLimit, data))`: its name on both sides.
    pub fn hash(&self) -> B256 {
        let mut bytes = Vec::with_capacity(7 * 32 + self.data.len().next_multiple_of(32));
        for word in [
            self.nonce.into(),
            self.sender.into_word(),
            self.target.into_word(),
            self.value.into(),
            self.gas_limit.into(),
            B256::from(U256::from(6 * 32)),
            B256::from(U256::from(self.data.len())),
        ] {
            bytes.extend_from_slice(word.as_slice());
        }
        bytes.extend_from_slice(&self.data);
        bytes.resize(bytes.len().next_multiple_of(32), 0);
        keccak256(bytes)
    }

    /// The withdrawal that a log of the passer tells of.
    pub fn from_log(log: &Log) -> Option<Self> {
        let [_, nonce, sender, target] = log.topics() else {
            return None;
        };
        let claimed = withdrawal_hash(log)?;
        let data: &[u8] = &log.data.data;
        let word = |n: usize| Some(U256::from_be_slice(data.get(n * 32..n * 32 + 32)?));
        let length = usize::try_from(word(4)?).ok()?;
        let withdrawal = Self {
            nonce: U256::from_be_bytes(nonce.0),
            sender: Address::from_word(*sender),
            target: Address::from_word(*target),
            value: word(0)?,
            gas_limit: word(1)?,
            data: Bytes::copy_from_slice(data.get(160..160usize.checked_add(length)?)?),
        };
        (withdrawal.hash() == claimed).then_some(withdrawal)
    }
}

/// The hash that a log of the passer names; `None` for any other log.
pub fn withdrawal_hash(log: &Log) -> Option<B256> {
    if log.address != MESSAGE_PASSER || log.topics().first() != Some(&MESSAGE_PASSED) {
        return None;
    }
    log.data.data.get(96..128).map(B256::from_slice)
}

/// Hashes of a block's withdrawals, each with the place of its log among all logs of the block.
pub fn withdrawal_hashes(receipts: &[Receipt]) -> impl Iterator<Item = (u32, B256)> + '_ {
    receipts
        .iter()
        .flat_map(|receipt| &receipt.logs)
        .enumerate()
        .filter_map(|(at, log)| Some((u32::try_from(at).ok()?, withdrawal_hash(log)?)))
}

/// Slot of the passer that holds 1 once the message was sent: `keccak256(hash ‖ slot of sentMessages)`.
pub fn sent_slot(withdrawal_hash: B256) -> B256 {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(withdrawal_hash.as_slice());
    bytes[32..].copy_from_slice(&U256::from(SENT_MESSAGES_SLOT).to_be_bytes::<32>());
    keccak256(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloy_primitives::{LogData, address, hex};

    fn withdrawal(data: &[u8]) -> Withdrawal {
        Withdrawal {
            nonce: (U256::from(1) << 240) | U256::from(7),
            sender: address!("00000000000000000000000000000000000000aa"),
            target: address!("00000000000000000000000000000000000000bb"),
            value: U256::from(1_000),
            gas_limit: U256::from(100_000),
            data: Bytes::copy_from_slice(data),
        }
    }

    fn log(w: &Withdrawal, hash: B256) -> Log {
        let topics = vec![
            MESSAGE_PASSED,
            w.nonce.into(),
            w.sender.into_word(),
            w.target.into_word(),
        ];
        let mut data = Vec::new();
        for word in [w.value, w.gas_limit, U256::from(128), hash.into()] {
            data.extend_from_slice(&word.to_be_bytes::<32>());
        }
        data.extend_from_slice(&U256::from(w.data.len()).to_be_bytes::<32>());
        data.extend_from_slice(&w.data);
        data.resize(data.len().next_multiple_of(32), 0);
        Log {
            address: MESSAGE_PASSER,
            data: LogData::new_unchecked(topics, data.into()),
        }
    }

    #[test]
    fn the_event_is_the_one_whose_name_is_written_out() {
        let name = "MessagePassed(uint256,address,address,uint256,uint256,bytes,bytes32)";
        assert_eq!(keccak256(name), MESSAGE_PASSED);
    }

    #[test]
    fn a_log_gives_its_withdrawal_back() {
        for data in [&b""[..], b"x", &[7; 32], &[9; 33]] {
            let w = withdrawal(data);
            assert_eq!(Withdrawal::from_log(&log(&w, w.hash())), Some(w));
        }
    }

    #[test]
    fn a_log_with_another_hash_or_of_another_contract_gives_none() {
        let w = withdrawal(b"");
        assert_eq!(Withdrawal::from_log(&log(&w, B256::ZERO)), None);
        let mut other = log(&w, w.hash());
        other.address = Address::ZERO;
        assert_eq!(Withdrawal::from_log(&other), None);
    }

    #[test]
    fn a_length_beyond_the_log_gives_none() {
        let w = withdrawal(b"abc");
        let mut short = log(&w, w.hash());
        let mut data = short.data.data.to_vec();
        data[128..160].copy_from_slice(&U256::MAX.to_be_bytes::<32>());
        short.data = LogData::new_unchecked(short.topics().to_vec(), data.into());
        assert_eq!(Withdrawal::from_log(&short), None);
    }

    #[test]
    fn the_slot_is_that_of_solidity() {
        // keccak256(abi.encode(bytes32(uint256(1)), uint256(0)))
        let slot = sent_slot(B256::with_last_byte(1));
        assert_eq!(
            slot.0,
            hex!("ada5013122d395ba3c54772283fb069b10426056ef8ca54750cb9bb552a59e7d")
        );
    }
}

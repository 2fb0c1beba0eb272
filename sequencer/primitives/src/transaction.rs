//! Transactions: Ethereum's five types and the deposit (0x7E, in OP's encoding).

use alloc::vec::Vec;
use alloy_consensus::{EthereumTxEnvelope, Transaction as TxFields, TxEip4844, Typed2718};
use alloy_eips::{
    eip2718::{Decodable2718, Encodable2718},
    eip2930::AccessList,
    eip7702::SignedAuthorization,
};
use alloy_primitives::{Address, B256, Bytes, ChainId, TxKind, U256, keccak256};
use op_alloy_consensus::TxDeposit;

/// EIP-2718 type of a deposit.
pub const DEPOSIT_TX_TYPE: u8 = 0x7e;

/// A transaction as it stands in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transaction {
    /// Signed by its sender: types 0 to 4.
    Signed(EthereumTxEnvelope<TxEip4844>),
    /// Ordered by L1's queue, unsigned.
    Deposit(TxDeposit),
}

/// Why bytes are not a transaction. The texts are geth's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TxError {
    /// Truncated, trailing or malformed RLP.
    #[error("rlp: {0}")]
    Rlp(&'static str),
    /// A type byte that no rule set knows.
    #[error("transaction type not supported")]
    UnknownType,
    /// The signature does not recover to an address.
    #[error("invalid sender")]
    InvalidSignature,
}

impl Transaction {
    /// Decodes all of `raw`: one trailing byte is an error.
    pub fn decode(raw: &[u8]) -> Result<Self, TxError> {
        let mut rest = raw;
        let tx = match raw.first() {
            Some(&DEPOSIT_TX_TYPE) => TxDeposit::decode_2718(&mut rest)
                .map(Self::Deposit)
                .map_err(rlp_error)?,
            Some(5..=0x7f) => return Err(TxError::UnknownType),
            Some(0) => return Err(TxError::UnknownType),
            _ => EthereumTxEnvelope::<TxEip4844>::decode_2718(&mut rest)
                .map(Self::Signed)
                .map_err(rlp_error)?,
        };
        if rest.is_empty() {
            Ok(tx)
        } else {
            Err(TxError::Rlp("trailing bytes"))
        }
    }

    /// The EIP-2718 encoding.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Signed(tx) => tx.encoded_2718(),
            Self::Deposit(tx) => tx.encoded_2718(),
        }
    }

    /// True for type 0x7E.
    pub const fn is_deposit(&self) -> bool {
        matches!(self, Self::Deposit(_))
    }

    /// The deposit, if it is one.
    pub const fn as_deposit(&self) -> Option<&TxDeposit> {
        match self {
            Self::Deposit(tx) => Some(tx),
            Self::Signed(_) => None,
        }
    }

    /// The signed envelope, unless it is a deposit.
    pub const fn as_signed(&self) -> Option<&EthereumTxEnvelope<TxEip4844>> {
        match self {
            Self::Signed(tx) => Some(tx),
            Self::Deposit(_) => None,
        }
    }

    /// True for a signed transaction without a chain id (before EIP-155).
    pub fn is_unprotected(&self) -> bool {
        matches!(self, Self::Signed(tx) if tx.chain_id().is_none())
    }

    /// The sender, by signature recovery (tens of microseconds) or from the deposit.
    pub fn recover(&self) -> Result<Address, TxError> {
        use alloy_consensus::transaction::SignerRecoverable;
        match self {
            Self::Signed(tx) => tx.recover_signer().map_err(|_| TxError::InvalidSignature),
            Self::Deposit(tx) => Ok(tx.from),
        }
    }
}

fn rlp_error(error: alloy_eips::eip2718::Eip2718Error) -> TxError {
    use alloy_eips::eip2718::Eip2718Error;
    match error {
        Eip2718Error::RlpError(alloy_rlp::Error::Custom(text)) => TxError::Rlp(text),
        Eip2718Error::RlpError(alloy_rlp::Error::InputTooShort) => {
            TxError::Rlp("value size exceeds available input length")
        }
        Eip2718Error::RlpError(alloy_rlp::Error::UnexpectedString) => {
            TxError::Rlp("expected input list")
        }
        Eip2718Error::RlpError(alloy_rlp::Error::UnexpectedList) => {
            TxError::Rlp("expected input string or byte")
        }
        Eip2718Error::RlpError(_) => TxError::Rlp("malformed transaction"),
        Eip2718Error::UnexpectedType(_) => TxError::UnknownType,
        _ => TxError::Rlp("malformed transaction"),
    }
}

macro_rules! delegate {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $ret:ty;)*) => {
        impl TxFields for Transaction {
            $(fn $name(&self $(, $arg: $ty)*) -> $ret {
                match self {
                    Self::Signed(tx) => tx.$name($($arg),*),
                    Self::Deposit(tx) => tx.$name($($arg),*),
                }
            })*
        }
    };
}

delegate! {
    chain_id() -> Option<ChainId>;
    nonce() -> u64;
    gas_limit() -> u64;
    gas_price() -> Option<u128>;
    max_fee_per_gas() -> u128;
    max_priority_fee_per_gas() -> Option<u128>;
    max_fee_per_blob_gas() -> Option<u128>;
    priority_fee_or_price() -> u128;
    effective_gas_price(base_fee: Option<u64>) -> u128;
    is_dynamic_fee() -> bool;
    kind() -> TxKind;
    is_create() -> bool;
    value() -> U256;
    input() -> &Bytes;
    access_list() -> Option<&AccessList>;
    blob_versioned_hashes() -> Option<&[B256]>;
    authorization_list() -> Option<&[SignedAuthorization]>;
}

impl Typed2718 for Transaction {
    fn ty(&self) -> u8 {
        match self {
            Self::Signed(tx) => tx.ty(),
            Self::Deposit(_) => DEPOSIT_TX_TYPE,
        }
    }
}

/// A transaction whose bytes decode and whose sender is known. Nothing is said about nonce, balance or fees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedTx {
    /// The decoded transaction.
    pub tx: Transaction,
    /// Its EIP-2718 bytes, as received.
    pub raw: Bytes,
    /// `keccak256(raw)`.
    pub hash: B256,
    /// Recovered from the signature, or the deposit's `from`.
    pub sender: Address,
}

impl CheckedTx {
    /// Decodes and recovers. The only costly step is the recovery.
    pub fn decode(raw: Bytes) -> Result<Self, TxError> {
        let tx = Transaction::decode(&raw)?;
        let sender = tx.recover()?;
        let hash = keccak256(&raw);
        Ok(Self {
            tx,
            raw,
            hash,
            sender,
        })
    }

    /// Decodes a transaction of an L1 block: the encoding must be the only one that the transaction has, and before
    /// Homestead (`high_s`) the signature may have the upper of its two forms (EIP-2).
    pub fn decode_in_block(raw: Bytes, high_s: bool) -> Result<Self, TxError> {
        let tx = Transaction::decode(&raw)?;
        if tx.encode() != raw {
            return Err(TxError::Rlp("not the canonical encoding"));
        }
        let sender = match (&tx, high_s) {
            (Transaction::Signed(signed), true) => {
                use alloy_consensus::transaction::SignerRecoverable;
                signed
                    .recover_signer_unchecked()
                    .map_err(|_| TxError::InvalidSignature)?
            }
            _ => tx.recover()?,
        };
        let hash = keccak256(&raw);
        Ok(Self {
            tx,
            raw,
            hash,
            sender,
        })
    }

    /// For a transaction read back from our own log, whose sender was recovered before it was written.
    pub fn decode_with_sender(raw: Bytes, sender: Address) -> Result<Self, TxError> {
        let tx = Transaction::decode(&raw)?;
        let hash = keccak256(&raw);
        Ok(Self {
            tx,
            raw,
            hash,
            sender,
        })
    }

    /// Wraps a deposit, which needs no recovery.
    pub fn deposit(deposit: TxDeposit) -> Self {
        let tx = Transaction::Deposit(deposit);
        let raw = Bytes::from(tx.encode());
        let hash = keccak256(&raw);
        let sender = match &tx {
            Transaction::Deposit(deposit) => deposit.from,
            Transaction::Signed(_) => Address::ZERO,
        };
        Self {
            tx,
            raw,
            hash,
            sender,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{bytes, hex};
    use proptest::prelude::*;

    // The example transaction of EIP-155.
    const EIP155: [u8; 110] = hex!(
        "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a0"
        "28ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83"
    );

    fn decode(raw: &[u8]) -> Result<CheckedTx, TxError> {
        CheckedTx::decode(Bytes::copy_from_slice(raw))
    }

    #[test]
    fn eip155_example_recovers_its_published_sender() {
        let tx = decode(&EIP155).unwrap();
        assert_eq!(
            tx.sender,
            alloy_primitives::address!("9d8a62f656a8d1615c1294fd71e9cfb3e4855a4f")
        );
        assert_eq!(tx.tx.encode(), EIP155);
        assert!(!tx.tx.is_unprotected());
    }

    #[test]
    fn a_trailing_byte_is_refused() {
        let mut raw = EIP155.to_vec();
        raw.push(0);
        assert!(matches!(decode(&raw), Err(TxError::Rlp(_))));
    }

    #[test]
    fn unknown_types_are_named_as_such() {
        assert_eq!(decode(&[0x05, 0xc0]), Err(TxError::UnknownType));
        assert_eq!(decode(&[0x00, 0xc0]), Err(TxError::UnknownType));
    }

    #[test]
    fn deposit_survives_the_round_trip() {
        let deposit = TxDeposit {
            source_hash: B256::repeat_byte(1),
            from: Address::repeat_byte(2),
            to: TxKind::Call(Address::repeat_byte(3)),
            mint: 5,
            value: U256::from(4),
            gas_limit: 100_000,
            is_system_transaction: false,
            input: bytes!("0102"),
        };
        let tx = CheckedTx::deposit(deposit.clone());
        assert_eq!(CheckedTx::decode(tx.raw.clone()).unwrap(), tx);
        assert_eq!(tx.tx.as_deposit(), Some(&deposit));
    }

    proptest! {
        #[test]
        fn garbage_never_panics_and_what_decodes_reencodes(raw in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok(tx) = Transaction::decode(&raw) {
                prop_assert_eq!(tx.encode(), raw);
            }
        }
    }
}

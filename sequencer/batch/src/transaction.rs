//! One transaction to columns and back, side by side.

use crate::{
    EncodeError, Invalid,
    bytes::{Reader, put_varint},
    columns::Columns,
    decimal,
    dictionary::{Dictionary, put_split, split},
    known::KNOWN_ADDRESSES,
    word::{Class, address_in, left_aligned, right_aligned},
};
use alloc::vec::Vec;
use alloy_consensus::{
    EthereumTxEnvelope, SignableTransaction, Transaction as _, TxEip1559, TxEip2930, TxEip7702,
    TxLegacy, Typed2718,
};
use alloy_eips::{
    eip2718::Encodable2718,
    eip2930::{AccessList, AccessListItem},
    eip7702::{Authorization, SignedAuthorization},
};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use primitives::{CheckedTx, Transaction};

/// Kind of a legacy transaction without a chain id; the other kinds are their EIP-2718 types.
const UNPROTECTED: u8 = 5;
/// Set in a kind: the transaction creates a contract.
const CREATION: u8 = 8;
/// What one transaction, list item or key, and authorization count towards the expanded size, beside its calldata.
const TX_BYTES: usize = 128;
const ITEM_BYTES: usize = 33;
const AUTHORIZATION_BYTES: usize = 128;

/// What the transactions of one batch know of each other.
#[derive(Debug, Clone)]
pub(crate) struct Dictionaries {
    gas: Dictionary<u64>,
    fees: Dictionary<(u128, u128)>,
    addresses: Dictionary<Address>,
    shapes: Dictionary<(u64, [u8; 4])>,
    wholes: Dictionary<B256>,
}

impl Dictionaries {
    pub(crate) fn new() -> Self {
        Self {
            gas: Dictionary::new(&[]),
            fees: Dictionary::new(&[]),
            addresses: Dictionary::new(&KNOWN_ADDRESSES),
            shapes: Dictionary::new(&[]),
            wholes: Dictionary::new(&[]),
        }
    }

    /// Their lengths, for [`Dictionaries::truncate`].
    pub(crate) fn lens(&self) -> [usize; 5] {
        [
            self.gas.len(),
            self.fees.len(),
            self.addresses.len(),
            self.shapes.len(),
            self.wholes.len(),
        ]
    }

    /// Forgets what was learnt since `lens` was taken.
    pub(crate) fn truncate(&mut self, [gas, fees, addresses, shapes, wholes]: [usize; 5]) {
        self.gas.truncate(gas);
        self.fees.truncate(fees);
        self.addresses.truncate(addresses);
        self.shapes.truncate(shapes);
        self.wholes.truncate(wholes);
    }
}

/// Appends to columns.
pub(crate) struct Writer<'a> {
    pub(crate) columns: &'a mut Columns<Vec<u8>>,
    pub(crate) known: &'a mut Dictionaries,
}

impl Writer<'_> {
    /// Writes all of `tx` but its y parity; returns its expanded size.
    pub(crate) fn write(&mut self, tx: &CheckedTx, chain_id: u64) -> Result<usize, EncodeError> {
        let Transaction::Signed(envelope) = &tx.tx else {
            return Err(EncodeError::Unfit("a deposit behind a signed transaction"));
        };
        let kind = match (envelope.ty(), envelope.chain_id()) {
            (3, _) => return Err(EncodeError::Unfit("a blob transaction")),
            (0, None) => UNPROTECTED,
            (ty, Some(id)) if id == chain_id => ty,
            _ => return Err(EncodeError::Unfit("another chain id")),
        };
        if envelope.encoded_2718() != tx.raw {
            return Err(EncodeError::Unfit(
                "bytes that are not the transaction's encoding",
            ));
        }
        let c = &mut *self.columns;
        c.kinds.push(if envelope.is_create() {
            kind | CREATION
        } else {
            kind
        });
        put_split(&mut c.nonces_low, &mut c.nonces_high, envelope.nonce());
        let gas = self.known.gas.refer(envelope.gas_limit());
        put_varint(&mut c.gas_refs, gas);
        if gas == 0 {
            put_varint(&mut c.gas_new, envelope.gas_limit());
        }
        let fees = (
            envelope.max_fee_per_gas(),
            envelope.max_priority_fee_per_gas().unwrap_or(0),
        );
        let fee = self.known.fees.refer(fees);
        put_varint(&mut c.fee_refs, fee);
        if fee == 0 {
            for amount in [fees.0, fees.1] {
                decimal::put(
                    [
                        &mut c.fee_exponents,
                        &mut c.fee_lengths,
                        &mut c.fee_mantissas,
                    ],
                    U256::from(amount),
                );
            }
        }
        if let TxKind::Call(to) = envelope.kind() {
            let reference = self.address(to);
            let c = &mut *self.columns;
            put_split(&mut c.to_refs_low, &mut c.to_refs_high, reference);
        }
        let c = &mut *self.columns;
        decimal::put(
            [
                &mut c.value_exponents,
                &mut c.value_lengths,
                &mut c.value_mantissas,
            ],
            envelope.value(),
        );
        self.calldata(envelope.input(), envelope.is_create());
        let mut size = TX_BYTES + envelope.input().len();
        if let Some(list) = envelope.access_list() {
            size += self.access_list(list);
        }
        if let Some(list) = envelope.authorization_list() {
            size += self.authorizations(list);
        }
        let signature = envelope.signature();
        self.columns
            .signatures
            .extend_from_slice(&signature.r().to_be_bytes::<32>());
        self.columns
            .signatures
            .extend_from_slice(&signature.s().to_be_bytes::<32>());
        Ok(size)
    }

    /// The reference to an address, which is written if it is new.
    fn address(&mut self, address: Address) -> u64 {
        let reference = self.known.addresses.refer(address);
        if reference == 0 {
            self.columns.addresses.extend_from_slice(address.as_slice());
        }
        reference
    }

    fn calldata(&mut self, input: &[u8], creation: bool) {
        let c = &mut *self.columns;
        if creation {
            put_varint(&mut c.counts, input.len() as u64);
            c.rest.extend_from_slice(input);
            return;
        }
        let (selector, arguments) = match input.split_first_chunk::<4>() {
            Some((selector, arguments)) => (*selector, arguments),
            None => ([0; 4], input),
        };
        let shape = self.known.shapes.refer((input.len() as u64, selector));
        put_varint(&mut c.shape_refs, shape);
        if shape == 0 {
            put_varint(&mut c.shapes_new, input.len() as u64);
            if input.len() >= 4 {
                c.shapes_new.extend_from_slice(&selector);
            }
        }
        let words = arguments.chunks_exact(32);
        self.columns.rest.extend_from_slice(words.remainder());
        for word in words {
            self.word(&B256::from_slice(word));
        }
    }

    fn word(&mut self, word: &B256) {
        let class = Class::of(word);
        self.columns.word_heads.push(class.head());
        match class {
            Class::Tiny(_) => {}
            Class::Number(len) => {
                let bytes = word.get(32 - usize::from(len)..).unwrap_or(&[]);
                self.columns.word_bytes.extend_from_slice(bytes);
            }
            Class::Left(len) => {
                let bytes = word.get(..usize::from(len)).unwrap_or(&[]);
                self.columns.word_bytes.extend_from_slice(bytes);
            }
            Class::Address => {
                let reference = self.address(address_in(word));
                let c = &mut *self.columns;
                put_split(
                    &mut c.word_addresses_low,
                    &mut c.word_addresses_high,
                    reference,
                );
            }
            Class::Decimal => {
                let c = &mut *self.columns;
                decimal::put(
                    [
                        &mut c.word_exponents,
                        &mut c.word_lengths,
                        &mut c.word_mantissas,
                    ],
                    U256::from_be_bytes(word.0),
                );
            }
            Class::Whole => {
                let reference = self.known.wholes.refer(*word);
                put_varint(&mut self.columns.whole_refs, reference);
                if reference == 0 {
                    self.columns.wholes.extend_from_slice(word.as_slice());
                }
            }
        }
    }

    fn list_address(&mut self, address: Address) {
        let reference = self.address(address);
        put_varint(&mut self.columns.list_addresses, reference);
    }

    fn access_list(&mut self, list: &AccessList) -> usize {
        put_varint(&mut self.columns.counts, list.len() as u64);
        let mut items = list.len();
        for item in list.iter() {
            self.list_address(item.address);
            put_varint(&mut self.columns.counts, item.storage_keys.len() as u64);
            for key in &item.storage_keys {
                self.word(key);
            }
            items += item.storage_keys.len();
        }
        items * ITEM_BYTES
    }

    fn authorizations(&mut self, list: &[SignedAuthorization]) -> usize {
        put_varint(&mut self.columns.counts, list.len() as u64);
        for signed in list {
            self.word(&B256::from(signed.chain_id));
            self.list_address(signed.address);
            put_varint(&mut self.columns.counts, signed.nonce);
            let column = &mut self.columns.authorizations;
            column.push(signed.y_parity());
            column.extend_from_slice(&signed.r().to_be_bytes::<32>());
            column.extend_from_slice(&signed.s().to_be_bytes::<32>());
        }
        list.len() * AUTHORIZATION_BYTES
    }
}

/// Takes from columns.
pub(crate) struct TxReader<'a> {
    pub(crate) columns: Columns<Reader<'a>>,
    pub(crate) known: Dictionaries,
    /// What the transactions may still expand to.
    pub(crate) budget: usize,
}

impl TxReader<'_> {
    /// The next transaction's EIP-2718 bytes.
    pub(crate) fn read(&mut self, chain_id: u64, y_parity: bool) -> Result<Bytes, Invalid> {
        self.spend(1, TX_BYTES)?;
        let c = &mut self.columns;
        let kind = c.kinds.byte()?;
        let creation = kind & CREATION != 0;
        let ty = kind & !CREATION;
        if !matches!(ty, 0 | 1 | 2 | 4 | UNPROTECTED) || (creation && ty == 4) {
            return Err(Invalid::Kind(kind));
        }
        let nonce = split(&mut c.nonces_low, &mut c.nonces_high)?;
        let gas_limit = match c.gas_refs.varint()? {
            0 => {
                let gas = c.gas_new.varint()?;
                if !self.known.gas.learn(gas) {
                    return Err(Invalid::KnownAgain);
                }
                gas
            }
            reference => self
                .known
                .gas
                .resolve(reference)
                .ok_or(Invalid::Reference)?,
        };
        let (max_fee, tip) = self.fees()?;
        if matches!(ty, 0 | 1 | UNPROTECTED) && tip != 0 {
            return Err(Invalid::Kind(kind));
        }
        let to = if creation {
            TxKind::Create
        } else {
            let c = &mut self.columns;
            let reference = split(&mut c.to_refs_low, &mut c.to_refs_high)?;
            TxKind::Call(self.address(reference)?)
        };
        let c = &mut self.columns;
        let value = decimal::read([
            &mut c.value_exponents,
            &mut c.value_lengths,
            &mut c.value_mantissas,
        ])?;
        let input = self.calldata(creation)?;
        let access_list = if matches!(ty, 1 | 2 | 4) {
            self.access_list()?
        } else {
            AccessList::default()
        };
        let authorization_list = if ty == 4 {
            self.authorizations()?
        } else {
            Vec::new()
        };
        let r = U256::from_be_bytes(self.columns.signatures.array::<32>()?);
        let s = U256::from_be_bytes(self.columns.signatures.array::<32>()?);
        let signature = Signature::new(r, s, y_parity);
        type Envelope = EthereumTxEnvelope<alloy_consensus::TxEip4844>;
        let envelope = match ty {
            1 => Envelope::Eip2930(
                TxEip2930 {
                    chain_id,
                    nonce,
                    gas_price: max_fee,
                    gas_limit,
                    to,
                    value,
                    access_list,
                    input,
                }
                .into_signed(signature),
            ),
            2 => Envelope::Eip1559(
                TxEip1559 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: max_fee,
                    max_priority_fee_per_gas: tip,
                    to,
                    value,
                    access_list,
                    input,
                }
                .into_signed(signature),
            ),
            4 => Envelope::Eip7702(
                TxEip7702 {
                    chain_id,
                    nonce,
                    gas_limit,
                    max_fee_per_gas: max_fee,
                    max_priority_fee_per_gas: tip,
                    to: to.into_to().unwrap_or_default(),
                    value,
                    access_list,
                    authorization_list,
                    input,
                }
                .into_signed(signature),
            ),
            _ => {
                let chain_id = (ty == 0).then_some(chain_id);
                Envelope::Legacy(
                    TxLegacy {
                        chain_id,
                        nonce,
                        gas_price: max_fee,
                        gas_limit,
                        to,
                        value,
                        input,
                    }
                    .into_signed(signature),
                )
            }
        };
        Ok(envelope.encoded_2718().into())
    }

    /// Takes `count` times `each` from the budget: before anything of that size is allocated.
    fn spend(&mut self, count: u64, each: usize) -> Result<(), Invalid> {
        let bytes = usize::try_from(count)
            .ok()
            .and_then(|n| n.checked_mul(each))
            .ok_or(Invalid::TooLarge)?;
        self.budget = self.budget.checked_sub(bytes).ok_or(Invalid::TooLarge)?;
        Ok(())
    }

    fn fees(&mut self) -> Result<(u128, u128), Invalid> {
        let c = &mut self.columns;
        let reference = c.fee_refs.varint()?;
        if reference != 0 {
            return self.known.fees.resolve(reference).ok_or(Invalid::Reference);
        }
        let mut amount = || {
            let amount = decimal::read([
                &mut c.fee_exponents,
                &mut c.fee_lengths,
                &mut c.fee_mantissas,
            ])?;
            u128::try_from(amount).map_err(|_| Invalid::Decimal)
        };
        let fees = (amount()?, amount()?);
        if self.known.fees.learn(fees) {
            Ok(fees)
        } else {
            Err(Invalid::KnownAgain)
        }
    }

    fn address(&mut self, reference: u64) -> Result<Address, Invalid> {
        if reference != 0 {
            return self
                .known
                .addresses
                .resolve(reference)
                .ok_or(Invalid::Reference);
        }
        let address = Address::from(self.columns.addresses.array::<20>()?);
        if self.known.addresses.learn(address) {
            Ok(address)
        } else {
            Err(Invalid::KnownAgain)
        }
    }

    fn calldata(&mut self, creation: bool) -> Result<Bytes, Invalid> {
        let c = &mut self.columns;
        if creation {
            let len = c.counts.varint()?;
            self.spend(len, 1)?;
            return Ok(Bytes::copy_from_slice(
                self.columns.rest.take(len as usize)?,
            ));
        }
        let (len, selector) = match c.shape_refs.varint()? {
            0 => {
                let len = c.shapes_new.varint()?;
                let selector = if len >= 4 {
                    c.shapes_new.array()?
                } else {
                    [0; 4]
                };
                if !self.known.shapes.learn((len, selector)) {
                    return Err(Invalid::KnownAgain);
                }
                (len, selector)
            }
            reference => self
                .known
                .shapes
                .resolve(reference)
                .ok_or(Invalid::Reference)?,
        };
        self.spend(len, 1)?;
        let mut left = len as usize;
        let mut input = Vec::with_capacity(left);
        if left >= 4 {
            input.extend_from_slice(&selector);
            left -= 4;
        }
        for _ in 0..left / 32 {
            input.extend_from_slice(self.word()?.as_slice());
        }
        input.extend_from_slice(self.columns.rest.take(left % 32)?);
        Ok(input.into())
    }

    fn word(&mut self) -> Result<B256, Invalid> {
        let c = &mut self.columns;
        let class = Class::from_head(c.word_heads.byte()?).ok_or(Invalid::Word)?;
        let word = match class {
            Class::Tiny(value) => right_aligned(&[value]),
            Class::Number(len) => right_aligned(c.word_bytes.take(len.into())?),
            Class::Left(len) => left_aligned(c.word_bytes.take(len.into())?),
            Class::Address => {
                let reference = split(&mut c.word_addresses_low, &mut c.word_addresses_high)?;
                self.address(reference)?.into_word()
            }
            Class::Decimal => decimal::read([
                &mut c.word_exponents,
                &mut c.word_lengths,
                &mut c.word_mantissas,
            ])?
            .into(),
            Class::Whole => match c.whole_refs.varint()? {
                0 => {
                    let word = B256::from(c.wholes.array()?);
                    if !self.known.wholes.learn(word) {
                        return Err(Invalid::KnownAgain);
                    }
                    word
                }
                reference => self
                    .known
                    .wholes
                    .resolve(reference)
                    .ok_or(Invalid::Reference)?,
            },
        };
        if Class::of(&word) == class {
            Ok(word)
        } else {
            Err(Invalid::Word)
        }
    }

    fn list_address(&mut self) -> Result<Address, Invalid> {
        let reference = self.columns.list_addresses.varint()?;
        self.address(reference)
    }

    fn access_list(&mut self) -> Result<AccessList, Invalid> {
        let count = self.columns.counts.varint()?;
        self.spend(count, ITEM_BYTES)?;
        let mut items = Vec::new();
        for _ in 0..count {
            let address = self.list_address()?;
            let keys = self.columns.counts.varint()?;
            self.spend(keys, ITEM_BYTES)?;
            let storage_keys = (0..keys).map(|_| self.word()).collect::<Result<_, _>>()?;
            items.push(AccessListItem {
                address,
                storage_keys,
            });
        }
        Ok(AccessList(items))
    }

    fn authorizations(&mut self) -> Result<Vec<SignedAuthorization>, Invalid> {
        let count = self.columns.counts.varint()?;
        self.spend(count, AUTHORIZATION_BYTES)?;
        let mut list = Vec::new();
        for _ in 0..count {
            let chain_id = U256::from_be_bytes(self.word()?.0);
            let address = self.list_address()?;
            let nonce = self.columns.counts.varint()?;
            let column = &mut self.columns.authorizations;
            let y_parity = column.byte()?;
            let r = U256::from_be_bytes(column.array::<32>()?);
            let s = U256::from_be_bytes(column.array::<32>()?);
            list.push(SignedAuthorization::new_unchecked(
                Authorization {
                    chain_id,
                    address,
                    nonce,
                },
                y_parity,
                r,
                s,
            ));
        }
        Ok(list)
    }
}

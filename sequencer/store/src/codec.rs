//! Bytes of log records and table rows: varints, lengths, and a reader that cannot overrun.
//!
//! Integers are LEB128 unless fixed width is said; a 256-bit number is one length byte and its big-endian
//! bytes without leading zeros (`FORMAT.md`).

use alloy_primitives::{Address, B256, Bytes, U256};
use primitives::{Account, Anchor, StateDiff};

use crate::BlockMeta;

/// The bytes end early, or say something that the format excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("undecodable: {0}")]
pub struct Undecodable(pub &'static str);

type Result<T> = std::result::Result<T, Undecodable>;

/// Reads from the front of a slice.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (head, rest) = self
            .0
            .split_at_checked(n)
            .ok_or(Undecodable("ends early"))?;
        self.0 = rest;
        Ok(head)
    }

    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_be_bytes)
    }

    pub fn u128(&mut self) -> Result<u128> {
        self.array().map(u128::from_be_bytes)
    }

    pub fn hash(&mut self) -> Result<B256> {
        self.array().map(B256::new)
    }

    pub fn address(&mut self) -> Result<Address> {
        self.array().map(Address::new)
    }

    pub fn flag(&mut self) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Undecodable("flag")),
        }
    }

    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            if shift == 63 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Undecodable("varint"))
    }

    /// A count of things that take at least one byte each: bounded by what is left.
    pub fn count(&mut self) -> Result<usize> {
        let n = usize::try_from(self.varint()?).map_err(|_| Undecodable("count"))?;
        if n > self.0.len() {
            Err(Undecodable("count"))
        } else {
            Ok(n)
        }
    }

    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let n = self.count()?;
        self.take(n)
    }

    pub fn uint(&mut self) -> Result<U256> {
        let n = self.u8()? as usize;
        if n > 32 {
            return Err(Undecodable("number"));
        }
        Ok(U256::from_be_slice(self.take(n)?))
    }

    pub fn end(&self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Undecodable("trailing bytes"))
        }
    }
}

pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

pub fn put_uint(out: &mut Vec<u8>, value: &U256) {
    let bytes = value.to_be_bytes::<32>();
    let n = value.byte_len();
    out.push(n as u8);
    out.extend_from_slice(&bytes[32 - n..]);
}

/// A value with one canonical byte form.
pub trait Codec: Sized {
    /// Appends the bytes.
    fn put(&self, out: &mut Vec<u8>);
    /// Reads them back.
    fn read(from: &mut Reader<'_>) -> Result<Self>;

    /// All of `bytes`, or an error.
    fn decode(bytes: &[u8]) -> Result<Self> {
        let mut reader = Reader(bytes);
        let value = Self::read(&mut reader)?;
        reader.end()?;
        Ok(value)
    }
}

impl Codec for () {
    fn put(&self, _: &mut Vec<u8>) {}
    fn read(_: &mut Reader<'_>) -> Result<Self> {
        Ok(())
    }
}

/// Fixed width, big-endian, so that keys sort by number.
impl Codec for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        from.u64()
    }
}

impl Codec for u32 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_be_bytes());
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        from.u32()
    }
}

impl Codec for B256 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_slice());
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        from.hash()
    }
}

impl Codec for Address {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_slice());
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        from.address()
    }
}

impl Codec for U256 {
    fn put(&self, out: &mut Vec<u8>) {
        put_uint(out, self);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        from.uint()
    }
}

/// All that is left.
impl Codec for Vec<u8> {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        let n = from.0.len();
        Ok(from.take(n)?.to_vec())
    }
}

impl Codec for Bytes {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        Vec::read(from).map(Into::into)
    }
}

impl<A: Codec, B: Codec> Codec for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        Ok((A::read(from)?, B::read(from)?))
    }
}

impl Codec for Account {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.nonce);
        put_uint(out, &self.balance);
        let has_code = self.code_hash != primitives::diff::KECCAK_EMPTY;
        out.push(has_code.into());
        if has_code {
            self.code_hash.put(out);
        }
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        let nonce = from.varint()?;
        let balance = from.uint()?;
        let code_hash = if from.flag()? {
            from.hash()?
        } else {
            primitives::diff::KECCAK_EMPTY
        };
        Ok(Self {
            nonce,
            balance,
            code_hash,
        })
    }
}

impl<T: Codec> Codec for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(self.is_some().into());
        if let Some(value) = self {
            value.put(out);
        }
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        if from.flag()? {
            T::read(from).map(Some)
        } else {
            Ok(None)
        }
    }
}

impl Codec for BlockMeta {
    fn put(&self, out: &mut Vec<u8>) {
        let a = &self.anchor;
        out.extend_from_slice(&a.number.to_be_bytes());
        out.extend_from_slice(a.hash.as_slice());
        out.extend_from_slice(&a.timestamp.to_be_bytes());
        out.extend_from_slice(&a.base_fee.to_be_bytes());
        out.extend_from_slice(&a.blob_base_fee.to_be_bytes());
        out.extend_from_slice(a.prev_randao.as_slice());
        out.extend_from_slice(&self.queue_consumed.to_be_bytes());
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        let anchor = Anchor {
            number: from.u64()?,
            hash: from.hash()?,
            timestamp: from.u64()?,
            base_fee: from.u128()?,
            blob_base_fee: from.u128()?,
            prev_randao: from.hash()?,
        };
        Ok(Self {
            anchor,
            queue_consumed: from.u64()?,
        })
    }
}

/// What a block replaced: for each changed account and slot, in the difference's order, the value before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Undo {
    pub accounts: Vec<UndoAccount>,
}

/// One account of [`Undo`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UndoAccount {
    pub address: Address,
    /// `None` if only slots changed.
    pub before: Option<Option<Account>>,
    pub slots: Vec<(U256, U256)>,
}

impl Undo {
    pub fn of(diff: &StateDiff) -> Self {
        let accounts = diff
            .accounts
            .iter()
            .map(|a| UndoAccount {
                address: a.address,
                before: (a.before != a.after).then_some(a.before),
                slots: a.slots.iter().map(|s| (s.slot, s.before)).collect(),
            })
            .collect();
        Self { accounts }
    }
}

impl Codec for Undo {
    fn put(&self, out: &mut Vec<u8>) {
        put_varint(out, self.accounts.len() as u64);
        for account in &self.accounts {
            account.address.put(out);
            account.before.put(out);
            put_varint(out, account.slots.len() as u64);
            for (slot, before) in &account.slots {
                put_uint(out, slot);
                put_uint(out, before);
            }
        }
    }
    fn read(from: &mut Reader<'_>) -> Result<Self> {
        let count = from.count()?;
        let mut accounts = Vec::with_capacity(count.min(65_536));
        for _ in 0..count {
            let address = from.address()?;
            let before = Option::read(from)?;
            let n = from.count()?;
            let mut slots = Vec::with_capacity(n.min(65_536));
            for _ in 0..n {
                slots.push((from.uint()?, from.uint()?));
            }
            accounts.push(UndoAccount {
                address,
                before,
                slots,
            });
        }
        Ok(Self { accounts })
    }
}

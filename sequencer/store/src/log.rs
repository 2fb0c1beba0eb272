//! The block log: the record of truth, in numbered segment files that only grow.
//!
//! Always holds: a record is on disk, synced, before anyone is told of it; whatever stands before the last
//! synced record is never written again. So after a crash at most the last record is torn, and it is cut off.
//! A bad record with a good one behind it is damage, not a torn tail, and is refused with its place.
//!
//! Absent on purpose: what a block means; reading by number (the tables know where a block lies).

use crate::{
    BlockMeta, Disk, Result, StoreError,
    codec::{Codec, Reader, Undecodable, put_bytes, put_varint},
};
use alloy_primitives::{B256, Bytes};
use alloy_rlp::{Decodable, Encodable};
use primitives::{CheckedTx, Header, SealedBlock, Withdrawal};
use std::sync::Arc;

/// First bytes of a segment.
const SEGMENT_MAGIC: [u8; 8] = *b"TRIBLOG1";
/// Magic, sequence number, genesis hash, checksum.
pub const SEGMENT_HEADER_BYTES: u64 = 8 + 4 + 32 + 4;
/// First bytes of a record: lets recovery look for good records behind a bad one.
const RECORD_MAGIC: [u8; 4] = [0xb1, 0x0c, 0x7e, 0xd5];
/// Magic, length, checksum, kind, height.
const RECORD_HEADER_BYTES: usize = 4 + 4 + 4 + 1 + 8;
/// No block is larger: a batch decodes to 16 MB at most, and a block is part of one.
const PAYLOAD_BYTES_MAX: usize = 256 << 20;

const KIND_BLOCK: u8 = 1;
const KIND_REWIND: u8 = 2;

/// A place between two records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct LogPosition {
    /// Sequence number of the file.
    pub segment: u32,
    /// Byte in it.
    pub offset: u64,
}

/// Where one record lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LogRef {
    /// Of its first byte.
    pub at: LogPosition,
    /// Of the whole record, header included.
    pub len: u32,
}

impl LogRef {
    /// The place behind the record.
    pub fn end(&self) -> LogPosition {
        LogPosition {
            segment: self.at.segment,
            offset: self.at.offset + u64::from(self.len),
        }
    }
}

/// What a record says. Its checksum is right; the payload is not yet decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record<'a> {
    /// This block became the head.
    Block { number: u64, payload: &'a [u8] },
    /// The head went back to this height.
    Rewind { to: u64 },
}

/// Called for each record.
pub type VisitRecord<'a> = &'a mut dyn FnMut(Record<'_>, LogRef) -> Result<()>;

/// A block without its receipts, which execution gives again; the header vouches for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedBlock {
    pub header: Header,
    pub meta: BlockMeta,
    pub transactions: Vec<Arc<CheckedTx>>,
    pub ommers: Vec<Header>,
    pub withdrawals: Vec<Withdrawal>,
}

impl LoggedBlock {
    fn encode(block: &SealedBlock, meta: &BlockMeta, out: &mut Vec<u8>) {
        let mut header = Vec::with_capacity(640);
        block.header.encode(&mut header);
        put_bytes(out, &header);
        meta.put(out);
        put_varint(out, block.transactions.len() as u64);
        for tx in &block.transactions {
            tx.sender.put(out);
            put_bytes(out, &tx.raw);
        }
        // Absent where both are empty, as always on the rollup.
        if !(block.ommers.is_empty() && block.withdrawals.is_empty()) {
            put_bytes(out, &alloy_rlp::encode(&block.ommers));
            put_bytes(out, &alloy_rlp::encode(&block.withdrawals));
        }
    }

    /// Reads the payload of a [`Record::Block`].
    pub fn decode(payload: &[u8]) -> Result<Self, Undecodable> {
        // One allocation for the whole block; each transaction is a view into it.
        let shared = Bytes::copy_from_slice(payload);
        let mut from = Reader(&shared);
        let mut rlp = from.bytes()?;
        let header = Header::decode(&mut rlp).map_err(|_| Undecodable("header"))?;
        let meta = BlockMeta::read(&mut from)?;
        let count = from.count()?;
        let mut transactions = Vec::with_capacity(count.min(65_536));
        for _ in 0..count {
            let sender = from.address()?;
            let raw = shared.slice_ref(from.bytes()?);
            let tx = CheckedTx::decode_with_sender(raw, sender)
                .map_err(|_| Undecodable("transaction"))?;
            transactions.push(Arc::new(tx));
        }
        let (mut ommers, mut withdrawals) = (Vec::new(), Vec::new());
        if !from.0.is_empty() {
            ommers = alloy_rlp::decode_exact(from.bytes()?).map_err(|_| Undecodable("ommers"))?;
            withdrawals =
                alloy_rlp::decode_exact(from.bytes()?).map_err(|_| Undecodable("withdrawals"))?;
        }
        from.end()?;
        Ok(Self {
            header,
            meta,
            transactions,
            ommers,
            withdrawals,
        })
    }
}

/// Name of a segment file.
pub fn segment_name(sequence: u32) -> String {
    format!("{sequence:010}.log")
}

/// Reads records wherever the tables say they lie.
#[derive(Clone)]
pub struct LogReader {
    disk: Arc<dyn Disk>,
}

impl LogReader {
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }

    /// The block at `at`.
    pub fn block(&self, at: LogRef) -> Result<LoggedBlock> {
        let file = segment_name(at.at.segment);
        let mut bytes = vec![0; at.len as usize];
        self.disk.read(&file, at.at.offset, &mut bytes)?;
        match parse(&bytes) {
            Ok(Record::Block { payload, .. }) => LoggedBlock::decode(payload)
                .map_err(|e| damaged(&file, at.at.offset, e.to_string())),
            Ok(Record::Rewind { .. }) => Err(damaged(&file, at.at.offset, "not a block".into())),
            Err(what) => Err(damaged(&file, at.at.offset, what)),
        }
    }
}

/// The writer's end of the log.
pub struct BlockLog {
    disk: Arc<dyn Disk>,
    genesis: B256,
    segment_bytes: u64,
    end: LogPosition,
    buffer: Vec<u8>,
}

/// What a scan found at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd {
    /// Behind the last good record.
    pub position: LogPosition,
    /// Bytes of a torn record there.
    pub torn_bytes: u64,
}

impl BlockLog {
    /// Shows every record from `from` on (from the first if `None`), cuts off a torn tail, and stands ready to append.
    pub fn open(
        disk: Arc<dyn Disk>,
        genesis: B256,
        segment_bytes: u64,
        from: Option<LogPosition>,
        visit: VisitRecord<'_>,
    ) -> Result<Self> {
        let end = scan(&*disk, genesis, from, visit)?;
        if end.torn_bytes > 0 {
            let file = segment_name(end.position.segment);
            tracing::warn!(
                file,
                offset = end.position.offset,
                bytes = end.torn_bytes,
                "cutting off a torn record"
            );
            disk.truncate(&file, end.position.offset)?;
        }
        Ok(Self {
            disk,
            genesis,
            segment_bytes,
            end: end.position,
            buffer: Vec::new(),
        })
    }

    /// Appends a block; it is durable on return. After an error the log must be opened anew.
    pub fn append_block(&mut self, block: &SealedBlock, meta: &BlockMeta) -> Result<LogRef> {
        self.append(KIND_BLOCK, block.header.number, |out| {
            LoggedBlock::encode(block, meta, out)
        })
    }

    /// Appends a rewind; it is durable on return.
    pub fn append_rewind(&mut self, to: u64) -> Result<LogRef> {
        self.append(KIND_REWIND, to, |_| {})
    }

    fn append(
        &mut self,
        kind: u8,
        height: u64,
        payload: impl FnOnce(&mut Vec<u8>),
    ) -> Result<LogRef> {
        if self.end.offset >= self.segment_bytes {
            self.end = LogPosition {
                segment: self.end.segment + 1,
                offset: 0,
            };
        }
        let file = segment_name(self.end.segment);
        if self.end.offset == 0 {
            // Synced on its own: a torn header with a good record behind it can then only be damage.
            self.disk
                .append(&file, &segment_header(self.end.segment, self.genesis))?;
            self.disk.sync(&file)?;
            self.end.offset = SEGMENT_HEADER_BYTES;
        }
        self.buffer.clear();
        self.buffer.extend_from_slice(&RECORD_MAGIC);
        self.buffer.extend_from_slice(&[0; 8]);
        self.buffer.push(kind);
        self.buffer.extend_from_slice(&height.to_be_bytes());
        payload(&mut self.buffer);
        let record = &mut self.buffer;
        let payload_bytes = record.len() - RECORD_HEADER_BYTES;
        if payload_bytes > PAYLOAD_BYTES_MAX {
            return Err(StoreError::Refused(format!(
                "block {height} takes {payload_bytes} bytes in the log"
            )));
        }
        let checksum = crc32fast::hash(&record[12..]);
        record[4..8].copy_from_slice(&(payload_bytes as u32).to_be_bytes());
        record[8..12].copy_from_slice(&checksum.to_be_bytes());
        let len = record.len() as u32;

        self.disk.append(&file, &self.buffer)?;
        self.disk.sync(&file)?;
        let at = LogRef { at: self.end, len };
        self.end = at.end();
        Ok(at)
    }
}

/// Shows every record from `from` on. Changes nothing on disk.
pub fn scan(
    disk: &dyn Disk,
    genesis: B256,
    from: Option<LogPosition>,
    visit: VisitRecord<'_>,
) -> Result<LogEnd> {
    let segments: Vec<u32> = disk
        .list()?
        .iter()
        .filter_map(|name| name.strip_suffix(".log")?.parse().ok())
        .collect();
    let from = from.unwrap_or_default();
    let Some(&last) = segments.last() else {
        return match from {
            LogPosition {
                segment: 0,
                offset: 0,
            } => Ok(LogEnd {
                position: from,
                torn_bytes: 0,
            }),
            _ => Err(StoreError::LogBehindTables("there is no log file".into())),
        };
    };
    if last < from.segment {
        return Err(StoreError::LogBehindTables(format!(
            "{} is missing",
            segment_name(from.segment)
        )));
    }
    let mut position = from;
    for sequence in from.segment..=last {
        let file = segment_name(sequence);
        if !segments.contains(&sequence) {
            return Err(damaged(&file, 0, "the segment is missing".into()));
        }
        if sequence != from.segment {
            position = LogPosition {
                segment: sequence,
                offset: 0,
            };
        }
        let len = disk.len(&file)?;
        if len < position.offset {
            return Err(StoreError::LogBehindTables(format!(
                "{file} ends at {len}, before {}",
                position.offset
            )));
        }
        let is_last = sequence == last;
        if let Some(torn_bytes) =
            scan_segment(disk, genesis, &file, len, is_last, &mut position, visit)?
        {
            return Ok(LogEnd {
                position,
                torn_bytes,
            });
        }
    }
    Ok(LogEnd {
        position,
        torn_bytes: 0,
    })
}

/// Moves `position` to the end of the segment's good records; returns the length of a torn tail.
fn scan_segment(
    disk: &dyn Disk,
    genesis: B256,
    file: &str,
    len: u64,
    is_last: bool,
    position: &mut LogPosition,
    visit: VisitRecord<'_>,
) -> Result<Option<u64>> {
    let mut header = [0; SEGMENT_HEADER_BYTES as usize];
    let whole_header = len >= SEGMENT_HEADER_BYTES;
    if whole_header {
        disk.read(file, 0, &mut header)?;
    }
    let wanted = segment_header(position.segment, genesis);
    if header != wanted {
        let other_chain = whole_header && header[..12] == wanted[..12] && header_checks(&header);
        if other_chain {
            let found = B256::from_slice(&header[12..44]);
            return Err(StoreError::GenesisDiffers {
                dir: file.into(),
                found,
                wanted: genesis,
            });
        }
        if !is_last || position.offset > 0 || good_record_behind(disk, file, 0, len)? {
            return Err(damaged(file, 0, "bad segment header".into()));
        }
        return Ok((len > 0).then_some(len));
    }
    position.offset = position.offset.max(SEGMENT_HEADER_BYTES);
    let mut bytes = Vec::new();
    while position.offset < len {
        match read_record(disk, file, position.offset, len, &mut bytes)? {
            Ok((record, len)) => {
                let at = LogRef { at: *position, len };
                visit(record, at)?;
                *position = at.end();
            }
            Err(what) => {
                if !is_last || good_record_behind(disk, file, position.offset + 1, len)? {
                    return Err(damaged(file, position.offset, what));
                }
                return Ok(Some(len - position.offset));
            }
        }
    }
    Ok(None)
}

type Parsed<'a> = std::result::Result<Record<'a>, String>;

fn read_record<'a>(
    disk: &dyn Disk,
    file: &str,
    offset: u64,
    len: u64,
    bytes: &'a mut Vec<u8>,
) -> Result<std::result::Result<(Record<'a>, u32), String>> {
    let left = len - offset;
    if left < RECORD_HEADER_BYTES as u64 {
        return Ok(Err("the record's header ends early".into()));
    }
    bytes.resize(RECORD_HEADER_BYTES, 0);
    disk.read(file, offset, bytes)?;
    let Some(whole) = record_len(bytes).filter(|n| *n as u64 <= left) else {
        return Ok(Err("no record begins here, or it ends early".into()));
    };
    bytes.resize(whole, 0);
    disk.read(file, offset, bytes)?;
    Ok(parse(bytes).map(|record| (record, whole as u32)))
}

/// Length of the record that `header` begins.
fn record_len(header: &[u8]) -> Option<usize> {
    let mut from = Reader(header);
    if from.array::<4>().ok()? != RECORD_MAGIC {
        return None;
    }
    let payload = from.u32().ok()? as usize;
    (payload <= PAYLOAD_BYTES_MAX).then_some(RECORD_HEADER_BYTES + payload)
}

fn parse(bytes: &[u8]) -> Parsed<'_> {
    if record_len(bytes) != Some(bytes.len()) {
        return Err("bad record header".into());
    }
    let mut from = Reader(&bytes[8..]);
    let text = |e: Undecodable| e.to_string();
    let checksum = from.u32().map_err(text)?;
    let computed = crc32fast::hash(from.0);
    if checksum != computed {
        return Err(format!("checksum {computed:08x} instead of {checksum:08x}"));
    }
    let kind = from.u8().map_err(text)?;
    let height = from.u64().map_err(text)?;
    match kind {
        KIND_BLOCK => Ok(Record::Block {
            number: height,
            payload: from.0,
        }),
        KIND_REWIND if from.0.is_empty() => Ok(Record::Rewind { to: height }),
        other => Err(format!("record kind {other}")),
    }
}

/// True if any record with a right checksum begins in `from..len`.
fn good_record_behind(disk: &dyn Disk, file: &str, from: u64, len: u64) -> Result<bool> {
    let mut rest = vec![0; (len - from.min(len)) as usize];
    disk.read(file, from, &mut rest)?;
    let mut at = 0;
    while let Some(skip) = rest[at..].windows(4).position(|w| w == RECORD_MAGIC) {
        at += skip;
        if record_len(&rest[at..])
            .is_some_and(|n| rest[at..].get(..n).is_some_and(|r| parse(r).is_ok()))
        {
            return Ok(true);
        }
        at += 1;
    }
    Ok(false)
}

fn segment_header(sequence: u32, genesis: B256) -> [u8; SEGMENT_HEADER_BYTES as usize] {
    let mut header = [0; SEGMENT_HEADER_BYTES as usize];
    header[..8].copy_from_slice(&SEGMENT_MAGIC);
    header[8..12].copy_from_slice(&sequence.to_be_bytes());
    header[12..44].copy_from_slice(genesis.as_slice());
    let checksum = crc32fast::hash(&header[..44]);
    header[44..].copy_from_slice(&checksum.to_be_bytes());
    header
}

fn header_checks(header: &[u8; SEGMENT_HEADER_BYTES as usize]) -> bool {
    crc32fast::hash(&header[..44]).to_be_bytes() == header[44..]
}

fn damaged(file: &str, offset: u64, what: String) -> StoreError {
    StoreError::LogDamaged {
        file: file.to_owned(),
        offset,
        what,
    }
}

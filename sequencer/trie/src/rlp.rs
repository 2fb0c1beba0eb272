//! Nodes to RLP and back (Yellow Paper, appendix D).
//!
//! Reading accepts exactly what writing produces. It takes hostile bytes: it does not recurse, allocates
//! no more than the node it returns, and does not panic.

use crate::{
    node::{Branch, Extension, Kid, Leaf, Reference, Slot},
    path::{self, MAX_NIBBLES},
};
use alloc::{boxed::Box, vec::Vec};
use alloy_primitives::B256;
use alloy_rlp::{EMPTY_STRING_CODE, Encodable, Header, length_of_length};

/// Appends the RLP of a node. Nothing for an empty or absent one.
pub(crate) fn encode(kid: &Kid, out: &mut Vec<u8>) {
    match kid {
        Kid::Empty | Kid::Absent => {}
        Kid::Leaf(leaf) => {
            let path = leaf.path_bytes();
            let [body, end] = leaf.value();
            let value_len = body.len() + end.len();
            let first = body.first().or(end.first()).copied().unwrap_or(0);
            let single = value_len == 1 && first < EMPTY_STRING_CODE;
            let value_rlp_len = if single {
                1
            } else {
                value_len + length_of_length(value_len)
            };
            list(path.length() + value_rlp_len, out);
            path.encode(out);
            if !single {
                Header {
                    list: false,
                    payload_length: value_len,
                }
                .encode(out);
            }
            out.extend_from_slice(body);
            out.extend_from_slice(end);
        }
        Kid::Extension(ext) => {
            let mut path = Vec::with_capacity(33);
            path::encode(&ext.path, false, &mut path);
            list(path[..].length() + ext.child.reference.rlp_len(), out);
            path[..].encode(out);
            reference(&ext.child.reference, out);
        }
        Kid::Branch(branch) => {
            let value = branch.value.as_deref().unwrap_or(&[]);
            let children: usize = branch.slots.iter().map(|s| s.reference.rlp_len()).sum();
            list(children + 16 - branch.slots.len() + value.length(), out);
            let mut slots = branch.slots.iter();
            for nibble in 0..16 {
                match (branch.mask & (1 << nibble) != 0)
                    .then(|| slots.next())
                    .flatten()
                {
                    Some(slot) => reference(&slot.reference, out),
                    None => out.push(EMPTY_STRING_CODE),
                }
            }
            value.encode(out);
        }
    }
}

fn list(payload_length: usize, out: &mut Vec<u8>) {
    Header {
        list: true,
        payload_length,
    }
    .encode(out);
}

fn reference(reference: &Reference, out: &mut Vec<u8>) {
    if reference.rlp_len() == 33 {
        out.push(EMPTY_STRING_CODE + 32);
    }
    out.extend_from_slice(reference.as_bytes());
}

/// One RLP item: its payload, and the item with its header.
struct Item<'a> {
    list: bool,
    payload: &'a [u8],
    whole: &'a [u8],
}

fn item<'a>(rest: &mut &'a [u8]) -> Result<Item<'a>, &'static str> {
    let start = *rest;
    let mut at = start;
    let Header {
        list,
        payload_length,
    } = Header::decode(&mut at).map_err(|_| "not canonical RLP")?;
    let payload = at.get(..payload_length).ok_or("not canonical RLP")?;
    *rest = &at[payload_length..];
    Ok(Item {
        list,
        payload,
        whole: &start[..start.len() - rest.len()],
    })
}

/// What a parent says of a child; `None` for an empty place in a branch.
fn child(item: &Item<'_>) -> Result<Option<Reference>, &'static str> {
    match (item.list, item.payload.len()) {
        (false, 0) => Ok(None),
        (false, 32) => Ok(Some(Reference::hash(B256::from_slice(item.payload)))),
        (true, _) if item.whole.len() < 32 => Ok(Some(Reference::embedded(item.whole))),
        (true, _) => Err("an embedded node has 32 bytes or more"),
        (false, _) => Err("a child is neither a hash nor a node"),
    }
}

/// Reads the node that lies `depth` nibbles below its root; its children are absent.
pub(crate) fn decode(mut bytes: &[u8], depth: usize) -> Result<Kid, &'static str> {
    let node = item(&mut bytes)?;
    if !node.list {
        return Err("a node is not a list");
    }
    if !bytes.is_empty() {
        return Err("bytes after a node");
    }
    let mut rest = node.payload;
    let first = item(&mut rest)?;
    let second = item(&mut rest)?;
    if rest.is_empty() {
        short(&first, &second, depth)
    } else {
        fork(&first, &second, rest, depth)
    }
}

fn short(first: &Item<'_>, second: &Item<'_>, depth: usize) -> Result<Kid, &'static str> {
    if first.list {
        return Err("a path is a list");
    }
    let (path, leaf) = path::decode(first.payload).ok_or("a path is not in hex-prefix form")?;
    if depth + path.len() > MAX_NIBBLES {
        return Err("a path is longer than a key");
    }
    if leaf {
        if second.list || second.payload.is_empty() {
            return Err("a leaf without a value");
        }
        return Ok(Kid::Leaf(Leaf::new(&path, second.payload)));
    }
    if path.is_empty() {
        return Err("an extension without a path");
    }
    let child = child(second)?.ok_or("an extension without a child")?;
    Ok(Kid::Extension(Box::new(Extension {
        path,
        child: Slot::absent(child),
    })))
}

fn fork(
    first: &Item<'_>,
    second: &Item<'_>,
    mut rest: &[u8],
    depth: usize,
) -> Result<Kid, &'static str> {
    if depth >= MAX_NIBBLES {
        return Err("a branch below the end of every key");
    }
    let mut branch = Branch::default();
    let mut references = [None; 16];
    references[0] = child(first)?;
    references[1] = child(second)?;
    for reference in &mut references[2..] {
        *reference = child(&item(&mut rest)?)?;
    }
    let value = item(&mut rest)?;
    if value.list || !rest.is_empty() {
        return Err("a branch does not end with its value");
    }
    branch
        .slots
        .reserve_exact(references.iter().flatten().count());
    for (nibble, reference) in references.into_iter().enumerate() {
        if let Some(reference) = reference {
            branch.mask |= 1 << nibble;
            branch.slots.push(Slot::absent(reference));
        }
    }
    branch.saved_mask = branch.mask;
    branch.value = (!value.payload.is_empty()).then(|| value.payload.into());
    if branch.slots.len() + usize::from(branch.value.is_some()) < 2 {
        return Err("a branch that does not fork");
    }
    Ok(Kid::Branch(Box::new(branch)))
}

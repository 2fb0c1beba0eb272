//! Hex-prefix encoding of the path kept in a leaf or an extension (Yellow Paper, appendix C).

use alloc::vec::Vec;
use alloy_trie::Nibbles;

/// Nibbles in a hashed key, and the longest path a trie can have here.
pub(crate) const MAX_NIBBLES: usize = 64;

const ODD: u8 = 0x10;
const LEAF: u8 = 0x20;

/// Appends the hex-prefix form of `path`: `len / 2 + 1` bytes, 33 at most.
pub(crate) fn encode(path: &Nibbles, leaf: bool, out: &mut Vec<u8>) {
    let flag = if leaf { LEAF } else { 0 };
    let rest = if path.len() % 2 == 1 {
        out.push(flag | ODD | path.get_unchecked(0));
        path.slice(1..)
    } else {
        out.push(flag);
        *path
    };
    let mut packed = [0u8; MAX_NIBBLES / 2];
    rest.pack_to(&mut packed);
    out.extend_from_slice(&packed[..rest.len() / 2]);
}

/// The path and whether it belongs to a leaf. `None` unless the bytes are what [`encode`] writes.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Nibbles, bool)> {
    let (&first, rest) = bytes.split_first()?;
    if first & !(ODD | LEAF | 0x0f) != 0 || rest.len() > MAX_NIBBLES / 2 {
        return None;
    }
    let tail = Nibbles::unpack(rest);
    let path = if first & ODD != 0 {
        if tail.len() == MAX_NIBBLES {
            return None;
        }
        let mut path = Nibbles::from_nibbles([first & 0x0f]);
        path.extend(&tail);
        path
    } else {
        if first & 0x0f != 0 {
            return None;
        }
        tail
    };
    Some((path, first & LEAF != 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_comes_back() {
        for len in 0..=MAX_NIBBLES {
            for leaf in [false, true] {
                let path: Nibbles = (0..len).map(|i| (i * 7 % 16) as u8).collect();
                let mut bytes = Vec::new();
                encode(&path, leaf, &mut bytes);
                assert_eq!(bytes.len(), len / 2 + 1);
                assert_eq!(decode(&bytes), Some((path, leaf)));
            }
        }
    }

    #[test]
    fn only_what_encode_writes_is_read() {
        for bad in [
            &[][..],
            &[0x40],
            &[0x80, 1],
            &[0x01, 2],
            &[0x2f],
            &[0x00; 34],
            &[0x10; 33],
        ] {
            assert_eq!(decode(bad), None, "{bad:02x?}");
        }
    }
}

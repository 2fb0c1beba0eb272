//! Side blocks that a block may name, and be rewarded for: recent, valid, and named only once.

use super::header::check_header;
use crate::{BlockError, EthereumRules};
use alloc::{collections::BTreeSet, string::ToString, vec::Vec};
use alloy_primitives::B256;
use primitives::{Header, L1Block};

const OMMERS_MAX: usize = 2;
/// The parent of an ommer is at most so many blocks older than the block.
pub(crate) const GENERATIONS: usize = 7;

/// A block below the one that is checked.
#[derive(Debug, Clone, Copy)]
pub struct Ancestor<'a> {
    /// Its hash.
    pub hash: B256,
    /// Its header.
    pub header: &'a Header,
    /// What it named.
    pub ommers: &'a [Header],
}

/// `ancestors`: the parent first.
pub(super) fn check(
    rules: &EthereumRules,
    ancestors: &[Ancestor<'_>],
    block: &L1Block,
) -> Result<(), BlockError> {
    let wrong = |index, why: &str| {
        let why = why.to_string();
        Err(BlockError::Ommer { index, why })
    };
    if block.ommers.len() > OMMERS_MAX {
        return wrong(OMMERS_MAX, "a block has two at most");
    }
    let family: Vec<_> = ancestors.iter().take(GENERATIONS).collect();
    let mut named: BTreeSet<B256> = family
        .iter()
        .flat_map(|ancestor| ancestor.ommers)
        .map(Header::hash_slow)
        .collect();
    for (index, ommer) in block.ommers.iter().enumerate() {
        let hash = ommer.hash_slow();
        if !named.insert(hash) {
            return wrong(index, "named before");
        }
        if family.iter().any(|ancestor| ancestor.hash == hash) {
            return wrong(index, "it is an ancestor");
        }
        let parent = family
            .iter()
            .skip(1)
            .find(|ancestor| ancestor.hash == ommer.parent_hash);
        let Some(parent) = parent else {
            return wrong(
                index,
                "its parent is not among the six blocks before the parent",
            );
        };
        check_header(rules, parent.header, ommer).map_err(|error| BlockError::Ommer {
            index,
            why: error.to_string(),
        })?;
    }
    Ok(())
}

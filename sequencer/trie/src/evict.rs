//! Letting go of nodes that the store can serve again, the least recently touched first.
//!
//! Only saved nodes go, and always with all that lies under them; a slot keeps the reference. A node counts
//! as touched in the generation of the last descent through it, so no node is younger than the one above it.

use crate::{
    Trie,
    node::{Kid, Slot},
};
use alloc::collections::BTreeMap;

/// Bytes of saved nodes by the generation that last touched them.
pub(crate) type Census = BTreeMap<u32, usize>;

/// What to let go of.
pub(crate) struct Cut {
    /// Everything last touched before this generation goes.
    pub(crate) before: u32,
    /// Of what was touched in that generation, leaves first, this many bytes go.
    pub(crate) within: usize,
}

impl Cut {
    /// The oldest nodes of `census` that make up `excess` bytes.
    pub(crate) fn new(census: &Census, mut excess: usize) -> Self {
        for (&generation, &bytes) in census {
            if bytes >= excess {
                return Self {
                    before: generation,
                    within: excess,
                };
            }
            excess -= bytes;
        }
        Self {
            before: u32::MAX,
            within: 0,
        }
    }
}

impl Trie {
    /// Adds this trie's saved nodes to `census`.
    pub(crate) fn count(&self, census: &mut Census) {
        count(&self.root, census);
    }

    /// True if any node is in memory.
    pub(crate) fn has_nodes(&self) -> bool {
        !matches!(self.root.kid, Kid::Empty | Kid::Absent)
    }

    /// True if the store must still write something.
    pub(crate) fn is_unsaved(&self) -> bool {
        self.root.unsaved
    }

    /// Lets go of nodes; takes what it frees within the boundary generation from `cut.within`.
    pub(crate) fn cut(&mut self, cut: &mut Cut) {
        if !self.broken {
            self.bytes -= drop_old(&mut self.root, cut);
        }
    }
}

fn count(slot: &Slot, census: &mut Census) {
    if let Kid::Empty | Kid::Absent = slot.kid {
        return;
    }
    if !slot.unsaved {
        *census.entry(slot.touched).or_default() += slot.kid.cost();
    }
    match &slot.kid {
        Kid::Extension(ext) => count(&ext.child, census),
        Kid::Branch(branch) => branch.slots.iter().for_each(|slot| count(slot, census)),
        _ => {}
    }
}

/// Bytes freed.
fn drop_old(slot: &mut Slot, cut: &mut Cut) -> usize {
    if let Kid::Empty | Kid::Absent = slot.kid {
        return 0;
    }
    if !slot.unsaved && slot.touched < cut.before {
        let freed = cost_with_all_below(&slot.kid);
        slot.kid = Kid::Absent;
        return freed;
    }
    let mut freed = 0;
    match &mut slot.kid {
        Kid::Extension(ext) => freed += drop_old(&mut ext.child, cut),
        Kid::Branch(branch) => {
            for slot in &mut branch.slots {
                freed += drop_old(slot, cut);
            }
        }
        _ => {}
    }
    // Children went first. Those that stayed are as young as this one and went uncounted because enough
    // was freed, so nothing is dropped here while one remains.
    if !slot.unsaved && slot.touched == cut.before && cut.within > 0 {
        let own = cost_with_all_below(&slot.kid);
        slot.kid = Kid::Absent;
        cut.within = cut.within.saturating_sub(own);
        freed += own;
    }
    freed
}

fn cost_with_all_below(kid: &Kid) -> usize {
    kid.cost()
        + match kid {
            Kid::Extension(ext) => cost_with_all_below(&ext.child.kid),
            Kid::Branch(branch) => branch
                .slots
                .iter()
                .map(|s| cost_with_all_below(&s.kid))
                .sum(),
            _ => 0,
        }
}

impl Trie {
    /// What [`Trie::bytes`] should say of the nodes, counted anew.
    #[cfg(test)]
    pub(crate) fn recount(&self) -> usize {
        cost_with_all_below(&self.root.kid)
    }
}

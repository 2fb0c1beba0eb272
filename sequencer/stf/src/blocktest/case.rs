//! One test: build the first block, offer the others in order, compare head and state.

use super::format::Test;
use crate::{
    Ancestor, EthereumRules, MemoryState, Rules, StateError, StateReader, check_block, difference,
    execute_l1_block, statetest::case::genesis,
};
use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use alloy_primitives::{Address, B256, Bytes, U256, hex, map::B256Map};
use config::L1Fork;
use primitives::{Account, Header, L1Block};
use trie::{EMPTY_ROOT_HASH, NoNodes, StateTrie};

/// Blocks that `BLOCKHASH` reaches.
const HASHES: u64 = 256;
/// Ancestors that decide about ommers.
const FAMILY: usize = 7;

/// A valid block, with the state after it.
struct Link {
    header: Header,
    ommers: Vec<Header>,
    total_difficulty: U256,
    state: MemoryState,
    trie: StateTrie<NoNodes>,
}

struct Tree {
    rules: Arc<Rules>,
    links: B256Map<Link>,
    head: B256,
}

/// `Err` says what differs.
pub(super) fn run(test: &Test, rules: EthereumRules) -> Result<(), String> {
    let rules = Arc::new(Rules::Ethereum(rules));
    let mut tree = first(test, rules)?;
    for (index, block) in test.blocks.iter().enumerate() {
        let outcome = hex::decode(&block.rlp)
            .map_err(|error| error.to_string())
            .and_then(|raw| tree.offer(&raw));
        match (outcome, block.is_valid()) {
            (Ok(()), false) => return Err(format!("block {index} is accepted, but invalid")),
            (Err(reason), true) => return Err(format!("block {index} is refused: {reason}")),
            _ => {}
        }
    }
    if tree.head != test.last_block_hash {
        return Err(format!(
            "the head is {}, published {}",
            tree.head, test.last_block_hash
        ));
    }
    let root = tree.links[&tree.head].header.state_root;
    let published = match (&test.post_state, test.post_state_hash) {
        (_, Some(root)) => root,
        (Some(state), None) => {
            StateTrie::new(NoNodes, EMPTY_ROOT_HASH)
                .apply(&genesis(state))
                .map_err(|error| error.to_string())?
                .state_root
        }
        (None, None) => return Err("no state to compare with".to_string()),
    };
    match root == published {
        true => Ok(()),
        false => Err(format!("state root {root}, published {published}")),
    }
}

fn first(test: &Test, rules: Arc<Rules>) -> Result<Tree, String> {
    let raw = hex::decode(&test.genesis_rlp).map_err(|error| error.to_string())?;
    let block = L1Block::decode(&raw, |_| true).map_err(|error| format!("genesisRLP: {error}"))?;
    let hash = block.header.hash_slow();
    if hash != test.genesis_block_header.hash {
        return Err(format!(
            "the first block is {hash}, published {}",
            test.genesis_block_header.hash
        ));
    }
    let pre = genesis(&test.pre);
    let mut trie = StateTrie::new(NoNodes, EMPTY_ROOT_HASH);
    let root = trie
        .apply(&pre)
        .map_err(|error| error.to_string())?
        .state_root;
    if root != block.header.state_root {
        return Err(format!(
            "the first state has root {root}, published {}",
            block.header.state_root
        ));
    }
    let mut state = MemoryState::default();
    state.apply(&pre);
    let link = Link {
        total_difficulty: block.header.difficulty,
        header: block.header,
        ommers: block.ommers,
        state,
        trie,
    };
    Ok(Tree {
        rules,
        links: [(hash, link)].into_iter().collect(),
        head: hash,
    })
}

impl Tree {
    /// Executes a block on its parent, and makes it the head if it is the better one. The error says why it is refused.
    fn offer(&mut self, raw: &[u8]) -> Result<(), String> {
        let Rules::Ethereum(l1) = &*self.rules else {
            return Err("not an L1".to_string());
        };
        let block = L1Block::decode(raw, |header| l1.fork_of(header) < L1Fork::Homestead)
            .map_err(|error| error.to_string())?;
        let hash = block.header.hash_slow();
        let parent = self
            .links
            .get(&block.header.parent_hash)
            .ok_or("its parent is unknown")?;
        let family = self.family(block.header.parent_hash);
        check_block(&self.rules, &family, Some(parent.total_difficulty), &block)
            .map_err(|error| error.to_string())?;
        let past = Past { tree: self, parent };
        let mut executed =
            execute_l1_block(&self.rules, &block, past).map_err(|error| error.to_string())?;
        let mut trie = parent.trie.clone();
        let root = executed.state_root(|diff| {
            let roots = trie.apply(diff).map_err(|error| error.to_string())?;
            Ok::<_, String>(roots.state_root)
        })?;
        let (sealed, diff) = executed.seal(root, None);
        if let Some((field, ours, theirs)) = difference(&sealed.header, &block.header) {
            return Err(format!("{field} {ours}, in its header {theirs}"));
        }
        let mut state = parent.state.clone();
        state.apply(&diff);
        let link = Link {
            total_difficulty: parent
                .total_difficulty
                .saturating_add(block.header.difficulty),
            header: block.header,
            ommers: block.ommers,
            state,
            trie,
        };
        let head = &self.links[&self.head];
        // After the merge somebody else says which is the head: here the newest block.
        if link.header.difficulty.is_zero() || link.total_difficulty > head.total_difficulty {
            self.head = hash;
        }
        self.links.insert(hash, link);
        Ok(())
    }

    /// The block with this hash and those before it.
    fn family(&self, mut hash: B256) -> Vec<Ancestor<'_>> {
        let mut family = Vec::new();
        while let Some(link) = self.links.get(&hash)
            && family.len() < FAMILY
        {
            family.push(Ancestor {
                hash,
                header: &link.header,
                ommers: &link.ommers,
            });
            hash = link.header.parent_hash;
        }
        family
    }
}

/// The state after `parent`, and the hashes before it on its own branch.
struct Past<'a> {
    tree: &'a Tree,
    parent: &'a Link,
}

impl StateReader for Past<'_> {
    fn account(&self, address: Address) -> Result<Option<Account>, StateError> {
        self.parent.state.account(address)
    }
    fn storage(&self, address: Address, slot: U256) -> Result<U256, StateError> {
        self.parent.state.storage(address, slot)
    }
    fn code(&self, hash: B256) -> Result<Bytes, StateError> {
        self.parent.state.code(hash)
    }
    fn has_storage(&self, address: Address) -> Result<bool, StateError> {
        self.parent.state.has_storage(address)
    }
    fn block_hash(&self, number: u64) -> Result<B256, StateError> {
        let mut link = self.parent;
        for _ in 0..HASHES {
            let below = link.header.parent_hash;
            if link.header.number == number.saturating_add(1) {
                return Ok(below);
            }
            link = match self.tree.links.get(&below) {
                Some(link) => link,
                None => break,
            };
        }
        Err(StateError(format!("no hash of block {number}")))
    }
}

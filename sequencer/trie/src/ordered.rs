//! The roots in a block header that no state has: transactions and receipts.

use alloy_primitives::B256;

/// The root of the trie that maps the RLP of 0, 1, 2, … to these items (transactions and receipts in their
/// EIP-2718 form). [`crate::EMPTY_ROOT_HASH`] without items.
pub fn ordered_root<T: AsRef<[u8]>>(items: &[T]) -> B256 {
    alloy_trie::root::ordered_trie_root_encoded(items)
}

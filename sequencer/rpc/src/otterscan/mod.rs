//! The API that the block explorer Otterscan asks a node for: `ots_`, and one header method of Erigon's.
//!
//! There is no index of addresses: what a transaction did inside is found by executing its block again, bounded as
//! traces are ([`crate::trace`]). A search that takes longer than that ends with an error.

mod blocks;
mod history;
mod inside;
mod search;

use crate::{accounts::block, blocks::header, module::Registry, params::Args};
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::Address;
use primitives::diff::KECCAK_EMPTY;
use stf::StateReader;

/// The newest version of the API that Otterscan knows.
const API_LEVEL: u64 = 8;

pub(crate) fn register(registry: &mut Registry) {
    registry.light("ots_getApiLevel", 0, |_, _| Ok(API_LEVEL));
    registry.light("ots_hasCode", 2, |node, args: Args<'_>| {
        let address: Address = args.required(0)?;
        let (state, _) = node.state(block(&args, 1)?)?;
        let account = state.account(address)?.unwrap_or_default();
        Ok(account.code_hash != KECCAK_EMPTY)
    });
    registry.light("erigon_getHeaderByNumber", 1, |node, args: Args<'_>| {
        header(node, args.required::<BlockNumberOrTag>(0)?.into())
    });
    blocks::register(registry);
    inside::register(registry);
    history::register(registry);
    search::register(registry);
}

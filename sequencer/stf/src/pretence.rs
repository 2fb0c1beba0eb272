//! What a question may pretend about the machine itself: precompiles elsewhere, transfers of value as logs.
//!
//! Blocks never pretend anything.

use crate::{AccountOverride, Rules};
use alloc::{collections::BTreeMap, vec};
use alloy_primitives::{Address, B256, Log, U256, address, b256};
use core::fmt;
use primitives::Header;
use revm::{
    context_interface::journaled_state::entry::JournalEntry,
    handler::EthPrecompiles,
    interpreter::{CallInputs, CallValue, FrameInput},
};

/// Emits the logs that stand for transfers of value.
pub const TRANSFER_EMITTER: Address = address!("eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
/// `Transfer(address,address,uint256)`, as ERC-20 has it.
const TRANSFER_TOPIC: B256 =
    b256!("ddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef");
/// Code is looked for under the callee, and no precompile lies here.
const NO_PRECOMPILE: Address = Address::repeat_byte(0xff);

/// True if calls to this address run a precompile in the block with this header.
pub fn is_precompile(rules: &Rules, header: &Header, address: &Address) -> bool {
    EthPrecompiles::new(rules.spec(header)).contains(address)
}

/// Why overrides do not fit together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OverrideError {
    /// Only precompiles can be moved.
    NotAPrecompile(Address),
    /// Moved to itself.
    MovedToItself(Address),
    /// Moved to where something else is overridden.
    Taken(Address),
}

impl fmt::Display for OverrideError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // geth writes addresses as words of 32 bytes here.
        let word = |address: &Address| address.into_word();
        match self {
            Self::NotAPrecompile(address) => {
                write!(f, "account {} is not a precompile", word(address))
            }
            Self::MovedToItself(address) | Self::Taken(address) => {
                write!(f, "account {} is already overridden", word(address))
            }
        }
    }
}

impl core::error::Error for OverrideError {}

/// Where precompiles lie. Empty: where they always do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PrecompileMoves {
    /// Address and what runs there; `None`: no precompile any more.
    at: BTreeMap<Address, Option<Address>>,
}

impl PrecompileMoves {
    /// What the overrides say. A precompile that is overridden in any way is one no more. Of two that are moved to one
    /// place, the second runs there.
    pub fn of(
        rules: &Rules,
        header: &Header,
        accounts: &BTreeMap<Address, AccountOverride>,
    ) -> Result<Self, OverrideError> {
        let mut moves = Self::default();
        if accounts.is_empty() {
            return Ok(moves);
        }
        let precompiles = EthPrecompiles::new(rules.spec(header));
        for (address, account) in accounts {
            let is_precompile = precompiles.contains(address);
            if let Some(to) = account.move_precompile_to {
                if !is_precompile {
                    return Err(OverrideError::NotAPrecompile(*address));
                }
                if to == *address {
                    return Err(OverrideError::MovedToItself(to));
                }
                if accounts.contains_key(&to) {
                    return Err(OverrideError::Taken(to));
                }
                moves.at.insert(to, Some(*address));
            }
            if is_precompile {
                moves.at.insert(*address, None);
            }
        }
        Ok(moves)
    }
}

/// What one machine pretends.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pretence {
    pub(crate) moves: PrecompileMoves,
    /// Transfers of value leave logs of [`TRANSFER_EMITTER`].
    pub(crate) logs_transfers: bool,
}

impl Pretence {
    /// Sends a call to where the precompile lies. Only the lookup of precompiles reads the address of the code: the
    /// code itself is in the inputs.
    pub(crate) fn redirect(&self, input: &mut FrameInput) {
        if let FrameInput::Call(call) = input
            && let Some(place) = self.moves.at.get(&call.bytecode_address)
        {
            call.bytecode_address = place.unwrap_or(NO_PRECOMPILE);
        }
    }

    /// The log of the value that a frame moves when it starts. The address of a creation is known later.
    pub(crate) fn transfer(&self, input: &FrameInput) -> Option<Log> {
        if !self.logs_transfers {
            return None;
        }
        match input {
            FrameInput::Call(call) => match &**call {
                CallInputs {
                    value: CallValue::Transfer(value),
                    caller,
                    target_address,
                    ..
                } => log(*caller, *target_address, *value),
                _ => None,
            },
            FrameInput::Create(create) => log(create.caller(), Address::ZERO, create.value()),
            FrameInput::Empty => None,
        }
    }

    /// The log of the value that a self-destruction moved: the only transfer that a running frame makes itself.
    pub(crate) fn destroyed(&self, entries: &[JournalEntry]) -> Option<Log> {
        entries.iter().rev().find_map(|entry| match entry {
            JournalEntry::AccountDestroyed {
                had_balance,
                address,
                target,
                ..
            } => log(*address, *target, *had_balance),
            JournalEntry::BalanceTransfer { balance, from, to } => log(*from, *to, *balance),
            _ => None,
        })
    }
}

fn log(from: Address, to: Address, value: U256) -> Option<Log> {
    (!value.is_zero()).then(|| {
        Log::new_unchecked(
            TRANSFER_EMITTER,
            vec![TRANSFER_TOPIC, from.into_word(), to.into_word()],
            value.to_be_bytes::<32>().into(),
        )
    })
}

/// The same log with another receiver.
pub(crate) fn received_by(log: &Log, to: Address) -> Log {
    let mut topics = log.topics().to_vec();
    if let Some(topic) = topics.last_mut() {
        *topic = to.into_word();
    }
    Log::new_unchecked(log.address, topics, log.data.data.clone())
}

//! Revm's machine with one rule that it lacks: a contract cannot be created where storage lies already (EIP-7610).
//!
//! Mainnet has a few dozen such accounts, the state tests some more, the rollup none.

use crate::{
    StateError, StateReader,
    block_state::BlockState,
    net_metering,
    pretence::{Pretence, received_by},
};
use alloc::string::ToString;
use alloy_primitives::{Address, Log};
use core::ops::{Deref, DerefMut};
use primitives::diff::KECCAK_EMPTY;
use revm::{
    Context, MainBuilder, MainContext, MainnetEvm,
    context::{BlockEnv, CfgEnv, ContextTr, FrameStack, JournalTr},
    context_interface::context::ContextError,
    handler::{
        EthFrame, EthPrecompiles, EvmTr, FrameInitOrResult, FrameResult, FrameTr, ItemOrResult,
        MainnetContext, evm::FrameInitResult, instructions::EthInstructions,
    },
    interpreter::{
        FrameInput, InstructionResult, interpreter::EthInterpreter, interpreter_action::FrameInit,
    },
    primitives::constants::CALL_STACK_LIMIT,
};

pub(crate) type Ctx<S> = MainnetContext<BlockState<S>>;

/// One for a whole block: building it costs more than a transfer.
#[derive(Debug)]
pub(crate) struct Machine<S: StateReader>(MainnetEvm<Ctx<S>>, Pretence);

impl<S: StateReader> Machine<S> {
    pub(crate) fn new(state: BlockState<S>, cfg: CfgEnv, block: BlockEnv) -> Self {
        let net_metering = net_metering::holds(&cfg);
        let mut evm = Context::mainnet()
            .with_db(state)
            .with_cfg(cfg)
            .with_block(block)
            .build_mainnet();
        if net_metering {
            // The price is not a fixed one, so the table holds none.
            evm.instruction.insert_instruction(
                net_metering::SSTORE,
                net_metering::instruction(),
                0,
            );
        }
        Self(evm, Pretence::default())
    }

    /// From now on the machine pretends this.
    pub(crate) fn pretend(&mut self, pretence: Pretence) {
        self.1 = pretence;
    }

    pub(crate) fn state(&mut self) -> &mut BlockState<S> {
        &mut self.0.ctx.journaled_state.database
    }

    pub(crate) fn into_state(self) -> BlockState<S> {
        self.0.ctx.journaled_state.database
    }

    /// The address of a creation that would get as far as its account and find storage there, but neither code nor nonce.
    fn storage_in_the_way(&mut self, frame: &FrameInit) -> Result<Option<Address>, StateError> {
        let FrameInput::Create(create) = &frame.frame_input else {
            return Ok(None);
        };
        let journal = self.0.ctx.journal_mut();
        let caller = &journal.load_account(create.caller())?.data.info;
        let starts = frame.depth <= CALL_STACK_LIMIT as usize
            && caller.balance >= create.value()
            && caller.nonce < u64::MAX;
        if !starts {
            return Ok(None);
        }
        let address = create.created_address(caller.nonce);
        if !journal.database.has_storage(address)? {
            return Ok(None);
        }
        let info = &journal.load_account(address)?.data.info;
        Ok((info.nonce == 0 && info.code_hash == KECCAK_EMPTY).then_some(address))
    }

    /// Starts a frame that moves value, and leaves a log of it where a revert of the frame takes it back.
    fn frame_init_logged(
        &mut self,
        frame: FrameInit,
        log: Log,
    ) -> Result<FrameInitResult<'_, EthFrame<EthInterpreter>>, ContextError<StateError>> {
        let creates = matches!(frame.frame_input, FrameInput::Create(_));
        match self.0.frame_init(frame)? {
            ItemOrResult::Item(started) => {
                let log = match creates {
                    true => received_by(&log, started.interpreter.input.target_address),
                    false => log,
                };
                self.0.ctx.journal_mut().log(log);
                Ok(ItemOrResult::Item(self.0.frame_stack.get()))
            }
            ItemOrResult::Result(done) => {
                if done.interpreter_result().is_ok() && !creates {
                    self.0.ctx.journal_mut().log(log);
                }
                Ok(ItemOrResult::Result(done))
            }
        }
    }

    /// Outside of the journal, so that nothing of it can be seen or reverted.
    fn pretend_nonce(&mut self, address: Address, nonce: u64) {
        if let Some(account) = self.0.ctx.journaled_state.inner.state.get_mut(&address) {
            account.info.nonce = nonce;
        }
    }
}

impl<S: StateReader> Deref for Machine<S> {
    type Target = MainnetEvm<Ctx<S>>;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<S: StateReader> DerefMut for Machine<S> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.0
    }
}

impl<S: StateReader> EvmTr for Machine<S> {
    type Context = Ctx<S>;
    type Instructions = EthInstructions<EthInterpreter, Ctx<S>>;
    type Precompiles = EthPrecompiles;
    type Frame = EthFrame<EthInterpreter>;

    fn all(
        &self,
    ) -> (
        &Self::Context,
        &Self::Instructions,
        &Self::Precompiles,
        &FrameStack<Self::Frame>,
    ) {
        self.0.all()
    }

    fn all_mut(
        &mut self,
    ) -> (
        &mut Self::Context,
        &mut Self::Instructions,
        &mut Self::Precompiles,
        &mut FrameStack<Self::Frame>,
    ) {
        self.0.all_mut()
    }

    fn frame_init(
        &mut self,
        mut frame: <Self::Frame as FrameTr>::FrameInit,
    ) -> Result<FrameInitResult<'_, Self::Frame>, ContextError<StateError>> {
        self.1.redirect(&mut frame.frame_input);
        let Some(address) = self.storage_in_the_way(&frame)? else {
            return match self.1.transfer(&frame.frame_input) {
                Some(log) => self.frame_init_logged(frame, log),
                None => self.0.frame_init(frame),
            };
        };
        // Revm finds a collision where the nonce is above zero, after everything else that a failed creation does.
        self.pretend_nonce(address, 1);
        let result = match self.0.frame_init(frame)? {
            ItemOrResult::Result(result) => result,
            ItemOrResult::Item(_) => {
                return Err(ContextError::Custom("created over a nonce".to_string()));
            }
        };
        self.pretend_nonce(address, 0);
        Ok(ItemOrResult::Result(result))
    }

    fn frame_run(&mut self) -> Result<FrameInitOrResult<Self::Frame>, ContextError<StateError>> {
        if !self.1.logs_transfers {
            return self.0.frame_run();
        }
        let before = self.0.ctx.journaled_state.inner.journal.len();
        let result = self.0.frame_run()?;
        if let ItemOrResult::Result(done) = &result
            && done.interpreter_result().result == InstructionResult::SelfDestruct
        {
            let inner = &mut self.0.ctx.journaled_state.inner;
            let log = inner
                .journal
                .get(before..)
                .and_then(|entries| self.1.destroyed(entries));
            inner.logs.extend(log);
        }
        Ok(result)
    }

    fn frame_return_result(
        &mut self,
        result: FrameResult,
    ) -> Result<Option<FrameResult>, ContextError<StateError>> {
        self.0.frame_return_result(result)
    }
}

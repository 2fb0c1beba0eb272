//! `eth_estimateGas`: the smallest limit under which the call still succeeds, by geth's search.
//!
//! A plain transfer with a data gas price of zero gives 21000 exactly. Otherwise room is left for the data gas
//! price to rise before the transaction lands.

use crate::{
    Node,
    accounts::block,
    call,
    errors::RpcError,
    module::{Long, Patience, Registry},
};
use alloy_consensus::Header;
use alloy_eips::BlockId;
use alloy_primitives::{Address, U64, U256};
use alloy_rpc_types_eth::TransactionRequest;
use primitives::Account;
use stf::{
    CallOutcome, CallOverrides, CallRequest, OverriddenState, Rules, StateReader, TxRejection,
};
use store::StateView;

/// Gas of a plain transfer.
const TRANSFER_GAS: u64 = 21_000;
/// What a call with value hands over for free (the EVM's stipend).
const CALL_STIPEND: u64 = 2_300;
/// The search ends when the bounds are this close, in parts of a thousand (geth: 1.5 %).
const CLOSE_ENOUGH_PER_MILLE: u64 = 15;

pub(crate) fn register(registry: &mut Registry) {
    registry.long("eth_estimateGas", Long::Call, 4, |node, args, patience| {
        let asked: TransactionRequest = args.required(0)?;
        let overrides = call::overrides(&args, 2)?;
        estimate(node, asked, block(&args, 1)?, overrides, patience).map(U64::from)
    });
}

/// Gas that `asked` needs on top of a block.
pub(crate) fn estimate(
    node: &Node,
    asked: TransactionRequest,
    id: BlockId,
    overrides: CallOverrides,
    patience: &Patience,
) -> Result<u64, RpcError> {
    let (state, header) = call::environment(node, id)?;
    let early = call::too_early(node, &header, &asked)?;
    let request = call::request(node, asked)?;
    Search {
        node,
        state,
        header,
        overrides,
        patience,
    }
    .run(request, early)
}

struct Search<'a> {
    node: &'a Node,
    state: StateView,
    header: Header,
    overrides: CallOverrides,
    patience: &'a Patience,
}

/// What one try says.
enum Try {
    Enough(CallOutcome),
    TooLittle,
    /// More gas would not help.
    Hopeless(RpcError),
}

impl Search<'_> {
    /// `early`: why the block's fork does not know such a transaction.
    fn run(&self, request: CallRequest, early: Option<String>) -> Result<u64, RpcError> {
        let mut high = match request.gas_limit {
            Some(gas) if gas >= TRANSFER_GAS => gas,
            _ => self.header.gas_limit,
        };
        high = high.min(self.ceiling());
        if let Some(allowance) = self.allowance(&request)? {
            high = high.min(allowance);
        }
        if let Some(why) = early {
            return Err(RpcError::server(format!("failed with {high} gas: {why}")));
        }
        let most = high;
        let outcome = match self.attempt(&request, high)? {
            Try::Enough(outcome) => outcome,
            Try::TooLittle => {
                return Err(RpcError::server(format!(
                    "gas required exceeds allowance ({high})"
                )));
            }
            Try::Hopeless(error) => return Err(error),
        };
        // What was used before refunds was enough only if nothing down the stack kept a 64th back.
        let mut low = outcome.gas_used.saturating_sub(1);
        if self.is_transfer(&request)? {
            // Execution costs nothing here: the intrinsic gas is all of it.
            return Ok(self.with_margin(&request, outcome.gas_used, most));
        }
        let optimistic =
            (outcome.gas_used + outcome.gas_refunded + CALL_STIPEND).saturating_mul(64) / 63;
        if optimistic < high {
            match self.is_enough(&request, optimistic)? {
                true => high = optimistic,
                false => low = low.max(optimistic),
            }
        }
        while low + 1 < high && (high - low) * 1_000 >= high * CLOSE_ENOUGH_PER_MILLE {
            // Most calls need little more than they use, so the guess leans to the low side.
            let middle = (low + (high - low) / 2).min(low.saturating_mul(2).max(TRANSFER_GAS));
            match self.is_enough(&request, middle)? {
                true => high = middle,
                false => low = middle,
            }
        }
        Ok(self.with_margin(&request, high, most))
    }

    /// No transaction may ask for more.
    fn ceiling(&self) -> u64 {
        self.node
            .limits
            .call_gas_max
            .min(self.node.rules.tx_gas_cap(self.header.timestamp))
    }

    /// Gas that the sender's balance pays for; `None` when the call names no price.
    fn allowance(&self, request: &CallRequest) -> Result<Option<u64>, RpcError> {
        let price = request.max_fee.or(request.gas_price).unwrap_or(0);
        if price == 0 {
            return Ok(None);
        }
        let balance = self.account(request.from)?.balance;
        let Some(left) = balance.checked_sub(request.value) else {
            return Err(RpcError::server("insufficient funds for transfer"));
        };
        Ok(Some((left / U256::from(price)).saturating_to()))
    }

    /// True for value alone, to an account without code.
    fn is_transfer(&self, request: &CallRequest) -> Result<bool, RpcError> {
        let Some(to) = request.to else {
            return Ok(false);
        };
        if !request.input.is_empty() || !request.authorizations.is_empty() || is_precompile(to) {
            return Ok(false);
        }
        Ok(self.account(to)?.code_hash == primitives::diff::KECCAK_EMPTY)
    }

    fn account(&self, address: Address) -> Result<Account, RpcError> {
        Ok(OverriddenState::new(&self.state, &self.overrides.accounts)
            .account(address)?
            .unwrap_or_default())
    }

    fn attempt(&self, request: &CallRequest, gas: u64) -> Result<Try, RpcError> {
        self.patience.check()?;
        let request = CallRequest {
            gas_limit: Some(gas),
            ..request.clone()
        };
        Ok(
            match stf::call(
                &self.node.rules,
                &self.header,
                &self.state,
                &request,
                &self.overrides,
            ) {
                Ok(outcome) if outcome.success => Try::Enough(outcome),
                // Only running out of gas is cured by gas; anything else geth also reports at once.
                Ok(outcome)
                    if outcome
                        .halt
                        .as_deref()
                        .is_some_and(|halt| halt.starts_with("out of gas")) =>
                {
                    Try::TooLittle
                }
                Ok(outcome) => match call::finished(outcome) {
                    Ok(outcome) => Try::Enough(outcome),
                    Err(error) => Try::Hopeless(error),
                },
                Err(TxRejection::IntrinsicGasTooLow { .. } | TxRejection::FloorDataGas { .. }) => {
                    Try::TooLittle
                }
                Err(error) => Try::Hopeless(RpcError::server(error.to_string())),
            },
        )
    }

    /// Whether a call that succeeds with more gas succeeds with this much. A revert counts as too little: a callee that
    /// ran out of gas shows as a revert of its caller.
    fn is_enough(&self, request: &CallRequest, gas: u64) -> Result<bool, RpcError> {
        Ok(matches!(self.attempt(request, gas)?, Try::Enough(_)))
    }

    /// Adds room for the data gas price, which moves by an eighth per L1 block at most: two such steps, as far as the
    /// sender can pay for them.
    fn with_margin(&self, request: &CallRequest, gas: u64, most: u64) -> u64 {
        if matches!(*self.node.rules, Rules::Ethereum(_)) {
            return gas;
        }
        let per_byte = stf::da_gas_per_byte(&self.state);
        let da_gas = per_byte.saturating_mul(primitives::da::da_bytes(
            &request.unsigned(self.node.chain_id),
        ));
        gas.saturating_add(da_gas.div_ceil(4)).min(most)
    }
}

/// Low addresses may run code without having any (EIP-7951's is the highest).
fn is_precompile(address: Address) -> bool {
    U256::from_be_bytes(address.into_word().0) <= U256::from(0x1_0000)
}

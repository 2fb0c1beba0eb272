//! `tributary tokens`: the tokens of the bridge as a token list in Uniswap's form, for wallets and exchanges.
//!
//! The list is a function of L2's state at one block. Anyone may bridge a token and give it any name, so words are
//! reduced to what the form allows; a list says nothing about what a token is worth. Tokens are only ever added, so the
//! minor version counts them and nothing else of the version moves.

use crate::{ask::ask, cli::Tokens};
use alloy_primitives::{Address, Bytes, U64, U256, hex};
use alloy_sol_types::SolCall;
use anyhow::{Context, ensure};
use bindings::{bridged_token::BridgedToken, l2_token_bridge::L2TokenBridge};
use config::Network;
use primitives::predeploys::TOKEN_BRIDGE;
use serde_json::{Value, json};

/// The form allows no more in one list.
const TOKENS_MAX: u64 = 10_000;
/// Longest name and symbol that the form allows, characters.
const NAME_MAX: usize = 40;
const SYMBOL_MAX: usize = 20;

/// A token as L2 has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridged {
    /// On L2.
    pub address: Address,
    /// On L1; `0xEeee…EEeE` for ETH.
    pub l1: Address,
    /// As its L1 contract said.
    pub name: String,
    /// As its L1 contract said.
    pub symbol: String,
    /// As its L1 contract said.
    pub decimals: u8,
}

/// Prints the list of a running node.
pub async fn print(args: Tokens) -> anyhow::Result<()> {
    let node = Node {
        http: reqwest::Client::new(),
        url: args.rpc,
    };
    let network: Network = node.ask("rollup_config", json!([])).await?;
    let head: Value = node
        .ask("eth_getBlockByNumber", json!(["latest", false]))
        .await?;
    let at = head["number"].clone();
    let timestamp: U64 = serde_json::from_value(head["timestamp"].clone())?;
    let tokens = node.tokens(&at).await?;
    ensure!(
        !tokens.is_empty(),
        "no token has been bridged yet; deposit one at the L1 bridge, {}",
        network.contracts.token_bridge
    );
    let list = list(
        network.chain.id,
        network.l1.chain_id,
        timestamp.to(),
        &tokens,
    )?;
    println!("{}", serde_json::to_string_pretty(&list)?);
    Ok(())
}

/// The list, from what L2 said at a block of this time (seconds).
pub fn list(
    chain_id: u64,
    l1_chain_id: u64,
    timestamp: u64,
    tokens: &[Bridged],
) -> anyhow::Result<Value> {
    let time = jiff::Timestamp::from_second(i64::try_from(timestamp)?)?;
    let tokens: Vec<Value> = tokens
        .iter()
        .map(|token| {
            json!({
                "chainId": chain_id,
                "address": token.address.to_string(),
                "decimals": token.decimals,
                "name": words(&token.name, NAME_MAX, is_of_name, || format!("Token {}", short(token.l1))),
                "symbol": words(&token.symbol, SYMBOL_MAX, is_of_symbol, || short(token.l1)),
                "extensions": { "bridgeInfo": { l1_chain_id.to_string(): { "tokenAddress": token.l1.to_string() } } },
            })
        })
        .collect();
    Ok(json!({
        "name": "Tributary bridge",
        "timestamp": time.to_string(),
        "version": { "major": 1, "minor": tokens.len(), "patch": 0 },
        "tokens": tokens,
    }))
}

struct Node {
    http: reqwest::Client,
    url: String,
}

impl Node {
    async fn ask<T: serde::de::DeserializeOwned>(
        &self,
        method: &str,
        params: Value,
    ) -> anyhow::Result<T> {
        ask(&self.http, &self.url, method, params).await
    }

    async fn view<C: SolCall>(
        &self,
        at: &Value,
        to: Address,
        call: C,
    ) -> anyhow::Result<C::Return> {
        let request = json!({ "to": to, "data": hex::encode_prefixed(call.abi_encode()) });
        let output: Bytes = self.ask("eth_call", json!([request, at])).await?;
        C::abi_decode_returns(&output).with_context(|| format!("{} of {to}", C::SIGNATURE))
    }

    async fn tokens(&self, at: &Value) -> anyhow::Result<Vec<Bridged>> {
        let count: u64 = self
            .view(at, TOKEN_BRIDGE, L2TokenBridge::tokenCountCall {})
            .await?
            .saturating_to();
        ensure!(
            count <= TOKENS_MAX,
            "{count} tokens are bridged, a list holds {TOKENS_MAX}: read `tokenAt` of {TOKEN_BRIDGE} yourself"
        );
        let mut tokens = Vec::new();
        for index in 0..count {
            let index = U256::from(index);
            let address = self
                .view(at, TOKEN_BRIDGE, L2TokenBridge::tokenAtCall { index })
                .await?;
            tokens.push(Bridged {
                address,
                l1: self.view(at, address, BridgedToken::l1TokenCall {}).await?,
                name: self.view(at, address, BridgedToken::nameCall {}).await?,
                symbol: self.view(at, address, BridgedToken::symbolCall {}).await?,
                decimals: self
                    .view(at, address, BridgedToken::decimalsCall {})
                    .await?,
            });
        }
        Ok(tokens)
    }
}

/// What the form allows of `text`, or something else if nothing is left.
fn words(
    text: &str,
    max: usize,
    allowed: fn(char) -> bool,
    otherwise: impl Fn() -> String,
) -> String {
    let kept: String = text.chars().filter(|c| allowed(*c)).take(max).collect();
    if kept.trim().is_empty() {
        otherwise()
    } else {
        kept
    }
}

fn is_of_name(c: char) -> bool {
    let latin = matches!(c, 'À'..='Ö' | 'Ø'..='ö' | 'ø'..='ÿ');
    c.is_ascii_alphanumeric() || latin || " _.'+-%/:".contains(c)
}

fn is_of_symbol(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+-%/$.".contains(c)
}

fn short(address: Address) -> String {
    address.to_string().chars().take(10).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, symbol: &str) -> Value {
        let token = Bridged {
            address: Address::repeat_byte(2),
            l1: Address::repeat_byte(1),
            name: name.into(),
            symbol: symbol.into(),
            decimals: 6,
        };
        list(902, 901, 1_800_000_000, &[token]).unwrap()
    }

    #[test]
    fn a_list_names_both_sides() {
        let list = one("USD Coin", "USDC");
        assert_eq!(list["timestamp"], "2027-01-15T08:00:00Z");
        assert_eq!(
            list["version"],
            json!({ "major": 1, "minor": 1, "patch": 0 })
        );
        assert_eq!(
            list["tokens"][0],
            json!({
                "chainId": 902,
                "address": "0x0202020202020202020202020202020202020202",
                "decimals": 6,
                "name": "USD Coin",
                "symbol": "USDC",
                "extensions": { "bridgeInfo": { "901": { "tokenAddress": "0x0101010101010101010101010101010101010101" } } },
            })
        );
    }

    #[test]
    fn hostile_words_are_reduced_to_what_the_form_allows() {
        let words = |name, symbol| {
            let list = one(name, symbol);
            let token = &list["tokens"][0];
            (token["name"].clone(), token["symbol"].clone())
        };
        assert_eq!(
            words("<b>Usd\u{202e}</b>\n", "US D₮"),
            ("bUsd/b".into(), "USD".into())
        );
        assert_eq!(
            words("", " \t"),
            ("Token 0x01010101".into(), "0x01010101".into())
        );
        let long = "x".repeat(64);
        assert_eq!(words(&long, &long), (long[..40].into(), long[..20].into()));
    }
}

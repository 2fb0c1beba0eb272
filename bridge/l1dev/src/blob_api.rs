//! `GET /eth/v1/beacon/blobs/{block_id}`: blobs, in the beacon API's words. Slots are block numbers here.

use crate::{L1DevError, blobs::hashes_of, chain::Chain};
use alloy_primitives::{B256, Bytes, hex};
use axum::{
    Json, Router,
    extract::{Path, RawQuery, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use primitives::SealedBlock;
use serde_json::json;
use std::sync::Arc;

/// Versioned hashes in one question: three times what the largest block holds.
const HASHES_MAX: usize = 64;

/// The route.
pub fn router(chain: Arc<Chain>) -> Router {
    Router::new()
        .route("/eth/v1/beacon/blobs/{block_id}", get(blobs))
        .with_state(chain)
}

async fn blobs(
    State(chain): State<Arc<Chain>>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let answer = tokio::task::spawn_blocking(move || {
        find(&chain, &id, query.as_deref().unwrap_or_default())
    })
    .await;
    match answer {
        Ok(Ok(found)) => Json(json!({
            "execution_optimistic": false,
            "finalized": found.finalized,
            "data": found.blobs.iter().map(hex::encode_prefixed).collect::<Vec<_>>(),
        }))
        .into_response(),
        Ok(Err(refusal)) => refusal.into_response(),
        Err(_) => Refusal::internal("the request failed").into_response(),
    }
}

struct Found {
    finalized: bool,
    blobs: Vec<Bytes>,
}

/// The beacon API's form of an error.
#[derive(Debug, PartialEq, Eq)]
struct Refusal(StatusCode, String);

impl Refusal {
    fn bad(message: impl Into<String>) -> Self {
        Self(StatusCode::BAD_REQUEST, message.into())
    }

    fn not_found(message: impl Into<String>) -> Self {
        Self(StatusCode::NOT_FOUND, message.into())
    }

    fn internal(message: impl Into<String>) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, message.into())
    }
}

impl From<L1DevError> for Refusal {
    fn from(error: L1DevError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<store::StoreError> for Refusal {
    fn from(error: store::StoreError) -> Self {
        Self::internal(error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (
            self.0,
            Json(json!({ "code": self.0.as_u16(), "message": self.1 })),
        )
            .into_response()
    }
}

/// What a client calls a block.
#[derive(Debug, PartialEq, Eq)]
enum Id {
    Number(u64),
    Hash(B256),
}

fn find(chain: &Chain, id: &str, query: &str) -> Result<Found, Refusal> {
    let id = parse_id(chain, id)?;
    let wanted = parse_hashes(query)?;
    let (number, hashes) = locate(chain, &id, !wanted.is_empty())?;
    let mut blobs = Vec::new();
    for hash in hashes
        .iter()
        .filter(|hash| wanted.is_empty() || wanted.contains(hash))
    {
        let blob = chain.blobs.get(hash)?;
        blobs.push(
            blob.ok_or_else(|| Refusal::not_found(format!("blob {hash} is no longer kept")))?,
        );
    }
    Ok(Found {
        finalized: number.is_some_and(|number| number <= chain.store.finalized()),
        blobs,
    })
}

/// The block's number, unless it was replaced, and its versioned hashes. Who names the blobs (`by_hash`) also gets
/// those of replaced blocks of that number: the client may not know yet that its block is gone.
fn locate(chain: &Chain, id: &Id, by_hash: bool) -> Result<(Option<u64>, Vec<B256>), Refusal> {
    match id {
        Id::Number(number) => {
            let block = chain.store.block(*number)?.ok_or_else(unknown_block)?;
            let mut hashes = hashes_of(&block);
            if by_hash {
                for hash in chain.blobs.of_number(*number) {
                    if !hashes.contains(&hash) {
                        hashes.push(hash);
                    }
                }
            }
            Ok((Some(*number), hashes))
        }
        Id::Hash(hash) => match canonical(chain, hash)? {
            Some(block) => Ok((Some(block.header.number), hashes_of(&block))),
            None => Ok((None, chain.blobs.of_block(hash).ok_or_else(unknown_block)?)),
        },
    }
}

fn canonical(chain: &Chain, hash: &B256) -> Result<Option<Arc<SealedBlock>>, Refusal> {
    let Some(number) = chain.store.number_of(*hash)? else {
        return Ok(None);
    };
    Ok(chain
        .store
        .block(number)?
        .filter(|block| block.hash == *hash))
}

fn unknown_block() -> Refusal {
    Refusal::not_found("Block not found")
}

fn parse_id(chain: &Chain, id: &str) -> Result<Id, Refusal> {
    Ok(match id {
        "head" => Id::Number(chain.store.head().header.number),
        "justified" => Id::Number(chain.store.safe()),
        "finalized" => Id::Number(chain.store.finalized()),
        "genesis" => Id::Number(chain.store.genesis_number()),
        _ => parse_block(id)
            .ok_or_else(|| Refusal::bad(format!("Invalid block ID: {}", shown(id))))?,
    })
}

fn parse_block(id: &str) -> Option<Id> {
    match id.strip_prefix("0x") {
        Some(digits) if digits.len() == 64 => digits.parse().ok().map(Id::Hash),
        Some(_) => None,
        None if id.bytes().all(|b| b.is_ascii_digit()) => id.parse().ok().map(Id::Number),
        None => None,
    }
}

/// `versioned_hashes=a,b`, or repeated, or both.
fn parse_hashes(query: &str) -> Result<Vec<B256>, Refusal> {
    let values = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("versioned_hashes="));
    let mut hashes = Vec::new();
    for text in values.flat_map(|value| value.split(',').flat_map(|part| part.split("%2C"))) {
        let hash = text
            .strip_prefix("0x")
            .filter(|digits| digits.len() == 64)
            .and_then(|digits| digits.parse().ok());
        hashes.push(
            hash.ok_or_else(|| Refusal::bad(format!("Invalid versioned hash: {}", shown(text))))?,
        );
        if hashes.len() > HASHES_MAX {
            return Err(Refusal::bad(format!(
                "more than {HASHES_MAX} versioned hashes"
            )));
        }
    }
    Ok(hashes)
}

/// What a client sent may be as long as a request; it gets back the beginning.
fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(query: &str) -> Result<usize, String> {
        parse_hashes(query)
            .map(|hashes| hashes.len())
            .map_err(|refusal| refusal.1)
    }

    #[test]
    fn hashes_come_repeated_or_in_a_list() {
        let [a, b] = [B256::repeat_byte(1), B256::repeat_byte(2)];
        assert_eq!(hashes(""), Ok(0));
        assert_eq!(hashes(&format!("versioned_hashes={a}")), Ok(1));
        assert_eq!(hashes(&format!("versioned_hashes={a},{b}")), Ok(2));
        assert_eq!(hashes(&format!("versioned_hashes={a}%2C{b}")), Ok(2));
        assert_eq!(
            hashes(&format!("versioned_hashes={a}&versioned_hashes={b}&x=1")),
            Ok(2)
        );
    }

    #[test]
    fn what_is_no_hash_is_named() {
        assert_eq!(
            hashes("versioned_hashes=0x12"),
            Err("Invalid versioned hash: 0x12".into())
        );
        assert_eq!(
            hashes("versioned_hashes="),
            Err("Invalid versioned hash: ".into())
        );
    }

    #[test]
    fn blocks_are_numbers_or_hashes() {
        assert_eq!(parse_block("17"), Some(Id::Number(17)));
        assert_eq!(
            parse_block(&B256::ZERO.to_string()),
            Some(Id::Hash(B256::ZERO))
        );
        for wrong in ["", "-1", "0x11", "latest", "99999999999999999999"] {
            assert_eq!(parse_block(wrong), None, "{wrong}");
        }
    }
}

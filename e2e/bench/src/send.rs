//! One connection that sends its share of a load, in one of three ways.
//!
//! A sender's transactions all go through one connection, so nonces arrive in order. What a node refuses is sent again
//! a little later; what it goes on refusing ends the run.

use crate::{http::Connection, http::find, load::Load};
use alloy_primitives::{B256, hex, keccak256};
use anyhow::{Context, bail};
use clap::ValueEnum;
use futures::{SinkExt, StreamExt};
use serde::Serialize;
use serde_json::Value;
use std::{
    net::SocketAddr,
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

/// How transactions travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One HTTP request each, kept connections
    Single,
    /// JSON-RPC batches of 50
    Batch50,
    /// WebSocket, 32 requests on their way per connection
    Ws,
}

/// Requests on their way on one WebSocket while the node is saturated.
const WS_DEPTH: usize = 32;
/// A refused transaction is sent again after this long, so many times: five seconds in all.
const RETRY_AFTER: Duration = Duration::from_millis(20);
const RETRIES: usize = 250;
/// Waiting for room at the node.
const ROOM_POLL: Duration = Duration::from_millis(1);
/// In a paced run one transaction in so many is followed to its receipt.
pub const SAMPLE: u64 = 20;

/// How fast.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// As fast as the node takes it, but never more than this many accepted and not yet included.
    Saturate(u64),
    /// So many a second, whatever the node does.
    Fixed(f64),
}

/// What the connections of one phase share with its watcher.
#[derive(Default)]
pub struct Shared {
    /// Accepted by the node.
    pub accepted: AtomicU64,
    /// Seen in blocks.
    pub included: AtomicU64,
    /// Refusals, counting each attempt.
    pub refused: AtomicU64,
    /// Nothing more is to be sent.
    pub stop: AtomicBool,
    /// Followed to their receipts: hash, and when it should have left.
    pub samples: Mutex<Vec<(B256, Instant)>>,
}

/// One connection's part of a phase.
pub struct Sender {
    /// The node.
    pub address: SocketAddr,
    /// What is sent.
    pub load: Arc<Load>,
    /// Which rows of it.
    pub rows: Range<usize>,
    /// How.
    pub mode: Mode,
    /// How fast.
    pub pace: Pace,
    /// This connection's number, of how many.
    pub number: (usize, usize),
    /// When the phase begins.
    pub begin: Instant,
    /// The phase's counters.
    pub shared: Arc<Shared>,
}

impl Sender {
    /// Sends until the rows end or the phase stops.
    pub async fn run(self) -> anyhow::Result<()> {
        let mut wire = Wire::open(self.address, self.mode).await?;
        let unit = match (self.mode, self.pace) {
            (Mode::Single, _) | (Mode::Ws, Pace::Fixed(_)) => 1,
            (Mode::Batch50, _) => 50,
            (Mode::Ws, Pace::Saturate(_)) => WS_DEPTH,
        };
        let (number, connections) = self.number;
        let senders = self.load.senders();
        let mut indices = self.rows.clone().flat_map(|row| {
            (number..senders)
                .step_by(connections)
                .map(move |sender| row * senders + sender)
        });
        let mut pending = Vec::with_capacity(unit);
        for turn in 0u64.. {
            pending.clear();
            pending.extend(indices.by_ref().take(unit));
            if pending.is_empty() || self.shared.stop.load(Relaxed) {
                break;
            }
            let ordinal = (turn * connections as u64 + number as u64) * unit as u64;
            match self.pace {
                Pace::Saturate(most) => self.room(most).await,
                Pace::Fixed(rate) => {
                    let due = self.begin + Duration::from_secs_f64(ordinal as f64 / rate);
                    tokio::time::sleep_until(due).await;
                    self.sample(&pending, ordinal, due);
                }
            }
            self.deliver(&mut wire, &mut pending).await?;
        }
        Ok(())
    }

    async fn room(&self, most: u64) {
        let shared = &self.shared;
        while shared.accepted.load(Relaxed) >= shared.included.load(Relaxed) + most
            && !shared.stop.load(Relaxed)
        {
            tokio::time::sleep(ROOM_POLL).await;
        }
    }

    fn sample(&self, pending: &[usize], ordinal: u64, due: Instant) {
        let followed = (ordinal..)
            .zip(pending)
            .filter(|(ordinal, _)| ordinal % SAMPLE == 0)
            .map(|(_, index)| (keccak256(self.load.raw(*index)), due));
        let mut samples = self
            .shared
            .samples
            .lock()
            .unwrap_or_else(|e| e.into_inner());
        samples.extend(followed);
    }

    async fn deliver(&self, wire: &mut Wire, pending: &mut Vec<usize>) -> anyhow::Result<()> {
        for attempt in 0.. {
            let refused = wire.send(&self.load, pending).await?;
            let accepted = (pending.len() - refused.len()) as u64;
            self.shared.accepted.fetch_add(accepted, Relaxed);
            let Some((_, why)) = refused.first() else {
                break;
            };
            self.shared.refused.fetch_add(refused.len() as u64, Relaxed);
            if attempt == RETRIES {
                bail!("the node goes on refusing: {why}");
            }
            if self.shared.stop.load(Relaxed) {
                break;
            }
            *pending = refused.iter().map(|(place, _)| pending[*place]).collect();
            tokio::time::sleep(RETRY_AFTER).await;
        }
        Ok(())
    }
}

/// An open connection of either kind.
enum Wire {
    Http {
        connection: Connection,
        body: Vec<u8>,
    },
    Ws(Box<WebSocketStream<TcpStream>>),
}

/// A transaction's place in what was sent, and why the node did not take it.
type Refused = (usize, String);

impl Wire {
    async fn open(address: SocketAddr, mode: Mode) -> anyhow::Result<Self> {
        if mode != Mode::Ws {
            let connection = Connection::open(address).await?;
            return Ok(Self::Http {
                connection,
                body: Vec::with_capacity(64 << 10),
            });
        }
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let url = format!("ws://{address}/");
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await?;
        Ok(Self::Ws(Box::new(socket)))
    }

    async fn send(&mut self, load: &Load, indices: &[usize]) -> anyhow::Result<Vec<Refused>> {
        match self {
            Self::Http { connection, body } => {
                body.clear();
                if let [index] = indices {
                    request(body, 0, load.raw(*index));
                } else {
                    body.push(b'[');
                    for (place, index) in indices.iter().enumerate() {
                        if place > 0 {
                            body.push(b',');
                        }
                        request(body, place, load.raw(*index));
                    }
                    body.push(b']');
                }
                refusals(connection.post(body).await?)
            }
            Self::Ws(socket) => {
                for (place, index) in indices.iter().enumerate() {
                    let mut text = Vec::with_capacity(640);
                    request(&mut text, place, load.raw(*index));
                    socket.feed(Message::text(String::from_utf8(text)?)).await?;
                }
                socket.flush().await?;
                let mut refused = Vec::new();
                let mut answers = 0;
                while answers < indices.len() {
                    let message = socket
                        .next()
                        .await
                        .context("the node closed the socket")??;
                    if let Message::Text(text) = message {
                        answers += 1;
                        refused.extend(refusals(text.as_bytes())?);
                    }
                }
                Ok(refused)
            }
        }
    }
}

fn request(body: &mut Vec<u8>, id: usize, raw: &[u8]) {
    body.extend_from_slice(b"{\"jsonrpc\":\"2.0\",\"method\":\"eth_sendRawTransaction\",\"id\":");
    body.extend_from_slice(id.to_string().as_bytes());
    body.extend_from_slice(b",\"params\":[\"0x");
    let begin = body.len();
    body.resize(begin + 2 * raw.len(), 0);
    // Twice the length was just made.
    let _ = hex::encode_to_slice(raw, &mut body[begin..]);
    body.extend_from_slice(b"\"]}");
}

/// Reads an answer, which as a rule holds no error and then need not be parsed.
fn refusals(answer: &[u8]) -> anyhow::Result<Vec<Refused>> {
    if find(answer, b"\"error\"").is_none() {
        return Ok(vec![]);
    }
    let answers = match serde_json::from_slice(answer)? {
        Value::Array(answers) => answers,
        one => vec![one],
    };
    let mut refused = Vec::new();
    for answer in answers {
        let error = &answer["error"];
        if error.is_null() {
            continue;
        }
        let text = error["message"].as_str().unwrap_or_default();
        // Sent again after an answer was lost: it is there.
        if text.contains("already known") || text.contains("already imported") {
            continue;
        }
        let place = answer["id"].as_u64().context("an error without id")?;
        refused.push((place as usize, error.to_string()));
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(answer: &str, want: &[usize]) {
        let found = refusals(answer.as_bytes()).unwrap();
        let places: Vec<_> = found.into_iter().map(|(place, _)| place).collect();
        assert_eq!(places, want);
    }

    #[test]
    fn a_hash_is_no_refusal() {
        check(r#"{"jsonrpc":"2.0","id":0,"result":"0xab"}"#, &[]);
    }

    #[test]
    fn a_batch_names_the_refused() {
        check(
            r#"[{"id":1,"result":"0x"},{"id":4,"error":{"code":-32000,"message":"txpool is full"}}]"#,
            &[4],
        );
    }

    #[test]
    fn known_already_counts_as_taken() {
        check(
            r#"{"id":0,"error":{"code":-32000,"message":"already known"}}"#,
            &[],
        );
    }

    #[test]
    fn a_request_is_json() {
        let mut body = Vec::new();
        request(&mut body, 7, &[1, 0xff]);
        let value: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(
            (&value["id"], &value["params"][0]),
            (&7.into(), &"0x01ff".into())
        );
    }
}

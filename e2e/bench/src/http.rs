//! The least of HTTP/1.1 that a load generator needs: one kept connection, one request at a time.
//!
//! A general client would cost more than what is measured. Absent on purpose: TLS, redirects, compression.

use anyhow::{Context, bail};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// One kept connection.
pub struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    response: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            request: Vec::with_capacity(64 << 10),
            response: Vec::with_capacity(64 << 10),
        })
    }

    /// Sends JSON, returns the body of the answer.
    pub async fn post(&mut self, body: &[u8]) -> anyhow::Result<&[u8]> {
        self.request.clear();
        self.request.extend_from_slice(
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ",
        );
        self.request
            .extend_from_slice(body.len().to_string().as_bytes());
        self.request.extend_from_slice(b"\r\n\r\n");
        self.request.extend_from_slice(body);
        self.exchange().await
    }

    /// Fetches a path.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<&[u8]> {
        self.request.clear();
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.request.extend_from_slice(head.as_bytes());
        self.exchange().await
    }

    async fn exchange(&mut self) -> anyhow::Result<&[u8]> {
        self.stream.write_all(&self.request).await?;
        self.response.clear();
        let head = loop {
            self.more().await?;
            if let Some(end) = find(&self.response, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let form = Form::of(&self.response[..head])?;
        match form {
            Form::Length(length) => {
                while self.response.len() < head + length {
                    self.more().await?;
                }
                Ok(&self.response[head..head + length])
            }
            Form::Chunked => {
                let body = loop {
                    match unchunk(&self.response[head..])? {
                        Some(body) => break body,
                        None => self.more().await?,
                    }
                };
                self.response.truncate(head);
                self.response.extend_from_slice(&body);
                Ok(&self.response[head..])
            }
        }
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        if self.stream.read_buf(&mut self.response).await? == 0 {
            bail!("the node closed the connection");
        }
        Ok(())
    }
}

/// How the end of a body is known.
enum Form {
    Length(usize),
    Chunked,
}

impl Form {
    fn of(head: &[u8]) -> anyhow::Result<Self> {
        let head = std::str::from_utf8(head)?;
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap_or_default();
        if status.split(' ').nth(1) != Some("200") {
            bail!("the node answered {status:?}");
        }
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                continue;
            };
            if name.eq_ignore_ascii_case("content-length") {
                return Ok(Self::Length(value.trim().parse()?));
            }
            if name.eq_ignore_ascii_case("transfer-encoding") && value.trim() == "chunked" {
                return Ok(Self::Chunked);
            }
        }
        bail!("an answer without length")
    }
}

/// The body, once its last chunk is there.
fn unchunk(mut bytes: &[u8]) -> anyhow::Result<Option<Vec<u8>>> {
    let mut body = Vec::new();
    loop {
        let Some(line) = find(bytes, b"\r\n") else {
            return Ok(None);
        };
        let size = std::str::from_utf8(&bytes[..line])?;
        let size = usize::from_str_radix(size.split(';').next().unwrap_or_default().trim(), 16)?;
        let Some(rest) = bytes.get(line + 2..) else {
            return Ok(None);
        };
        let (Some(chunk), Some(after)) = (rest.get(..size), rest.get(size + 2..)) else {
            return Ok(None);
        };
        if size == 0 {
            return Ok(Some(body));
        }
        body.extend_from_slice(chunk);
        bytes = after;
    }
}

/// Where `needle` begins.
pub fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_join_once_the_last_is_there() {
        assert_eq!(unchunk(b"3\r\nabc\r\n2\r\nde\r\n0\r\n").unwrap(), None);
        let whole = unchunk(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n").unwrap();
        assert_eq!(whole.unwrap(), b"abcde");
    }

    #[test]
    fn a_status_other_than_200_is_an_error() {
        assert!(Form::of(b"HTTP/1.1 413 Too large\r\nContent-Length: 0\r\n\r\n").is_err());
    }
}

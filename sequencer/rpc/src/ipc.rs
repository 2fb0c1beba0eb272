//! JSON-RPC over a Unix socket, as geth's IPC: JSON values one after another, each answer on a line.
//!
//! Each connection is carried over the server's own WebSocket, through memory: methods, batches, subscriptions, limits
//! and texts are those of every other client. The socket belongs to the process's user alone.

use axum::{Router, serve::Listener};
use futures::{SinkExt, StreamExt};
use std::{
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::{UnixListener, UnixStream},
    sync::mpsc,
    task::JoinSet,
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

/// Memory between a connection and the server, in each direction.
const PIPE_BYTES: usize = 64 << 10;
/// A client that has said its last word waits this long for answers at most.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

/// A socket file that goes away with this.
#[derive(Debug)]
pub struct IpcSocket {
    path: PathBuf,
    listener: UnixListener,
}

impl IpcSocket {
    /// Listens on `path`, with mode 0600. What a process that is gone left there is replaced.
    pub fn bind(path: &Path) -> io::Result<Self> {
        if std::os::unix::net::UnixStream::connect(path).is_ok() {
            return Err(io::Error::new(
                io::ErrorKind::AddrInUse,
                "another process listens there",
            ));
        }
        // Made beside its place and moved there once nobody else may open it.
        let part = path.with_extension("part");
        let _ = std::fs::remove_file(&part);
        let listener = UnixListener::bind(&part)?;
        std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&part, path)?;
        Ok(Self {
            path: path.to_owned(),
            listener,
        })
    }
}

impl Drop for IpcSocket {
    fn drop(&mut self) {
        // An error means that somebody has removed it already.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Serves `router`'s `/` on the socket until `stop` resolves. A request has `request_bytes_max` bytes at most.
pub async fn serve_ipc(
    socket: IpcSocket,
    router: Router,
    request_bytes_max: u32,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (server_ends, ends) = mpsc::channel(1);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(Ends(ends), router).await });
    let mut stop = std::pin::pin!(stop);
    loop {
        let client = tokio::select! {
            () = &mut stop => return Ok(()),
            client = socket.listener.accept() => client?.0,
        };
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        if server_ends.send(theirs).await.is_err() {
            return Ok(());
        }
        tasks.spawn(async move {
            if let Err(error) = carry(client, ours, request_bytes_max as usize).await {
                tracing::debug!(%error, "an IPC connection ended");
            }
            Ok(())
        });
        while tasks.try_join_next().is_some() {}
    }
}

/// The server's ends of connections, as they are made.
struct Ends(mpsc::Receiver<DuplexStream>);

impl Listener for Ends {
    type Io = DuplexStream;
    type Addr = ();

    async fn accept(&mut self) -> (DuplexStream, ()) {
        match self.0.recv().await {
            Some(end) => (end, ()),
            // Nobody connects any more; whoever serves is about to end.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}

async fn carry(client: UnixStream, server: DuplexStream, bytes_max: usize) -> io::Result<()> {
    let (mut socket, _) = tokio_tungstenite::client_async("ws://ipc/", server)
        .await
        .map_err(io::Error::other)?;
    let (mut from, mut to) = client.into_split();
    let mut values = Values::new(bytes_max);
    let mut buffer = vec![0; 16 << 10];
    // Requests that have no answer yet.
    let mut open: i64 = 0;
    loop {
        tokio::select! {
            read = from.read(&mut buffer) => {
                let count = read?;
                if count == 0 {
                    break;
                }
                for value in values.push(&buffer[..count]) {
                    match value {
                        Ok(text) => {
                            open += 1;
                            socket.send(Message::Text(text.into())).await.map_err(io::Error::other)?;
                        }
                        Err(TooLarge) => {
                            to.write_all(too_large(bytes_max).as_bytes()).await?;
                            return Ok(());
                        }
                    }
                }
            }
            said = answer(&mut socket) => match said? {
                Some(text) => {
                    open -= i64::from(!is_news(&text));
                    write_line(&mut to, text).await?;
                }
                None => return Ok(()),
            },
        }
    }
    // The client listens still: `echo … | nc -U` wants its answer.
    let rest = async {
        while open > 0 {
            let Some(text) = answer(&mut socket).await? else {
                break;
            };
            open -= i64::from(!is_news(&text));
            write_line(&mut to, text).await?;
        }
        Ok(())
    };
    tokio::time::timeout(LAST_ANSWERS, rest)
        .await
        .unwrap_or(Ok(()))
}

/// The server's next text; `None` when it is gone.
async fn answer(socket: &mut WebSocketStream<DuplexStream>) -> io::Result<Option<String>> {
    while let Some(message) = socket.next().await {
        match message.map_err(io::Error::other)? {
            Message::Text(text) => return Ok(Some(text.as_str().to_owned())),
            Message::Close(_) => return Ok(None),
            // Pings are answered while reading goes on.
            _ => {}
        }
    }
    Ok(None)
}

/// True for what a subscription brings, which answers no request.
fn is_news(text: &str) -> bool {
    text.starts_with("{\"jsonrpc\":\"2.0\",\"method\":")
}

async fn write_line(to: &mut (impl AsyncWriteExt + Unpin), mut text: String) -> io::Result<()> {
    text.push('\n');
    to.write_all(text.as_bytes()).await
}

fn too_large(max: usize) -> String {
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{{\"code\":-32600,\"message\":\"request too large, at most {max} bytes\"}}}}\n"
    )
}

struct TooLarge;

/// Cuts a stream into JSON values by counting brackets outside of strings. Whether they are JSON the server says.
struct Values {
    max: usize,
    kept: Vec<u8>,
    depth: usize,
    in_string: bool,
    escaped: bool,
}

impl Values {
    fn new(max: usize) -> Self {
        Self {
            max,
            kept: Vec::new(),
            depth: 0,
            in_string: false,
            escaped: false,
        }
    }

    /// Values that are whole with these bytes.
    fn push(&mut self, bytes: &[u8]) -> Vec<Result<String, TooLarge>> {
        let mut whole = Vec::new();
        for byte in bytes {
            if self.kept.is_empty() && byte.is_ascii_whitespace() {
                continue;
            }
            // What is no object and no list ends with its line.
            let ends = self.count(*byte) || (self.depth == 0 && !self.in_string && *byte == b'\n');
            self.kept.push(*byte);
            if self.kept.len() > self.max {
                whole.push(Err(TooLarge));
                return whole;
            }
            if ends {
                let value = std::mem::take(&mut self.kept);
                self.in_string = false;
                whole.push(Ok(String::from_utf8_lossy(&value).trim_end().to_owned()));
            }
        }
        whole
    }

    /// True if the byte closes what is outermost.
    fn count(&mut self, byte: u8) -> bool {
        if self.in_string {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_string = false,
                _ => {}
            }
            return false;
        }
        match byte {
            // Outside of brackets quotes mean nothing: a stray one may not swallow what follows.
            b'"' if self.depth > 0 => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' if self.depth > 0 => {
                self.depth -= 1;
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values in `text`, however it is cut.
    fn check(text: &str, want: &[&str]) {
        for step in [1, 2, 3, 7, text.len().max(1)] {
            let mut values = Values::new(1_000);
            let got: Vec<String> = text
                .as_bytes()
                .chunks(step)
                .flat_map(|part| values.push(part))
                .map(|value| value.unwrap_or_else(|TooLarge| "too large".to_owned()))
                .collect();
            assert_eq!(got, want, "{text} in steps of {step}");
        }
    }

    #[test]
    fn values_need_nothing_between_them() {
        check(
            "{\"a\":1}{\"b\":[2]}[3]",
            &["{\"a\":1}", "{\"b\":[2]}", "[3]"],
        );
        check(" {}\n\n[]\t{}", &["{}", "[]", "{}"]);
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        check("{\"a\":\"}]\\\"}\"}[1]", &["{\"a\":\"}]\\\"}\"}", "[1]"]);
        check("{\"a\\\\\":\"\\\\\"}{}", &["{\"a\\\\\":\"\\\\\"}", "{}"]);
    }

    #[test]
    fn nonsense_ends_with_its_line() {
        check("hello\n{}", &["hello", "{}"]);
        check("\"quote\n{}", &["\"quote", "{}"]);
        check("]\n{}", &["]", "{}"]);
    }

    #[test]
    fn what_is_not_whole_is_kept() {
        check("{\"a\":", &[]);
        check("[[]", &[]);
    }

    #[test]
    fn a_value_has_an_end_or_is_refused() {
        let mut values = Values::new(10);
        let got = values.push(b"{\"a\":\"0123456789\"}");
        assert!(matches!(got[..], [Err(TooLarge)]));
    }
}

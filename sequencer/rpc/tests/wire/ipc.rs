//! The Unix socket.

use crate::chain::{Chain, L2_ID, plain};
use rpc::IpcSocket;
use serde_json::{Value, json};
use std::{os::unix::fs::PermissionsExt, path::PathBuf, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::UnixStream,
    sync::oneshot,
    task::JoinHandle,
};

struct Served {
    path: PathBuf,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<std::io::Result<()>>,
    _dir: tempfile::TempDir,
}

impl Served {
    fn start(chain: &Chain, request_bytes_max: u32) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tributary.ipc");
        let socket = IpcSocket::bind(&path).unwrap();
        let (stop, stopped) = oneshot::channel();
        let router = chain.running.router.clone();
        let serving = tokio::spawn(rpc::serve_ipc(socket, router, request_bytes_max, async {
            let _ = stopped.await;
        }));
        Self {
            path,
            stop: Some(stop),
            serving,
            _dir: dir,
        }
    }

    async fn open(&self) -> BufReader<UnixStream> {
        BufReader::new(UnixStream::connect(&self.path).await.unwrap())
    }
}

async fn hear(stream: &mut BufReader<UnixStream>) -> Value {
    let mut line = String::new();
    tokio::time::timeout(Duration::from_secs(5), stream.read_line(&mut line))
        .await
        .unwrap()
        .unwrap();
    serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"))
}

async fn say(stream: &mut BufReader<UnixStream>, text: &str) {
    stream.get_mut().write_all(text.as_bytes()).await.unwrap();
}

const ASK: &str = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}";

#[tokio::test]
async fn values_one_after_another_are_answered_line_by_line() {
    let chain = Chain::rollup().await;
    let served = Served::start(&chain, 1 << 20);
    let mut stream = served.open().await;
    say(&mut stream, &format!("{ASK}{ASK}\n[{ASK},{ASK}]")).await;
    assert_eq!(hear(&mut stream).await["result"], "0x386");
    assert_eq!(hear(&mut stream).await["result"], "0x386");
    assert_eq!(hear(&mut stream).await.as_array().unwrap().len(), 2);
    // Cut anywhere.
    let (first, rest) = ASK.split_at(17);
    say(&mut stream, first).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    say(&mut stream, rest).await;
    assert_eq!(hear(&mut stream).await["result"], "0x386");
}

#[tokio::test]
async fn errors_and_subscriptions_are_those_of_a_websocket() {
    let chain = Chain::rollup().await;
    let served = Served::start(&chain, 1 << 20);
    let mut stream = served.open().await;
    say(&mut stream, "nonsense\n").await;
    assert_eq!(hear(&mut stream).await["error"]["code"], -32700);
    let unknown = json!({"jsonrpc": "2.0", "id": 2, "method": "eth_sign", "params": []});
    say(&mut stream, &unknown.to_string()).await;
    assert_eq!(
        hear(&mut stream).await["error"]["message"],
        "the method eth_sign does not exist/is not available"
    );
    let subscribe =
        json!({"jsonrpc": "2.0", "id": 3, "method": "eth_subscribe", "params": ["newHeads"]});
    say(&mut stream, &subscribe.to_string()).await;
    let id = hear(&mut stream).await["result"].clone();
    let block = chain.mine();
    let news = hear(&mut stream).await;
    assert_eq!(
        (
            &news["params"]["subscription"],
            &news["params"]["result"]["hash"]
        ),
        (&id, &json!(block.hash))
    );
}

#[tokio::test]
async fn who_stops_talking_still_hears_the_answer() {
    let chain = Chain::rollup().await;
    let served = Served::start(&chain, 1 << 20);
    let mut stream = served.open().await;
    let raw = crate::chain::hex(crate::chain::raw(crate::chain::sign(0, plain(L2_ID, 0))));
    let sync = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_sendRawTransactionSync", "params": [raw, 20_000]});
    say(&mut stream, &sync.to_string()).await;
    stream.get_mut().shutdown().await.unwrap();
    while chain.pool.lock().counts().pending == 0 {
        tokio::task::yield_now().await;
    }
    let block = chain.mine();
    let mut all = String::new();
    stream.read_to_string(&mut all).await.unwrap();
    let receipt: Value = serde_json::from_str(&all).unwrap();
    assert_eq!(receipt["result"]["blockHash"], json!(block.hash));
}

#[tokio::test]
async fn a_request_that_is_too_large_ends_the_connection_and_no_other() {
    let chain = Chain::rollup().await;
    let served = Served::start(&chain, 1_000);
    let (mut bad, mut good) = (served.open().await, served.open().await);
    say(&mut bad, &format!("[{}", " ".repeat(2_000))).await;
    assert_eq!(hear(&mut bad).await["error"]["code"], -32600);
    let mut rest = Vec::new();
    // A reset counts as an end: what was sent beyond the limit lies unread.
    let _ = bad.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
    say(&mut good, ASK).await;
    assert_eq!(hear(&mut good).await["result"], "0x386");
}

#[tokio::test]
async fn the_socket_is_its_users_alone_and_goes_away() {
    let chain = Chain::rollup().await;
    let mut served = Served::start(&chain, 1 << 20);
    let mode = std::fs::metadata(&served.path)
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let error = IpcSocket::bind(&served.path).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    served.stop.take().unwrap().send(()).unwrap();
    (&mut served.serving).await.unwrap().unwrap();
    assert!(!served.path.exists());
    // What a killed process leaves is in nobody's way.
    drop(std::os::unix::net::UnixListener::bind(&served.path).unwrap());
    assert!(served.path.exists());
    IpcSocket::bind(&served.path).unwrap();
}

#[tokio::test]
async fn answers_above_a_size_are_compressed_for_those_who_ask() {
    let chain = Chain::rollup().await;
    for nonce in 0..60 {
        chain.send(0, plain(L2_ID, nonce)).await;
    }
    chain.mine();
    let ask = |full: bool| {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_getBlockByNumber", "params": ["latest", full]});
        chain
            .client
            .post(chain.url())
            .header("content-type", "application/json")
            .header("accept-encoding", "gzip")
            .body(body.to_string())
            .send()
    };
    let large = ask(true).await.unwrap();
    assert_eq!(large.headers()["content-encoding"], "gzip");
    let packed = large.bytes().await.unwrap();
    assert_eq!(packed[..2], [0x1f, 0x8b]);
    let small = ask(false).await.unwrap();
    assert!(small.headers().get("content-encoding").is_none());
}

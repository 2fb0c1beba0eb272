//! The operator's port: `admin_` methods on a listener of their own, for those who can read the secret file.
//!
//! Off unless a port is given, on the loopback interface only, without CORS. The secret is made anew in each data folder
//! and readable by the process's user alone.

use crate::{ops, producer::Chain};
use alloy_primitives::{B256, hex, keccak256};
use anyhow::Context;
use axum::{
    extract::Request,
    http::{StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use jsonrpsee::{RpcModule, types::ErrorObjectOwned};
use serde_json::{Value, json};
use std::{
    io::Write,
    net::{Ipv4Addr, SocketAddr},
    os::unix::fs::OpenOptionsExt,
    path::Path,
    sync::{Arc, atomic::Ordering},
};
use tokio::net::TcpListener;

/// Name of the file in the data folder.
const SECRET_FILE: &str = "admin.secret";

/// The methods.
pub fn methods(chain: Arc<Chain>, produces: bool) -> anyhow::Result<RpcModule<Arc<Chain>>> {
    let mut module = RpcModule::new(chain);
    module.register_method("admin_nodeInfo", move |_, chain, _| {
        node_info(chain, produces)
    })?;
    module.register_method("admin_pauseSequencing", move |_, chain, _| {
        set_paused(chain, produces, true)
    })?;
    module.register_method("admin_resumeSequencing", move |_, chain, _| {
        set_paused(chain, produces, false)
    })?;
    module.register_method("admin_setLogLevel", |params, _, _| {
        let filter: String = params.one()?;
        ops::set_log_filter(&filter).map_err(|error| refused(-32602, error))
    })?;
    Ok(module)
}

fn refused(code: i32, why: impl std::fmt::Display) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(code, why.to_string(), None::<()>)
}

fn node_info(chain: &Chain, produces: bool) -> Value {
    let head = chain.store.head();
    let (l1_head, l1_finalized) = chain.l1.heads();
    let sequencing = match (produces, chain.paused.load(Ordering::Relaxed)) {
        (false, _) => "none",
        (true, true) => "paused",
        (true, false) => "running",
    };
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "network": chain.network.chain.name,
        "chainId": chain.network.chain.id,
        "genesis": chain.store.genesis_hash(),
        "head": { "number": head.header.number, "hash": head.hash },
        "safe": chain.store.safe(),
        "finalized": chain.store.finalized(),
        "flushed": chain.store.flushed(),
        "l1Head": l1_head.map(|at| at.number),
        "l1Finalized": l1_finalized,
        "sequencing": sequencing,
        "notReady": chain.not_ready(),
    })
}

/// True if that changed anything.
fn set_paused(chain: &Chain, produces: bool, paused: bool) -> Result<bool, ErrorObjectOwned> {
    if !produces {
        return Err(refused(-32000, "this node makes no blocks"));
    }
    let before = chain.paused.swap(paused, Ordering::Relaxed);
    if before != paused {
        tracing::warn!(paused, "sequencing, by the operator");
    }
    Ok(before != paused)
}

/// The secret of this data folder: the file's, or a new one.
pub fn secret(datadir: &Path) -> anyhow::Result<String> {
    let path = datadir.join(SECRET_FILE);
    if let Ok(text) = std::fs::read_to_string(&path) {
        let text = text.trim().to_owned();
        anyhow::ensure!(
            text.len() >= 64,
            "{} holds no secret of 64 characters: delete it, and the next start makes one",
            path.display()
        );
        return Ok(text);
    }
    let text = hex::encode(B256::random());
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("making {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(text)
}

/// Serves the methods on `port` of the loopback interface until `stop` resolves. Returns where it listens and what
/// runs it.
pub async fn listen(
    chain: Arc<Chain>,
    produces: bool,
    secret: String,
    port: u16,
    stop: impl Future<Output = ()> + Send + 'static,
) -> anyhow::Result<(SocketAddr, impl Future<Output = anyhow::Result<()>> + Send)> {
    let limits = chain.network.rpc.clone();
    let running = rpc::mount_bare(methods(chain, produces)?, &limits);
    let wanted = digest(&format!("Bearer {secret}"));
    let router =
        running
            .router
            .clone()
            .layer(middleware::from_fn(move |request: Request, next: Next| {
                let given = request
                    .headers()
                    .get(header::AUTHORIZATION)
                    .and_then(|value| value.to_str().ok())
                    .map(digest);
                async move {
                    match given == Some(wanted) {
                        true => next.run(request).await,
                        false => unauthorized(),
                    }
                }
            }));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .await
        .with_context(|| format!("port {port} is taken: choose another with --admin-port"))?;
    let address = listener.local_addr()?;
    let serving = async move {
        let stop = async move {
            stop.await;
            running.stop();
        };
        Ok(rpc::serve(listener, router, stop).await?)
    };
    Ok((address, serving))
}

/// Digests are compared, so that the time it takes says nothing about the secret.
fn digest(text: &str) -> B256 {
    keccak256(text)
}

fn unauthorized() -> Response {
    (
        StatusCode::UNAUTHORIZED,
        format!(
            "send `Authorization: Bearer` with the content of {SECRET_FILE} in the data folder\n"
        ),
    )
        .into_response()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{assemble, genesis};
    use config::Network;
    use std::os::unix::fs::PermissionsExt;

    /// The development network's chain, at its first block.
    pub(crate) fn chain(dir: &Path) -> Arc<Chain> {
        let mut network = Network::parse(include_str!("../../../config/dev.toml")).unwrap();
        let first = genesis::genesis(&network).unwrap();
        network.genesis.hash = first.header.hash_slow();
        assemble::open(Arc::new(network), dir, None, false).unwrap()
    }

    /// A served admin port.
    struct Port {
        url: String,
        secret: String,
        chain: Arc<Chain>,
        _dir: tempfile::TempDir,
    }

    impl Port {
        async fn open(produces: bool) -> Self {
            l1::install_tls();
            let dir = tempfile::tempdir().unwrap();
            let chain = chain(dir.path());
            let secret = secret(dir.path()).unwrap();
            let (address, serving) = listen(
                chain.clone(),
                produces,
                secret.clone(),
                0,
                std::future::pending(),
            )
            .await
            .unwrap();
            tokio::spawn(serving);
            Self {
                url: format!("http://{address}/"),
                secret,
                chain,
                _dir: dir,
            }
        }

        async fn post(&self, bearer: Option<&str>, method: &str, params: Value) -> (u16, String) {
            let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
            let mut request = reqwest::Client::new()
                .post(&self.url)
                .header("content-type", "application/json")
                .body(body.to_string());
            if let Some(bearer) = bearer {
                request = request.header("authorization", format!("Bearer {bearer}"));
            }
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.text().await.unwrap())
        }

        async fn ask(&self, method: &str, params: Value) -> Value {
            let (_, text) = self.post(Some(&self.secret), method, params).await;
            serde_json::from_str(&text).unwrap()
        }
    }

    #[tokio::test]
    async fn nobody_without_the_secret_is_heard() {
        let port = Port::open(true).await;
        let almost = format!("{}x", &port.secret[..63]);
        for bearer in [None, Some(""), Some("0x00"), Some(almost.as_str())] {
            let (status, text) = port.post(bearer, "admin_nodeInfo", json!([])).await;
            assert_eq!(status, 401, "{text}");
        }
        assert_eq!(
            port.ask("admin_nodeInfo", json!([])).await["result"]["sequencing"],
            "running"
        );
    }

    #[tokio::test]
    async fn the_secret_is_its_users_alone_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let first = secret(dir.path()).unwrap();
        let mode = std::fs::metadata(dir.path().join(SECRET_FILE))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!((mode & 0o777, first.len()), (0o600, 64));
        assert_eq!(secret(dir.path()).unwrap(), first);
        std::fs::write(dir.path().join(SECRET_FILE), "short").unwrap();
        assert!(
            secret(dir.path())
                .unwrap_err()
                .to_string()
                .contains("delete it")
        );
    }

    #[tokio::test]
    async fn sequencing_is_paused_and_resumed() {
        let port = Port::open(true).await;
        for (method, changed, sequencing) in [
            ("admin_pauseSequencing", true, "paused"),
            ("admin_pauseSequencing", false, "paused"),
            ("admin_resumeSequencing", true, "running"),
        ] {
            assert_eq!(port.ask(method, json!([])).await["result"], changed);
            let info = port.ask("admin_nodeInfo", json!([])).await["result"].clone();
            assert_eq!(info["sequencing"], sequencing);
            assert_eq!(info["chainId"], 902);
        }
        port.ask("admin_pauseSequencing", json!([])).await;
        assert_eq!(port.chain.not_ready().unwrap(), "paused by the operator");
    }

    #[tokio::test]
    async fn a_node_that_makes_no_blocks_cannot_be_paused() {
        let port = Port::open(false).await;
        let answer = port.ask("admin_pauseSequencing", json!([])).await;
        assert_eq!(answer["error"]["message"], "this node makes no blocks");
        let info = port.ask("admin_nodeInfo", json!([])).await["result"].clone();
        assert_eq!(info["sequencing"], "none");
    }

    #[tokio::test]
    async fn a_log_filter_must_make_sense() {
        let port = Port::open(true).await;
        let answer = port
            .ask("admin_setLogLevel", json!(["node=loud=very"]))
            .await;
        assert_eq!(answer["error"]["code"], -32602);
        let answer = port.ask("eth_chainId", json!([])).await;
        assert_eq!(
            answer["error"]["code"], -32601,
            "only admin methods live here"
        );
    }
}

//! jsonrpsee in an axum router: HTTP POST, batches and WebSocket upgrades on `/`.
//!
//! The router is open to browsers of every origin: it holds no cookies and no keys. The node merges its own paths
//! (`/metrics`, `/health`, `/ready`) into it.

use crate::{
    Context, Limits, Node, accounts, blocks, call, capabilities, estimate, fees, fill, filters,
    filters::{SWEEPS_PER_IDLE_TIME, unguessable_id},
    identity, logs,
    module::Registry,
    otterscan, raw, rollup, send, simulate, subscriptions,
    texts::{Known, OverHttp, Texts},
    trace, transactions, txpool, witness,
};
use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, Method, StatusCode, header},
    response::IntoResponse,
    routing::any,
    serve::ListenerExt,
};
use jsonrpsee::{
    Methods,
    server::{
        BatchRequestConfig, IdProvider, PingConfig, Server, ServerConfig, ServerHandle,
        middleware::rpc::RpcServiceBuilder, stop_channel,
    },
    types::SubscriptionId,
};
use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;
use tower::Service;
use tower_http::{
    compression::{CompressionLayer, predicate::SizeAbove},
    cors::CorsLayer,
};

/// Answers smaller than this travel as they are: compressing them costs more than sending them.
const COMPRESS_ABOVE_BYTES: u16 = 8 * 1024;

/// All methods for `context`, with the node behind them. Others may be merged in before they are mounted.
pub fn methods(context: Context) -> (Methods, Arc<Node>) {
    let is_rollup = context.rollup.is_some();
    let node = Node::new(context);
    let mut registry = Registry::new(node.clone());
    identity::register(&mut registry);
    accounts::register(&mut registry);
    blocks::register(&mut registry);
    transactions::register(&mut registry);
    send::register(&mut registry);
    call::register(&mut registry);
    estimate::register(&mut registry);
    fees::register(&mut registry);
    logs::register(&mut registry);
    filters::register(&mut registry);
    subscriptions::register(&mut registry);
    txpool::register(&mut registry);
    capabilities::register(&mut registry);
    fill::register(&mut registry);
    raw::register(&mut registry);
    simulate::register(&mut registry);
    witness::register(&mut registry);
    trace::register(&mut registry);
    otterscan::register(&mut registry);
    if is_rollup {
        rollup::register(&mut registry);
    }
    (registry.module.into(), node)
}

/// A mounted server. WebSockets close when it is dropped or stopped.
pub struct Running {
    /// Serves `/`.
    pub router: Router,
    handle: ServerHandle,
}

impl Running {
    /// Closes every WebSocket; requests in work are finished.
    pub fn stop(&self) {
        // An error means that it is stopped already.
        let _ = self.handle.stop();
    }
}

/// Mounts `methods`. Must be called on a tokio runtime, after the metrics recorder is installed.
pub fn mount(methods: impl Into<Methods>, node: &Arc<Node>) -> Running {
    sweep_filters(Arc::downgrade(node), &node.limits);
    let bare = mount_bare(methods, &node.limits);
    let router = bare
        .router
        .layer(
            CompressionLayer::new()
                .gzip(true)
                .compress_when(SizeAbove::new(COMPRESS_ABOVE_BYTES)),
        )
        .layer(CorsLayer::permissive());
    Running {
        router,
        handle: bare.handle,
    }
}

/// Mounts methods that are no browser's business: neither CORS nor compression. Otherwise as [`mount`].
pub fn mount_bare(methods: impl Into<Methods>, limits: &Limits) -> Running {
    let methods = methods.into();
    let known = Known::new(&methods, limits.response_bytes_max);
    let config = ServerConfig::builder()
        .max_request_body_size(limits.request_bytes_max)
        .max_response_body_size(limits.response_bytes_max)
        .max_connections(limits.connections_max)
        .max_subscriptions_per_connection(limits.subscriptions_max)
        .set_batch_request_config(BatchRequestConfig::Limit(limits.batch_calls_max))
        .set_id_provider(HexIds)
        .enable_ws_ping(PingConfig::new())
        .build();
    let (stop, handle) = stop_channel();
    let service = Server::builder()
        .set_config(config)
        .set_rpc_middleware(RpcServiceBuilder::new().layer_fn(move |inner| Texts {
            inner,
            known: known.clone(),
        }))
        .to_service_builder();
    let connections = Arc::new(AtomicU32::new(0));
    let entry = any(move |mut request: Request| {
        // Subscriptions belong to a connection, so each request that may become one gets its own number.
        let number = connections.fetch_add(1, Ordering::Relaxed);
        let mut service = service
            .clone()
            .connection_id(number)
            .build(methods.clone(), stop.clone());
        async move {
            if !upgrades(request.headers()) {
                if request.method() == Method::GET || request.method() == Method::HEAD {
                    // What geth answers to those who only look whether somebody is there.
                    return StatusCode::OK.into_response();
                }
                request.extensions_mut().insert(OverHttp);
            }
            match service.call(request).await {
                Ok(response) => response.map(axum::body::Body::new),
                Err(error) => {
                    tracing::warn!(%error, "request failed");
                    StatusCode::INTERNAL_SERVER_ERROR.into_response()
                }
            }
        }
    });
    let router = Router::new().route("/", entry);
    Running { router, handle }
}

/// Serves `router` until `stop` resolves; then finishes what is in work.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    // Answers are small and awaited: none may wait for a fuller packet.
    let listener = listener.tap_io(|socket| {
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY");
        }
    });
    axum::serve(listener, router)
        .with_graceful_shutdown(stop)
        .await
}

fn upgrades(headers: &HeaderMap) -> bool {
    headers
        .get(header::UPGRADE)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"websocket"))
}

/// Ends by itself once the node is gone.
fn sweep_filters(node: Weak<Node>, limits: &Limits) {
    let period = Duration::from_millis(limits.filter_idle_s * 1000 / SWEEPS_PER_IDLE_TIME)
        .max(Duration::from_millis(1));
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(period).await;
            let Some(node) = node.upgrade() else { return };
            node.filters.sweep();
        }
    });
}

#[derive(Debug)]
struct HexIds;

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        unguessable_id().into()
    }
}

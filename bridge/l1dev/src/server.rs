//! JSON-RPC and blob API on one port, on a thread with a runtime of its own.

use crate::{L1DevError, blob_api, chain::Chain, dev_methods, pool::L1Pool, quiet::silence_thread};
use rpc::{Context, Limits};
use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    thread::JoinHandle,
    time::Duration,
};
use tokio::sync::oneshot;

/// Requests in work get this long when the server ends.
const GRACE: Duration = Duration::from_millis(500);

/// For one developer and the parts of one process.
pub const LIMITS: Limits = Limits {
    // Six blobs in hex with room for nine of older forks.
    request_bytes_max: 8 << 20,
    response_bytes_max: 25 << 20,
    batch_calls_max: 1_000,
    connections_max: 10_000,
    subscriptions_max: 256,
    filters_max: 10_000,
    filter_idle_s: 300,
    log_blocks_max: 100_000,
    logs_max: 20_000,
    fee_history_blocks_max: 1_024,
    call_gas_max: 50_000_000,
    simulate_blocks_max: 256,
    proof_blocks_max: 100_000,
    calls_at_once: 2,
    reads_at_once: 4,
    call_timeout_ms: 5_000,
    traces_at_once: 1,
    trace_timeout_ms: 20_000,
    trace_blocks_max: 1_000,
    traces_max: 20_000,
    sync_timeout_ms: 2_000,
    sync_timeout_max_ms: 30_000,
    tip_wei: 1_000_000,
};

/// A listening server.
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens before it returns.
    pub fn start(chain: Arc<Chain>, listen: SocketAddr) -> Result<Self, L1DevError> {
        let failed = |source| L1DevError::Listen {
            address: listen,
            source,
        };
        let listener = TcpListener::bind(listen).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        // More would only wait for the one thread that makes blocks.
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("l1-rpc")
            .on_thread_start(silence_thread)
            .enable_all()
            .build()
            .map_err(L1DevError::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("l1-server".into())
            .spawn(move || {
                silence_thread();
                if let Err(error) = runtime.block_on(serve(chain, listener, stopped)) {
                    tracing::error!(%error, "the embedded L1 serves no more");
                }
                runtime.shutdown_timeout(GRACE);
            })
            .map_err(L1DevError::Thread)?;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Finishes what is in work and waits for the end.
    pub fn stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error means that it ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve(
    chain: Arc<Chain>,
    listener: TcpListener,
    stopped: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let (mut methods, node) = rpc::methods(Context {
        store: chain.store.clone(),
        pool: L1Pool::new(chain.clone()),
        rules: chain.rules.clone(),
        chain_id: chain.rules.chain_id(),
        client_version: concat!("tributary-l1dev/v", env!("CARGO_PKG_VERSION")).to_owned(),
        limits: LIMITS,
        rollup: None,
    });
    let merged = methods.merge(dev_methods::methods(chain.clone()));
    assert!(merged.is_ok(), "a method is registered twice");
    let running = rpc::mount(methods, &node);
    let router = running.router.clone().merge(blob_api::router(chain));
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let (end, ending) = oneshot::channel::<()>();
    let serving = rpc::serve(listener, router, async {
        let _ = ending.await;
    });
    let stopping = async {
        let _ = stopped.await;
        running.stop();
        let _ = end.send(());
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = serving => result,
        () = stopping => Ok(()),
    }
}

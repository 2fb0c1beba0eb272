//! Puts the stages of a node together, and ends them together.

use crate::{
    admin,
    cli::Serve,
    clock,
    driver::Driver,
    genesis::checked_genesis,
    l1_view::L1View,
    ops,
    producer::{self, Chain, block_limits},
};
use alloy_primitives::{Address, B256, Bytes};
use anyhow::Context;
use config::Network;
use l1::Client;
use mempool::{FileJournal, PoolLimits, SharedPool};
use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::Mutex;
use primitives::{CheckedTx, QueueEntry};
use rpc::{L1Block, LocalPool, PoolContent, PoolHandle, Progress, RollupView};
use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use stf::{RollupRules, Rules};
use store::{Store, StoreOptions};
use tokio::{net::TcpListener, task::JoinSet};

/// L1 is asked for news this often.
pub const L1_POLL: Duration = Duration::from_millis(250);
/// And by those whose work waits for whole L1 blocks: posters and proposers.
pub const L1_POLL_SLOW: Duration = Duration::from_millis(1_000);
/// Bytes of the pool's journal before it is written anew.
const JOURNAL_BYTES_MAX: u64 = 64 << 20;

/// Opens a chain: genesis checked against the network file, the store replayed to its head.
pub fn open(
    network: Arc<Network>,
    datadir: &Path,
    retention_blocks: Option<u64>,
    calldata_only: bool,
) -> anyhow::Result<Arc<Chain>> {
    let genesis = checked_genesis(&network)?;
    let rules = Arc::new(Rules::Rollup(RollupRules::new(&network)));
    std::fs::create_dir_all(datadir).with_context(|| format!("making {}", datadir.display()))?;
    let mut options = StoreOptions::new(datadir.join("l2"));
    options.retention_blocks = retention_blocks;
    let store = Store::open(options, genesis, rules.clone())?;
    let pool = Arc::new(SharedPool::new(rules.clone(), pool_limits(&network)));
    Ok(Arc::new(Chain {
        block_limits: block_limits(&network, calldata_only),
        network,
        rules,
        store,
        pool,
        l1: Arc::new(L1View::default()),
        own_batches: Mutex::new(HashMap::new()),
        writing: Mutex::new(()),
        rewinds: AtomicU64::new(0),
        failed: AtomicBool::new(false),
        paused: AtomicBool::new(false),
        stopping: AtomicBool::new(false),
    }))
}

fn pool_limits(network: &Network) -> PoolLimits {
    PoolLimits::sequencer(network.fees.base_fee_floor_wei.into())
}

/// Admits again what waited when the process ended, and writes down what comes.
pub fn attach_journal(chain: &Chain, datadir: &Path) -> anyhow::Result<()> {
    let path = datadir.join("pool.journal");
    let (journal, entries) = FileJournal::open(
        &path,
        JOURNAL_BYTES_MAX,
        pool_limits(&chain.network).tx_bytes_max,
    )
    .with_context(|| format!("opening {}", path.display()))?;
    let state = chain.store.latest_state();
    let env = mempool::HeadEnv {
        timestamp: chain.store.head().header.timestamp,
        da_gas_per_byte: stf::da_gas_per_byte(&state),
    };
    let admitted = chain.pool.replay(entries, &state, &env, clock::now_ms());
    if admitted > 0 {
        tracing::info!(
            admitted,
            "transactions that waited when the process ended wait again"
        );
    }
    chain.pool.attach_journal(Box::new(journal));
    Ok(())
}

/// The stages of one process.
pub struct Stages {
    chain: Arc<Chain>,
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
}

impl Stages {
    /// No stage yet.
    pub fn new(chain: Arc<Chain>) -> Self {
        Self {
            chain,
            tasks: JoinSet::new(),
        }
    }

    /// A stage on the runtime.
    pub fn spawn(
        &mut self,
        name: &'static str,
        stage: impl Future<Output = anyhow::Result<()>> + Send + 'static,
    ) {
        self.tasks.spawn(async move { (name, stage.await) });
    }

    /// A stage on a thread of its own.
    pub fn thread(
        &mut self,
        name: &'static str,
        stage: impl FnOnce(&Arc<Chain>) -> anyhow::Result<()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let chain = self.chain.clone();
        let (done, ended) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                let outcome =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| stage(&chain)));
                let _ = done.send(outcome.unwrap_or_else(|_| Err(anyhow::anyhow!("panicked"))));
            })?;
        self.tasks.spawn(async move {
            (
                name,
                ended
                    .await
                    .unwrap_or_else(|_| Err(anyhow::anyhow!("vanished"))),
            )
        });
        Ok(())
    }

    /// The stage that keeps the chain in step with L1.
    pub fn drive(&mut self, driver: Driver) {
        self.spawn("driver", driver.run(L1_POLL));
    }

    /// The stage that makes blocks, and the one that keeps the pool's house.
    pub fn produce(&mut self) -> anyhow::Result<()> {
        self.thread("producer", |chain| producer::run(chain))?;
        let chain = self.chain.clone();
        self.spawn("pool", async move {
            while !chain.is_stopping() {
                chain.pool.lock().drop_expired(clock::now_ms());
                if let Err(error) = chain.pool.flush_journal() {
                    tracing::warn!(%error, "the pool's journal is not written");
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Ok(())
        });
        Ok(())
    }

    /// Serves JSON-RPC and the operator's paths.
    pub async fn serve(
        &mut self,
        serve: &Serve,
        pool: Arc<dyn PoolHandle>,
        metrics: PrometheusHandle,
        more: jsonrpsee::Methods,
    ) -> anyhow::Result<()> {
        let chain = self.chain.clone();
        let context = rpc::Context {
            store: chain.store.clone(),
            pool,
            rules: chain.rules.clone(),
            chain_id: chain.network.chain.id,
            client_version: format!("tributary/v{}/linux/rust", env!("CARGO_PKG_VERSION")),
            limits: chain.network.rpc.clone(),
            rollup: Some(rpc::Rollup {
                network: chain.network.clone(),
                view: Arc::new(View(chain.clone())),
            }),
        };
        let (methods, node) = rpc::methods(context);
        let mut module = jsonrpsee::RpcModule::new(());
        module.merge(methods)?;
        module.merge(more)?;
        let running = rpc::mount(module, &node);
        if let Some(path) = &serve.local.ipc {
            let socket = rpc::IpcSocket::bind(path)
                .with_context(|| format!("listening on {}", path.display()))?;
            let bytes_max = chain.network.rpc.request_bytes_max;
            let (router, stop) = (running.router.clone(), wait_for_stop(chain.clone()));
            self.spawn("ipc", async move {
                Ok(rpc::serve_ipc(socket, router, bytes_max, stop).await?)
            });
        }
        let listener = TcpListener::bind((serve.rpc_host, serve.rpc_port))
            .await
            .with_context(|| {
                format!(
                    "port {} is taken: choose another with --rpc-port",
                    serve.rpc_port
                )
            })?;
        self.spawn("rpc", async move {
            let router = running
                .router
                .clone()
                .merge(ops::router(chain.clone(), metrics));
            let stop = async move {
                wait_for_stop(chain).await;
                running.stop();
            };
            Ok(rpc::serve(listener, router, stop).await?)
        });
        Ok(())
    }

    /// The servers of a role that takes no transactions and makes no blocks.
    pub async fn serve_readers(
        &mut self,
        serve: &Serve,
        datadir: &Path,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<()> {
        let methods = jsonrpsee::Methods::new();
        self.serve(serve, NoPool::handle(), metrics, methods)
            .await?;
        self.administer(serve, datadir, false).await
    }

    /// The operator's port, if one is asked for.
    pub async fn administer(
        &mut self,
        serve: &Serve,
        datadir: &Path,
        produces: bool,
    ) -> anyhow::Result<()> {
        let Some(port) = serve.local.admin_port else {
            return Ok(());
        };
        let secret = admin::secret(datadir)?;
        let chain = self.chain.clone();
        let stop = wait_for_stop(chain.clone());
        let (address, serving) = admin::listen(chain, produces, secret, port, stop).await?;
        tracing::info!(%address, "admin port, for those who have the secret of the data folder");
        self.spawn("admin port", serving);
        Ok(())
    }

    /// Runs until somebody asks to stop or a stage fails; then ends all stages and writes out the store.
    pub async fn run(mut self) -> anyhow::Result<()> {
        let mut outcome = Ok(());
        tokio::select! {
            () = ops::asked_to_stop() => tracing::info!("stopping"),
            Some(ended) = self.tasks.join_next() => outcome = judge(ended),
        }
        if outcome.is_err() {
            self.chain.failed.store(true, Ordering::Relaxed);
        }
        self.stop().await?;
        outcome
    }

    /// Ends all stages.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        self.chain.stopping.store(true, Ordering::Relaxed);
        let ending = async {
            while let Some(ended) = self.tasks.join_next().await {
                if let Err(error) = judge(ended) {
                    tracing::error!(%error, "while stopping");
                }
            }
        };
        if tokio::time::timeout(Duration::from_secs(5), ending)
            .await
            .is_err()
        {
            tracing::warn!("a stage did not end within five seconds; leaving it");
        }
        let chain = self.chain.clone();
        // Nothing is lost without this; the next start has less to replay with it.
        tokio::task::spawn_blocking(move || {
            let _ = chain.pool.flush_journal();
            chain.store.flush()
        })
        .await??;
        Ok(())
    }
}

fn judge(
    ended: Result<(&'static str, anyhow::Result<()>), tokio::task::JoinError>,
) -> anyhow::Result<()> {
    match ended {
        Ok((name, outcome)) => outcome.with_context(|| format!("the {name} stopped")),
        Err(error) => Err(error).context("a stage panicked"),
    }
}

async fn wait_for_stop(chain: Arc<Chain>) {
    while !chain.is_stopping() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The pool of a node that makes blocks.
pub fn local_pool(chain: &Chain) -> Arc<dyn PoolHandle> {
    LocalPool::new(
        chain.pool.clone(),
        chain.store.clone(),
        Box::new(clock::now_ms),
    )
}

/// The pool of a node that follows L1: it has none.
struct NoPool(tokio::sync::broadcast::Sender<Arc<CheckedTx>>);

impl NoPool {
    /// Accepts nothing.
    pub fn handle() -> Arc<dyn PoolHandle> {
        Arc::new(Self(tokio::sync::broadcast::channel(1).0))
    }
}

impl PoolHandle for NoPool {
    fn submit_raw(&self, _raw: Bytes) -> Result<B256, String> {
        Err("this node follows L1 and takes no transactions; send them to the sequencer".into())
    }
    fn is_ready(&self, _hash: B256) -> bool {
        false
    }
    fn get(&self, _hash: B256) -> Option<Arc<CheckedTx>> {
        None
    }
    fn pending_nonce(&self, _sender: Address) -> Option<u64> {
        None
    }
    fn content(&self, _sender: Option<Address>) -> PoolContent {
        PoolContent::default()
    }
    fn counts(&self) -> (usize, usize) {
        (0, 0)
    }
    fn subscribe(&self) -> tokio::sync::broadcast::Receiver<Arc<CheckedTx>> {
        self.0.subscribe()
    }
}

/// What the RPC tells about L1.
struct View(Arc<Chain>);

impl RollupView for View {
    fn l1(&self) -> rpc::L1View {
        let (head, finalized) = self.0.l1.heads();
        let block = |r: l1::L1Ref| L1Block {
            hash: r.hash,
            number: r.number,
            timestamp: r.timestamp,
        };
        rpc::L1View {
            head: head.map(block),
            safe: self.0.l1.safe().map(block),
            finalized: self.0.l1.anchor_at(finalized).map(|a| L1Block {
                hash: a.hash,
                number: a.number,
                timestamp: a.timestamp,
            }),
        }
    }

    fn syncing(&self) -> Option<Progress> {
        let current_block = self.0.store.head().header.number;
        (!self.0.l1.is_caught_up()).then_some(Progress {
            starting_block: 0,
            current_block,
            highest_block: current_block,
        })
    }

    fn queue(&self, from: u64, max: usize) -> Vec<(QueueEntry, B256)> {
        self.0.l1.entries_from(from, max)
    }
}

/// A client of the network's L1; refuses another chain.
pub async fn connect(
    url: &str,
    blobs: Option<&str>,
    network: &Arc<Network>,
) -> anyhow::Result<Client> {
    let client = Client::new(url, blobs, network.clone())?;
    let id = client
        .chain_id()
        .await
        .with_context(|| format!("asking {url}"))?;
    anyhow::ensure!(
        id == network.l1.chain_id,
        "{url} is chain {id}, the network file says l1.chain_id = {}",
        network.l1.chain_id
    );
    Ok(client)
}

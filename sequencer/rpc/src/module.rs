//! How a method gets its arguments and where it runs.
//!
//! - `light`: at once, on the thread that read the request. For what takes microseconds.
//! - `long`: on the blocking threads, a bounded number at a time, for a bounded time.
//! - `waiting`: as a future, for what waits rather than works.

use crate::{
    Node,
    errors::{self, RpcError},
    params::Args,
};
use jsonrpsee::{Extensions, RpcModule, types::ErrorObjectOwned};
use metrics::Gauge;
use serde::Serialize;
use serde_json::value::RawValue;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tells long work that nobody waits for it any more.
#[derive(Debug, Clone, Default)]
pub struct Patience(Arc<AtomicBool>);

impl Patience {
    /// An error once the time is up.
    pub fn check(&self) -> Result<(), RpcError> {
        if self.0.load(Ordering::Relaxed) {
            Err(timed_out())
        } else {
            Ok(())
        }
    }
}

/// Sets the flag when the request is answered or its connection is gone.
struct GiveUp(Patience);

impl Drop for GiveUp {
    fn drop(&mut self) {
        self.0.0.store(true, Ordering::Relaxed);
    }
}

fn timed_out() -> RpcError {
    RpcError::new(errors::TIMED_OUT, "request timed out")
}

/// Which of the two bounds a long method counts towards.
#[derive(Debug, Clone, Copy)]
pub enum Long {
    /// Executes code.
    Call,
    /// Reads much.
    Read,
}

/// Collects methods.
pub struct Registry {
    pub(crate) module: RpcModule<Node>,
}

impl Registry {
    /// An empty one.
    pub fn new(node: Arc<Node>) -> Self {
        Self {
            module: RpcModule::from_arc(node),
        }
    }

    /// A method that answers at once. `args_max` counts its arguments.
    pub fn light<T: Serialize + Clone + 'static>(
        &mut self,
        name: &'static str,
        args_max: usize,
        method: impl Fn(&Node, Args<'_>) -> Result<T, RpcError> + Send + Sync + 'static,
    ) {
        let added = self
            .module
            .register_method(name, move |params, node, _: &Extensions| {
                let args = Args::parse(params.as_str(), args_max)?;
                method(node, args).map_err(ErrorObjectOwned::from)
            });
        assert!(added.is_ok(), "{name} is registered twice");
    }

    /// A method that may take long. Its answer is turned into JSON off the async threads too.
    pub fn long<T: Serialize + 'static>(
        &mut self,
        name: &'static str,
        kind: Long,
        args_max: usize,
        method: impl Fn(&Node, Args<'_>, &Patience) -> Result<T, RpcError>
        + Clone
        + Send
        + Sync
        + 'static,
    ) {
        let added = self
            .module
            .register_async_method(name, move |params, node, _| {
                let method = method.clone();
                async move {
                    let bound = match kind {
                        Long::Call => node.calls.clone(),
                        Long::Read => node.reads.clone(),
                    };
                    let timeout = Duration::from_millis(node.limits.call_timeout_ms);
                    bounded(bound, timeout, move |patience| {
                        let args = Args::parse(params.as_str(), args_max)?;
                        let answer = method(&node, args, patience)?;
                        serde_json::value::to_raw_value(&answer).map_err(RpcError::internal)
                    })
                    .await
                    .map_err(ErrorObjectOwned::from)
                }
            });
        assert!(added.is_ok(), "{name} is registered twice");
    }

    /// A method that waits for something to happen.
    pub fn waiting<T, F, Fut>(&mut self, name: &'static str, args_max: usize, method: F)
    where
        T: Serialize + Clone + 'static,
        F: Fn(Arc<Node>, Args<'_>) -> Result<Fut, RpcError> + Clone + Send + Sync + 'static,
        Fut: Future<Output = Result<T, RpcError>> + Send + 'static,
    {
        let added = self
            .module
            .register_async_method(name, move |params, node, _| {
                let method = method.clone();
                async move {
                    let answer =
                        Args::parse(params.as_str(), args_max).and_then(|args| method(node, args));
                    match answer {
                        Ok(answer) => answer.await.map_err(ErrorObjectOwned::from),
                        Err(error) => Err(error.into()),
                    }
                }
            });
        assert!(added.is_ok(), "{name} is registered twice");
    }
}

/// So much work of one kind is done at a time; the rest waits. `rpc_long_running` tells how much it is.
#[derive(Clone)]
pub(crate) struct Bound {
    permits: Arc<Semaphore>,
    running: Gauge,
}

/// One piece of work under a [`Bound`], until it is dropped.
struct Underway {
    running: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl Bound {
    /// `at_once`: permits for work of this kind on this chain.
    pub(crate) fn new(kind: &'static str, chain_id: u64, at_once: usize) -> Self {
        let chain = chain_id.to_string();
        Self {
            permits: Arc::new(Semaphore::new(at_once)),
            running: metrics::gauge!("rpc_long_running", "kind" => kind, "chain" => chain),
        }
    }

    async fn begin(self) -> Result<Underway, RpcError> {
        let permit = self.permits.acquire_owned().await;
        let permit = permit.map_err(RpcError::internal)?;
        self.running.increment(1);
        Ok(Underway {
            running: self.running,
            _permit: permit,
        })
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        self.running.decrement(1);
    }
}

/// Runs `work` on a blocking thread while holding one permit of `bound`. The permit is held until the work ends,
/// even when the answer was given up, so that the bound counts threads and not patient callers.
pub(crate) async fn bounded(
    bound: Bound,
    timeout: Duration,
    work: impl FnOnce(&Patience) -> Result<Box<RawValue>, RpcError> + Send + 'static,
) -> Result<Box<RawValue>, RpcError> {
    let patience = Patience::default();
    let give_up = GiveUp(patience.clone());
    let answer = async move {
        let underway = bound.begin().await?;
        tokio::task::spawn_blocking(move || {
            let answer = work(&patience);
            drop(underway);
            answer
        })
        .await
        .map_err(|_| RpcError::internal("the method failed"))?
    };
    let answer = tokio::time::timeout(timeout, answer)
        .await
        .unwrap_or_else(|_| Err(timed_out()));
    drop(give_up);
    answer
}

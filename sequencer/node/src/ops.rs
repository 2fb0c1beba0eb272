//! For those who run a node: logs, `/metrics`, `/health`, `/ready`, and a clean end.

use crate::{cli::LogFormat, producer::Chain};
use axum::{Router, http::StatusCode, routing::get};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::sync::{Arc, OnceLock, atomic::Ordering};
use tracing_subscriber::{
    EnvFilter, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

/// Changes what is written to the log, once it has started.
static LOG_FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// Starts the log; `RUST_LOG` chooses what is written. Standard output stays free for answers.
pub fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let (filter, handle) = reload::Layer::new(filter);
    // A second start, as in tests, leaves the first one's filter.
    let _ = LOG_FILTER.set(handle);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Human => registry
            .with(fmt::layer().with_target(false).with_writer(std::io::stderr))
            .init(),
        LogFormat::Json => registry
            .with(fmt::layer().json().with_writer(std::io::stderr))
            .init(),
    }
}

/// From now on the log holds what `filter` says, in the words of `RUST_LOG`. Returns it as it was understood.
pub fn set_log_filter(filter: &str) -> Result<String, String> {
    let filter = EnvFilter::try_new(filter).map_err(|error| error.to_string())?;
    let understood = filter.to_string();
    match LOG_FILTER.get() {
        Some(handle) => handle.reload(filter).map_err(|error| error.to_string())?,
        None => return Err("this process has no log".into()),
    }
    Ok(understood)
}

/// Installs the metrics recorder; once per process, before anything is measured.
pub fn start_metrics() -> anyhow::Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new().install_recorder()?)
}

/// `/metrics` for Prometheus; `/health`: the process runs; `/ready`: the next block could be built now.
pub fn router(chain: Arc<Chain>, metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/metrics", get(move || async move { metrics.render() }))
        .route("/health", get(|| async { "ok" }))
        .route(
            "/ready",
            get(move || async move {
                match chain.not_ready() {
                    None => (StatusCode::OK, "ready".to_owned()),
                    Some(why) => (StatusCode::SERVICE_UNAVAILABLE, why),
                }
            }),
        )
}

/// [`router`] for a chain that nothing is added to: it is always ready.
pub fn static_router(metrics: PrometheusHandle) -> Router {
    Router::new()
        .route("/metrics", get(move || async move { metrics.render() }))
        .route("/health", get(|| async { "ok" }))
        .route("/ready", get(|| async { "ready" }))
}

impl Chain {
    /// Why the next block could not be built now, if so.
    pub fn not_ready(&self) -> Option<String> {
        if self.is_stopping() {
            return Some("stopping".into());
        }
        if self.failed.load(Ordering::Relaxed) {
            return Some("a stage of the node has failed; see its log".into());
        }
        if self.paused.load(Ordering::Relaxed) {
            return Some("paused by the operator".into());
        }
        if !self.l1.is_caught_up() {
            return Some("reading L1".into());
        }
        if !self.is_anchored().unwrap_or(false) {
            return Some("waiting for an L1 block with its confirmations".into());
        }
        None
    }
}

/// Resolves when the process is asked to end (Ctrl-C, SIGTERM).
pub async fn asked_to_stop() {
    let mut terminate =
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(signal) => signal,
            Err(error) => {
                tracing::warn!(%error, "SIGTERM is not heard");
                let _ = tokio::signal::ctrl_c().await;
                return;
            }
        };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}

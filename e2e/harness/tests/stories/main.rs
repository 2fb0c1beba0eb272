//! Stories of the whole system; each name is a fact.

mod assertions;
mod commands;
mod ethers_core;
mod exits;
mod forced;
mod governance;
mod hostile_batches;
mod kills;
mod payments;
mod reorgs;
mod roles;
mod slot_proofs;
mod slow_calls;
mod tokens;
mod withdrawals;

/// Runs a story; what went wrong is told with all its causes. `RUST_LOG` shows what the parts say meanwhile.
async fn tell(story: impl Future<Output = anyhow::Result<()>>) {
    let filter = tracing_subscriber::EnvFilter::from_default_env();
    // Only the first story of a process finds none.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_test_writer()
        .try_init();
    if let Err(error) = story.await {
        panic!("{error:#}");
    }
}

//! Stories of the whole system; each name is a fact.

mod assertions;
mod ethers_core;
mod forced;
mod hostile_batches;
mod kills;
mod payments;
mod reorgs;

/// Runs a story; what went wrong is told with all its causes.
async fn tell(story: impl Future<Output = anyhow::Result<()>>) {
    if let Err(error) = story.await {
        panic!("{error:#}");
    }
}

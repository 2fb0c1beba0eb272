//! When blocks are made, on a thread of its own.
//!
//! ```text
//!           ready transaction, then GATHER_MS
//!   Auto ───────────────────────────────────▶ block
//!   Interval ──────────the time is up───────▶ block
//!   Manual ──────────somebody asks──────────▶ block
//! ```

use crate::chain::Chain;
use parking_lot::{Condvar, Mutex};
use std::{sync::Arc, time::Duration};

/// When blocks are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mining {
    /// One every so many milliseconds, with or without transactions.
    Interval(u64),
    /// As soon as there is a transaction. Those that come within [`GATHER_MS`] share a block.
    Auto,
    /// Only when asked to.
    Manual,
}

/// After the first transaction, others are awaited this long: those who send ten in a row get two or three blocks,
/// and the chain's time, which moves a second per block, does not run away from the clock.
pub const GATHER_MS: u64 = 10;

/// What the thread waits for.
#[derive(Debug)]
pub struct Signal {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    mining: Mining,
    /// A transaction became ready since the last block.
    work: bool,
    stopping: bool,
}

impl Signal {
    /// Nothing happened yet.
    pub fn new(mining: Mining) -> Self {
        // What waits from before a restart counts as work.
        let state = State {
            mining,
            work: true,
            stopping: false,
        };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }
    }

    /// A transaction could run now.
    pub fn work(&self) {
        let mut state = self.state.lock();
        if !state.work {
            state.work = true;
            if state.mining == Mining::Auto {
                self.changed.notify_all();
            }
        }
    }

    /// Blocks are made at other times from now on.
    pub fn set_mining(&self, mining: Mining) {
        let mut state = self.state.lock();
        state.mining = mining;
        state.work = true;
        self.changed.notify_all();
    }

    /// When blocks are made.
    pub fn mining(&self) -> Mining {
        self.state.lock().mining
    }

    /// Ends the thread after the block it is at.
    pub fn stop(&self) {
        self.state.lock().stopping = true;
        self.changed.notify_all();
    }

    /// Waits until a block is due; `false` if there will be none. `due_ms` is when the last interval ends.
    fn wait(&self, due_ms: &mut u64, now_ms: &dyn Fn() -> u64) -> bool {
        let mut state = self.state.lock();
        loop {
            if state.stopping {
                return false;
            }
            match state.mining {
                Mining::Manual => self.changed.wait(&mut state),
                Mining::Auto if !state.work => self.changed.wait(&mut state),
                Mining::Auto => {
                    self.changed
                        .wait_for(&mut state, Duration::from_millis(GATHER_MS));
                    if state.mining == Mining::Auto && !state.stopping {
                        state.work = false;
                        return true;
                    }
                }
                Mining::Interval(period_ms) => {
                    let period_ms = period_ms.max(1);
                    let now = now_ms();
                    // A clock that was set back, or a longer interval before, must not stop the chain.
                    *due_ms = (*due_ms).min(now.saturating_add(period_ms));
                    if now >= *due_ms {
                        // Missed blocks are not made up for.
                        *due_ms = due_ms.saturating_add(period_ms).max(now);
                        state.work = false;
                        return true;
                    }
                    self.changed
                        .wait_for(&mut state, Duration::from_millis(*due_ms - now));
                }
            }
        }
    }
}

/// Makes blocks until told to stop, or until the disk fails.
pub fn run(chain: &Arc<Chain>) {
    let mut due_ms = (chain.clock)();
    if let Mining::Interval(period_ms) = chain.signal.mining() {
        due_ms = due_ms.saturating_add(period_ms);
    }
    while chain.signal.wait(&mut due_ms, &*chain.clock) {
        let result = match chain.signal.mining() {
            Mining::Auto => mine_ready(chain),
            _ => chain.mine(1).map(|_| ()),
        };
        if let Err(error) = result {
            tracing::error!(%error, "the embedded L1 makes no more blocks");
            return;
        }
    }
}

/// Blocks until nothing that fits is left. A block that took nothing ends it: what waits, waits for other prices.
fn mine_ready(chain: &Chain) -> Result<(), crate::L1DevError> {
    while chain.has_ready() {
        if chain.mine(1)?.transactions.is_empty() {
            break;
        }
    }
    Ok(())
}

//! When a block starts and when it is sealed.
//!
//! ```text
//!          work, or the heartbeat is due
//!   Idle ────────────────open───────────────▶ Open
//!    ▲                                         │
//!    └──────seal: time is up, or it is full────┘
//! ```
//! Blocks are made on demand: with work they follow each other at `block_time_ms`, without any they are
//! `heartbeat_ms` apart. Time is an event; an event from the past changes nothing.

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Time passed.
    Tick,
    /// A transaction could run, or L1's queue has an entry for us.
    Work,
    /// Nothing more fits into the block.
    Full,
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Begin a block and fill it as transactions come.
    Open,
    /// Finish the block.
    Seal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle { heartbeat_at_ms: u64 },
    Open { seal_at_ms: u64 },
}

/// The rhythm of one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cadence {
    block_time_ms: u64,
    heartbeat_ms: u64,
    state: State,
}

impl Cadence {
    /// The last block was made at `now_ms`, as far as this process knows.
    pub const fn new(block_time_ms: u64, heartbeat_ms: u64, now_ms: u64) -> Self {
        let state = State::Idle {
            heartbeat_at_ms: now_ms.saturating_add(heartbeat_ms),
        };
        Self {
            block_time_ms,
            heartbeat_ms,
            state,
        }
    }

    /// The only place where the state changes.
    pub const fn on(&mut self, event: Event, now_ms: u64) -> Option<Act> {
        match (self.state, event) {
            (State::Idle { .. }, Event::Work) => {
                self.state = State::Open {
                    seal_at_ms: now_ms.saturating_add(self.block_time_ms),
                };
                Some(Act::Open)
            }
            (State::Idle { heartbeat_at_ms }, Event::Tick) if now_ms >= heartbeat_at_ms => {
                self.state = State::Open { seal_at_ms: now_ms };
                Some(Act::Open)
            }
            (State::Open { .. }, Event::Full) => Some(self.seal(now_ms)),
            (State::Open { seal_at_ms }, _) if now_ms >= seal_at_ms => Some(self.seal(now_ms)),
            _ => None,
        }
    }

    const fn seal(&mut self, now_ms: u64) -> Act {
        self.state = State::Idle {
            heartbeat_at_ms: now_ms.saturating_add(self.heartbeat_ms),
        };
        Act::Seal
    }

    /// When the next [`Event::Tick`] matters.
    pub const fn due_ms(&self) -> u64 {
        match self.state {
            State::Idle { heartbeat_at_ms } => heartbeat_at_ms,
            State::Open { seal_at_ms } => seal_at_ms,
        }
    }

    /// True between [`Act::Open`] and [`Act::Seal`].
    pub const fn is_open(&self) -> bool {
        matches!(self.state, State::Open { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `story`: `work@5 tick@10 full@12`; block time 100, heartbeat 1000, started at 0.
    fn check(story: &str, want: &str) {
        let mut cadence = Cadence::new(100, 1_000, 0);
        let acts = story.split(' ').filter_map(|word| {
            let (event, at) = word.split_once('@').unwrap();
            let event = match event {
                "tick" => Event::Tick,
                "work" => Event::Work,
                _ => Event::Full,
            };
            cadence
                .on(event, at.parse().unwrap())
                .map(|act| format!("{act:?}@{at}"))
        });
        assert_eq!(acts.collect::<Vec<_>>().join(" "), want, "{story}");
    }

    #[rustfmt::skip]
    mod facts {
        use super::check;
        #[test] fn work_opens_and_the_block_time_seals()  { check("work@5 tick@104 tick@105", "Open@5 Seal@105") }
        #[test] fn more_work_does_not_prolong_a_block()   { check("work@5 work@90 tick@105 work@105", "Open@5 Seal@105 Open@105") }
        #[test] fn work_after_the_time_seals_too()        { check("work@5 work@200", "Open@5 Seal@200") }
        #[test] fn a_full_block_is_sealed_at_once()       { check("work@5 full@6 work@6", "Open@5 Seal@6 Open@6") }
        #[test] fn an_idle_chain_beats()                  { check("tick@999 tick@1000 tick@1000 tick@1999 tick@2000", "Open@1000 Seal@1000 Open@2000") }
        #[test] fn work_moves_the_heartbeat()             { check("work@900 tick@1000 tick@1999 tick@2000", "Open@900 Seal@1000 Open@2000") }
        #[test] fn a_full_note_without_a_block_is_void()  { check("full@5 tick@6", "") }
    }

    #[test]
    fn the_due_time_is_the_next_one_that_acts() {
        let mut cadence = Cadence::new(100, 1_000, 0);
        for (event, at, due) in [
            (Event::Work, 5, 105),
            (Event::Tick, 105, 1_105),
            (Event::Tick, 1_105, 1_105),
        ] {
            cadence.on(event, at);
            assert_eq!(cadence.due_ms(), due);
        }
    }
}

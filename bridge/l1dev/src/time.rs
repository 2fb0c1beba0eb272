//! Virtual time: the process's clock plus what tests added to it.

use crate::L1DevError;

/// Which time the next block gets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Time {
    /// Seconds ahead of the clock.
    pub ahead_s: u64,
    /// Exact time of the next block alone, seconds.
    next: Option<u64>,
}

impl Time {
    /// Continues `ahead_s` ahead of the clock.
    pub const fn ahead(ahead_s: u64) -> Self {
        Self {
            ahead_s,
            next: None,
        }
    }

    /// The time of the block after one of `parent_s`: now, or one second after the parent if that is later.
    pub fn take(&mut self, now_s: u64, parent_s: u64) -> u64 {
        let wanted = self
            .next
            .take()
            .unwrap_or(now_s.saturating_add(self.ahead_s));
        wanted.max(parent_s.saturating_add(1))
    }

    /// Moves on by `seconds`.
    pub const fn increase(&mut self, seconds: u64) {
        self.ahead_s = self.ahead_s.saturating_add(seconds);
    }

    /// The next block has exactly this time, and time goes on from there.
    pub fn set_next(&mut self, wanted: u64, now_s: u64, head_s: u64) -> Result<(), L1DevError> {
        if wanted <= head_s {
            return Err(L1DevError::TimeGoesBack {
                wanted,
                head: head_s,
            });
        }
        self.ahead_s = wanted.saturating_sub(now_s);
        self.next = Some(wanted);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_at_least_a_second_after_its_parent() {
        assert_eq!(Time::default().take(100, 100), 101);
        assert_eq!(Time::default().take(100, 200), 201);
        assert_eq!(Time::default().take(100, 7), 100);
    }

    #[test]
    fn added_time_stays() {
        let mut time = Time::default();
        time.increase(50);
        assert_eq!((time.take(100, 7), time.take(101, 7)), (150, 151));
    }

    #[test]
    fn a_set_time_holds_for_one_block_and_goes_on_from_there() {
        let mut time = Time::default();
        time.set_next(500, 100, 99).unwrap();
        assert_eq!((time.take(100, 99), time.take(103, 500)), (500, 503));
    }

    #[test]
    fn a_set_time_may_lie_in_the_past_but_not_before_the_head() {
        let mut time = Time::default();
        time.set_next(90, 100, 80).unwrap();
        assert_eq!((time.take(100, 80), time.take(101, 90)), (90, 101));
        assert!(time.set_next(90, 100, 90).is_err());
    }
}

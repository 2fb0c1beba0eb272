//! Block numbers that cannot be mixed up: one type for each side.

use core::fmt;

macro_rules! height {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u64);

        impl $name {
            /// The height `n` blocks later; saturates, so that hostile numbers cannot wrap.
            pub const fn plus(self, n: u64) -> Self {
                Self(self.0.saturating_add(n))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

height!(
    /// Number of a block on L1.
    L1Height
);
height!(
    /// Number of a block on L2; genesis is 0.
    L2Height
);

//! A small chain to store, the states it must have, and a disk that dies on order.
#![allow(dead_code, unused_imports, reason = "each test file uses its part")]

mod chain;
mod dying;
mod rollup;

pub use chain::*;
pub use dying::*;
pub use rollup::*;

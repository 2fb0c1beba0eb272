//! L1, contracts and every actor in one process, moved by `act_*` steps.
//!
//! Nothing happens unless a story asks for it: L1 makes a block when told to, a node looks at L1 when told to, a block
//! and a batch are made when told to. What runs is the node's own code; the harness only calls it in another order.
//!
//! Absent on purpose: stand-ins for any part of the system, and retries that could hide a fault.
#![forbid(unsafe_code)]

mod agree;
mod carriers;
mod hostile;
mod l1_side;
mod money;
mod node_side;
mod process;
mod world;

pub use agree::{assert_agree, assert_follows};
pub use carriers::{Asserter, exit, relay};
pub use hostile::{Craft, Payload, blobs_with, sequencers_batch};
pub use l1_side::{L1, Reverted};
pub use money::{assert_backed, unpaid};
pub use node_side::{Node, l2_call, payment};
pub use process::{Role, Tributary, command, free_port};
pub use world::{POSTER, PROPOSER, RELAYER, SEQUENCER, USERS, World, eth, user};

//! What happened inside, in geth's, parity's and Otterscan's words.

mod anvil;
mod calls;
mod debug;
mod forms;
mod limits;
mod otterscan;
mod parity;
mod scene;

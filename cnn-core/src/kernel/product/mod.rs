//! Products of maps with maps, on the register tile.

pub mod matmul;

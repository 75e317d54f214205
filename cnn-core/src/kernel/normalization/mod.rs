//! Normalization of a map by statistics of it.

pub mod batch_norm2d;
pub mod group_norm;
pub mod local_response_norm;

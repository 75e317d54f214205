//! The `network!` macro of `cnn-core`.

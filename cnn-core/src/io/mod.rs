//! Files of weights.

pub mod safetensors;

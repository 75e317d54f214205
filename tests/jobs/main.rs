//! Jobs that are more than a network and its labels, a page each. None has a gradient by hand, or a second copy of weights.
//!
//! | file | what it shows |
//! |:--|:--|
//! | `adversaries.rs` | a network that learns from the gradient of another's input |
//! | `autoencoder.rs` | noise as an input, and a loss that is part of the network |
//! | `denoiser.rs` | a map as the target |
//! | `detector.rs` | outputs at three resolutions, a declared loss for each |
//! | `features.rs` | a picture, and numbers beside it |
//! | `masks.rs` | focal and dice loss as a declaration |
//! | `twins.rs` | one tower for two pictures, with batch normalization |

mod adversaries;
mod autoencoder;
mod denoiser;
mod detector;
mod features;
mod masks;
mod pictures;
mod twins;

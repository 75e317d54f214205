//! The layers: a file each, by its name in the language. Types above (each layer of a network is a type with a geometry), loops below
//! ([`kernel`](crate::kernel)). Knows no networks.
//!
//! Expanded code calls `forward` and `backward` of a layer's module; all have the same arguments in the same order:
//! `forward(pass, parameters, input, output)` and
//! `backward(pass, parameters, input, output, grad_output, grad_input, grad_parameters)`, where maps are batches of
//! channels-last values. `backward` may write to `grad_output`, fills `grad_parameters`, and fills `grad_input` if it is
//! wanted.

pub mod adaptive_avg_pool2d;
pub mod avg_pool2d;
pub mod conv2d;
pub mod custom;
pub mod dropout;
pub mod flatten;
pub mod linear;
pub mod max_pool2d;
mod operation;
mod parameter;
mod pass;
pub mod relu;
pub mod softmax;

pub use custom::Layer;
pub use operation::{Operation, Parameters};
pub use parameter::{Initial, Order, Parameter};
pub use pass::{Mode, Pass};

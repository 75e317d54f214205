//! The layers: a file each, by its name in the language. Types above (each layer of a network is a type with a geometry), loops below
//! ([`kernel`](crate::kernel)). Knows no networks.
//!
//! Expanded code calls `forward` and `backward` of a layer's module; all have the same arguments in the same order:
//! `forward(pass, parameters, input, output)` and
//! `backward(pass, parameters, input, output, grad_output, grad_input, grad_parameters)`, where maps are batches of
//! channels-last values. `backward` may write to `grad_output`, fills `grad_parameters`, and fills or adds to `grad_input`
//! if it is wanted. A layer with state takes its [`Owned`] in the place of `parameters`.

pub mod activation;
pub mod adaptive_avg_pool2d;
pub mod adaptive_max_pool2d;
pub mod add;
pub mod avg_pool2d;
pub mod batch_norm2d;
pub mod concat;
pub mod conv2d;
pub mod conv_transpose2d;
pub mod custom;
pub mod dropout;
pub mod dropout2d;
pub mod flatten;
pub mod linear;
pub mod local_response_norm;
pub mod log_softmax;
pub mod max_pool2d;
pub mod multiply;
mod operation;
mod parameter;
mod pass;
pub mod prelu;
pub mod softmax;
pub mod step;
pub mod upsample;
pub mod zero_pad2d;

pub use custom::{Layer, Owned};
pub use operation::{Operation, Tensors};
pub use parameter::{Initial, Order, Parameter};
pub use pass::{Mode, Pass};
pub use step::Step;

pub use crate::kernel::rows::{Rows, RowsMut};

use crate::kernel::Write;

/// Where the gradient of a layer's input goes.
#[derive(Debug)]
pub struct GradInput<'a> {
    /// A batch of maps.
    pub values: &'a mut [f32],
    /// Whether others have written there already.
    pub write: Write,
}

impl<'a> GradInput<'a> {
    /// It is the first to come.
    pub fn store(values: &'a mut [f32]) -> Self {
        Self { values, write: Write::Store }
    }

    /// It is added to what is there: the map has more readers than one.
    pub fn add(values: &'a mut [f32]) -> Self {
        Self { values, write: Write::Add }
    }

    /// For the first of several that write it, if it is wanted.
    pub fn lend<'b>(grad_input: &'b mut Option<GradInput<'a>>) -> Option<GradInput<'b>> {
        grad_input.as_mut().map(|grad_input| GradInput { values: grad_input.values, write: grad_input.write })
    }

    /// For the others.
    pub fn lend_to_add<'b>(grad_input: &'b mut Option<GradInput<'a>>) -> Option<GradInput<'b>> {
        grad_input.as_mut().map(|grad_input| GradInput::add(grad_input.values))
    }
}

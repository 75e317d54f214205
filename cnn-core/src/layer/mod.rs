//! Layers: of your own, by the trait [`Layer`], and those of the language as data, by [`Operation`].
//!
//! The language's layers are told at [`network!`](crate::network!). Each is a file here by its name, with types above (each
//! layer of a network is a type with a geometry) and loops below, in `kernel`. Knows no networks.
//!
//! Expanded code calls `forward` and `backward` of a layer's module; all have the same arguments in the same order:
//! `forward(pass, parameters, input, output)` and
//! `backward(pass, parameters, input, output, grad_output, grad_input, grad_parameters)`, where maps are batches of
//! channels-last values. `backward` may write to `grad_output`, fills `grad_parameters`, and fills or adds to `grad_input`
//! if it is wanted. A layer with state takes its [`Owned`] in the place of `parameters`.
//!
//! A layer with weights has three functions more, for predictors: `prepared()` says what it needs, `prepare` makes of its
//! weights what `predict(pass, prepared, input, output)` reads.

#[doc(hidden)]
pub mod activation;
#[doc(hidden)]
pub mod adaptive_avg_pool2d;
#[doc(hidden)]
pub mod adaptive_max_pool2d;
#[doc(hidden)]
pub mod add;
#[doc(hidden)]
pub mod avg_pool2d;
#[doc(hidden)]
pub mod batch_norm2d;
#[doc(hidden)]
pub mod concat;
#[doc(hidden)]
pub mod conv2d;
#[doc(hidden)]
pub mod conv_transpose2d;
#[doc(hidden)]
pub mod custom;
#[doc(hidden)]
pub mod dropout;
#[doc(hidden)]
pub mod dropout2d;
#[doc(hidden)]
pub mod flatten;
#[doc(hidden)]
pub mod group_norm;
#[doc(hidden)]
pub mod layer_scale;
#[doc(hidden)]
pub mod learned;
#[doc(hidden)]
pub mod linear;
#[doc(hidden)]
pub mod local_response_norm;
#[doc(hidden)]
pub mod log_softmax;
#[doc(hidden)]
pub mod map;
#[doc(hidden)]
pub mod matmul;
#[doc(hidden)]
pub mod max_pool2d;
#[doc(hidden)]
pub mod multiply;
mod operation;
#[doc(hidden)]
pub mod pad2d;
mod parameter;
pub(crate) mod parts;
mod pass;
#[doc(hidden)]
pub mod pooled;
#[doc(hidden)]
pub mod prelu;
#[doc(hidden)]
pub mod prepare;
#[doc(hidden)]
pub mod rearrange;
#[doc(hidden)]
pub mod reduce;
#[doc(hidden)]
pub mod share;
#[doc(hidden)]
pub mod softmax;
#[doc(hidden)]
pub mod softmax_over_width;
#[doc(hidden)]
pub mod step;
#[doc(hidden)]
pub mod upsample;

pub use custom::{Layer, Owned};
pub use operation::{Operation, Tensors};
pub use parameter::{Initial, Order, Parameter};
pub use pass::{Mode, Pass};
pub use step::Step;

pub use crate::kernel::geometry;
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

    /// For what lies in each sample from a value on, which nobody else writes.
    pub fn lend_from<'b>(grad_input: &'b mut Option<GradInput<'a>>, first: usize) -> Option<GradInput<'b>> {
        let GradInput { values, write } = grad_input.as_mut()?;
        Some(GradInput { values: &mut values[first..], write: *write })
    }

    /// For the others.
    pub fn lend_to_add<'b>(grad_input: &'b mut Option<GradInput<'a>>) -> Option<GradInput<'b>> {
        grad_input.as_mut().map(|grad_input| GradInput::add(grad_input.values))
    }
}

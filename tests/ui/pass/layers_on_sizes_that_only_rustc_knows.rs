//! Every layer on maps that only rustc knows, and with sizes that only it knows.
use cnn_core::layer::{Owned, Pass};
use cnn_core::prelude::*;
use cnn_core::shape::Shape;
use cnn_core::tensor::{Samples, SamplesMut};

/// A layer of which the macro knows nothing.
pub struct Same;

impl<S: Shape> Layer<S> for Same {
    type Output = S;

    fn forward(_: &mut Pass<'_>, _: Owned<'_>, input: Samples<'_, S>, mut output: SamplesMut<'_, S>) {
        output.values().copy_from_slice(input.values());
    }

    fn backward(
        _: &mut Pass<'_>,
        _: Owned<'_>,
        _: Samples<'_, S>,
        _: Samples<'_, S>,
        mut grad_output: SamplesMut<'_, S>,
        grad_input: Option<SamplesMut<'_, S>>,
        _: &mut [f32],
    ) {
        if let Some(mut grad_input) = grad_input {
            grad_input.values().copy_from_slice(grad_output.values());
        }
    }
}

const TWO: usize = 2;

network! {
    /// A type before everything else.
    pub Unknown<4, 9, 9> {
        Same, batch_norm2d, relu, conv2d<{ channels * TWO }, 3>(groups = TWO, padding = same), leaky_relu,
        Same, conv2d<channels, { TWO + 1 }>(groups = channels, padding = (TWO, 0, 1, TWO)), gelu,
        Same, max_pool2d<{ TWO }>(ceil_mode = true), dropout2d, prelu(num_parameters = channels),
        Same, conv_transpose2d<{ TWO }, 3>(stride = TWO, output_padding = 1, groups = TWO), batch_norm2d,
        Same, upsample(scale_factor = { TWO }), local_response_norm<TWO>, zero_pad2d<(0, TWO, 1, 1)>, hardswish,
        Same, upsample(size = (7, { TWO + 6 }), mode = bilinear), adaptive_max_pool2d<{ TWO }> => <2, 2, 2>,
        flatten, linear<{ TWO + 1 }>, log_softmax,
    }
}

fn main() {
    let mut net = Unknown::new(0);
    let _: Batch<Flat<3>> = net.forward(&Batch::<Chw<4, 9, 9>>::zeros(1));
    let labels = Labels::new(&[2]).unwrap();
    let mut training = Training::new(0);
    training.backward(Mode::Training, &mut net, &Batch::zeros(1), &CrossEntropy::new(&labels)).unwrap();
}

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
    /// Normalizations, of which some have a weight for each value of a map that the macro does not know.
    pub Normalizations<4, 9, 9> {
        Same, layer_norm, Same, rms_norm(over = channels), Same, group_norm<TWO>, Same, instance_norm2d(affine = true),
        Same, rms_norm, conv2d<{ TWO * 3 }, { TWO + 1 }>(stride = TWO), layer_norm(over = channels), group_norm<{ TWO + 1 }>,
        layer_norm(bias = false), flatten, Same, batch_norm1d, Same, layer_norm, group_norm<TWO>, linear<3>, batch_norm1d,
    }

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
    let mut net = Normalizations::new(0);
    let targets = Batch::<Flat<3>>::zeros(2);
    let loss = MeanSquaredError::new(&targets);
    Training::new(0).backward(Mode::Training, &mut net, &Batch::zeros(2), &loss).unwrap();
    let tensors = net.weights().tensors();
    let sizes: Vec<_> = tensors.filter(|tensor| tensor.name.ends_with("weight")).map(|tensor| tensor.parameter.rank).collect();
    assert_eq!(sizes, [3, 1, 1, 1, 3, 4, 1, 1, 3, 1, 1, 1, 2, 1]);

    let mut net = Unknown::new(0);
    let _: Batch<Flat<3>> = net.forward(&Batch::<Chw<4, 9, 9>>::zeros(1));
    let labels = Labels::new(&[2]).unwrap();
    let mut training = Training::new(0);
    training.backward(Mode::Training, &mut net, &Batch::zeros(1), &CrossEntropy::new(&labels)).unwrap();
}

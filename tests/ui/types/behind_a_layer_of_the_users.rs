//! What the macro says of maps that it knows, rustc says of those that only it knows.
use cnn_core::layer::{Owned, Pass};
use cnn_core::prelude::*;
use cnn_core::shape::Shape;
use cnn_core::tensor::{Samples, SamplesMut};

/// A layer of which the macro knows nothing.
pub struct Same;

impl<S: Shape> Layer<S> for Same {
    type Output = S;

    fn forward(_: &mut Pass<'_>, _: Owned<'_>, _: Samples<'_, S>, _: SamplesMut<'_, S>) {}

    fn backward(
        _: &mut Pass<'_>,
        _: Owned<'_>,
        _: Samples<'_, S>,
        _: Samples<'_, S>,
        _: SamplesMut<'_, S>,
        _: Option<SamplesMut<'_, S>>,
        _: &mut [f32],
    ) {
    }
}

network! {
    /// A kernel that is too large.
    pub Kernel<6, 9, 4> { Same, conv: conv2d<8, 3>(stride = (1, 2), dilation = (1, 3)) }
    /// A remainder.
    pub Remainder<6, 28, 28> { Same, conv: conv2d<8, 3>(stride = 2, strict) }
    /// Groups of the input.
    pub GroupsOfInput<6, 8, 8> { Same, conv: conv2d<8, 3>(groups = 4) }
    /// Groups of the output.
    pub GroupsOfOutput<6, 8, 8> { Same, conv: conv2d<8, 3>(groups = 3) }
    /// Padding of a pooling.
    pub Pool<6, 8, 8> { Same, pool: max_pool2d<3>(padding = 2, dilation = 2) }
    /// A pooling that is too large.
    pub LargePool<6, 8, 8> { Same, pool: avg_pool2d<12>(stride = 2, ceil_mode = true) }
    /// A remainder of a whole dilation.
    pub Gained<6, 8, 8> { Same, up: conv_transpose2d<8, 3>(dilation = 2, output_padding = 2) }
    /// Padding that takes all.
    pub Taken<6, 1, 1> { Same, up: conv_transpose2d<8, 3>(padding = (1, 2, 1, 1)) }
    /// Slopes of other channels.
    pub Slopes<6, 8, 8> { Same, slopes: prelu(num_parameters = 4) }
    /// A part of a cell.
    pub Part<6, 8, 2> { Same, up: upsample(scale_factor = (1, 0.4)) }
    /// Another map than stated.
    pub Stated<6, 8, 8> { Same, conv: conv2d<8, 3> => <8, 8, 8> }
    /// A map for a linear layer.
    pub Linear<6, 8, 8> { Same, fc: linear<10> }
    /// Features for a convolution.
    pub Flattened<6, 8, 8> { flatten, Same, conv: conv2d<8, 3> }
    /// Branches of other maps.
    pub Sum<6, 8, 8> { Same, sum: add { long: [conv2d<8, 3>, Same], [] } }
}

fn main() {}

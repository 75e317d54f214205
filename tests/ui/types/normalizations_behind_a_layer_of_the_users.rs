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
    /// Groups of a part of a channel.
    pub Groups<6, 8, 8> { Same, norm: group_norm<4> }
    /// A deviation of one value.
    pub One<6, 1, 1> { Same, norm: instance_norm2d }
    /// Features for a normalization of maps.
    pub Features<6> { Same, norm: batch_norm2d }
    /// A map for a normalization of features.
    pub Map<6, 8, 8> { Same, norm: batch_norm1d }
}

fn main() {}

//! What comes out of another macro is in groups without delimiters.
use cnn_core::prelude::*;

macro_rules! classifier {
    ($name:ident, $vis:vis, $channels:literal, $side:expr, $act:ident, $classes:expr, $bias:expr, $layer:ty, $map:path) => {
        network! {
            $vis $name<$channels, $side, $side> {
                conv: conv2d<{ 2 * $channels }, $channels>(padding = $side / 8, bias = $bias),
                $act,
                $layer,
                conv2d<$classes, 1>,
                $map => <$classes, 8, 8>,
                adaptive_avg_pool2d<1>,
                flatten,
                fc: linear<$classes>,
            }
        }
    };
}

/// Takes every map and leaves it.
pub struct Same;

impl<S: cnn_core::shape::Shape> Layer<S> for Same {
    type Output = S;

    fn forward(
        _: &mut cnn_core::layer::Pass<'_>,
        _: cnn_core::layer::Owned<'_>,
        input: cnn_core::tensor::Samples<'_, S>,
        mut output: cnn_core::tensor::SamplesMut<'_, S>,
    ) {
        output.values().copy_from_slice(input.values());
    }

    fn backward(
        _: &mut cnn_core::layer::Pass<'_>,
        _: cnn_core::layer::Owned<'_>,
        _: cnn_core::tensor::Samples<'_, S>,
        _: cnn_core::tensor::Samples<'_, S>,
        mut grad_output: cnn_core::tensor::SamplesMut<'_, S>,
        grad_input: Option<cnn_core::tensor::SamplesMut<'_, S>>,
        _: &mut [f32],
    ) {
        if let Some(mut grad_input) = grad_input {
            grad_input.values().copy_from_slice(grad_output.values());
        }
    }
}

classifier!(Small, pub, 3, 4 + 4, relu, 10, false, Same, crate::Same);

fn main() {
    let _: Batch<Flat<10>> = Small::new(0).forward(&Batch::<Chw<3, 8, 8>>::zeros(1));
}

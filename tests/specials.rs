//! NaN and infinity in whole networks: they do not vanish behind a rectifier or a dropout, wherever the macro puts these.

use cnn_core::prelude::*;
use cnn_core::shape::Shape;
use cnn_core::tensor::{Samples, SamplesMut};

network! {
    /// As the convolution writes.
    pub InConvolution<1, 2, 3> { conv: conv2d<1, 1>, relu }
    /// The same to another end.
    pub InConvolution6<1, 2, 3> { conv: conv2d<1, 1>, relu6 }
    /// A convolution of its own channels.
    pub InDepthwise<1, 2, 3> { widen: conv2d<2, 1>, conv: conv2d<2, 1>(groups = 2), relu }
    /// A transposed convolution.
    pub InTransposed<1, 2, 3> { conv: conv_transpose2d<1, 1>, relu }
    /// A linear layer for each cell.
    pub InLinear<1, 1, 1> { flatten, conv: linear<1>, relu }
    /// A normalization in evaluation.
    pub InNormalization<1, 2, 3> { conv: conv2d<1, 1>, batch_norm2d, relu6 }
    /// A sum.
    pub InSum<1, 2, 3> { conv: conv2d<1, 1>, add { [], conv2d<1, 1>(bias = false) }, relu }
    /// A sum whose rectifier has another end.
    pub BehindSum<1, 2, 3> { conv: conv2d<1, 1>, add { [], conv2d<1, 1>(bias = false) }, relu6 }
    /// In the place of its input.
    pub InPlace<1, 2, 3> { conv: conv2d<1, 1>, avg_pool2d<1>, relu }
    /// In the place of its input, again.
    pub InPlace6<1, 2, 3> { conv: conv2d<1, 1>, avg_pool2d<1>, relu6, dropout(p = 0.0) }
    /// Beside another reader of its input.
    pub Apart<1, 2, 3> { conv: conv2d<1, 1>, concat { relu, relu6 } }
    /// A slope of NaN.
    pub Hard<1, 2, 3> { conv: conv2d<1, 1>, hardswish }
    /// Half of it.
    pub Dropped<1, 8, 8> { dropout }
    /// Half of its channels.
    pub DroppedChannels<64, 1, 1> { dropout2d }
}

/// A loss of nothing with a gradient of one everywhere.
struct Ones;

impl<S: Shape> Loss<S> for Ones {
    fn evaluate(&self, _: Samples<'_, S>, mut grad_output: SamplesMut<'_, S>) -> Result<f32, Error> {
        grad_output.values().fill(1.0);
        Ok(0.0)
    }
}

/// The gradient of the bias of `conv`, of a batch of two samples, the first of which is NaN and the second negative, or
/// between the ends of the rectifiers.
fn bias_gradient<N: Network>(second: f32) -> f32 {
    let mut net = N::new(0);
    net.weights_mut().values_mut().fill(1.0);
    let first = vec![f32::NAN; N::Input::LEN];
    let batch = Batch::from_nchw(&[first, vec![second; N::Input::LEN]].concat()).unwrap();
    let mut training = Training::<N>::new(0);
    training.backward(Mode::Evaluation, &mut net, &batch, &Ones).unwrap();
    let bias = training.gradients().tensors().find(|tensor| tensor.name == "conv.bias");
    bias.expect("a bias of that name").to_pytorch()[0]
}

#[test]
fn the_gradient_of_a_rectifier_at_nan_is_all_of_it() {
    fn check<N: Network>(of_each_cell: f32) {
        let cells = of_each_cell * N::Input::SIZES.positions() as f32;
        assert_eq!(bias_gradient::<N>(-9.0), cells, "{}", N::NAME);
        assert_eq!(bias_gradient::<N>(0.5), 2.0 * cells, "{}", N::NAME);
    }
    check::<InConvolution>(1.0);
    check::<InConvolution6>(1.0);
    check::<InDepthwise>(1.0);
    check::<InTransposed>(1.0);
    check::<InLinear>(1.0);
    check::<InSum>(2.0);
    check::<BehindSum>(2.0);
    check::<InPlace>(1.0);
    check::<InPlace6>(1.0);
    check::<Apart>(2.0);
    // `(1 + x) / sqrt(1 + eps)`, and so is its slope.
    let cells = 6.0 / (1.0 + 1e-5_f32).sqrt();
    assert!((bias_gradient::<InNormalization>(-9.0) - cells).abs() < 1e-5);
    assert!((bias_gradient::<InNormalization>(0.5) - 2.0 * cells).abs() < 1e-5);
}

#[test]
fn hardswish_has_a_slope_of_nan_at_nan() {
    assert!(bias_gradient::<Hard>(1.0).is_nan());
}

/// PyTorch multiplies by zero: `F.dropout(torch.full((8,), inf))` is infinity and NaN.
#[test]
fn what_is_dropped_does_not_hide_infinity() {
    fn check<N: Network>() {
        let batch = Batch::from_nchw(&vec![f32::INFINITY; N::Input::LEN]).unwrap();
        let mut training = Training::<N>::new(3);
        training.backward(Mode::Training, &mut N::new(0), &batch, &Ones).unwrap();
        let values = training.output().values();
        let (kept, dropped) = (values.iter().filter(|x| **x == f32::INFINITY), values.iter().filter(|x| x.is_nan()));
        let (kept, dropped) = (kept.count(), dropped.count());
        assert!(kept > 16 && dropped > 16 && kept + dropped == 64, "{}: {kept} and {dropped}", N::NAME);
    }
    check::<Dropped>();
    check::<DroppedChannels>();
}

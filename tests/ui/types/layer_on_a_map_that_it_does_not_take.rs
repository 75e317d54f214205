use cnn_core::layer::{Owned, Pass};
use cnn_core::prelude::*;
use cnn_core::tensor::{Samples, SamplesMut};

/// Sums each row.
struct SumOfRows;

impl<const C: usize, const H: usize, const W: usize> Layer<Chw<C, H, W>> for SumOfRows {
    type Output = Chw<C, H, 1>;

    fn forward(
        _: &mut Pass<'_>,
        _: Owned<'_>,
        _: Samples<'_, Chw<C, H, W>>,
        _: SamplesMut<'_, Self::Output>,
    ) {
    }

    fn backward(
        _: &mut Pass<'_>,
        _: Owned<'_>,
        _: Samples<'_, Chw<C, H, W>>,
        _: Samples<'_, Self::Output>,
        _: SamplesMut<'_, Self::Output>,
        _: Option<SamplesMut<'_, Chw<C, H, W>>>,
        _: &mut [f32],
    ) {
    }
}

network! {
    Net<1, 28, 28> { conv2d<6, 5>, flatten, sums: SumOfRows, fc: linear<10> }
}

fn main() {
    let scores: Batch<Flat<10>> = Net::new(0).forward(&Batch::zeros(1));
    println!("{:?}", scores.argmax());
}

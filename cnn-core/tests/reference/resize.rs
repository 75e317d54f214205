use cnn_core::kernel::geometry::{Interpolation, Layout, Pad2dGeometry, Padding, PaddingMode, Upsample2dGeometry};
use cnn_core::reference::{pad2d, upsample};
use proptest::prelude::*;

use super::{check, dot, pair, values};

fn interpolation() -> impl Strategy<Value = Interpolation> {
    prop_oneof![
        Just(Interpolation::Nearest),
        any::<bool>().prop_map(|align_corners| Interpolation::Bilinear { align_corners }),
    ]
}

proptest! {
    #[test]
    fn upsample_backward_is_the_derivative_of_forward(
        (geometry, input, grad_output) in (1..=2usize, pair(1..=5), pair(1..=9), interpolation(), 1..=2usize)
            .prop_flat_map(|(channels, in_size, out_size, interpolation, n)| {
                let geometry = Upsample2dGeometry { channels, in_size, out_size, scale_factor: None, interpolation, layout: Layout::DENSE };
                (Just(geometry), values(n * geometry.in_len()), values(n * geometry.out_len()))
            })
    ) {
        let grad_input = upsample::backward(&geometry, &grad_output);
        check("input", &grad_input, |input| dot(&upsample::forward(&geometry, input), &grad_output), &input);
    }

    #[test]
    fn a_constant_map_stays_constant(in_size in pair(1..=5), out_size in pair(1..=9), interpolation in interpolation()) {
        let geometry = Upsample2dGeometry { channels: 1, in_size, out_size, scale_factor: None, interpolation, layout: Layout::DENSE };
        for value in upsample::forward(&geometry, &vec![3.0; geometry.in_len()]) {
            prop_assert!((value - 3.0).abs() < 1e-14);
        }
    }

    #[test]
    fn pad2d_backward_is_the_derivative_of_forward(
        (geometry, input, grad_output) in (1..=2usize, pair(1..=4), prop::array::uniform4(0..=3usize), 0..4usize, 1..=2usize)
            .prop_flat_map(|(channels, in_size, sides, mode, n)| {
                let mode = [PaddingMode::Constant(0.5), PaddingMode::Reflect, PaddingMode::Replicate, PaddingMode::Circular][mode];
                let most = |cells: usize| match mode {
                    PaddingMode::Reflect => cells - 1,
                    PaddingMode::Circular => cells,
                    _ => usize::MAX,
                };
                let [top, bottom, left, right] = [0, 1, 2, 3].map(|side| sides[side].min(most(in_size[side / 2])));
                let padding = Padding { top, bottom, left, right };
                let geometry = Pad2dGeometry { channels, in_size, padding, mode, layout: Layout::DENSE };
                (Just(geometry), values(n * geometry.in_len()), values(n * geometry.out_len()))
            })
    ) {
        let grad_input = pad2d::backward(&geometry, &grad_output);
        check("input", &grad_input, |input| dot(&pad2d::forward(&geometry, input), &grad_output), &input);
    }
}

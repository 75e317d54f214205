//! Reductions on every instruction set against plain loops in f64, and at infinities and NaN.

mod kernel;

use cnn_core::kernel::Write;
use cnn_core::kernel::geometry::{Layout, Over, Reduction, ReductionGeometry};
use cnn_core::kernel::isa::{self, Isa};
use cnn_core::kernel::pointwise::reduce;
use cnn_core::reference;
use kernel::fill;
use proptest::prelude::*;

const REDUCTIONS: [Reduction; 5] =
    [Reduction::Sum, Reduction::Mean, Reduction::Max, Reduction::LogSumExp, Reduction::Norm];
const OVER: [Over; 3] = [Over::Channels, Over::Space, Over::All];

/// The channels of each cell alone.
fn dense(values: &[f32], stride: usize, channels: usize) -> Vec<f64> {
    values.chunks(stride).flat_map(|cell| cell[..channels].iter().copied().map(f64::from)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn many_values_become_one(
        which in 0..5_usize, over in 0..3_usize, channels in 1..=70_usize, cells in 1..=200_usize, samples in 0..=3_usize,
        extra in 0..3_usize, out_extra in 0..3_usize, adds in any::<bool>(), offset in -3..=3_i32,
    ) {
        let mut geometry = ReductionGeometry {
            reduction: REDUCTIONS[which], over: OVER[over], channels, cells, layout: Layout { in_stride: 0, out_stride: 0 },
        };
        let (in_stride, out_stride) = (channels + extra, geometry.output().channels + out_extra);
        geometry.layout = Layout { in_stride, out_stride };
        let offset = offset as f32 * 10.0;
        let input: Vec<f32> = fill(samples * cells * in_stride, 1).iter().map(|x| x + offset).collect();
        let grad = fill(samples * geometry.output().sample_step(), 2);
        let own = |values: &[f32]| dense(values, out_stride, geometry.output().channels);
        let plain = dense(&input, in_stride, channels);
        let expected = reference::reduce::forward(&geometry, &plain);
        let slopes = reference::reduce::backward(&geometry, &plain, &own(&grad));
        for isa in Isa::available() {
            isa::with(isa, || {
                let mut output = fill(grad.len(), 3);
                let before = output.clone();
                reduce::forward(&geometry, &input, &mut output);
                // Sums of so many numbers of this size round by so much.
                let count = geometry.count() as f64;
                let most = 1e-6 * (1.0 + f64::from(offset.abs())) * if which == 0 { count.max(1.0) } else { count.sqrt().max(1.0) };
                for (found, expected) in own(&output).iter().zip(&expected) {
                    assert!((found - expected).abs() <= most, "{} {found} {expected}", isa.name());
                }
                for (index, (after, before)) in output.iter().zip(&before).enumerate() {
                    assert!(index % out_stride < geometry.output().channels || after.to_bits() == before.to_bits());
                }
                let mut found = fill(input.len(), 4);
                let before = found.clone();
                reduce::backward(&geometry, &input, &output, &grad, &mut found, if adds { Write::Add } else { Write::Store });
                let cells = found.chunks(in_stride).zip(before.chunks(in_stride));
                for ((found, before), slopes) in cells.zip(slopes.chunks(channels)) {
                    for channel in 0..channels {
                        let expected = slopes[channel] + if adds { f64::from(before[channel]) } else { 0.0 };
                        assert!((f64::from(found[channel]) - expected).abs() <= 1e-5, "{} {} {expected}", isa.name(), found[channel]);
                    }
                    assert_eq!(found[channels..], before[channels..]);
                }
            });
        }
    }
}

#[test]
fn infinities_and_nan_are_pytorch_s() {
    const INF: f32 = f32::INFINITY;
    // `torch.sum`, `mean`, `amax`, `logsumexp` and `norm` of each row.
    let cases: [([f32; 3], [f32; 5]); 6] = [
        ([f32::NAN, 1.0, 2.0], [f32::NAN; 5]),
        ([INF, 1.0, 2.0], [INF; 5]),
        ([-INF, -INF, -INF], [-INF, -INF, -INF, -INF, INF]),
        ([INF, -INF, 0.0], [f32::NAN, f32::NAN, INF, INF, INF]),
        ([1e4, 1e4, -1e4], [1e4, 1e4 / 3.0, 1e4, 1e4 + std::f32::consts::LN_2, 17320.508]),
        ([0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0986123, 0.0]),
    ];
    for isa in Isa::available() {
        isa::with(isa, || {
            for (which, reduction) in REDUCTIONS.into_iter().enumerate() {
                for over in OVER {
                    let [channels, cells] = if over == Over::Space { [1, 3] } else { [3, 1] };
                    let layout = Layout { in_stride: 0, out_stride: 0 };
                    let geometry = ReductionGeometry { reduction, over, channels, cells, layout };
                    for (values, expected) in &cases {
                        let mut output = [0.0];
                        reduce::forward(&geometry, values, &mut output);
                        let (found, expected) = (output[0], expected[which]);
                        let is_same = found == expected || found.is_nan() && expected.is_nan();
                        let is_near = (found - expected).abs() <= 1e-6 * expected.abs();
                        assert!(
                            is_same || is_near,
                            "{reduction:?} over {over:?} of {values:?} on {}: {found} {expected}",
                            isa.name()
                        );
                    }
                }
            }
            // No slope where there is no length.
            let geometry = ReductionGeometry {
                reduction: Reduction::Norm,
                over: Over::All,
                channels: 3,
                cells: 1,
                layout: Layout { in_stride: 0, out_stride: 0 },
            };
            let mut gradient = [1.0; 3];
            reduce::backward(&geometry, &[0.0; 3], &[0.0], &[1.0], &mut gradient, Write::Store);
            assert_eq!(gradient, [0.0; 3]);
        });
    }
}

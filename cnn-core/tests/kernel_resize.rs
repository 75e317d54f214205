//! Upsampling, zeros around a map, and local response normalization, against the reference.

mod kernel;

use cnn_core::kernel::Write;
use cnn_core::kernel::geometry::{
    Interpolation, Layout, LocalResponseNormGeometry, Pad2dGeometry, Padding, PaddingMode, Upsample2dGeometry,
};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::local_response_norm;
use cnn_core::kernel::resampling::pad2d;
use cnn_core::kernel::resampling::upsample;
use cnn_core::reference;
use kernel::{Part, everywhere, fractions, wide};
use proptest::prelude::*;

/// Other channels beside those of the input and of the output.
const EXTRAS: [[usize; 2]; 3] = [[0, 0], [3, 5], [17, 0]];

/// A layer without parameters beside its definition. The fast one takes its strides.
struct Case<F, B> {
    channels: usize,
    /// Values of the input and of the output.
    lens: [usize; 2],
    forward: F,
    backward: B,
    expected: Vec<f64>,
    expected_gradient: Vec<f64>,
    tolerance: f64,
}

fn input(len: usize) -> Vec<f32> {
    fractions(len, 1)
}

fn grad_output(len: usize) -> Vec<f32> {
    fractions(len, 2)
}

impl<F, B> Case<F, B>
where
    F: Fn([usize; 2], &[f32], &mut [f32]) + Sync,
    B: Fn([usize; 2], &[f32], &[f32], &mut [f32], Write) + Sync,
{
    fn check(&self) {
        let Self { channels, lens: [in_len, out_len], .. } = *self;
        for [in_extra, out_extra] in EXTRAS {
            let strides = [channels + in_extra, channels + out_extra];
            let x = Part::new(&input(in_len), channels, in_extra);
            let dy = Part::new(&grad_output(out_len), channels, out_extra);
            let found = everywhere(false, || {
                let mut output = Part::new(&vec![f32::NAN; out_len], channels, out_extra);
                (self.forward)(strides, x.slice(), output.slice_mut());
                let [stored, added] = [(f32::NAN, Write::Store), (1.0, Write::Add)].map(|(before, write)| {
                    let mut grad = Part::new(&vec![before; in_len], channels, in_extra);
                    (self.backward)(strides, x.slice(), dy.slice(), grad.slice_mut(), write);
                    grad.values()
                });
                [output.values(), stored, added].concat()
            });
            let added = self.expected_gradient.iter().map(|value| value + 1.0).collect();
            let expected = [self.expected.clone(), self.expected_gradient.clone(), added].concat();
            assert_eq!(found.len(), expected.len());
            for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let error = (f64::from(*found) - expected).abs();
                assert!(error <= self.tolerance * (1.0 + expected.abs()), "{index}: {found}, expected {expected}");
            }
        }
    }
}

fn check_upsample(batch: usize, geometry: Upsample2dGeometry) {
    let lens = [batch * geometry.in_len(), batch * geometry.out_len()];
    Case {
        channels: geometry.channels,
        lens,
        forward: |[a, b]: [usize; 2], x: &[f32], y: &mut [f32]| upsample::forward(&geometry.strided(a, b), x, y),
        backward: |[a, b]: [usize; 2], _: &[f32], dy: &[f32], dx: &mut [f32], write| {
            upsample::backward(&geometry.strided(a, b), dy, dx, write);
        },
        expected: reference::upsample::forward(&geometry, &wide(&input(lens[0]))),
        expected_gradient: reference::upsample::backward(&geometry, &wide(&grad_output(lens[1]))),
        // Sums of at most 100 products of rounded shares.
        tolerance: 1e-5,
    }
    .check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn upsampling_agrees_with_the_reference(
        batch in 0..=2usize,
        channels in 1..=70usize,
        in_size in [1..=7usize, 1..=7usize],
        out_size in [1..=15usize, 1..=15usize],
        factors in proptest::option::of([1.0..3.0, 1.0..3.0]),
        align_corners in any::<bool>(),
    ) {
        let scaled = |factors: [f64; 2]| [0, 1].map(|axis| (in_size[axis] as f64 * factors[axis]) as usize);
        let (out_size, scale_factor) = (factors.map_or(out_size, scaled), factors);
        for interpolation in [Interpolation::Nearest, Interpolation::Bilinear { align_corners }] {
            check_upsample(batch, Upsample2dGeometry { channels, in_size, out_size, scale_factor, interpolation, layout: Layout::DENSE });
        }
    }

    #[test]
    fn padding_agrees_with_the_reference(
        batch in 0..=2usize,
        channels in 1..=40usize,
        in_size in [1..=7usize, 1..=7usize],
        sides in [0..=3usize, 0..=3usize, 0..=3usize, 0..=3usize],
    ) {
        let modes = [PaddingMode::ZEROS, PaddingMode::Constant(-1.5), PaddingMode::Replicate, PaddingMode::Reflect, PaddingMode::Circular];
        for mode in modes {
            let most = |cells: usize| match mode {
                PaddingMode::Reflect => cells - 1,
                PaddingMode::Circular => cells,
                _ => usize::MAX,
            };
            let [top, bottom, left, right] = [0, 1, 2, 3].map(|side| sides[side].min(most(in_size[side / 2])));
            let padding = Padding { top, bottom, left, right };
            let geometry = Pad2dGeometry { channels, in_size, padding, mode, layout: Layout::DENSE };
            let lens = [batch * geometry.in_len(), batch * geometry.out_len()];
            Case {
                channels,
                lens,
                forward: |[a, b]: [usize; 2], x: &[f32], y: &mut [f32]| pad2d::forward(&geometry.strided(a, b), x, y),
                backward: |[a, b]: [usize; 2], _: &[f32], dy: &[f32], dx: &mut [f32], write| {
                    pad2d::backward(&geometry.strided(a, b), dy, dx, write);
                },
                expected: reference::pad2d::forward(&geometry, &wide(&input(lens[0]))),
                expected_gradient: reference::pad2d::backward(&geometry, &wide(&grad_output(lens[1]))),
                // Sums of what is there and at most sixteen values, of which a corner is shown by so many.
                tolerance: 2e-6,
            }
            .check();
        }
    }

    #[test]
    fn local_response_norm_agrees_with_the_reference(
        rows in 0..=90usize,
        channels in 1..=70usize,
        size in 1..=9usize,
        alpha in 1e-4..1.0f64,
        beta in prop_oneof![Just(0.75), Just(0.5), 0.1..2.0f64],
    ) {
        let geometry = LocalResponseNormGeometry { alpha, beta, k: 1.5, ..LocalResponseNormGeometry::new(channels, size) };
        let len = rows * channels;
        Case {
            channels,
            lens: [len, len],
            forward: |[a, b]: [usize; 2], x: &[f32], y: &mut [f32]| {
                local_response_norm::forward(&geometry.strided(a, b), x, y, &mut Scratch::default());
            },
            backward: |[a, b]: [usize; 2], x: &[f32], dy: &[f32], dx: &mut [f32], write| {
                local_response_norm::backward(&geometry.strided(a, b), x, dy, dx, write, &mut Scratch::default());
            },
            expected: reference::local_response_norm::forward(&geometry, &wide(&input(len))),
            expected_gradient: reference::local_response_norm::backward(&geometry, &wide(&input(len)), &wide(&grad_output(len))),
            // A few roundings of sums of at most 9 squares.
            tolerance: 3e-6,
        }
        .check();
    }
}

#[test]
fn enough_for_several_tasks() {
    let bilinear = Interpolation::Bilinear { align_corners: false };
    let (in_size, out_size, layout) = ([40, 30], [80, 60], Layout::DENSE);
    check_upsample(
        2,
        Upsample2dGeometry { channels: 70, in_size, out_size, scale_factor: None, interpolation: bilinear, layout },
    );
}

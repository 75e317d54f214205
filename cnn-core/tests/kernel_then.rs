//! Activations that a task applies to what it has just written: they have the bits of a step of its own, whatever the algorithm
//! and the instruction set, and the values of the reference.

mod kernel;

use cnn_core::kernel::convolution::packed::{self, MadeFor};
use cnn_core::kernel::convolution::{self, Epilogue, conv_transpose2d, linear};
use cnn_core::kernel::geometry::{
    Activation, BatchNorm2dGeometry, Conv2dAlgorithm, Conv2dGeometry, ConvTranspose2dGeometry, Layout, LinearGeometry,
    Padding,
};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::batch_norm2d::{self, Affine, AffineGradients, MapGradients, SavedMut};
use cnn_core::kernel::pointwise::activation::{self, Remembered};
use cnn_core::kernel::pointwise::join;
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{FusedActivation, Write};
use cnn_core::reference;
use kernel::activations::{ALL, THEN};
use kernel::convolutions::geometry;
use kernel::{Part, everywhere, whole_numbers, wide};
use proptest::prelude::*;

/// Whole sixteenths: sums are exact, and functions bend where they are.
fn sixteenths(len: usize, salt: u64) -> Vec<f32> {
    whole_numbers(len, salt).iter().map(|value| value / 16.0).collect()
}

/// The same with numbers among them that are not finite.
fn specials(len: usize, salt: u64) -> Vec<f32> {
    let mut values = sixteenths(len, salt);
    for (index, value) in [f32::INFINITY, f32::NAN, f32::NEG_INFINITY].into_iter().enumerate() {
        let step = 3 * len / 4 + 1;
        values.iter_mut().skip(index * len / 4).step_by(step).for_each(|place| *place = value);
    }
    values
}

/// Bits, where those of all NaN are the same.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| if value.is_nan() { f32::NAN.to_bits() } else { value.to_bits() }).collect()
}

fn assert_close(found: &[f32], expected: &[f64], what: &str) {
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs();
        // Winograd's sums of a few hundred terms, and the functions' own last digits.
        assert!(error <= 1e-4 + 1e-5 * expected.abs(), "{what}, {index}: {found}, expected {expected}");
    }
}

#[derive(Clone, Copy, Debug)]
struct Case {
    batch: usize,
    /// Its number in all activations.
    activation: usize,
    write: Write,
    /// Other channels beside those of the output.
    extra: usize,
}

impl Case {
    fn function(&self) -> Activation {
        ALL[self.activation]
    }

    fn fused(&self) -> FusedActivation {
        FusedActivation::Then(&THEN[self.activation])
    }

    /// What is in an output before.
    fn before(&self) -> f32 {
        if self.write == Write::Add { 1.0 } else { f32::NAN }
    }

    /// A map that `make` writes with the activation, and one that it writes without it, on which that works alone.
    fn both(&self, cells: usize, channels: usize, make: impl Fn(FusedActivation, &mut [f32])) -> Vec<f32> {
        let map = || Part::new(&vec![self.before(); cells * channels], channels, self.extra);
        let (mut together, mut apart) = (map(), map());
        make(self.fused(), together.slice_mut());
        make(FusedActivation::None, apart.slice_mut());
        let rows = RowsMut::strided(apart.slice_mut(), channels + self.extra);
        activation::forward_in_place(self.function(), channels, rows);
        assert_eq!(bits(&together.values()), bits(&apart.values()), "{self:?}");
        together.values()
    }

    /// The reference's activation of what a layer of its made.
    fn expected(&self, made: Vec<f64>) -> Vec<f64> {
        let before = if self.write == Write::Add { 1.0 } else { 0.0 };
        reference::activation::forward(self.function(), &made.iter().map(|value| value + before).collect::<Vec<_>>())
    }

    fn check_convolution(&self, geometry: &Conv2dGeometry) {
        let oc = geometry.out_channels;
        let strided = &geometry.strided(0, oc + self.extra);
        let [weight, bias] = [geometry.weight_len(), oc].map(|len| sixteenths(len, len as u64));
        let run = |input: &[f32], weight: &[f32]| {
            everywhere(false, || {
                let mut results = Vec::new();
                let cells = self.batch * geometry.out_len() / oc;
                for made_for in [None, Some(MadeFor::OneSample), Some(MadeFor::Batches)] {
                    results = self.both(cells, oc, |fused, output| {
                        let mut scratch = Scratch::default();
                        let epilogue = Epilogue { bias: Some(&bias), write: self.write, fused };
                        let Some(made_for) = made_for else {
                            return convolution::forward(strided, epilogue, input, weight, output, &mut scratch);
                        };
                        let mut filters = vec![f32::NAN; packed::packed_len(strided)];
                        packed::pack(strided, made_for, weight, Some(&bias), &mut filters);
                        let epilogue = Epilogue { bias: None, ..epilogue };
                        packed::forward(strided, epilogue, input, &filters, output, &mut scratch);
                    });
                }
                results
            })
        };
        let input = sixteenths(self.batch * geometry.in_len(), 1);
        let found = run(&input, &weight);
        let made = reference::conv2d::forward(geometry, &wide(&input), &wide(&weight), Some(&wide(&bias)));
        assert_close(&found, &self.expected(made), &format!("{self:?}, {geometry:?}"));
        run(&specials(input.len(), 1), &weight);
        run(&input, &specials(weight.len(), 2));
    }

    fn check_linear(&self, in_features: usize, out_features: usize) {
        let layout = Layout { in_stride: 0, out_stride: out_features + self.extra };
        let geometry = LinearGeometry { in_features, out_features, layout };
        let (input, weight) = (sixteenths(self.batch * in_features, 1), sixteenths(geometry.weight_len(), 2));
        let bias = sixteenths(out_features, 3);
        let run = |input: &[f32]| {
            everywhere(false, || {
                self.both(self.batch, out_features, |fused, output| {
                    let epilogue = Epilogue { bias: Some(&bias), write: self.write, fused };
                    linear::forward(&geometry, epilogue, input, &weight, output, &mut Scratch::default());
                })
            })
        };
        let made = reference::linear::forward(&geometry, &wide(&input), &wide(&weight), Some(&wide(&bias)));
        assert_close(&run(&input), &self.expected(made), &format!("{self:?}, {geometry:?}"));
        run(&specials(input.len(), 1));
    }

    fn check_transposed(&self, geometry: &ConvTranspose2dGeometry) {
        let oc = geometry.out_channels;
        let strided = &geometry.strided(0, oc + self.extra);
        let [weight, bias] = [geometry.weight_len(), oc].map(|len| sixteenths(len, len as u64));
        let run = |input: &[f32]| {
            everywhere(false, || {
                let mut results = Vec::new();
                for is_packed in [false, true] {
                    let cells = self.batch * geometry.out_len() / oc;
                    results = self.both(cells, oc, |fused, output| {
                        let mut scratch = Scratch::default();
                        let epilogue = Epilogue { bias: Some(&bias), write: self.write, fused };
                        if !is_packed {
                            return conv_transpose2d::forward(strided, epilogue, input, &weight, output, &mut scratch);
                        }
                        let mut filters = vec![f32::NAN; conv_transpose2d::packed_len(strided)];
                        conv_transpose2d::pack(strided, MadeFor::OneSample, &weight, Some(&bias), &mut filters);
                        let epilogue = Epilogue { bias: None, ..epilogue };
                        conv_transpose2d::forward_packed(strided, epilogue, input, &filters, output, &mut scratch);
                    });
                }
                results
            })
        };
        let input = sixteenths(self.batch * geometry.in_len(), 1);
        let made = reference::conv_transpose2d::forward(geometry, &wide(&input), &wide(&weight), Some(&wide(&bias)));
        assert_close(&run(&input), &self.expected(made), &format!("{self:?}, {geometry:?}"));
        run(&specials(input.len(), 1));
    }

    /// Sums, and their way back where the slope is told from them.
    fn check_sum(&self, rows: usize, channels: usize) {
        let (stride, function) = (channels + self.extra, self.function());
        let (a, b) = (specials(rows * channels, 1), sixteenths(rows * channels, 2));
        let branches = [&a, &b].map(|values| Part::new(values, channels, self.extra));
        everywhere(false, || {
            let [x, y] = branches.each_ref().map(|branch| Rows::strided(branch.slice(), stride));
            let sum = self.both(rows, channels, |fused, output| {
                join::add(channels, fused, x, y, RowsMut::strided(output, stride));
            });
            let mut accumulated = branches[1].clone();
            let to = RowsMut::strided(accumulated.slice_mut(), stride);
            join::accumulate(channels, self.fused(), x, to);
            assert_eq!(bits(&accumulated.values()), bits(&sum), "{self:?}");
            if !function.slope_of_output() {
                return sum;
            }
            let (mut together, mut apart) = (branches[1].clone(), branches[1].clone());
            let output = Rows::strided(accumulated.slice(), stride);
            let to = RowsMut::strided(together.slice_mut(), stride);
            join::rectify_backward(channels, self.fused(), output, to);
            let to = RowsMut::strided(apart.slice_mut(), stride);
            activation::backward_in_place(function, channels, Remembered::Output(output), to);
            assert_eq!(bits(&together.values()), bits(&apart.values()), "{self:?}");
            [sum, together.values()].concat()
        });
    }

    /// Forward and backward, as an activation of its own would be.
    fn check_normalization(&self, rows: usize, channels: usize) {
        let function = self.function();
        let geometry = &BatchNorm2dGeometry::new(channels).strided(0, channels + self.extra);
        let (input, grad) = (sixteenths(rows * channels, 1), sixteenths(rows * channels, 2));
        let (weight, bias) = (whole_numbers(channels, 3), sixteenths(channels, 4));
        let affine = Some(Affine { weight: &weight, bias: &bias });
        let grad_output = Part::new(&grad, channels, self.extra);
        everywhere(false, || {
            let scratch = &mut Scratch::default();
            let forward = |fused: FusedActivation, output: &mut [f32]| {
                let (mut mean, mut inverse_deviation) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
                let saved = SavedMut { mean: &mut mean, inverse_deviation: &mut inverse_deviation };
                let scratch = &mut Scratch::default();
                batch_norm2d::forward_training(geometry, affine, fused, &input, None, saved, output, scratch);
                (mean, inverse_deviation)
            };
            let mut made = Part::new(&vec![f32::NAN; input.len()], channels, self.extra);
            let (mean, inverse_deviation) = forward(FusedActivation::None, made.slice_mut());
            let output = self.both(rows, channels, |fused, output| _ = forward(fused, output));
            let saved = batch_norm2d::Saved { mean: &mean, inverse_deviation: &inverse_deviation };
            let mut backward = |fused: FusedActivation, grad_output: &[f32]| {
                let mut grad_input = vec![self.before(); input.len()];
                let (mut grad_weight, mut grad_bias) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
                let gradients = Some(AffineGradients { weight: &mut grad_weight, bias: &mut grad_bias });
                let maps = MapGradients::Apart { output: grad_output, input: Some((&mut grad_input[..], self.write)) };
                batch_norm2d::backward_training(geometry, saved, affine, &input, fused, maps, gradients, scratch);
                [grad_input, grad_weight, grad_bias].concat()
            };
            let together = backward(self.fused(), grad_output.slice());
            let mut grad_made = grad_output.clone();
            let stride = channels + self.extra;
            let remembered = Remembered::Input(Rows::strided(made.slice(), stride));
            let to = RowsMut::strided(grad_made.slice_mut(), stride);
            activation::backward_in_place(function, channels, remembered, to);
            let apart = backward(FusedActivation::None, grad_made.slice());
            assert_eq!(bits(&together), bits(&apart), "{self:?}");
            [output, together].concat()
        });
    }
}

fn case(most: usize) -> impl Strategy<Value = Case> {
    let extra = prop_oneof![Just(0usize), 1..=9usize];
    (1..=most, 0..ALL.len(), any::<bool>(), extra).prop_map(|(batch, activation, add, extra)| Case {
        batch,
        activation,
        write: if add { Write::Add } else { Write::Store },
        extra,
    })
}

const PLAIN: Conv2dGeometry = Conv2dGeometry {
    in_channels: 5,
    in_size: [9, 8],
    out_channels: 7,
    kernel_size: [3, 3],
    stride: [1, 1],
    padding: Padding::symmetric([1, 1]),
    unread: [0, 0],
    algorithm: Conv2dAlgorithm::Auto,
    dilation: [1, 1],
    groups: 1,
    layout: Layout::DENSE,
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn behind_a_convolution(case in case(3), geometry in geometry(7)) {
        case.check_convolution(&geometry);
    }

    #[test]
    fn behind_a_depthwise_convolution(case in case(2), geometry in geometry(1), channels in 2..=150usize) {
        let geometry =
            Conv2dGeometry { in_channels: channels, out_channels: channels, groups: channels, ..geometry };
        case.check_convolution(&geometry);
    }

    #[test]
    fn behind_winograds_convolution(
        case in case(3),
        [in_channels, out_channels] in [1..=40usize, 1..=70usize],
        in_size in [1..=13usize, 1..=13usize],
    ) {
        let algorithm = Conv2dAlgorithm::Winograd;
        case.check_convolution(&Conv2dGeometry { in_channels, out_channels, in_size, algorithm, ..PLAIN });
    }

    #[test]
    fn behind_a_linear_layer(case in case(40), in_features in 1..=70usize, out_features in 1..=70usize) {
        case.check_linear(in_features, out_features);
    }

    #[test]
    fn behind_a_transposed_convolution(
        case in case(2),
        [groups, ic, oc] in [1..=3usize, 1..=5usize, 1..=5usize],
        in_size in [1..=5usize, 1..=5usize],
        kernel_size in [1..=4usize, 1..=4usize],
        stride in [1..=3usize, 1..=3usize],
        dilation in [1..=2usize, 1..=2usize],
    ) {
        case.check_transposed(&ConvTranspose2dGeometry {
            in_channels: groups * ic,
            in_size,
            out_channels: groups * oc,
            kernel_size,
            stride,
            padding: Padding::symmetric([0, 0]),
            output_padding: [0, 0],
            dilation,
            groups,
            layout: Layout::DENSE,
        });
    }

    #[test]
    fn behind_a_sum(case in case(1), rows in 0..=400usize, channels in 1..=70usize) {
        case.check_sum(rows, channels);
    }

    #[test]
    fn behind_a_normalization(case in case(1), rows in 2..=300usize, channels in 1..=150usize) {
        case.check_normalization(rows, channels);
    }
}

#[test]
fn behind_all_tasks_of_large_layers() {
    let case = Case { batch: 3, activation: 6, write: Write::Store, extra: 0 };
    let wide = Conv2dGeometry { in_channels: 40, out_channels: 70, in_size: [21, 33], ..PLAIN };
    case.check_convolution(&wide);
    case.check_convolution(&Conv2dGeometry { out_channels: 6, in_size: [64, 64], ..PLAIN });
    case.check_convolution(&Conv2dGeometry { algorithm: Conv2dAlgorithm::Direct, ..wide });
    let groups = 70;
    case.check_convolution(&Conv2dGeometry { in_channels: groups, out_channels: groups, groups, ..wide });
    case.check_convolution(&Conv2dGeometry { in_size: [4, 4], in_channels: 260, out_channels: 300, ..PLAIN });
    case.check_linear(517, 300);
    Case { batch: 20, ..case }.check_linear(517, 300);
    case.check_sum(10_000, 67);
    case.check_normalization(10_000, 67);
}

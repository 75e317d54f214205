//! Normalizations of each sample by itself against the reference: of groups, of all values, of channels.

mod kernel;

use cnn_core::kernel::Write;
use cnn_core::kernel::geometry::{Activation, GroupNormGeometry};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::group_norm::{self, Affine, AffineGradients};
use cnn_core::reference::activation;
use cnn_core::reference::group_norm as reference;
use kernel::activations::{ALL, fused};
use kernel::{Part, everywhere, fractions, wide};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Case {
    samples: usize,
    geometry: GroupNormGeometry,
    /// Whether there is a weight, and whether there is a bias.
    affine: [bool; 2],
    activation: Option<Activation>,
    write: Write,
    /// Other channels beside those of the input and of the output.
    extra: [usize; 2],
}

struct Data {
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    grad_output: Vec<f32>,
}

const NAMES: [&str; 4] = ["output", "gradient of the input", "of the weight", "of the bias"];

impl Case {
    fn of(samples: usize, geometry: GroupNormGeometry) -> Self {
        Self { samples, geometry, affine: [true; 2], activation: None, write: Write::Store, extra: [0; 2] }
    }

    fn data(&self) -> Data {
        let (weights, values) =
            (self.geometry.weights(), self.geometry.channels * self.geometry.cells() * self.samples);
        Data {
            input: fractions(values, 1),
            weight: fractions(weights, 3),
            bias: fractions(weights, 4),
            grad_output: fractions(values, 7),
        }
    }

    fn run(&self, data: &Data) -> [Vec<f32>; 4] {
        let Self { write, extra: [in_extra, out_extra], affine: [has_weight, has_bias], .. } = *self;
        let channels = self.geometry.channels;
        let geometry = &self.geometry.strided(channels + in_extra, channels + out_extra);
        let part = |values: &[f32], extra: usize| Part::new(values, channels, extra);
        let mut scratch = Scratch::default();
        let input = part(&data.input, in_extra);
        let mut output = part(&vec![f32::NAN; data.input.len()], out_extra);
        let (weight, bias) = (has_weight.then_some(&data.weight[..]), has_bias.then_some(&data.bias[..]));
        let (fused, affine) = (fused(self.activation), Affine { weight, bias });
        group_norm::forward(geometry, affine, fused, input.slice(), output.slice_mut(), &mut scratch);

        let grad_output = part(&data.grad_output, out_extra);
        let before = if write == Write::Add { 1.0 } else { f32::NAN };
        let mut grad_input = part(&vec![before; data.input.len()], in_extra);
        let [mut grad_weight, mut grad_bias] =
            [has_weight, has_bias].map(|has| if has { vec![f32::NAN; geometry.weights()] } else { Vec::new() });
        let run = |grad_input: Option<(&mut [f32], Write)>, weights: [&mut Vec<f32>; 2], scratch: &mut Scratch| {
            let [grad_weight, grad_bias] = weights;
            let gradients = AffineGradients {
                weight: has_weight.then_some(&mut grad_weight[..]),
                bias: has_bias.then_some(&mut grad_bias[..]),
            };
            group_norm::backward(geometry, weight, input.slice(), grad_output.slice(), grad_input, gradients, scratch);
        };
        run(Some((grad_input.slice_mut(), write)), [&mut grad_weight, &mut grad_bias], &mut scratch);
        let [mut alone, mut bias_alone] = [grad_weight.clone(), grad_bias.clone()];
        run(None, [&mut alone, &mut bias_alone], &mut scratch);
        let bits = |of: [&Vec<f32>; 2]| of.map(|of| of.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
        assert_eq!(bits([&alone, &bias_alone]), bits([&grad_weight, &grad_bias]), "without that of the input");
        [output.values(), grad_input.values(), grad_weight, grad_bias]
    }

    fn reference(&self, data: &Data) -> [Vec<f64>; 4] {
        let [input, weight, bias, grad] = [&data.input, &data.weight, &data.bias, &data.grad_output].map(|of| wide(of));
        let (weight, bias) = (self.affine[0].then_some(&weight[..]), self.affine[1].then_some(&bias[..]));
        let mut output = reference::forward(&self.geometry, &input, weight, bias);
        if let Some(activation) = self.activation {
            output = activation::forward(activation, &output);
        }
        let mut gradients = reference::backward(&self.geometry, &input, weight, &grad);
        if self.write == Write::Add {
            gradients.input.iter_mut().for_each(|value| *value += 1.0);
        }
        let [weight, bias] = [(weight, gradients.weight), (bias, gradients.bias)]
            .map(|(has, gradient)| if has.is_some() { gradient } else { Vec::new() });
        [output, gradients.input, weight, bias]
    }

    fn check(&self) {
        self.check_with(&self.data(), 1e-5);
    }

    /// Of values that are large or lie close together, whose gradients are large too, errors count beside the largest.
    fn check_with(&self, data: &Data, tolerance: f64) {
        let expected = self.reference(data);
        let found = everywhere(false, || self.run(data).concat());
        let mut rest = &found[..];
        for (expected, name) in expected.iter().zip(NAMES) {
            let (found, behind) = rest.split_at(expected.len());
            rest = behind;
            let largest = expected.iter().fold(1.0, |largest: f64, value| largest.max(value.abs()));
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                let error = (f64::from(*found) - expected).abs();
                assert!(error <= tolerance * largest, "{name}, {index}: {found}, expected {expected}: {self:?}");
            }
        }
    }
}

fn geometry(channels: usize, groups: usize, size: [usize; 2], centered: bool, by_value: bool) -> GroupNormGeometry {
    GroupNormGeometry { centered, by_value, ..GroupNormGeometry::new(channels, size, groups) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn agrees_with_the_reference(
        samples in 1..=4usize,
        (groups, of_group) in prop_oneof![(1..=5usize, 1..=33usize), (1..=1usize, 1..=150usize), (1..=80usize, 1..=1usize)],
        size in prop_oneof![Just([1, 1]), [1..=9usize, 1..=9usize]],
        [centered, by_value, weight, bias, add] in any::<[bool; 5]>(),
        activation in prop::option::of(prop::sample::select(&ALL[..])),
        extra in prop_oneof![Just([0; 2]), [0..=9usize, 0..=9usize]],
    ) {
        // One value alone is zero whatever it was, and its gradient is nothing but rounding.
        prop_assume!(of_group * size[0] * size[1] > 2);
        let write = if add { Write::Add } else { Write::Store };
        let geometry = geometry(groups * of_group, groups, size, centered, by_value && groups == 1);
        Case { samples, geometry, affine: [weight, bias], activation, write, extra }.check();
    }
}

#[test]
fn many_rows_of_channels() {
    for (samples, channels) in [(5000, 7), (700, 96), (3, 40_000)] {
        for centered in [true, false] {
            Case::of(samples, geometry(channels, 1, [1, 1], centered, false)).check();
        }
    }
    Case::of(3000, geometry(24, 3, [1, 1], true, false)).check();
}

#[test]
fn samples_in_parts() {
    // Each is cut, the first into two parts and the last into sixteen.
    for (channels, groups, size, by_value) in
        [(64, 8, [32, 33], false), (20, 20, [61, 67], false), (3, 1, [150, 151], true), (130, 1, [70, 60], true)]
    {
        for centered in [true, false] {
            for (write, extra) in [(Write::Store, [0; 2]), (Write::Add, [3, 2])] {
                let geometry = geometry(channels, groups, size, centered, by_value);
                let activation = [Activation::Relu, Activation::Silu][usize::from(centered)];
                Case { write, extra, activation: Some(activation), ..Case::of(3, geometry) }.check();
                Case { affine: [false; 2], ..Case::of(1, geometry) }.check();
            }
        }
    }
}

#[test]
fn a_mean_far_from_zero_keeps_the_digits_of_the_deviation() {
    for geometry in [
        geometry(24, 3, [12, 11], true, false),
        geometry(24, 1, [12, 11], true, true),
        geometry(96, 1, [1, 1], true, false),
        geometry(64, 8, [32, 33], true, false),
        geometry(64, 1, [32, 33], true, true),
    ] {
        let case = Case::of(2, geometry);
        let mut data = case.data();
        data.input.iter_mut().for_each(|value| *value += 10_000.0);
        case.check_with(&data, 2e-5);
    }
}

/// A sum of squares starts near where the mean seems to be.
#[test]
fn the_first_positions_may_lie_far_from_the_rest() {
    for geometry in [
        geometry(3, 3, [61, 67], true, false),
        geometry(64, 8, [32, 33], true, false),
        geometry(64, 1, [32, 33], true, true),
        geometry(700, 1, [1, 1], true, false),
    ] {
        let case = Case::of(2, geometry);
        let mut data = case.data();
        let sample = geometry.channels * geometry.cells();
        for values in data.input.chunks_mut(sample) {
            values[..128 * geometry.channels.min(sample / 128)].iter_mut().for_each(|value| *value += 1000.0);
        }
        case.check_with(&data, 2e-5);
    }
}

#[test]
fn equal_values_become_the_bias() {
    for geometry in [
        geometry(6, 2, [3, 3], true, false),
        geometry(6, 1, [3, 3], true, true),
        geometry(20, 1, [1, 1], true, false),
        geometry(64, 8, [32, 33], true, false),
        // One value is its own mean.
        geometry(5, 5, [1, 1], true, false),
    ] {
        let case = Case::of(2, geometry);
        let mut data = case.data();
        for value in [0.0, 0.1, -12_345.678, 3e30] {
            data.input.fill(value);
            let [output, ..] = case.run(&data);
            for (index, output) in output.iter().enumerate() {
                assert_eq!(*output, data.bias[index % data.bias.len()], "of {value}");
            }
        }
    }
}

#[test]
fn nan_and_infinity_stay_in_their_group() {
    for (geometry, of_group) in [
        (geometry(6, 2, [3, 3], true, false), 3),
        (geometry(40, 40, [3, 3], true, false), 1),
        (geometry(6, 1, [3, 3], false, true), 6),
        (geometry(6, 1, [1, 1], true, false), 6),
        (geometry(64, 8, [32, 33], true, false), 8),
        (geometry(64, 1, [32, 33], true, true), 64),
    ] {
        let case = Case::of(3, geometry);
        let sample = geometry.channels * geometry.cells();
        for bad in [f32::NAN, f32::INFINITY] {
            let mut data = case.data();
            data.input[sample + 2] = bad;
            let group = |place: usize| place % geometry.channels / of_group;
            let is_of_group = |place: usize| place / sample == 1 && group(place) == group(2);
            everywhere(false, || {
                let [output, grad_input, ..] = case.run(&data);
                for (place, values) in output.iter().zip(&grad_input).enumerate() {
                    let finite = values.0.is_finite() && values.1.is_finite();
                    // Beside an infinite mean square all is zero.
                    assert!(finite != is_of_group(place) || bad == f32::INFINITY && is_of_group(place), "{place}");
                }
                output
            });
        }
    }
}

#[test]
fn an_empty_batch_has_zero_gradients() {
    for geometry in [geometry(6, 2, [3, 3], true, false), geometry(64, 1, [32, 33], true, true)] {
        let case = Case::of(0, geometry);
        let [output, _, grad_weight, grad_bias] = case.run(&case.data());
        assert!(output.is_empty());
        assert_eq!([grad_weight, grad_bias].concat(), vec![0.0; 2 * geometry.weights()]);
    }
}

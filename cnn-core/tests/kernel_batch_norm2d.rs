//! Batch normalization against the reference, with everything that may follow it.

mod kernel;

use cnn_core::kernel::geometry::{Activation, BatchNorm2dGeometry};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::batch_norm2d::{
    self, Affine, AffineGradients, MapGradients, Saved, SavedMut, Statistics, StatisticsMut,
};
use cnn_core::kernel::{FusedActivation, Write};
use cnn_core::reference::activation;
use cnn_core::reference::batch_norm2d as reference;
use kernel::activations::{ALL, fused};
use kernel::{Part, everywhere, fractions, wide};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Case {
    rows: usize,
    channels: usize,
    training: bool,
    affine: bool,
    activation: Option<Activation>,
    write: Write,
    /// Other channels beside those of the input and of the output.
    extra: [usize; 2],
}

const PLAIN: Case =
    Case { rows: 10, channels: 5, training: true, affine: true, activation: None, write: Write::Store, extra: [0; 2] };

struct Data {
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
    grad_output: Vec<f32>,
}

/// The parts that the results are cut into, for messages.
const NAMES: [&str; 7] =
    ["output", "running mean", "running variance", "gradient of the input", "of the weight", "of the bias", "in place"];

impl Case {
    fn geometry(&self) -> BatchNorm2dGeometry {
        let momentum = self.rows.is_multiple_of(2).then_some(0.1);
        BatchNorm2dGeometry { momentum, ..BatchNorm2dGeometry::new(self.channels) }
    }

    fn data(&self) -> Data {
        let Self { rows, channels, .. } = *self;
        // Neighbouring rows are apart, so that two of them are not nearly equal: a difference that is divided by a small
        // deviation would be all rounding.
        let apart = |(index, value): (usize, f32)| 0.4 * value + (index / channels % 2 * 10) as f32;
        let mut data = Data {
            input: fractions(rows * channels, 1).into_iter().enumerate().map(apart).collect(),
            weight: fractions(channels, 3),
            bias: fractions(channels, 4),
            mean: fractions(channels, 5),
            variance: fractions(channels, 6).iter().map(|value| value * value + 0.1).collect(),
            grad_output: fractions(rows * channels, 7),
        };
        self.leave_kinks(&mut data);
        data
    }

    /// Moves values away from where the activation's slope jumps: f32 and f64 may see them on different sides, and each has
    /// the gradient of its own.
    fn leave_kinks(&self, data: &mut Data) {
        let kinks: &[f64] = match self.activation {
            Some(Activation::Relu | Activation::LeakyRelu { .. }) => &[0.0],
            Some(Activation::Relu6) => &[0.0, 6.0],
            Some(Activation::Hardsigmoid | Activation::Hardswish) => &[-3.0, 3.0],
            _ => return,
        };
        loop {
            let (output, _) = self.reference_output(data);
            let is_near = |value: f64| kinks.iter().any(|kink| (value - kink).abs() < 1e-5);
            let near: Vec<_> = (0..output.len()).filter(|&index| is_near(output[index])).collect();
            if near.is_empty() {
                return;
            }
            for index in near {
                if self.affine {
                    data.bias[index % self.channels] += 0.01;
                } else {
                    data.input[index] += 0.01;
                }
            }
        }
    }

    /// What the activation gets, and the statistics.
    fn reference_output(&self, data: &Data) -> (Vec<f64>, reference::Statistics) {
        let geometry = &self.geometry();
        let (input, weight, bias) = (wide(&data.input), wide(&data.weight), wide(&data.bias));
        let running = reference::Statistics { mean: wide(&data.mean), variance: wide(&data.variance) };
        let statistics = if self.training { reference::statistics(geometry, &input) } else { running };
        let affine = self.affine.then_some(reference::Affine { weight: &weight, bias: &bias });
        (reference::forward(geometry, &input, &statistics, affine), statistics)
    }

    fn run(&self, data: &Data) -> [Vec<f32>; 7] {
        let Self { channels, activation, write, extra: [in_extra, out_extra], .. } = *self;
        let fused = fused(activation);
        let geometry = &self.geometry().strided(channels + in_extra, channels + out_extra);
        let part = |values: &[f32], extra: usize| Part::new(values, channels, extra);
        let input = part(&data.input, in_extra);
        let nothing = vec![f32::NAN; data.input.len()];
        let mut output = part(&nothing, out_extra);
        let mut scratch = Scratch::default();
        let affine = self.affine.then_some(Affine { weight: &data.weight, bias: &data.bias });
        let (mut running_mean, mut running_variance) = (data.mean.clone(), data.variance.clone());
        let (mut mean, mut inverse_deviation) = (vec![f32::NAN; channels], vec![f32::NAN; channels]);
        let mut in_place = part(&data.input, out_extra);
        let statistics = Statistics { mean: &data.mean, variance: &data.variance };
        if self.training {
            let running = StatisticsMut { batches: 4, mean: &mut running_mean, variance: &mut running_variance };
            let saved = SavedMut { mean: &mut mean, inverse_deviation: &mut inverse_deviation };
            let (input, output) = (input.slice(), output.slice_mut());
            batch_norm2d::forward_training(geometry, affine, fused, input, Some(running), saved, output, &mut scratch);
        } else {
            let (input, output, values) = (input.slice(), output.slice_mut(), in_place.slice_mut());
            batch_norm2d::forward_evaluation(geometry, statistics, affine, fused, input, output, &mut scratch);
            batch_norm2d::forward_evaluation_in_place(geometry, statistics, affine, fused, values, &mut scratch);
        }

        let grad_output = part(&data.grad_output, out_extra);
        let before = if write == Write::Add { 1.0 } else { f32::NAN };
        let mut grad_input = part(&vec![before; data.input.len()], in_extra);
        let statistics = if self.training { [&mean, &inverse_deviation] } else { [&data.mean, &data.variance] };
        let maps = MapGradients::Apart { output: grad_output.slice(), input: Some((grad_input.slice_mut(), write)) };
        let [grad_weight, grad_bias] = self.back(data, geometry, statistics, input.slice(), maps, &mut scratch);
        if write == Write::Store {
            let geometry = &self.geometry().strided(channels + out_extra, channels + out_extra);
            let [input, mut grad] = [&data.input, &data.grad_output].map(|values| part(values, out_extra));
            let maps = MapGradients::InPlace(grad.slice_mut());
            let [weight, bias] = self.back(data, geometry, statistics, input.slice(), maps, &mut scratch);
            let bits = |of: [&[f32]; 3]| of.concat().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            let (found, apart) =
                ([&grad.values()[..], &weight, &bias], [&grad_input.values()[..], &grad_weight, &grad_bias]);
            assert_eq!(bits(found), bits(apart), "in the place of the gradient");
        }
        let output = output.values();
        let in_place = if self.training { output.clone() } else { in_place.values() };
        [output, running_mean, running_variance, grad_input.values(), grad_weight, grad_bias, in_place]
    }

    /// The gradients of weight and bias; those of the maps are where they are.
    fn back(
        &self,
        data: &Data,
        geometry: &BatchNorm2dGeometry,
        [mean, second]: [&Vec<f32>; 2],
        input: &[f32],
        maps: MapGradients<'_>,
        scratch: &mut Scratch,
    ) -> [Vec<f32>; 2] {
        let fused = fused(self.activation);
        let affine = self.affine.then_some(Affine { weight: &data.weight, bias: &data.bias });
        let [mut weight, mut bias] = [(); 2].map(|()| vec![f32::NAN; self.channels]);
        let gradients = Some(AffineGradients { weight: &mut weight, bias: &mut bias });
        if self.training {
            let saved = Saved { mean, inverse_deviation: second };
            batch_norm2d::backward_training(geometry, saved, affine, input, fused, maps, gradients, scratch);
        } else {
            let given = Statistics { mean, variance: second };
            batch_norm2d::backward_evaluation(geometry, given, affine, input, fused, maps, gradients, scratch);
        }
        [weight, bias]
    }

    fn reference(&self, data: &Data) -> [Vec<f64>; 7] {
        let geometry = &self.geometry();
        let (input, weight) = (wide(&data.input), wide(&data.weight));
        let (mut output, statistics) = self.reference_output(data);
        let mut running = reference::Statistics { mean: wide(&data.mean), variance: wide(&data.variance) };
        if self.training {
            reference::update_running(geometry, &mut running, &statistics, self.rows, 4);
        }
        let mut grad = wide(&data.grad_output);
        if let Some(activation) = self.activation {
            grad = activation::backward(activation, &output, &grad);
            output = activation::forward(activation, &output);
        }
        let weight = self.affine.then_some(&weight[..]);
        let backward = if self.training { reference::backward_training } else { reference::backward_evaluation };
        let mut gradients = backward(geometry, &input, &statistics, weight, &grad);
        if self.write == Write::Add {
            gradients.input.iter_mut().for_each(|value| *value += 1.0);
        }
        let in_place = output.clone();
        [output, running.mean, running.variance, gradients.input, gradients.weight, gradients.bias, in_place]
    }

    fn check(&self) {
        let data = self.data();
        let expected = self.reference(&data);
        let found = everywhere(false, || self.run(&data).concat());
        let mut rest = &found[..];
        for (expected, name) in expected.iter().zip(NAMES) {
            let (found, behind) = rest.split_at(expected.len());
            rest = behind;
            // Sums of `rows` products up to 10 in size.
            let tolerance = if name.starts_with("of the") { 1e-6 * self.rows as f64 } else { 1e-4 };
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                let error = (f64::from(*found) - expected).abs();
                assert!(error <= tolerance + 2e-6 * expected.abs(), "{name}, {index}: {found}, expected {expected}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn agrees_with_the_reference(
        rows in 2..=300usize,
        channels in 1..=150usize,
        [training, affine, add] in any::<[bool; 3]>(),
        activation in prop::option::of(prop::sample::select(&ALL[..])),
        extra in prop_oneof![Just([0; 2]), [0..=9usize, 0..=9usize]],
    ) {
        let write = if add { Write::Add } else { Write::Store };
        Case { rows, channels, training, affine, activation, write, extra }.check();
    }
}

#[test]
fn enough_rows_for_all_chunks() {
    for activation in [Activation::Relu, Activation::Silu] {
        let case = Case { rows: 20_000, channels: 67, activation: Some(activation), ..PLAIN };
        case.check();
        Case { training: false, ..case }.check();
    }
}

#[test]
fn a_variance_far_from_zero_keeps_its_digits() {
    let (rows, channels) = (5000, 20);
    let geometry = BatchNorm2dGeometry::new(channels);
    // A mean of 10,000 deviations: the sum of squares alone would lose all of the variance.
    let input: Vec<f32> = fractions(rows * channels, 1).iter().map(|value| value + 10_000.0).collect();
    let expected = reference::statistics(&geometry, &wide(&input));
    let found = everywhere(false, || {
        let (mut mean, mut inverse) = (vec![0.0; channels], vec![0.0; channels]);
        let saved = SavedMut { mean: &mut mean, inverse_deviation: &mut inverse };
        let (mut output, mut scratch) = (vec![0.0; input.len()], Scratch::default());
        let fused = FusedActivation::None;
        batch_norm2d::forward_training(&geometry, None, fused, &input, None, saved, &mut output, &mut scratch);
        [mean, inverse].concat()
    });
    for c in 0..channels {
        assert_eq!(found[c], expected.mean[c] as f32);
        let inverse = 1.0 / (expected.variance[c] + geometry.eps).sqrt();
        let error = (f64::from(found[channels + c]) / inverse - 1.0).abs();
        assert!(error < 1e-6, "channel {c}: off by {error}");
    }
}

#[test]
fn an_empty_batch_moves_nothing_and_has_zero_gradients() {
    let case = Case { rows: 0, training: false, ..PLAIN };
    let data = case.data();
    for training in [true, false] {
        let [output, mean, _, _, grad_weight, grad_bias, ..] = Case { training, ..case }.run(&data);
        assert_eq!((output, mean), (Vec::new(), data.mean.clone()));
        assert_eq!([grad_weight, grad_bias].concat(), vec![0.0; 2 * case.channels]);
    }
}

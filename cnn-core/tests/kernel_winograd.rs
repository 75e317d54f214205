//! Winograd's convolution: as exact as it says, the same bits alone and in any batch, and everything that is not finite
//! where it belongs.

mod kernel;

use cnn_core::kernel::convolution::{self, Epilogue};
use cnn_core::kernel::geometry::{Activation, Conv2dAlgorithm, Conv2dGeometry, Layout, Padding};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::{FusedActivation, Write};
use cnn_core::random::{Key, Purpose};
use cnn_core::reference;
use kernel::{Part, everywhere, wide};
use proptest::prelude::*;

const PLAIN: Conv2dGeometry = Conv2dGeometry {
    in_channels: 5,
    in_size: [9, 8],
    out_channels: 7,
    kernel_size: [3, 3],
    stride: [1, 1],
    padding: Padding::symmetric([1, 1]),
    unread: [0, 0],
    algorithm: Conv2dAlgorithm::Winograd,
    dilation: [1, 1],
    groups: 1,
    layout: Layout::DENSE,
};

/// Even in -1 to 1.
fn noise(len: usize, salt: u64) -> Vec<f32> {
    let mut values = vec![0.0; len];
    let key = Key { purpose: Purpose::Augmentation, seed: salt, step: 0, layer: 0, sample: 0 };
    key.stream().fill_symmetric(1.0, &mut values);
    values
}

#[derive(Clone, Debug)]
struct Data {
    geometry: Conv2dGeometry,
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    grad_output: Vec<f32>,
}

impl Data {
    fn new(geometry: Conv2dGeometry, batch: usize) -> Self {
        Self {
            geometry,
            input: noise(batch * geometry.in_len(), 1),
            weight: noise(geometry.weight_len(), 2),
            bias: noise(geometry.out_channels, 3),
            grad_output: noise(batch * geometry.out_len(), 4),
        }
    }

    fn sample(&self, index: usize) -> Self {
        let part = |values: &[f32], len: usize| values[index * len..(index + 1) * len].to_vec();
        Self {
            input: part(&self.input, self.geometry.in_len()),
            grad_output: part(&self.grad_output, self.geometry.out_len()),
            ..self.clone()
        }
    }

    /// Output, and the gradients of input, weight and bias.
    fn run(&self, fused: FusedActivation, write: Write, [in_extra, out_extra]: [usize; 2]) -> [Vec<f32>; 4] {
        let [ic, oc] = [self.geometry.in_channels, self.geometry.out_channels];
        let geometry = &self.geometry.strided(ic + in_extra, oc + out_extra);
        let before = if write == Write::Add { 1.0 } else { f32::NAN };
        let (input, grad_output) = (Part::new(&self.input, ic, in_extra), Part::new(&self.grad_output, oc, out_extra));
        let mut output = Part::new(&vec![before; self.grad_output.len()], oc, out_extra);
        let mut grad_input = Part::new(&vec![before; self.input.len()], ic, in_extra);
        let mut scratch = Scratch::default();
        let epilogue = Epilogue { bias: Some(&self.bias), write, fused };
        convolution::forward(geometry, epilogue, input.slice(), &self.weight, output.slice_mut(), &mut scratch);
        let (weight, dy) = (&self.weight, grad_output.slice());
        convolution::backward_input(geometry, weight, dy, grad_input.slice_mut(), write, &mut scratch);
        let (mut grad_weight, mut grad_bias) = (vec![f32::NAN; self.weight.len()], vec![f32::NAN; self.bias.len()]);
        let bias = Some(&mut grad_bias[..]);
        convolution::backward_weight(geometry, input.slice(), dy, &mut grad_weight, bias, &mut scratch);
        [output.values(), grad_input.values(), grad_weight, grad_bias]
    }

    /// The same in f64, and the sums of the products' magnitudes, which rounding is a share of.
    fn reference(&self, fused: FusedActivation, write: Write) -> [Vec<(f64, f64)>; 4] {
        let results = |absolute: bool| {
            let [input, weight, bias, dy] = [&self.input, &self.weight, &self.bias, &self.grad_output].map(|values| {
                let mut values = wide(values);
                values.iter_mut().filter(|_| absolute).for_each(|value| *value = value.abs());
                values
            });
            let mut output = reference::conv2d::forward(&self.geometry, &input, &weight, Some(&bias));
            let gradients = reference::conv2d::backward(&self.geometry, &input, &weight, &dy);
            let mut grad_input = gradients.input;
            if write == Write::Add {
                output.iter_mut().chain(&mut grad_input).for_each(|value| *value += 1.0);
            }
            match fused {
                _ if absolute => {}
                FusedActivation::None => {}
                FusedActivation::Then(_) => unreachable!("`kernel_then.rs` has these"),
                FusedActivation::Relu => output = reference::relu::forward(&output),
                FusedActivation::Relu6 => output = reference::activation::forward(Activation::Relu6, &output),
            }
            [output, grad_input, gradients.weight, gradients.bias]
        };
        let [values, magnitudes] = [false, true].map(results);
        [0, 1, 2, 3]
            .map(|result: usize| values[result].iter().copied().zip(magnitudes[result].iter().copied()).collect())
    }
}

/// How far a value may be from the reference, as a share of the largest sum of products' magnitudes: a tile's values are
/// made of all values under it, with roundings of 6e-8 each. Where a weight's gradient is one product (maps of 1x1), nothing
/// averages them out: of 6,000 geometries the worst was 2.4e-6 off, and of those with more products 1.5e-6. How well they do
/// on the whole is held by `rounding_is_at_most_three_times_that_of_pytorch`.
const TOLERANCE: f64 = 4e-6;

fn tolerance(expected: &[(f64, f64)]) -> f64 {
    TOLERANCE
        * expected.iter().map(|(_, magnitude)| *magnitude).filter(|magnitude| magnitude.is_finite()).fold(0.0, f64::max)
}

fn assert_close(found: &[f32], expected: &[(f64, f64)]) {
    assert_eq!(found.len(), expected.len());
    let tolerance = tolerance(expected);
    for (index, (found, (expected, _))) in found.iter().zip(expected).enumerate() {
        let off = (f64::from(*found) - expected).abs();
        assert!(off <= tolerance, "{index}: {found}, expected {expected}");
    }
}

fn check(data: &Data, fused: FusedActivation, write: Write, extra: [usize; 2]) {
    let expected = data.reference(fused, write);
    everywhere(false, || {
        let found = data.run(fused, write, extra);
        found.iter().zip(&expected).for_each(|(found, expected)| assert_close(found, expected));
        found.concat()
    });
}

fn geometry() -> impl Strategy<Value = Conv2dGeometry> {
    let padding = (0..=3usize, 0..=3usize, 0..=3usize, 0..=3usize);
    ([1..=70usize, 1..=70usize], [1..=14usize, 1..=14usize], padding).prop_map(
        |([in_channels, out_channels], size, (top, bottom, left, right))| {
            let padding = Padding { top, bottom, left, right };
            // A window has to fit.
            let around = padding.around();
            let in_size = [0, 1].map(|axis| size[axis].max(3_usize.saturating_sub(around[axis])));
            Conv2dGeometry { in_channels, in_size, out_channels, padding, ..PLAIN }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn agrees_with_the_reference(
        geometry in geometry(),
        batch in 0..=4usize,
        (fused, write) in prop_oneof![
            Just((FusedActivation::None, Write::Store)),
            Just((FusedActivation::Relu, Write::Add)),
            Just((FusedActivation::Relu6, Write::Store)),
        ],
        extra in prop_oneof![Just([0, 0]), Just([3, 0]), Just([0, 5]), Just([20, 13])],
    ) {
        check(&Data::new(geometry, batch), fused, write, extra);
    }
}

#[test]
fn filters_that_are_large_have_a_schedule_of_their_own() {
    for (in_channels, out_channels, batch) in [(256, 144, 3), (150, 256, 70)] {
        let geometry = Conv2dGeometry { in_channels, out_channels, in_size: [5, 6], ..PLAIN };
        check(&Data::new(geometry, batch), FusedActivation::Relu, Write::Add, [0, 0]);
    }
}

#[test]
fn a_sample_has_the_same_bits_alone_and_among_others() {
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    for (channels, size) in [([40, 33], [14, 11]), ([160, 256], [7, 7]), ([64, 64], [28, 28])] {
        let [in_channels, out_channels] = channels;
        let data = Data::new(Conv2dGeometry { in_channels, out_channels, in_size: size, ..PLAIN }, 33);
        everywhere(false, || {
            let together = data.run(FusedActivation::None, Write::Store, [0, 0]);
            for index in [0, 1, 16, 32] {
                let alone = data.sample(index).run(FusedActivation::None, Write::Store, [0, 0]);
                for (alone, together) in alone.iter().zip(&together).take(2) {
                    let part = &together[index * alone.len()..(index + 1) * alone.len()];
                    assert_eq!(bits(alone), bits(part), "sample {index} of {channels:?}");
                }
            }
            Vec::new()
        });
    }
}

/// Plants a value in one operand, and looks at the reference with NaN there for what depends on it.
fn check_planted(geometry: Conv2dGeometry, batch: usize, operand: usize, place: usize, value: f32) {
    let clean = Data::new(geometry, batch);
    let with = |value: f32| {
        let mut data = clean.clone();
        let operand = match operand {
            0 => &mut data.input,
            1 => &mut data.weight,
            _ => &mut data.grad_output,
        };
        let place = place % operand.len();
        operand[place] = value;
        data
    };
    let data = with(value);
    let marked = with(f32::NAN).reference(FusedActivation::None, Write::Store);
    let expected = data.reference(FusedActivation::None, Write::Store);
    everywhere(false, || {
        let found = data.run(FusedActivation::None, Write::Store, [0, 0]);
        for (result, found) in found.iter().enumerate() {
            let tolerance = tolerance(&expected[result]);
            for (index, found) in found.iter().enumerate() {
                let (expected, _) = expected[result][index];
                if marked[result][index].0.is_nan() && !expected.is_finite() {
                    let same = found.is_nan() && expected.is_nan() || f64::from(*found) == expected;
                    assert!(same, "{result}, {index}: {found}, expected {expected}");
                } else {
                    let off = (f64::from(*found) - expected).abs();
                    assert!(off <= tolerance, "{result}, {index}: {found}, expected {expected}");
                }
            }
        }
        Vec::new()
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Also where the filters are multiplied with padding.
    #[test]
    fn what_is_not_finite_stays_where_it_belongs(
        geometry in geometry(),
        batch in 1..=3usize,
        operand in 0..=2usize,
        place in any::<usize>(),
        value in prop_oneof![Just(f32::INFINITY), Just(f32::NEG_INFINITY), Just(f32::NAN)],
    ) {
        check_planted(geometry, batch, operand, place, value);
    }
}

/// The transforms make more than a float holds of it, and the direct form does not.
#[test]
fn a_number_that_overflows_in_a_transform_is_computed_directly() {
    for value in [f32::MAX, -f32::MAX, f32::MAX / 2.0] {
        for place in [0, 77, 200] {
            let mut data = Data::new(Conv2dGeometry { in_channels: 3, ..PLAIN }, 1);
            data.input.fill(0.0);
            let place = place % data.input.len();
            data.input[place] = value;
            data.bias.fill(0.0);
            let expected = data.reference(FusedActivation::None, Write::Store);
            everywhere(false, || {
                let [output, ..] = data.run(FusedActivation::None, Write::Store, [0, 0]);
                assert_close(&output, &expected[0]);
                output
            });
        }
    }
}

/// What a convolution is told costs in rounding: root mean square of the error beside that of the result, as a multiple of
/// PyTorch's, which was measured on this data's distribution (PyTorch 2.15, AVX2: outputs of rectified normal numbers and of
/// normal ones, gradients of normal ones, that of the weight 3.4e-7 at all sizes; `benches/peers/rounding.py`).
#[test]
fn rounding_is_at_most_three_times_that_of_pytorch() {
    for (channels, [rectified, normal, to_input]) in
        [(64, [2.9e-7, 4.2e-7, 2.2e-7]), (256, [5.9e-7, 8.3e-7, 2.2e-7]), (512, [8.2e-7, 11.7e-7, 2.4e-7])]
    {
        let geometry = Conv2dGeometry { in_channels: channels, out_channels: channels, in_size: [14, 14], ..PLAIN };
        let share = |found: &[f32], expected: &[(f64, f64)]| {
            let squares =
                found.iter().zip(expected).map(|(found, (expected, _))| (f64::from(*found) - expected).powi(2));
            let whole: f64 = expected.iter().map(|(expected, _)| expected * expected).sum();
            (squares.sum::<f64>() / whole).sqrt()
        };
        let mut data = Data::new(geometry, 1);
        data.bias.fill(0.0);
        // Sums of twelve numbers that are even in -1 to 1 are nearly normal, with a deviation of 2.
        let normal_numbers = |len: usize| {
            let parts: Vec<_> = (10..22).map(|salt| noise(len, salt)).collect();
            (0..len).map(|index| parts.iter().map(|part| part[index]).sum::<f32>() / 2.0).collect::<Vec<_>>()
        };
        data.input = normal_numbers(data.input.len());
        data.grad_output = normal_numbers(data.grad_output.len());
        let expected = data.reference(FusedActivation::None, Write::Store);
        let found = data.run(FusedActivation::None, Write::Store, [0, 0]);
        let [output, grad_input, grad_weight] = [0, 1, 2].map(|result: usize| share(&found[result], &expected[result]));
        data.input.iter_mut().for_each(|value| *value = value.max(0.0));
        let expected = data.reference(FusedActivation::None, Write::Store);
        let [of_rectified, ..] = data.run(FusedActivation::None, Write::Store, [0, 0]);
        let of_rectified = share(&of_rectified, &expected[0]);
        println!(
            "{channels}: rectified {of_rectified:.2e}, normal {output:.2e}, to the input {grad_input:.2e}, to the weight {grad_weight:.2e}"
        );
        assert!(of_rectified <= 3.0 * rectified, "{channels}: {of_rectified:e}");
        assert!(output <= 3.0 * normal, "{channels}: {output:e}");
        assert!(grad_input <= 3.0 * to_input, "{channels}: {grad_input:e}");
        assert!(grad_weight <= 3.0 * 3.4e-7, "{channels}: {grad_weight:e}");
    }
}

//! Convolution and linear layers against the reference: exact on whole numbers, and the same bits on any threads.

mod kernel;

use cnn_core::kernel::convolution::linear;
use cnn_core::kernel::convolution::packed::{self, MadeFor};
use cnn_core::kernel::convolution::{self, Epilogue};
use cnn_core::kernel::geometry::{Activation, Conv2dAlgorithm, Conv2dGeometry, Layout, LinearGeometry, Padding};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::{FusedActivation, Write};
use cnn_core::reference;
use kernel::convolutions::geometry;
use kernel::{Part, everywhere, fractions, whole_numbers, wide};
use proptest::prelude::*;

#[derive(Clone, Copy, Debug)]
struct Conv {
    batch: usize,
    geometry: Conv2dGeometry,
}

struct Data {
    input: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
    grad_output: Vec<f32>,
}

impl Conv {
    fn data(&self, fill: impl Fn(usize, u64) -> Vec<f32>) -> Data {
        let Self { batch, geometry } = self;
        Data {
            input: fill(batch * geometry.in_len(), 1),
            weight: fill(geometry.weight_len(), 2),
            bias: fill(geometry.out_channels, 3),
            grad_output: fill(batch * geometry.out_len(), 4),
        }
    }

    /// Results one behind the other.
    fn run(&self, data: &Data, fused: FusedActivation, write: Write) -> Vec<f32> {
        self.run_strided(data, fused, write, [0, 0])
    }

    /// The same with maps in wider ones, with so many other channels around those of input and output.
    fn run_strided(
        &self,
        data: &Data,
        fused: FusedActivation,
        write: Write,
        [in_extra, out_extra]: [usize; 2],
    ) -> Vec<f32> {
        let Self { batch, geometry } = *self;
        let [ic, oc] = [geometry.in_channels, geometry.out_channels];
        let geometry = &geometry.strided(ic + in_extra, oc + out_extra);
        let mut scratch = Scratch::default();
        let input = Part::new(&data.input, ic, in_extra);
        let grad_output = Part::new(&data.grad_output, oc, out_extra);
        // Numbers that nobody may read, except to add to them.
        let before = if write == Write::Add { 1.0 } else { f32::NAN };
        let mut output = Part::new(&vec![before; batch * geometry.out_len()], oc, out_extra);
        let mut grad_input = Part::new(&vec![before; batch * geometry.in_len()], ic, in_extra);
        let mut grad_weight = vec![f32::NAN; geometry.weight_len()];
        let mut grad_bias = vec![f32::NAN; geometry.out_channels];
        let epilogue = Epilogue { bias: Some(&data.bias), write, fused };
        convolution::forward(geometry, epilogue, input.slice(), &data.weight, output.slice_mut(), &mut scratch);
        let grad_output = grad_output.slice();
        let mut weight = vec![f32::NAN; packed::packed_len(geometry)];
        packed::pack(geometry, MadeFor::OneSample, &data.weight, Some(&data.bias), &mut weight);
        let mut again = Part::new(&vec![before; batch * geometry.out_len()], oc, out_extra);
        let epilogue = Epilogue { bias: None, ..epilogue };
        packed::forward(geometry, epilogue, input.slice(), &weight, again.slice_mut(), &mut scratch);
        assert_eq!(output.values(), again.values(), "with a packed weight");
        convolution::backward_input(geometry, &data.weight, grad_output, grad_input.slice_mut(), write, &mut scratch);
        let bias = Some(&mut grad_bias[..]);
        convolution::backward_weight(geometry, input.slice(), grad_output, &mut grad_weight, bias, &mut scratch);
        [output.values(), grad_input.values(), grad_weight, grad_bias].concat()
    }

    fn reference(&self, data: &Data, fused: FusedActivation, write: Write) -> Vec<f32> {
        let geometry = &self.geometry;
        let [input, weight, bias, grad_output] =
            [&data.input, &data.weight, &data.bias, &data.grad_output].map(|values| wide(values));
        let mut output = reference::conv2d::forward(geometry, &input, &weight, Some(&bias));
        if write == Write::Add {
            output.iter_mut().for_each(|value| *value += 1.0);
        }
        match fused {
            FusedActivation::None => {}
            FusedActivation::Then(_) => unreachable!("`kernel_then.rs` has these"),
            FusedActivation::Relu => output = reference::relu::forward(&output),
            FusedActivation::Relu6 => output = reference::activation::forward(Activation::Relu6, &output),
        }
        let mut gradients = reference::conv2d::backward(geometry, &input, &weight, &grad_output);
        if write == Write::Add {
            gradients.input.iter_mut().for_each(|value| *value += 1.0);
        }
        [output, gradients.input, gradients.weight, gradients.bias].concat().iter().map(|&value| value as f32).collect()
    }

    fn check(&self) {
        let data = self.data(whole_numbers);
        for (fused, write) in [
            (FusedActivation::None, Write::Store),
            (FusedActivation::Relu, Write::Add),
            (FusedActivation::Relu6, Write::Store),
        ] {
            let found = everywhere(true, || self.run(&data, fused, write));
            let expected = self.reference(&data, fused, write);
            assert_eq!(found, expected, "{fused:?}, {write:?}");
            for extra in [[3, 0], [0, 5], [20, 13]] {
                let found = everywhere(true, || self.run_strided(&data, fused, write, extra));
                assert_eq!(found, expected, "{fused:?}, {write:?}, other channels {extra:?}");
            }
        }
    }

    /// For many values: with data that is rounded, the same bits on all threads, close to the reference.
    fn check_rounded(&self) {
        let data = self.data(fractions);
        let found = everywhere(false, || self.run(&data, FusedActivation::None, Write::Store));
        let expected = self.reference(&data, FusedActivation::None, Write::Store);
        // The largest sums have about 10,000 terms up to 2 that are rounded to 24 bits.
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!((found - expected).abs() <= 1e-3 + 1e-5 * expected.abs(), "{index}: {found}, expected {expected}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_geometry_agrees_with_the_reference(batch in 1..=3usize, geometry in geometry(7)) {
        Conv { batch, geometry }.check();
    }
}

const PLAIN: Conv2dGeometry = Conv2dGeometry {
    in_channels: 3,
    in_size: [8, 9],
    out_channels: 4,
    kernel_size: [3, 3],
    stride: [1, 1],
    padding: Padding::symmetric([1, 1]),
    unread: [0, 0],
    algorithm: Conv2dAlgorithm::Auto,
    dilation: [1, 1],
    groups: 1,
    layout: Layout::DENSE,
};

#[test]
fn panels_full_and_partial_on_every_instruction_set() {
    for out_channels in [1, 4, 5, 15, 16, 17, 31, 32, 33, 50] {
        Conv { batch: 2, geometry: Conv2dGeometry { in_size: [5, 4], out_channels, ..PLAIN } }.check();
    }
}

#[test]
fn a_window_that_is_larger_than_the_map_but_for_its_padding() {
    let padding = Padding::symmetric([2, 2]);
    Conv { batch: 2, geometry: Conv2dGeometry { in_size: [1, 2], kernel_size: [5, 5], padding, ..PLAIN } }.check();
}

#[test]
fn a_stride_beyond_the_kernel_leaves_cells_without_gradient() {
    let padding = Padding::symmetric([0, 0]);
    Conv { batch: 2, geometry: Conv2dGeometry { kernel_size: [1, 2], stride: [3, 4], padding, ..PLAIN } }.check();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn depthwise_agrees_with_the_reference(batch in 0..=2usize, geometry in geometry(1), channels in 2..=150usize) {
        let geometry =
            Conv2dGeometry { in_channels: channels, out_channels: channels, groups: channels, ..geometry };
        Conv { batch, geometry }.check();
    }
}

#[test]
fn depthwise_in_chunks_and_wide_rows() {
    let groups = 70;
    let plain = Conv2dGeometry { in_channels: groups, in_size: [40, 37], out_channels: groups, groups, ..PLAIN };
    let (kernel_size, padding) = ([5, 5], Padding::symmetric([2, 2]));
    Conv { batch: 3, geometry: plain }.check_rounded();
    Conv { batch: 3, geometry: Conv2dGeometry { stride: [2, 2], ..plain } }.check_rounded();
    Conv { batch: 1, geometry: Conv2dGeometry { kernel_size, padding, ..plain } }.check_rounded();
}

#[test]
fn a_filter_for_each_channel_and_more_filters_than_channels() {
    Conv { batch: 2, geometry: Conv2dGeometry { in_channels: 4, groups: 4, ..PLAIN } }.check();
    Conv { batch: 1, geometry: Conv2dGeometry { in_channels: 2, groups: 2, ..PLAIN } }.check();
}

#[test]
fn enough_samples_for_several_tasks_and_partial_sums() {
    let lenet1 = Conv2dGeometry {
        in_channels: 1,
        in_size: [28, 28],
        out_channels: 6,
        kernel_size: [5, 5],
        padding: Padding::symmetric([2, 2]),
        ..PLAIN
    };
    let lenet2 = Conv2dGeometry {
        in_channels: 6,
        in_size: [14, 14],
        out_channels: 16,
        padding: Padding::symmetric([0, 0]),
        ..lenet1
    };
    for (batch, geometry) in [(13, lenet1), (9, lenet2)] {
        Conv { batch, geometry }.check_rounded();
    }
}

#[test]
fn one_sample_is_shared_by_rows() {
    let geometry = Conv2dGeometry { in_channels: 16, in_size: [35, 23], out_channels: 24, ..PLAIN };
    Conv { batch: 1, geometry }.check_rounded();
}

#[test]
fn one_sample_of_few_channels_is_shared_by_rows() {
    let geometry = Conv2dGeometry { in_size: [64, 60], out_channels: 24, ..PLAIN };
    Conv { batch: 1, geometry }.check_rounded();
}

/// Their cells lie in the same lines of the cache, so they are copied.
#[test]
fn channels_by_the_thousand() {
    let plain = Conv2dGeometry {
        in_channels: 1024,
        in_size: [5, 4],
        out_channels: 3,
        kernel_size: [1, 1],
        padding: Padding::symmetric([0, 0]),
        ..PLAIN
    };
    let strided = Conv2dGeometry { in_channels: 512, kernel_size: [2, 2], stride: [2, 2], ..plain };
    let back = Conv2dGeometry { in_channels: 3, out_channels: 2048, ..plain };
    for geometry in [plain, strided, back, Conv2dGeometry { stride: [2, 2], ..back }] {
        Conv { batch: 2, geometry }.check_rounded();
    }
}

/// Rows of the next tile are asked for, and rows of the target.
#[test]
fn maps_that_no_cache_holds() {
    let geometry = Conv2dGeometry {
        in_channels: 144,
        in_size: [90, 90],
        out_channels: 66,
        kernel_size: [1, 1],
        padding: Padding::symmetric([0, 0]),
        ..PLAIN
    };
    Conv { batch: 2, geometry }.check_rounded();
}

#[test]
fn an_empty_batch_has_zero_gradients() {
    let case = Conv { batch: 0, geometry: PLAIN };
    let data = case.data(whole_numbers);
    let results = everywhere(true, || case.run(&data, FusedActivation::None, Write::Store));
    assert_eq!(results, vec![0.0; PLAIN.weight_len() + PLAIN.out_channels]);
}

#[test]
fn nan_goes_through_a_rectifier() {
    let geometry = Conv2dGeometry { in_channels: 1, in_size: [1, 1], out_channels: 1, ..PLAIN };
    let epilogue = Epilogue { fused: FusedActivation::Relu6, ..Epilogue::default() };
    let output = everywhere(false, || {
        let mut output = vec![0.0];
        convolution::forward(&geometry, epilogue, &[f32::NAN], &[1.0; 9], &mut output, &mut Scratch::default());
        output
    });
    assert!(output[0].is_nan());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn linear_agrees_with_the_reference(batch in 1..=40usize, in_features in 1..=70usize, out_features in 1..=70usize) {
        let geometry = LinearGeometry { in_features, out_features, layout: Layout::DENSE };
        let input = whole_numbers(batch * in_features, 1);
        let weight = whole_numbers(geometry.weight_len(), 2);
        let bias = whole_numbers(out_features, 3);
        let grad_output = whole_numbers(batch * out_features, 4);
        let found = everywhere(true, || {
            let mut scratch = Scratch::default();
            let mut output = vec![f32::NAN; batch * out_features];
            let mut grad_input = vec![f32::NAN; input.len()];
            let (mut grad_weight, mut grad_bias) = (vec![f32::NAN; weight.len()], vec![f32::NAN; out_features]);
            let epilogue = Epilogue { bias: Some(&bias), ..Epilogue::default() };
            linear::forward(&geometry, epilogue, &input, &weight, &mut output, &mut scratch);
            linear::backward_input(&geometry, &weight, &grad_output, &mut grad_input, Write::Store, &mut scratch);
            let bias = Some(&mut grad_bias[..]);
            linear::backward_weight(&geometry, &input, &grad_output, &mut grad_weight, bias, &mut scratch);
            [output, grad_input, grad_weight, grad_bias].concat()
        });
        let [input, weight, bias, grad_output] = [&input, &weight, &bias, &grad_output].map(|values| wide(values));
        let output = reference::linear::forward(&geometry, &input, &weight, Some(&bias));
        let gradients = reference::linear::backward(&geometry, &input, &weight, &grad_output);
        let expected = [output, gradients.input, gradients.weight, gradients.bias].concat();
        prop_assert_eq!(wide(&found), expected);
    }
}

/// A large weight is read in its order for few samples, and packed for many: each sum has the same bits.
#[test]
fn few_samples_of_a_large_linear_layer_are_as_in_a_batch() {
    for (in_features, out_features) in [(517, 300), (64, 1025), (1, 70_000)] {
        let layout = Layout { in_stride: in_features + 3, out_stride: out_features + 5 };
        let geometry = LinearGeometry { in_features, out_features, layout };
        const BATCH: usize = 15;
        let input = fractions(BATCH * layout.in_stride - 3, 1);
        let (weight, bias) = (fractions(geometry.weight_len(), 2), fractions(out_features, 3));
        everywhere(false, || {
            let mut scratch = Scratch::default();
            let mut forward = |samples: core::ops::Range<usize>, write: Write| {
                let count = samples.len();
                let input = &input[samples.start * layout.in_stride..][..count * layout.in_stride - 3];
                let mut output = vec![0.5; count * layout.out_stride - 5];
                let epilogue = Epilogue { bias: Some(&bias), write, fused: FusedActivation::Relu };
                linear::forward(&geometry, epilogue, input, &weight, &mut output, &mut scratch);
                output.chunks(layout.out_stride).flat_map(|row| row[..out_features].to_vec()).collect::<Vec<_>>()
            };
            for write in [Write::Store, Write::Add] {
                let together = forward(0..BATCH, write);
                for parts in [&[0..1, 1..BATCH][..], &[0..2, 2..9, 9..BATCH]] {
                    let apart: Vec<_> = parts.iter().flat_map(|samples| forward(samples.clone(), write)).collect();
                    assert!(apart == together, "{in_features} to {out_features}, {parts:?}");
                }
            }
            Vec::new()
        });
    }
}

//! Every family of kernels on maps so small that Miri takes seconds (`fuzz/miri`), on one thread and on two. What the
//! results are, the other tests of kernels hold; here they only have the same bits, and slices end where they should.

use cnn_core::kernel::convolution::packed::MadeFor;
use cnn_core::kernel::convolution::{self, Epilogue, conv_transpose2d, linear, packed, pooled};
use cnn_core::kernel::geometry::{
    Activation, AdaptivePool2dGeometry, BatchNorm2dGeometry, Conv2dAlgorithm, Conv2dGeometry, ConvTranspose2dGeometry,
    ExpressionGeometry, GeluApproximation, GroupNormGeometry, Interpolation, Layout, LinearGeometry,
    LocalResponseNormGeometry, MatmulGeometry, Operand, Over, Pad2dGeometry, Padding, PaddingMode, Pool2dGeometry,
    RearrangementGeometry, Reduction, ReductionGeometry, Upsample2dGeometry,
};
use cnn_core::kernel::memory::chunk::in_pool;
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::batch_norm2d::{
    self, Affine, AffineGradients, MapGradients, Saved, SavedMut, Statistics, StatisticsMut,
};
use cnn_core::kernel::normalization::{group_norm, local_response_norm};
use cnn_core::kernel::pointwise::activation::{self, Remembered};
use cnn_core::kernel::pointwise::expression::{self, Expression, Gradient};
use cnn_core::kernel::pointwise::join::{self, Gate};
use cnn_core::kernel::pointwise::number::Number;
use cnn_core::kernel::pointwise::{constant, prelu, reduce, scale, softmax};
use cnn_core::kernel::pooling;
use cnn_core::kernel::product::matmul;
use cnn_core::kernel::resampling::{pad2d, rearrange, upsample};
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{FusedActivation, Write};

/// Whole numbers from -3 to 3.
fn values(len: usize) -> Vec<f32> {
    (0..len).map(|index| (index * 5 % 7) as f32 - 3.0).collect()
}

/// Runs a kernel on one thread, and in a pass on two, whose results are the same.
fn both(kernel: impl Fn(&mut Scratch) -> Vec<f32> + Sync) {
    let bits = [1, 2].map(|threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let result = pool.install(|| in_pool(usize::MAX, || kernel(&mut Scratch::default())));
        result.into_iter().map(f32::to_bits).collect::<Vec<_>>()
    });
    assert_eq!(bits[0], bits[1]);
}

/// All passes of a convolution on a batch.
fn convolve(batch: usize, geometry: Conv2dGeometry) {
    // To the end of the last cell's own channels, and not of those of others.
    let len = |map: cnn_core::kernel::geometry::Map| batch * map.cells() * map.stride - (map.stride - map.channels);
    let (input, grad_output) = (values(len(geometry.input())), values(len(geometry.output())));
    let (weight, bias) = (values(geometry.weight_len()), values(geometry.out_channels));
    both(|scratch| {
        let geometry = &geometry;
        let epilogue = Epilogue { bias: Some(&bias), write: Write::Add, fused: FusedActivation::Relu6 };
        let mut output = grad_output.clone();
        convolution::forward(geometry, epilogue, &input, &weight, &mut output, scratch);
        let mut again = grad_output.clone();
        let mut packed = vec![f32::NAN; packed::packed_len(geometry)];
        packed::pack(geometry, MadeFor::OneSample, &weight, Some(&bias), &mut packed);
        packed::forward(geometry, Epilogue { bias: None, ..epilogue }, &input, &packed, &mut again, scratch);
        assert_eq!(output, again);
        let (mut grad_input, mut grad_weight, mut grad_bias) = (input.clone(), weight.clone(), bias.clone());
        convolution::backward_input(geometry, &weight, &grad_output, &mut grad_input, Write::Store, scratch);
        let some_bias = Some(&mut grad_bias[..]);
        convolution::backward_weight(geometry, &input, &grad_output, &mut grad_weight, some_bias, scratch);
        [output, grad_input, grad_weight, grad_bias].concat()
    });
}

const CONV: Conv2dGeometry = Conv2dGeometry {
    in_channels: 3,
    in_size: [5, 4],
    out_channels: 9,
    kernel_size: [3, 2],
    stride: [1, 1],
    padding: Padding { top: 1, bottom: 2, left: 0, right: 1 },
    unread: [0, 0],
    algorithm: Conv2dAlgorithm::Auto,
    dilation: [1, 1],
    groups: 1,
    layout: Layout::DENSE,
};

#[test]
fn convolutions() {
    convolve(2, CONV);
    convolve(2, Conv2dGeometry { padding: Padding::symmetric([0, 0]), ..CONV });
    // Strides have phases, dilated taps lie apart, and maps are parts of wider ones.
    convolve(2, Conv2dGeometry { stride: [2, 3], dilation: [2, 1], ..CONV }.strided(5, 11));
    // As a wider convolution, as one that scatters, and in groups.
    convolve(2, Conv2dGeometry { out_channels: 2, padding: Padding::symmetric([1, 1]), ..CONV });
    convolve(1, Conv2dGeometry { in_channels: 1, kernel_size: [3, 3], padding: Padding::symmetric([1, 1]), ..CONV });
    convolve(1, Conv2dGeometry { in_channels: 4, out_channels: 18, groups: 2, ..CONV });
}

#[test]
fn depthwise_convolutions() {
    convolve(2, Conv2dGeometry { in_channels: 9, groups: 9, ..CONV });
    convolve(2, Conv2dGeometry { in_channels: 9, groups: 9, stride: [2, 2], ..CONV }.strided(10, 12));
}

#[test]
fn linear_layers() {
    let geometry = LinearGeometry { in_features: 7, out_features: 9, layout: Layout::strided(8, 0) };
    let (input, grad_output, weight, bias) = (values(3 * 8 - 1), values(3 * 9), values(7 * 9), values(9));
    both(|scratch| {
        let (geometry, epilogue) = (&geometry, Epilogue { bias: Some(&bias), ..Epilogue::default() });
        let [mut output, mut again] = [(); 2].map(|()| grad_output.clone());
        linear::forward(geometry, epilogue, &input, &weight, &mut output, scratch);
        let mut packed = vec![f32::NAN; linear::packed_len(geometry)];
        linear::pack(geometry, MadeFor::OneSample, &weight, Some(&bias), &mut packed);
        linear::forward_packed(geometry, Epilogue::default(), &input, &packed, &mut again, scratch);
        assert_eq!(output, again);
        let (mut grad_input, mut grad_weight) = (input.clone(), weight.clone());
        linear::backward_input(geometry, &weight, &grad_output, &mut grad_input, Write::Add, scratch);
        linear::backward_weight(geometry, &input, &grad_output, &mut grad_weight, None, scratch);
        [output, grad_input, grad_weight].concat()
    });
}

#[test]
fn transposed_convolutions() {
    let geometry = ConvTranspose2dGeometry {
        in_channels: 3,
        in_size: [3, 4],
        out_channels: 2,
        kernel_size: [3, 3],
        stride: [2, 2],
        padding: Padding::symmetric([1, 1]),
        output_padding: [1, 0],
        dilation: [1, 1],
        groups: 1,
        layout: Layout::DENSE,
    };
    for geometry in [geometry, ConvTranspose2dGeometry { out_channels: 19, ..geometry }.strided(4, 20)] {
        let (input, grad_output) =
            (values(2 * geometry.input().sample_step()), values(2 * geometry.output().sample_step()));
        let (weight, bias) = (values(geometry.weight_len()), values(geometry.out_channels));
        both(|scratch| {
            let geometry = &geometry;
            let epilogue = Epilogue { bias: Some(&bias), write: Write::Store, fused: FusedActivation::Relu };
            let (mut output, mut grad_input) = (grad_output.clone(), input.clone());
            conv_transpose2d::forward(geometry, epilogue, &input, &weight, &mut output, scratch);
            conv_transpose2d::backward_input(geometry, &weight, &grad_output, &mut grad_input, Write::Add, scratch);
            let (mut grad_weight, mut grad_bias) = (weight.clone(), bias.clone());
            let some_bias = Some(&mut grad_bias[..]);
            conv_transpose2d::backward_weight(geometry, &input, &grad_output, &mut grad_weight, some_bias, scratch);
            [output, grad_input, grad_weight, grad_bias].concat()
        });
    }
}

#[test]
fn poolings() {
    let geometry = Pool2dGeometry {
        channels: 5,
        in_size: [5, 4],
        kernel_size: [3, 2],
        stride: [2, 2],
        padding: [1, 1],
        dilation: [1, 1],
        ceil_mode: true,
        count_include_pad: true,
        divisor_override: None,
        layout: Layout::strided(6, 0),
    };
    // Enough channels for several strips of one sample, too.
    for (batch, channels) in [(2, 5), (1, 70)] {
        let geometry = Pool2dGeometry { channels, layout: Layout::strided(channels + 1, 0), ..geometry };
        let input = values(batch * geometry.input().sample_step() - 1);
        let grad_output = values(batch * geometry.output().sample_step());
        both(|_| {
            let [mut largest, mut mean] = [(); 2].map(|()| grad_output.clone());
            let [mut first, mut second] = [(); 2].map(|()| input.clone());
            pooling::max_forward(&geometry, &input, &mut largest);
            pooling::max_backward(&geometry, &input, &largest, &grad_output, &mut first, Write::Store);
            pooling::average_forward(&geometry, &input, &mut mean);
            pooling::average_backward(&geometry, &grad_output, &mut second, Write::Add);
            [largest, mean, first, second].concat()
        });
    }
    let geometry =
        AdaptivePool2dGeometry { channels: 5, in_size: [5, 4], out_size: [2, 3], layout: Layout::strided(0, 7) };
    let (input, grad_output) = (values(2 * 5 * 20), values(2 * 7 * 6 - 2));
    both(|_| {
        let [mut largest, mut mean] = [(); 2].map(|()| grad_output.clone());
        let [mut first, mut second] = [(); 2].map(|()| input.clone());
        pooling::adaptive_max_forward(&geometry, &input, &mut largest);
        pooling::adaptive_max_backward(&geometry, &input, &largest, &grad_output, &mut first, Write::Add);
        pooling::adaptive_average_forward(&geometry, &input, &mut mean);
        pooling::adaptive_average_backward(&geometry, &grad_output, &mut second, Write::Store);
        [largest, mean, first, second].concat()
    });
}

#[test]
fn batch_normalizations() {
    for (rows, channels) in [(6, 7), (3, 21)] {
        let geometry = BatchNorm2dGeometry::new(channels).strided(channels + 1, 0);
        let (input, grad_output) = (values(rows * (channels + 1) - 1), values(rows * channels));
        let (weight, bias, variance) = (values(channels), values(channels), vec![2.0; channels]);
        both(|scratch| {
            let geometry = &geometry;
            let affine = Some(Affine { weight: &weight, bias: &bias });
            let fused = FusedActivation::Relu;
            let [mut mean, mut inverse] = [(); 2].map(|()| bias.clone());
            let [mut running_mean, mut running_variance] = [(); 2].map(|()| variance.clone());
            let running =
                StatisticsMut { batches: 1, mean: &mut running_mean[..], variance: &mut running_variance[..] };
            let saved = SavedMut { mean: &mut mean, inverse_deviation: &mut inverse };
            let mut output = grad_output.clone();
            batch_norm2d::forward_training(geometry, affine, fused, &input, Some(running), saved, &mut output, scratch);

            let mut grad_input = input.clone();
            let [mut grad_weight, mut grad_bias] = [(); 2].map(|()| bias.clone());
            let gradients = Some(AffineGradients { weight: &mut grad_weight, bias: &mut grad_bias });
            let maps = MapGradients::Apart { output: &grad_output, input: Some((&mut grad_input[..], Write::Add)) };
            let saved = Saved { mean: &mean, inverse_deviation: &inverse };
            batch_norm2d::backward_training(geometry, saved, affine, &input, fused, maps, gradients, scratch);

            let given = Statistics { mean: &bias, variance: &variance };
            let mut in_place = grad_output.clone();
            batch_norm2d::forward_evaluation_in_place(geometry, given, affine, fused, &mut in_place, scratch);
            [output, grad_input, grad_weight, grad_bias, running_mean, running_variance, in_place].concat()
        });
    }
}

#[test]
fn normalizations_of_samples() {
    // By channels, as one run and as rows of values; then in parts, which are smaller in Miri, by channels and as one run.
    for (channels, groups, size, by_value, stride) in [
        (6, 3, [2, 3], false, 7),
        (21, 1, [2, 2], true, 22),
        (18, 1, [1, 1], false, 19),
        (7, 1, [2, 3], true, 7),
        (8, 2, [4, 5], false, 9),
        (9, 1, [4, 5], true, 9),
    ] {
        let geometry = GroupNormGeometry { by_value, ..GroupNormGeometry::new(channels, size, groups) };
        let (geometry, rows) = (geometry.strided(stride, 0), 3 * size[0] * size[1]);
        let (input, grad_output) = (values(rows * stride - (stride - channels)), values(rows * channels));
        let (weight, bias) = (values(geometry.weights()), values(geometry.weights()));
        both(|scratch| {
            let affine = group_norm::Affine { weight: Some(&weight), bias: Some(&bias) };
            let mut output = grad_output.clone();
            group_norm::forward(&geometry, affine, FusedActivation::Relu6, &input, &mut output, scratch);
            let (mut grad_input, mut grad_weight, mut grad_bias) = (input.clone(), weight.clone(), bias.clone());
            let gradients = group_norm::AffineGradients { weight: Some(&mut grad_weight), bias: Some(&mut grad_bias) };
            let wanted = Some((&mut grad_input[..], Write::Add));
            group_norm::backward(&geometry, affine.weight, &input, &grad_output, wanted, gradients, scratch);
            [output, grad_input, grad_weight, grad_bias].concat()
        });
    }
}

#[test]
fn local_response_normalizations() {
    let geometry = LocalResponseNormGeometry::new(9, 4).strided(0, 10);
    let (input, grad_output) = (values(5 * 9), values(5 * 10 - 1));
    both(|scratch| {
        let (mut output, mut grad_input) = (grad_output.clone(), input.clone());
        local_response_norm::forward(&geometry, &input, &mut output, scratch);
        local_response_norm::backward(&geometry, &input, &grad_output, &mut grad_input, Write::Add, scratch);
        [output, grad_input].concat()
    });
}

#[test]
fn activations() {
    let (channels, stride) = (6, 7);
    let (x, grad) = (values(3 * stride - 1), values(3 * channels));
    let functions = [
        Activation::Relu,
        Activation::LeakyRelu { negative_slope: 0.01 },
        Activation::Sigmoid,
        Activation::Hardswish,
        Activation::Gelu { approximate: GeluApproximation::None },
        Activation::Gelu { approximate: GeluApproximation::Tanh },
    ];
    for function in functions {
        both(|_| {
            let (mut y, mut grad_input, mut in_place) = (grad.clone(), x.clone(), x.clone());
            let input = Rows::strided(&x, stride);
            activation::forward(function, channels, input, RowsMut::dense(&mut y));
            activation::forward_in_place(function, channels, RowsMut::strided(&mut in_place, stride));
            let target = RowsMut::strided(&mut grad_input, stride);
            activation::backward(function, channels, Remembered::Input(input), Rows::dense(&grad), target, Write::Add);
            let mut grad = grad.clone();
            activation::backward_in_place(function, channels, Remembered::Input(input), RowsMut::dense(&mut grad));
            [y, grad_input, in_place, grad].concat()
        });
    }
}

#[test]
fn joins() {
    let (rows, channels, stride) = (6, 7, 8);
    let (a, b) = (values(rows * stride - 1), values(rows * channels));
    both(|_| {
        let (wide, dense) = (Rows::strided(&a, stride), Rows::dense(&b));
        let (mut sum, mut product) = (b.clone(), a.clone());
        join::add(channels, FusedActivation::Relu, wide, dense, RowsMut::dense(&mut sum));
        join::accumulate(channels, FusedActivation::None, dense, RowsMut::dense(&mut sum));
        join::multiply(channels, wide, dense, RowsMut::strided(&mut product, stride), Write::Add);
        join::rectify_backward(channels, FusedActivation::Relu6, wide, RowsMut::dense(&mut sum));
        [sum, product].concat()
    });
}

#[test]
fn gates() {
    let (samples, cells, channels) = (2, 70, 3);
    let (map, gate) = (values(samples * cells * channels), values(samples * channels));
    let geometry = Gate { channels, cells };
    both(|_| {
        let (mut output, mut in_place, mut grad_gate) = (map.clone(), map.clone(), gate.clone());
        join::gate(geometry, Rows::dense(&map), &gate, RowsMut::dense(&mut output), Write::Add);
        join::gate_in_place(geometry, &gate, RowsMut::dense(&mut in_place));
        join::gate_backward(geometry, Rows::dense(&map), Rows::dense(&output), &mut grad_gate, Write::Add);
        [output, in_place, grad_gate].concat()
    });
}

#[test]
fn softmax_and_learned_rectifiers() {
    let (rows, channels, stride) = (4, 9, 10);
    let (x, grad) = (values(rows * stride - 1), values(rows * channels));
    for slopes in [1, channels] {
        both(|scratch| {
            let (input, dense) = (Rows::strided(&x, stride), Rows::dense(&grad));
            let [mut y, mut logarithm, mut rectified] = [(); 3].map(|()| grad.clone());
            softmax::forward(channels, input, RowsMut::dense(&mut y));
            softmax::log_forward(channels, input, RowsMut::dense(&mut logarithm));
            let [mut first, mut second, mut third] = [(); 3].map(|()| x.clone());
            let target = RowsMut::strided(&mut first, stride);
            softmax::backward(channels, Rows::dense(&y), dense, target, Write::Store);
            let target = RowsMut::strided(&mut second, stride);
            softmax::log_backward(channels, Rows::dense(&logarithm), dense, target, Write::Add);
            let weight = values(slopes);
            let mut grad_weight = weight.clone();
            prelu::forward(channels, &weight, input, RowsMut::dense(&mut rectified));
            let target = Some((RowsMut::strided(&mut third, stride), Write::Add));
            prelu::backward(channels, &weight, input, dense, target, &mut grad_weight, scratch);
            [y, logarithm, rectified, first, second, third, grad_weight].concat()
        });
    }
}

#[test]
fn resizings() {
    let align = |align_corners| Interpolation::Bilinear { align_corners };
    for interpolation in [Interpolation::Nearest, align(false), align(true)] {
        let geometry = Upsample2dGeometry {
            channels: 5,
            in_size: [3, 2],
            out_size: [5, 7],
            scale_factor: None,
            interpolation,
            layout: Layout::strided(6, 0),
        };
        let (input, grad_output) = (values(2 * 6 * 6 - 1), values(2 * 35 * 5));
        both(|_| {
            let (mut output, mut grad_input) = (grad_output.clone(), input.clone());
            upsample::forward(&geometry, &input, &mut output);
            upsample::backward(&geometry, &grad_output, &mut grad_input, Write::Store);
            [output, grad_input].concat()
        });
    }
    for mode in [PaddingMode::ZEROS, PaddingMode::Reflect, PaddingMode::Replicate, PaddingMode::Circular] {
        let right = if mode == PaddingMode::ZEROS { 3 } else { 1 };
        let padding = Padding { top: 1, bottom: 0, left: 1, right };
        let layout = Layout::strided(0, 6);
        let geometry = Pad2dGeometry { channels: 5, in_size: [3, 2], padding, mode, layout };
        let (input, grad_output) = (values(2 * 6 * 5), values(2 * 4 * (3 + right) * 6 - 1));
        both(|_| {
            let (mut output, mut grad_input) = (grad_output.clone(), input.clone());
            pad2d::forward(&geometry, &input, &mut output);
            pad2d::backward(&geometry, &grad_output, &mut grad_input, Write::Add);
            [output, grad_input].concat()
        });
    }
}

#[test]
fn products_of_maps() {
    for transposed in [[false, false], [true, false], [false, true], [true, true]] {
        // Of more rows than a task has, and of more columns than a vector has; one channel lies as it is multiplied.
        for [channels, rows, depth, columns] in [[1, 86, 3, 5], [1, 3, 2, 19], [3, 4, 3, 5], [2, 2, 3, 17]] {
            let geometry = MatmulGeometry { channels, rows, depth, columns, transposed };
            let [first, second, grad_output] = geometry.lens().map(|len| values(2 * len));
            both(|scratch| {
                let (mut output, mut grad_first, mut grad_second) =
                    (grad_output.clone(), first.clone(), second.clone());
                matmul::forward(&geometry, &first, &second, &mut output, scratch);
                matmul::backward_first(&geometry, &second, &grad_output, &mut grad_first, Write::Add, scratch);
                matmul::backward_second(&geometry, &first, &grad_output, &mut grad_second, Write::Store, scratch);
                [output, grad_first, grad_second].concat()
            });
        }
    }
}

/// `a exp(b) + c`
struct Three;

impl Expression<3> for Three {
    const COST: usize = 4;
    const READS: [bool; 3] = [false, true, false];
    const READS_VALUE: bool = true;

    fn value<V: Number>([a, b, c]: [V; 3]) -> V {
        a * b.exp() + c
    }

    fn gradients<V: Number>([_, b, _]: [V; 3], value: V, grad: V) -> [V; 3] {
        [grad * b.exp(), grad * value, grad]
    }
}

#[test]
fn expressions() {
    let (samples, cells, channels) = (2, 3, 7);
    let operand = |channels, cells, stride| Operand { channels, cells, stride };
    let single = operand(false, false, 0);
    for (operands, out_stride) in [
        ([Operand::WHOLE; 3], 0),
        ([Operand::WHOLE, single, Operand::WHOLE], 0),
        ([Operand::WHOLE, operand(true, true, 9), operand(true, false, 8)], 10),
        ([Operand::WHOLE, operand(false, true, 2), single], 0),
    ] {
        let geometry = ExpressionGeometry { channels, cells, operands, out_stride };
        let map = |map: cnn_core::kernel::geometry::Map| {
            values(samples * map.cells() * map.stride - (map.stride - map.channels))
        };
        let inputs = [0, 1, 2].map(|operand| map(geometry.map(operand)));
        let read = [0, 1, 2].map(|operand| &inputs[operand][..]);
        let grad_output = map(geometry.output());
        both(|_| {
            let mut output = grad_output.clone();
            expression::forward::<Three, 3>(&geometry, read, &mut output);
            let (mut gradients, mut operand) = (inputs.clone(), 0);
            let to = gradients.each_mut().map(|values| {
                operand += 1;
                let write = if operand == 2 { Write::Add } else { Write::Store };
                Some(Gradient { values, stride: operands[operand - 1].stride, write })
            });
            let grad = Rows::strided(&grad_output, out_stride);
            expression::backward::<Three, 3>(&geometry, read, &output, grad, to);
            let mut grad = inputs[0].clone();
            let sum = expression::sum::<Three, 3>(&geometry, read, 0, 0.5, &mut grad);
            [output, gradients.concat(), grad, vec![sum as f32]].concat()
        });
    }
}

#[test]
fn reductions() {
    let kinds = [Reduction::Sum, Reduction::Max, Reduction::LogSumExp, Reduction::Norm];
    for (reduction, over) in
        kinds.into_iter().flat_map(|kind| [Over::Channels, Over::Space, Over::All].map(|over| (kind, over)))
    {
        let geometry = ReductionGeometry { reduction, over, channels: 7, cells: 3, layout: Layout::strided(8, 0) };
        let input = values(2 * geometry.input().sample_step() - 1);
        let grad_output = values(2 * geometry.output().sample_step());
        both(|_| {
            let (mut output, mut grad_input) = (grad_output.clone(), input.clone());
            reduce::forward(&geometry, &input, &mut output);
            reduce::backward(&geometry, &input, &output, &grad_output, &mut grad_input, Write::Add);
            [output, grad_input].concat()
        });
    }
}

#[test]
fn rearrangements() {
    for geometry in [
        RearrangementGeometry::transpose([3, 2, 4]),
        RearrangementGeometry::pixel_shuffle([8, 2, 3], 2),
        RearrangementGeometry::channel_slice([5, 2, 2], 1, 4),
        RearrangementGeometry::crop([2, 4, 3], [1, 0, 0, 1]),
    ] {
        let (input, grad_output) = (values(2 * geometry.in_len), values(2 * geometry.out_len()));
        both(|_| {
            let (mut output, mut grad_input) = (grad_output.clone(), input.clone());
            rearrange::forward(&geometry, &input, &mut output);
            rearrange::backward(&geometry, &grad_output, &mut grad_input, Write::Add);
            [output, grad_input].concat()
        });
    }
}

#[test]
fn softmax_over_width() {
    for (logarithm, channels) in [(false, 1), (true, 1), (false, 9), (true, 9)] {
        let size = [channels, 5];
        let [input, grad_output] = [(); 2].map(|()| values(4 * channels * 5));
        both(|_| {
            let (mut output, mut grad_input) = (grad_output.clone(), input.clone());
            softmax::forward_over_width(logarithm, size, &input, &mut output);
            softmax::backward_over_width(logarithm, size, &output, &grad_output, &mut grad_input, Write::Add);
            [output, grad_input].concat()
        });
    }
}

#[test]
fn scales_and_constants() {
    let (rows, channels, stride) = (70, 7, 8);
    let (x, grad, weight) = (values(rows * stride - 1), values(rows * channels), values(channels));
    both(|scratch| {
        let (input, dense) = (Rows::strided(&x, stride), Rows::dense(&grad));
        let [mut output, mut in_place, mut same] = [(); 3].map(|()| grad.clone());
        let (mut grad_input, mut grad_weight, mut sums) = (x.clone(), weight.clone(), weight.clone());
        scale::forward(&weight, input, RowsMut::dense(&mut output), Write::Store);
        scale::forward_in_place(&weight, RowsMut::dense(&mut in_place));
        let wanted = Some((RowsMut::strided(&mut grad_input, stride), Write::Add));
        scale::backward(&weight, input, dense, wanted, &mut grad_weight, scratch);
        constant::forward(&weight, &mut same);
        constant::backward(&grad, &mut sums);
        [output, in_place, same, grad_input, grad_weight, sums].concat()
    });
}

#[test]
fn pooled_convolutions() {
    let geometry = Conv2dGeometry {
        in_channels: 2,
        in_size: [5, 26],
        out_channels: 5,
        kernel_size: [3, 3],
        padding: Padding::symmetric([1, 1]),
        ..CONV
    };
    let pool = Pool2dGeometry {
        channels: 5,
        in_size: geometry.out_size(),
        kernel_size: [2, 2],
        stride: [2, 2],
        padding: [0, 0],
        dilation: [1, 1],
        ceil_mode: false,
        count_include_pad: true,
        divisor_override: None,
        layout: Layout::strided(0, 6),
    };
    assert!(pooled::applies(&geometry, &pool));
    let (input, bias) = (values(2 * geometry.input().sample_step()), values(5));
    // What is not finite meets no padding.
    for last in [1.0, f32::INFINITY] {
        let mut weight = values(geometry.weight_len());
        weight.iter_mut().last().into_iter().for_each(|weight| *weight = last);
        both(|scratch| {
            let mut packed = vec![f32::NAN; pooled::packed_len(&geometry)];
            pooled::pack(&geometry, &weight, Some(&bias), &mut packed);
            let mut output = vec![0.0; 2 * pool.output().sample_step() - 1];
            pooled::forward(&geometry, &pool, FusedActivation::Relu, &input, &packed, &mut output, scratch);
            output
        });
    }
}

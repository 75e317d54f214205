//! A network evaluated in f64 by the reference, with PyTorch's meaning of every layer.

use cnn_core::kernel::geometry::{MatmulGeometry, RearrangementGeometry};
use cnn_core::layer::Operation;
use cnn_core::layer::map::Written;
use cnn_core::network::{MadeFor, Step};
use cnn_core::prelude::*;
use cnn_core::reference;
use cnn_core::reference::batch_norm2d::{self, Affine, Statistics};
use cnn_core::shape::Sizes;

/// Values from -1 to 1 that are not multiples of each other, so that no two of a window tie.
#[allow(dead_code, reason = "not every test that shares this file needs it")]
pub(crate) fn values(count: usize, seed: u64) -> Vec<f32> {
    use cnn_core::random::{Key, Purpose};
    let mut values = vec![0.0; count];
    let key = Key { purpose: Purpose::Augmentation, seed, step: 0, layer: 0, sample: 0 };
    key.stream().fill_symmetric(1.0, &mut values);
    values
}

#[allow(dead_code, reason = "not every test that shares this file needs it")]
fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().copied().map(f64::from).collect()
}

/// In evaluation with weights as they start, see [`check_in`].
#[allow(dead_code, reason = "not every test that shares this file needs it")]
pub(crate) fn check<N: Network>(samples: usize, parameters_to_try: usize) -> Result<(), Error> {
    check_in(Mode::Evaluation, N::new(7), samples, parameters_to_try)
}

/// In both modes, with weights and running statistics that are not all the same.
#[allow(dead_code, reason = "not every test that shares this file needs it")]
pub(crate) fn check_both<N: Network>(samples: usize, parameters_to_try: usize) -> Result<(), Error> {
    let mut net = N::new(7);
    let moves = values(net.weights().values().len(), 3);
    net.weights_mut().values_mut().iter_mut().zip(moves).for_each(|(value, moves)| *value += 0.3 * moves);
    check_in(Mode::Training, N::from_weights(net.weights().clone()), samples, parameters_to_try)?;
    let input = Batch::from_nchw(&values(samples * <N::Input as cnn_core::shape::Shape>::LEN, 5))?;
    let targets = Batch::zeros(samples);
    Training::new(0).backward(Mode::Training, &mut net, &input, &MeanSquaredError::new(&targets))?;
    check_in(Mode::Evaluation, net, samples, parameters_to_try)
}

/// A loss that weighs every output differently: the mean squared distance from these.
#[allow(dead_code, reason = "not every test that shares this file needs it")]
pub(crate) fn check_in<N: Network>(
    mode: Mode,
    mut net: N,
    samples: usize,
    parameters_to_try: usize,
) -> Result<(), Error> {
    let input = values(samples * <N::Input as cnn_core::shape::Shape>::LEN, 1);
    let batch = Batch::from_nchw(&input)?;
    let state = wide(net.weights().state());
    // Every normalization has seen as many batches as the others; the one to come is one more.
    let batches = net.weights().counts().first().map_or(1, |count| count + 1);
    let reference =
        |parameters: &[f64], state: &mut [f64]| forward::<N>(mode, parameters, state, batches, &wide(&input));
    let mut state_after = state.clone();
    let expected = reference(&wide(net.weights().values()), &mut state_after);
    if mode == Mode::Evaluation {
        for (found, expected) in net.forward(&batch).to_nchw().iter().zip(&expected) {
            // Sums of a few hundred products of f32 round by a few units in the last place of the largest.
            assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
        }
    }

    if mode == Mode::Evaluation {
        for made_for in [MadeFor::OneSample, MadeFor::Batches] {
            let mut output = Batch::zeros(0);
            net.freeze_for(made_for).predict_batch(&batch, &mut output);
            for (found, expected) in output.to_nchw().iter().zip(&expected) {
                assert!((f64::from(*found) - expected).abs() < 1e-5, "a predictor {made_for:?}: {found} {expected}");
            }
        }
    }

    let targets = Batch::from_nchw(&values(expected.len(), 2))?;
    let wide_targets = wide(&targets.to_nchw());
    let output = net.forward(&batch);
    let mut training = Training::<N>::new(0);
    let loss = training.backward(mode, &mut net, &batch, &MeanSquaredError::new(&targets))?;
    if mode == Mode::Evaluation {
        assert_eq!(*training.output(), output);
    }
    for (found, expected) in training.output().to_nchw().iter().zip(&expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-5, "{found} {expected}");
    }
    for (found, expected) in net.weights().state().iter().zip(&state_after) {
        assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
    }
    assert!((f64::from(loss) - reference::loss::mse(&expected, &wide_targets)).abs() < 1e-5);

    let loss_at = |parameters: &[f64]| reference::loss::mse(&reference(parameters, &mut state.clone()), &wide_targets);
    let mut parameters = wide(net.weights().values());
    let gradients = training.gradients().values();
    assert_eq!(gradients.len(), parameters.len());
    let stride = (parameters.len() / parameters_to_try).max(1);
    for index in (0..parameters.len()).step_by(stride) {
        let (middle, step) = (parameters[index], 1e-6);
        parameters[index] = middle + step;
        let above = loss_at(&parameters);
        parameters[index] = middle - step;
        let below = loss_at(&parameters);
        parameters[index] = middle;
        let expected = (above - below) / (2.0 * step);
        let found = f64::from(gradients[index]);
        // f32 sums on one side; differences of f64 over a step of 1e-6, good to 1e-9, on the other.
        assert!((found - expected).abs() < 1e-6 + 1e-4 * expected.abs(), "{index}: {found} {expected}");
    }
    Ok(())
}

/// The output of a network in PyTorch's order, for input in PyTorch's order. `parameters` and `state` are laid out as the
/// network's weights; in training the state moves on, by a share that may depend on the number of batches so far, with this
/// one.
fn forward<N: Network>(mode: Mode, parameters: &[f64], state: &mut [f64], batches: u64, input: &[f64]) -> Vec<f64> {
    let all = [parameters.len(), state.len()];
    assert_eq!(ends(N::STEPS).last().copied().unwrap_or_default(), all, "all belongs to a step");
    steps_forward(N::STEPS, &mut Own { mode, parameters, state, batches }, input)
}

/// Where the parameters and the state of each step end; those that share others' have none.
fn ends(steps: &[Step]) -> Vec<[usize; 2]> {
    let own = |step: &Step| match step.shares {
        Some(_) => [0, 0],
        None => [step.operation.parameter_count(), step.operation.state_count()],
    };
    let add = |end: &mut [usize; 2], step: &Step| {
        let [parameters, state] = own(step);
        *end = [end[0] + parameters, end[1] + state];
        Some(*end)
    };
    steps.iter().scan([0, 0], add).collect()
}

fn steps_forward(steps: &[Step], own: &mut Own<'_>, input: &[f64]) -> Vec<f64> {
    let mut maps = vec![input.to_vec()];
    let ends = ends(steps);
    for (index, step) in steps.iter().enumerate() {
        let inputs: Vec<_> = step.inputs.iter().map(|map| maps[*map].as_slice()).collect();
        let owner = step.shares.unwrap_or(index);
        let [parameters, state] = [0, 1].map(|kind| {
            let first = owner.checked_sub(1).map_or(0, |before| ends[before][kind]);
            first..ends[owner][kind]
        });
        // Each use of a normalization counts a batch.
        let uses = steps[..index].iter().enumerate().filter(|(other, step)| step.shares.unwrap_or(*other) == owner);
        let own = &mut Own {
            mode: own.mode,
            parameters: &own.parameters[parameters],
            state: &mut own.state[state],
            batches: own.batches + uses.count() as u64,
        };
        let map = match (&step.operation, inputs.as_slice()) {
            (Operation::Add | Operation::Multiply | Operation::Concat | Operation::Outputs, inputs) => {
                let size = |map: &usize| if *map == 0 { steps[0].input } else { steps[*map - 1].output };
                join(step, &step.inputs.iter().map(size).collect::<Vec<_>>(), inputs)
            }
            (Operation::Matmul(geometry), [first, second]) => matmul(geometry, first, second),
            (Operation::Map(written), inputs) => {
                let size = |map: &usize| if *map == 0 { steps[0].input } else { steps[*map - 1].output };
                expression(step, written, &step.inputs.iter().map(size).collect::<Vec<_>>(), inputs)
            }
            (Operation::Input { first }, [input]) => {
                let sample = |sample: &[f64]| sample[*first..first + step.output.len()].to_vec();
                input.chunks_exact(step.input.len()).flat_map(sample).collect()
            }
            (Operation::Network(steps), [input]) => steps_forward(steps, own, input),
            (_, [input]) => step_forward(step, own, input),
            (_, inputs) => panic!("{} has {} inputs", step.path, inputs.len()),
        };
        maps.push(map);
    }
    maps.pop().unwrap()
}

/// Branches of these sizes, sample by sample.
fn join(step: &Step, sizes: &[Sizes], inputs: &[&[f64]]) -> Vec<f64> {
    let samples = inputs[0].len() / sizes[0].len();
    let sample = |branch: usize, n: usize| &inputs[branch][n * sizes[branch].len()..][..sizes[branch].len()];
    let mut output = Vec::new();
    for n in 0..samples {
        if matches!(step.operation, Operation::Concat | Operation::Outputs) {
            (0..inputs.len()).for_each(|branch| output.extend(sample(branch, n)));
            continue;
        }
        for index in 0..step.output.len() {
            // A map of one cell meets every cell of its channel.
            let value = |branch: usize| {
                let alone = sizes[branch].positions() == 1;
                sample(branch, n)[if alone { index / step.output.positions() } else { index }]
            };
            let values = (0..inputs.len()).map(value);
            output.push(if step.operation == Operation::Add { values.sum() } else { values.product::<f64>() });
        }
    }
    output
}

/// A product of matrices, `[c, h, w]` in each sample. What the step reads as its transpose is its transpose here.
fn matmul(geometry: &MatmulGeometry, first: &[f64], second: &[f64]) -> Vec<f64> {
    let geometry = MatmulGeometry { transposed: [false, false], ..*geometry };
    let MatmulGeometry { channels, rows, depth, columns, .. } = geometry;
    let last = |[height, width]: [usize; 2], map: &[f64]| -> Vec<f64> {
        let samples = map.chunks_exact(channels * height * width);
        samples.flat_map(|sample| reference::flatten::chw_to_hwc(channels, [height, width], sample)).collect()
    };
    let product = reference::matmul::forward(&geometry, &last([rows, depth], first), &last([depth, columns], second));
    let samples = product.chunks_exact(channels * rows * columns);
    samples.flat_map(|sample| reference::flatten::hwc_to_chw(channels, [rows, columns], sample)).collect()
}

/// An expression of maps of these sizes, of which one cell may meet all, or one channel.
fn expression(step: &Step, written: &Written, sizes: &[Sizes], inputs: &[&[f64]]) -> Vec<f64> {
    let samples = inputs[0].len() / sizes[0].len();
    let (channels, positions) = (step.output.channels(), step.output.positions());
    let mut output = Vec::new();
    for n in 0..samples {
        for (c, p) in (0..channels).flat_map(|c| (0..positions).map(move |p| (c, p))) {
            let value = |branch: usize| {
                let (c, p) = (c.min(sizes[branch].channels() - 1), p.min(sizes[branch].positions() - 1));
                inputs[branch][n * sizes[branch].len() + c * sizes[branch].positions() + p]
            };
            let arguments: Vec<_> = (0..inputs.len()).map(value).collect();
            output.push((written.evaluate)(&arguments, &mut vec![0.0; inputs.len()]));
        }
    }
    output
}

/// What PyTorch makes of a sample `[c, h, w]`, by the definitions of its documentation.
fn rearranged(step: &Step, geometry: &RearrangementGeometry, sample: &[f64]) -> Vec<f64> {
    let RearrangementGeometry { first, steps, sizes: [.., groups], .. } = *geometry;
    let [channels, height, width] = [step.input.channels(), step.input.height(), step.input.width()];
    let [out_channels, out_height, out_width] = [step.output.channels(), step.output.height(), step.output.width()];
    let at = |c: usize, h: usize, w: usize| sample[(c * height + h) * width + w];
    let mut output = Vec::new();
    for c in 0..out_channels {
        for (h, w) in (0..out_height).flat_map(|h| (0..out_width).map(move |w| (h, w))) {
            output.push(match step.layer {
                "unflatten" | "reshape" => sample[(c * out_height + h) * out_width + w],
                "channel_slice" => at(first + c, h, w),
                "crop" => at(c, h + first / channels / width, w + first / channels % width),
                "channel_shuffle" => at(c % groups * (channels / groups) + c / groups, h, w),
                "pixel_shuffle" => {
                    let factor = out_height / height;
                    at((c * factor + h % factor) * factor + w % factor, h / factor, w / factor)
                }
                "pixel_unshuffle" => {
                    let factor = height / out_height;
                    let [of, i, j] = [c / (factor * factor), c / factor % factor, c % factor];
                    at(of, h * factor + i, w * factor + j)
                }
                "transpose" => at(c, w, h),
                "permute" => {
                    // Which dimension each one is, by its step in memory: sizes of tests are not 1.
                    let of =
                        |step: usize| [1, width * channels, channels].iter().position(|other| *other == step).unwrap();
                    let mut place = [0; 3];
                    for (step, index) in [(steps[4], c), (steps[2], h), (steps[3], w)] {
                        place[of(step)] = index;
                    }
                    at(place[0], place[1], place[2])
                }
                other => panic!("the reference does not know {other}"),
            });
        }
    }
    output
}

/// [`forward`] where no layer has state, or it starts as it always does.
#[allow(dead_code, reason = "not every test that shares this file has state")]
pub(crate) fn evaluate<N: Network>(parameters: &[f64], input: &[f64]) -> Vec<f64> {
    let mut state: Vec<f64> = cnn_core::network::Weights::<N>::new(0).state().iter().copied().map(f64::from).collect();
    forward::<N>(Mode::Evaluation, parameters, &mut state, 1, input)
}

/// What belongs to a step.
struct Own<'a> {
    mode: Mode,
    parameters: &'a [f64],
    state: &'a mut [f64],
    batches: u64,
}

/// Maps are `[n, c, h, w]` here.
fn step_forward(step: &Step, own: &mut Own<'_>, input: &[f64]) -> Vec<f64> {
    let (parameters, state) = (own.parameters, &mut *own.state);
    let channels_last = |map: &[f64]| {
        let (channels, size) = (step.input.channels(), [step.input.height(), step.input.width()]);
        map.chunks_exact(step.input.len())
            .flat_map(|sample| reference::flatten::chw_to_hwc(channels, size, sample))
            .collect::<Vec<_>>()
    };
    let channels_first = |map: Vec<f64>| {
        let (channels, size) = (step.output.channels(), [step.output.height(), step.output.width()]);
        map.chunks_exact(step.output.len())
            .flat_map(|sample| reference::flatten::hwc_to_chw(channels, size, sample))
            .collect::<Vec<_>>()
    };
    match step.operation {
        Operation::Conv2d { geometry, bias, .. } => {
            let (weight, rest) = parameters.split_at(geometry.weight_len());
            let bias = bias.then_some(rest);
            channels_first(reference::conv2d::forward(&geometry, &channels_last(input), weight, bias))
        }
        Operation::Linear { geometry, .. } => {
            // The features are in PyTorch's order, so the weight is taken to PyTorch's order too.
            let (weight, bias) = parameters.split_at(geometry.weight_len());
            let mut pytorch = vec![0.0; weight.len()];
            step.operation.parameters().as_slice()[0].export(weight, &mut pytorch);
            let mut output = Vec::new();
            for sample in input.chunks_exact(geometry.in_features) {
                for (out, row) in pytorch.chunks_exact(geometry.in_features).enumerate() {
                    let sum: f64 = row.iter().zip(sample).map(|(weight, value)| weight * value).sum();
                    output.push(sum + bias.get(out).unwrap_or(&0.0));
                }
            }
            output
        }
        Operation::MaxPool2d(geometry) => {
            channels_first(reference::max_pool2d::forward(&geometry, &channels_last(input)))
        }
        Operation::AvgPool2d(geometry) => {
            channels_first(reference::avg_pool2d::forward(&geometry, &channels_last(input)))
        }
        Operation::AdaptiveAvgPool2d(geometry) => {
            channels_first(reference::adaptive_avg_pool2d::forward(&geometry, &channels_last(input)))
        }
        Operation::BatchNorm2d { geometry, affine, track_running_stats } => {
            let (weight, bias) = parameters.split_at(parameters.len() / 2);
            let affine = affine.then_some(Affine { weight, bias });
            let input = channels_last(input);
            let statistics = if own.mode == Mode::Training || !track_running_stats {
                batch_norm2d::statistics(&geometry, &input)
            } else {
                Statistics { mean: state[..geometry.channels].to_vec(), variance: state[geometry.channels..].to_vec() }
            };
            if own.mode == Mode::Training && track_running_stats {
                let batches = own.batches;
                let (mean, variance) = state.split_at_mut(geometry.channels);
                let mut running = Statistics { mean: mean.to_vec(), variance: variance.to_vec() };
                let rows = input.len() / geometry.channels;
                batch_norm2d::update_running(&geometry, &mut running, &statistics, rows, batches);
                mean.copy_from_slice(&running.mean);
                variance.copy_from_slice(&running.variance);
            }
            channels_first(batch_norm2d::forward(&geometry, &input, &statistics, affine))
        }
        Operation::ConvTranspose2d { geometry, bias, .. } => {
            let (weight, rest) = parameters.split_at(geometry.weight_len());
            let bias = bias.then_some(rest);
            channels_first(reference::conv_transpose2d::forward(&geometry, &channels_last(input), weight, bias))
        }
        Operation::AdaptiveMaxPool2d(geometry) => {
            channels_first(reference::adaptive_max_pool2d::forward(&geometry, &channels_last(input)))
        }
        Operation::GroupNorm { geometry, weight, bias } => {
            let (of_weight, of_bias) = parameters.split_at(if weight { geometry.weights() } else { 0 });
            let (weight, bias) = (weight.then_some(of_weight), bias.then_some(of_bias));
            channels_first(reference::group_norm::forward(&geometry, &channels_last(input), weight, bias))
        }
        Operation::LocalResponseNorm(geometry) => {
            channels_first(reference::local_response_norm::forward(&geometry, &channels_last(input)))
        }
        Operation::Upsample(geometry) => channels_first(reference::upsample::forward(&geometry, &channels_last(input))),
        Operation::Pad2d(geometry) => channels_first(reference::pad2d::forward(&geometry, &channels_last(input))),
        Operation::Rearrange(geometry) => {
            input.chunks_exact(step.input.len()).flat_map(|sample| rearranged(step, &geometry, sample)).collect()
        }
        Operation::Reduce(geometry) => channels_first(reference::reduce::forward(&geometry, &channels_last(input))),
        Operation::Activation(function) => reference::activation::forward(function, input),
        Operation::Prelu { channels, .. } => {
            channels_first(reference::prelu::forward(channels, &channels_last(input), parameters))
        }
        Operation::Learned { .. } => {
            let samples = input.len() / step.input.len();
            channels_first(reference::learned::forward(samples, parameters))
        }
        Operation::SoftmaxOverWidth { logarithm } => {
            let of = if logarithm { reference::log_softmax::forward } else { reference::softmax::forward };
            of(step.input.width(), input)
        }
        Operation::LogSoftmax => {
            channels_first(reference::log_softmax::forward(step.input.channels(), &channels_last(input)))
        }
        Operation::Softmax => channels_first(reference::softmax::forward(step.input.channels(), &channels_last(input))),
        Operation::LayerScale { .. } => {
            channels_first(reference::layer_scale::forward(&channels_last(input), parameters))
        }
        Operation::Flatten | Operation::Dropout { .. } | Operation::Dropout2d { .. } | Operation::DropPath { .. } => {
            input.to_vec()
        }
        // A layer of a test's own: the one cell of a channel at every cell of another map.
        Operation::Custom { .. } if step.layer == "Spread" => {
            input.iter().flat_map(|value| std::iter::repeat_n(*value, step.output.positions())).collect()
        }
        ref other => panic!("the reference does not know {other:?}"),
    }
}

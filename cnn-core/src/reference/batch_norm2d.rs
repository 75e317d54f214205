//! Batch normalization of each channel. <https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html>
//!
//! A map is rows of channels, one for each sample and position. Training normalizes by the statistics of the batch, and
//! their gradient is part of the backward pass; evaluation, by statistics that ran along in training, which are constants
//! then. PyTorch's `affine = false` is no [`Affine`]; `track_running_stats = false` evaluates by the batch's statistics.

use super::{Gradients, samples};
use crate::kernel::geometry::BatchNorm2dGeometry;

/// The mean and the variance of each channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// PyTorch's `running_mean`.
    pub mean: Vec<f64>,
    /// PyTorch's `running_var`.
    pub variance: Vec<f64>,
}

impl Statistics {
    /// What the running ones start as: mean 0 and variance 1.
    pub fn start(geometry: &BatchNorm2dGeometry) -> Self {
        Self { mean: vec![0.0; geometry.channels], variance: vec![1.0; geometry.channels] }
    }
}

/// What is done to the normalized values, a factor and a summand for each channel.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Affine<'a> {
    /// The factors.
    pub weight: &'a [f64],
    /// The summands.
    pub bias: &'a [f64],
}

/// input `[rows, c]` -> the statistics of the batch; the variance is the biased one, a sum over `rows`
///
/// One row has no variance, and PyTorch refuses it in training.
pub fn statistics(geometry: &BatchNorm2dGeometry, input: &[f64]) -> Statistics {
    let channels = geometry.channels;
    let rows = samples(input.len(), channels);
    assert!(rows > 1, "the statistics of a batch take more than one value for each channel");
    let average = |of: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
        let sum = |c: usize| input.iter().skip(c).step_by(channels).map(|&x| of(c, x)).sum::<f64>();
        (0..channels).map(|c| sum(c) / rows as f64).collect()
    };
    let mean = average(&|_, x| x);
    let variance = average(&|c, x| (x - mean[c]).powi(2));
    Statistics { mean, variance }
}

/// Moves the running statistics towards those of a batch of so many rows by the share `momentum`, or, if there is none, by
/// that of one in as many `batches` as there were, with this one: then they are the mean of all. The variance that they take
/// is the unbiased one, a sum over `rows - 1`.
pub fn update_running(
    geometry: &BatchNorm2dGeometry,
    running: &mut Statistics,
    batch: &Statistics,
    rows: usize,
    batches: u64,
) {
    let momentum = geometry.momentum.unwrap_or(1.0 / batches as f64);
    let unbiased = rows as f64 / (rows - 1) as f64;
    for c in 0..geometry.channels {
        running.mean[c] = (1.0 - momentum) * running.mean[c] + momentum * batch.mean[c];
        running.variance[c] = (1.0 - momentum) * running.variance[c] + momentum * unbiased * batch.variance[c];
    }
}

/// input `[rows, c]` -> output `[rows, c]`: `(x - mean) / sqrt(variance + eps) * weight + bias`
///
/// In training the statistics are those of the input, in evaluation the running ones.
pub fn forward(
    geometry: &BatchNorm2dGeometry,
    input: &[f64],
    statistics: &Statistics,
    affine: Option<Affine<'_>>,
) -> Vec<f64> {
    let normalized = normalize(geometry, input, statistics);
    let Some(Affine { weight, bias }) = affine else { return normalized };
    let channels = geometry.channels;
    normalized.iter().enumerate().map(|(i, x)| x * weight[i % channels] + bias[i % channels]).collect()
}

/// input `[rows, c]` and the running statistics, weight `[c]`, grad_output `[rows, c]` -> gradients of the shapes of input,
/// weight and bias, in evaluation
pub fn backward_evaluation(
    geometry: &BatchNorm2dGeometry,
    input: &[f64],
    statistics: &Statistics,
    weight: Option<&[f64]>,
    grad_output: &[f64],
) -> Gradients {
    let normalized = normalize(geometry, input, statistics);
    let (grad_weight, grad_bias) = affine_gradients(geometry, &normalized, grad_output);
    let channels = geometry.channels;
    let grad_input = grad_output.iter().enumerate().map(|(i, grad)| {
        let c = i % channels;
        grad * weight.map_or(1.0, |weight| weight[c]) / deviation(geometry, statistics, c)
    });
    Gradients { input: grad_input.collect(), weight: grad_weight, bias: grad_bias }
}

/// input `[rows, c]` and its statistics, weight `[c]`, grad_output `[rows, c]` -> gradients of the shapes of input, weight
/// and bias, in training
///
/// `weight / deviation * (grad - mean(grad) - y * mean(grad * y))` with the normalized `y`: a gradient that would move or
/// scale a whole channel is taken back, since the normalization would undo it. Ioffe and Szegedy, section 3:
/// <https://arxiv.org/abs/1502.03167>
pub fn backward_training(
    geometry: &BatchNorm2dGeometry,
    input: &[f64],
    statistics: &Statistics,
    weight: Option<&[f64]>,
    grad_output: &[f64],
) -> Gradients {
    let normalized = normalize(geometry, input, statistics);
    let (grad_weight, grad_bias) = affine_gradients(geometry, &normalized, grad_output);
    let channels = geometry.channels;
    let rows = samples(input.len(), channels) as f64;
    let grad_input = grad_output.iter().zip(&normalized).enumerate().map(|(i, (grad, y))| {
        let c = i % channels;
        let scale = weight.map_or(1.0, |weight| weight[c]) / deviation(geometry, statistics, c);
        scale * (grad - grad_bias[c] / rows - y * grad_weight[c] / rows)
    });
    Gradients { input: grad_input.collect(), weight: grad_weight, bias: grad_bias }
}

fn deviation(geometry: &BatchNorm2dGeometry, statistics: &Statistics, c: usize) -> f64 {
    (statistics.variance[c] + geometry.eps).sqrt()
}

fn normalize(geometry: &BatchNorm2dGeometry, input: &[f64], statistics: &Statistics) -> Vec<f64> {
    let channels = geometry.channels;
    samples(input.len(), channels);
    let value =
        |(i, x): (usize, &f64)| (x - statistics.mean[i % channels]) / deviation(geometry, statistics, i % channels);
    input.iter().enumerate().map(value).collect()
}

/// The gradients by weight and bias: for each channel the sums of `grad * y` and of `grad`.
fn affine_gradients(geometry: &BatchNorm2dGeometry, normalized: &[f64], grad_output: &[f64]) -> (Vec<f64>, Vec<f64>) {
    assert_eq!(normalized.len(), grad_output.len());
    let (mut grad_weight, mut grad_bias) = (vec![0.0; geometry.channels], vec![0.0; geometry.channels]);
    for (i, (y, grad)) in normalized.iter().zip(grad_output).enumerate() {
        grad_weight[i % geometry.channels] += grad * y;
        grad_bias[i % geometry.channels] += grad;
    }
    (grad_weight, grad_bias)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::geometry::Layout;

    const TWO: BatchNorm2dGeometry =
        BatchNorm2dGeometry { channels: 2, eps: 0.0, momentum: Some(0.25), layout: Layout::DENSE };
    const INPUT: [f64; 6] = [1.0, 10.0, 4.0, 30.0, 4.0, 20.0];

    #[test]
    fn each_channel_gets_mean_zero_and_variance_one() {
        let batch = statistics(&TWO, &INPUT);
        assert_eq!(batch, Statistics { mean: vec![3.0, 20.0], variance: vec![2.0, 200.0 / 3.0] });
        let output = forward(&TWO, &INPUT, &batch, Some(Affine { weight: &[2.0, 1.0], bias: &[5.0, 0.0] }));
        let (a, b) = (2.0_f64.sqrt(), 1.5_f64.sqrt());
        for (found, expected) in output.iter().zip([5.0 - 2.0 * a, -b, 5.0 + a, b, 5.0 + a, 0.0]) {
            assert!((found - expected).abs() < 1e-14);
        }
    }

    #[test]
    fn the_running_variance_is_unbiased() {
        let mut running = Statistics::start(&TWO);
        update_running(&TWO, &mut running, &statistics(&TWO, &INPUT), 3, 7);
        assert_eq!(running, Statistics { mean: vec![0.75, 5.0], variance: vec![1.5, 25.75] });
    }

    #[test]
    fn without_momentum_the_running_statistics_are_the_mean_of_all_batches() {
        let geometry = BatchNorm2dGeometry { momentum: None, ..TWO };
        let mut running = Statistics::start(&geometry);
        for (batch, factor) in (1..).zip([1.0, 2.0, 6.0]) {
            let input = INPUT.map(|value| value * factor);
            update_running(&geometry, &mut running, &statistics(&geometry, &input), 3, batch);
        }
        assert_eq!(running.mean, [9.0, 60.0]);
    }

    #[test]
    fn training_takes_back_what_moves_a_whole_channel_and_evaluation_does_not() {
        let batch = statistics(&TWO, &INPUT);
        let same = [1.0; 6];
        assert_eq!(backward_training(&TWO, &INPUT, &batch, None, &same).input, [0.0; 6]);
        let running = Statistics { mean: vec![0.0, 0.0], variance: vec![4.0, 0.25] };
        let gradients = backward_evaluation(&TWO, &INPUT, &running, Some(&[3.0, 1.0]), &same);
        assert_eq!(gradients.input, [1.5, 2.0, 1.5, 2.0, 1.5, 2.0]);
        assert_eq!((gradients.weight, gradients.bias), (vec![4.5, 120.0], vec![3.0, 3.0]));
    }
}

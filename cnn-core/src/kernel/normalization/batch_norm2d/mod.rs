//! Batch normalization, `(x - mean) / deviation * weight + bias` for each channel, and an activation, which may follow it for
//! next to nothing. <https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html>
//!
//! In training the mean and the deviation are those of the batch and are kept for the way back; in evaluation they are
//! running ones, which are constants.

mod apply;
mod shard;
mod sums;

pub use shard::{Summed, backward_shard, forward_shard};

use crate::kernel::geometry::BatchNorm2dGeometry;
use crate::kernel::memory::chunk::Target;
use crate::kernel::memory::scratch::{Needs, Scratch};
use crate::kernel::{FusedActivation, Write};
use apply::{Backward, Forward, OfBatch};

/// What is done to normalized values: a factor and a summand for each channel.
#[derive(Clone, Copy, Debug)]
pub struct Affine<'a> {
    /// The factors.
    pub weight: &'a [f32],
    /// The summands.
    pub bias: &'a [f32],
}

/// Given means and variances, as the running ones.
#[derive(Clone, Copy, Debug)]
pub struct Statistics<'a> {
    /// A mean for each channel.
    pub mean: &'a [f32],
    /// A variance for each channel.
    pub variance: &'a [f32],
}

/// Running means and variances that move on.
#[derive(Debug)]
pub struct StatisticsMut<'a> {
    /// How many batches they are of, with the one to come.
    pub batches: u64,
    /// A mean for each channel.
    pub mean: &'a mut [f32],
    /// A variance for each channel.
    pub variance: &'a mut [f32],
}

/// What the way back needs of a batch's statistics.
#[derive(Clone, Copy, Debug)]
pub struct Saved<'a> {
    /// A mean for each channel.
    pub mean: &'a [f32],
    /// `1 / sqrt(variance + eps)` for each channel.
    pub inverse_deviation: &'a [f32],
}

/// [`Saved`] to be written.
#[derive(Debug)]
pub struct SavedMut<'a> {
    /// A mean for each channel.
    pub mean: &'a mut [f32],
    /// `1 / sqrt(variance + eps)` for each channel.
    pub inverse_deviation: &'a mut [f32],
}

/// Where the gradients of a normalization's maps are.
#[derive(Debug)]
pub enum MapGradients<'a> {
    /// Each has memory of its own.
    Apart {
        /// That of the output.
        output: &'a [f32],
        /// That of the input, if it is wanted.
        input: Option<(&'a mut [f32], Write)>,
    },
    /// That of the input comes in the place of the output's: neighbouring cells of both maps are equally far apart.
    InPlace(&'a mut [f32]),
}

/// What comes back to a normalization.
#[derive(Clone, Copy)]
struct Returned<'a> {
    /// The rectifier of the forward pass. What it got is reckoned again from the input, which costs less than reading.
    fused: FusedActivation,
    /// The gradient of what it made.
    grad_output: &'a [f32],
}

/// Where the gradients of weight and bias go.
#[derive(Debug)]
pub struct AffineGradients<'a> {
    /// Of the weight.
    pub weight: &'a mut [f32],
    /// Of the bias.
    pub bias: &'a mut [f32],
}

impl BatchNorm2dGeometry {
    /// What the passes work in.
    pub const fn needs(&self) -> Needs {
        // Inverse deviations, the sums, and those of the chunks.
        Needs { shared: self.channels.saturating_mul(1 + 2 + 2 * sums::CHUNKS), per_thread: 0 }
    }

    fn rows(&self, input: usize, output: usize) -> usize {
        let rows = self.input().samples(input);
        assert_eq!(self.output().samples(output), rows, "input and output have the same rows");
        rows
    }

    /// Memory to work in, once there is a mean and a deviation for each channel: what is less is no reason to allocate.
    fn lend<'a>(&self, scratch: &'a mut Scratch, statistics: [&[f32]; 2]) -> &'a mut [f32] {
        assert!(
            statistics.iter().all(|values| values.len() == self.channels),
            "a mean and a deviation for each channel"
        );
        scratch.lend(self.needs()).0
    }
}

/// input `[n, h, w, c]` -> output `[n, h, w, c]`, normalized by its own statistics.
///
/// `saved` is written for [`backward_training`]. The running mean and (unbiased) variance move towards those of the batch.
///
/// # Panics
/// If there is but one row, which has no variance.
pub fn forward_training(
    geometry: &BatchNorm2dGeometry,
    affine: Option<Affine<'_>>,
    fused: FusedActivation,
    input: &[f32],
    running: Option<StatisticsMut<'_>>,
    saved: SavedMut<'_>,
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    let rows = geometry.rows(input.len(), output.len());
    let SavedMut { mean, inverse_deviation } = saved;
    if rows > 0 {
        assert!(rows > 1, "one value for each channel has no variance");
        let shared = geometry.lend(scratch, [mean, inverse_deviation]);
        let saved = SavedMut { mean: &mut *mean, inverse_deviation: &mut *inverse_deviation };
        sums::statistics(geometry, rows, input, running, saved, shared);
    }
    let saved = Saved { mean, inverse_deviation };
    Forward { geometry, saved, affine, fused }.run(rows, input.as_ptr(), Target::new(output));
}

/// input `[n, h, w, c]` -> output `[n, h, w, c]`, normalized by given means and variances.
pub fn forward_evaluation(
    geometry: &BatchNorm2dGeometry,
    statistics: Statistics<'_>,
    affine: Option<Affine<'_>>,
    fused: FusedActivation,
    input: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    let shared = geometry.lend(scratch, [statistics.mean, statistics.variance]);
    let saved = inverted(geometry, statistics, shared);
    forward_saved(geometry, saved, affine, fused, input, output);
}

/// [`forward_evaluation`] in the place of its input, with the strides of the output.
pub fn forward_evaluation_in_place(
    geometry: &BatchNorm2dGeometry,
    statistics: Statistics<'_>,
    affine: Option<Affine<'_>>,
    fused: FusedActivation,
    values: &mut [f32],
    scratch: &mut Scratch,
) {
    let shared = geometry.lend(scratch, [statistics.mean, statistics.variance]);
    let saved = inverted(geometry, statistics, shared);
    forward_saved_in_place(geometry, saved, affine, fused, values);
}

/// [`forward_evaluation`] with inverse deviations that were found before.
pub fn forward_saved(
    geometry: &BatchNorm2dGeometry,
    saved: Saved<'_>,
    affine: Option<Affine<'_>>,
    fused: FusedActivation,
    input: &[f32],
    output: &mut [f32],
) {
    let rows = geometry.rows(input.len(), output.len());
    Forward { geometry, saved, affine, fused }.run(rows, input.as_ptr(), Target::new(output));
}

/// [`forward_saved`] in the place of its input, with the strides of the output.
pub fn forward_saved_in_place(
    geometry: &BatchNorm2dGeometry,
    saved: Saved<'_>,
    affine: Option<Affine<'_>>,
    fused: FusedActivation,
    values: &mut [f32],
) {
    let stride = geometry.output().stride;
    let geometry = &geometry.strided(stride, stride);
    let rows = geometry.rows(values.len(), values.len());
    let values = Target::new(values);
    Forward { geometry, saved, affine, fused }.run(rows, values.pointer(0, 0), values);
}

/// Inverse deviations `1 / sqrt(variance + eps)`.
pub fn invert(geometry: &BatchNorm2dGeometry, variance: &[f32], inverse_deviation: &mut [f32]) {
    for (inverse, variance) in inverse_deviation.iter_mut().zip(variance) {
        *inverse = sums::inverse_deviation(geometry, f64::from(*variance));
    }
}

/// The statistics with inverse deviations, which are put into the first values of `shared`.
fn inverted<'a>(geometry: &BatchNorm2dGeometry, statistics: Statistics<'a>, shared: &'a mut [f32]) -> Saved<'a> {
    let inverse_deviation = &mut shared[..geometry.channels];
    invert(geometry, statistics.variance, inverse_deviation);
    Saved { mean: statistics.mean, inverse_deviation }
}

/// input and what the forward pass saved of it, weight and bias `[c]`, grad_output `[n, h, w, c]` -> grad_input `[n, h, w, c]`, and
/// the gradients of weight and bias, where the statistics are those of the input.
pub fn backward_training(
    geometry: &BatchNorm2dGeometry,
    saved: Saved<'_>,
    affine: Option<Affine<'_>>,
    input: &[f32],
    fused: FusedActivation,
    maps: MapGradients<'_>,
    gradients: Option<AffineGradients<'_>>,
    scratch: &mut Scratch,
) {
    let shared = geometry.lend(scratch, [saved.mean, saved.inverse_deviation]);
    let of_batch = |rows: usize, _: &mut [f32]| Some(rows as f32);
    backward(geometry, saved, affine, input, fused, maps, gradients, of_batch, shared);
}

/// [`backward_training`] where the statistics are given and have no gradient.
pub fn backward_evaluation(
    geometry: &BatchNorm2dGeometry,
    statistics: Statistics<'_>,
    affine: Option<Affine<'_>>,
    input: &[f32],
    fused: FusedActivation,
    maps: MapGradients<'_>,
    gradients: Option<AffineGradients<'_>>,
    scratch: &mut Scratch,
) {
    let shared = geometry.lend(scratch, [statistics.mean, statistics.variance]);
    let (inverse, shared) = shared.split_at_mut(geometry.channels);
    let saved = inverted(geometry, statistics, inverse);
    backward(geometry, saved, affine, input, fused, maps, gradients, |_, _| None, shared);
}

/// `of_batch` gets the rows and the gradients `[2c]` of weight and bias, and makes of both those of the whole batch that the
/// statistics are of, if they are of one: the rows are returned.
fn backward(
    geometry: &BatchNorm2dGeometry,
    saved: Saved<'_>,
    affine: Option<Affine<'_>>,
    input: &[f32],
    fused: FusedActivation,
    maps: MapGradients<'_>,
    gradients: Option<AffineGradients<'_>>,
    of_batch: impl FnOnce(usize, &mut [f32]) -> Option<f32>,
    shared: &mut [f32],
) {
    let grad_output = match &maps {
        MapGradients::Apart { output, .. } => *output,
        MapGradients::InPlace(grad) => &**grad,
    };
    let rows = geometry.rows(input.len(), grad_output.len());
    let channels = geometry.channels;
    apply::check_affine(affine, channels);
    let (sums, partials) = shared.split_at_mut(2 * channels);
    let (grad_weight, grad_bias) = sums.split_at_mut(channels);
    let returned = Returned { fused, grad_output };
    sums::gradient(geometry, rows, saved, affine, input, returned, grad_weight, grad_bias, partials);
    if let Some(AffineGradients { weight, bias }) = gradients {
        weight.copy_from_slice(grad_weight);
        bias.copy_from_slice(grad_bias);
    }
    let (grad_output, grad_input, write) = match maps {
        MapGradients::Apart { input: None, .. } => return,
        MapGradients::Apart { output, input: Some((grad_input, write)) } => {
            assert_eq!(geometry.input().samples(grad_input.len()), rows);
            (Some(output), grad_input, write)
        }
        MapGradients::InPlace(grad) => {
            assert_eq!(geometry.input().stride, geometry.output().stride, "each value is written where it was");
            (None, grad, Write::Store)
        }
    };
    let of_batch = of_batch(rows, sums).map(|rows| {
        let (weight, bias) = sums.split_at(channels);
        OfBatch { rows, weight, bias }
    });
    Backward { geometry, saved, affine, of_batch, write, rows }.run(input, fused, grad_output, grad_input);
}

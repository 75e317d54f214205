//! A shard of a batch whose statistics are those of the whole: <https://pytorch.org/docs/stable/generated/torch.nn.SyncBatchNorm.html>

use super::apply::Forward;
use super::sums::{self, Found, Moments};
use super::{Affine, AffineGradients, MapGradients, Saved, SavedMut, StatisticsMut};
use crate::kernel::FusedActivation;
use crate::kernel::geometry::BatchNorm2dGeometry;
use crate::kernel::memory::chunk::Target;
use crate::kernel::memory::scratch::Scratch;

/// Makes numbers of a shard the sum of those of all shards.
pub type Summed<'a> = &'a dyn Fn(&mut [f64]);

/// [`forward_training`](super::forward_training) of a shard, by the statistics of all of them.
pub fn forward_shard(
    geometry: &BatchNorm2dGeometry,
    affine: Option<Affine<'_>>,
    fused: FusedActivation,
    input: &[f32],
    running: Option<StatisticsMut<'_>>,
    saved: SavedMut<'_>,
    output: &mut [f32],
    scratch: &mut Scratch,
    sum: Summed<'_>,
) {
    let (rows, channels) = (geometry.rows(input.len(), output.len()), geometry.channels);
    let SavedMut { mean, inverse_deviation } = saved;
    let shared = geometry.lend(scratch, [mean, inverse_deviation]);
    // Rows, sums, and sums of squares. As f64 they lose nothing that f32 has, as long as the mean is less than 1e4 deviations.
    let mut whole = vec![0.0; 1 + 2 * channels];
    let count = rows as f64;
    if rows > 0 {
        whole[0] = count;
        sums::moments(geometry, rows, input, shared, |channel, Moments { mean, squares }| {
            whole[1 + channel] = count * mean;
            whole[1 + channels + channel] = squares + count * mean * mean;
        });
    }
    sum(&mut whole);
    let (count, totals) = (whole[0], &whole[1..]);
    let saved = SavedMut { mean: &mut *mean, inverse_deviation: &mut *inverse_deviation };
    let mut found = Found::new(geometry, count, running, saved);
    for channel in 0..channels {
        let mean = totals[channel] / count;
        let off_zero = totals[channels + channel];
        // Where nothing is left of it but roundings, it is none. What is no number stays so.
        let squares = off_zero - count * mean * mean;
        found.put(channel, Moments { mean, squares: if squares < 0.0 { 0.0 } else { squares } });
    }
    let saved = Saved { mean, inverse_deviation };
    Forward { geometry, saved, affine, fused }.run(rows, input.as_ptr(), Target::new(output));
}

/// [`backward_training`](super::backward_training) of a shard: the gradients of weight and bias are its own, and the input's that
/// of whatever the outputs of all shards have these gradients by.
pub fn backward_shard(
    geometry: &BatchNorm2dGeometry,
    saved: Saved<'_>,
    affine: Option<Affine<'_>>,
    input: &[f32],
    fused: FusedActivation,
    maps: MapGradients<'_>,
    gradients: Option<AffineGradients<'_>>,
    scratch: &mut Scratch,
    sum: Summed<'_>,
) {
    let shared = geometry.lend(scratch, [saved.mean, saved.inverse_deviation]);
    let of_all = |rows: usize, gradients: &mut [f32]| {
        let mut whole = vec![rows as f64];
        whole.extend(gradients.iter().copied().map(f64::from));
        sum(&mut whole);
        gradients.iter_mut().zip(&whole[1..]).for_each(|(gradient, whole)| *gradient = *whole as f32);
        Some(whole[0] as f32)
    };
    super::backward(geometry, saved, affine, input, fused, maps, gradients, of_all, shared);
}

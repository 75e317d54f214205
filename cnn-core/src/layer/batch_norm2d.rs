//! `batch_norm2d`, and `batch_norm1d` of features, which are a map of one cell.
//! <https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html>,
//! <https://pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html>

use super::prepare::{Fold, Folded, Prepared, lines};
use super::{GradInput, Initial, Mode, Operation, Owned, Parameter, Pass};
use crate::kernel::FusedActivation;
use crate::kernel::geometry::BatchNorm2dGeometry;
use crate::kernel::memory::buffer::{split, split_ref};
use crate::kernel::memory::scratch::Needs;
use crate::kernel::normalization::batch_norm2d::{
    self, Affine, AffineGradients, MapGradients, Saved, SavedMut, Statistics, StatisticsMut,
};

/// A batch normalization of a network. Parameters are the weight `[c]`, then the bias `[c]`, or none; state is
/// `running_mean` `[c]` and `running_var` `[c]`, and a count `num_batches_tracked`, or nothing; it keeps the mean `[c]` and the inverse
/// deviation `[c]` of a batch for the backward pass.
pub trait BatchNorm2d {
    /// Its numbers.
    const GEOMETRY: BatchNorm2dGeometry;
    /// Whether normalized values get a trained factor and summand for each channel.
    const AFFINE: bool;
    /// Whether evaluation normalizes by statistics that ran along in training, instead of those of the batch.
    const TRACK_RUNNING_STATS: bool;
    /// The rectifier behind it, if that is part of it.
    const FUSED: FusedActivation;
    /// The layer as data.
    const OPERATION: Operation = Operation::BatchNorm2d {
        geometry: Self::GEOMETRY,
        affine: Self::AFFINE,
        track_running_stats: Self::TRACK_RUNNING_STATS,
    };
    /// The scratch memory that its loops take.
    const NEEDS: Needs = Self::OPERATION.needs();
}

/// See [`conv2d::needs`](super::conv2d::needs).
pub const fn needs<L: BatchNorm2d>() -> Needs {
    L::NEEDS
}

pub(super) const fn parameters(geometry: &BatchNorm2dGeometry) -> [Parameter; 2] {
    [
        Parameter::vector("weight", geometry.channels, Initial::Constant(1.0)),
        Parameter::vector("bias", geometry.channels, Initial::Constant(0.0)),
    ]
}

pub(super) const fn state(geometry: &BatchNorm2dGeometry) -> [Parameter; 3] {
    [
        Parameter::vector("running_mean", geometry.channels, Initial::Constant(0.0)),
        Parameter::vector("running_var", geometry.channels, Initial::Constant(1.0)),
        Parameter::count("num_batches_tracked"),
    ]
}

/// input `[n, h, w, c]` -> output `[n, h, w, c]`
pub fn forward<L: BatchNorm2d>(pass: &mut Pass<'_>, owned: Owned<'_>, input: &[f32], output: &mut [f32]) {
    let geometry = &L::GEOMETRY;
    let affine = affine::<L>(owned.parameters);
    let fused = L::FUSED;
    match (pass.mode(), statistics_of::<L>(pass.mode())) {
        (_, Of::Running) => {
            let statistics = running::<L>(owned.state);
            batch_norm2d::forward_evaluation(geometry, statistics, affine, fused, input, output, pass.scratch);
        }
        (Mode::Evaluation, Of::Batch) if geometry.input().samples(input.len()) == 1 => {
            // One value is its own mean, and no other is far from it.
            let (mean, variance) = owned.saved.split_at_mut(geometry.channels);
            mean.copy_from_slice(&input[..geometry.channels]);
            variance.fill(0.0);
            let statistics = Statistics { mean, variance };
            batch_norm2d::forward_evaluation(geometry, statistics, affine, fused, input, output, pass.scratch);
        }
        (mode, Of::Batch) => {
            let running = (mode == Mode::Training && L::TRACK_RUNNING_STATS)
                .then(|| count_batch(geometry, owned.state, owned.counts));
            let (mean, inverse_deviation) = owned.saved.split_at_mut(geometry.channels);
            let saved = SavedMut { mean, inverse_deviation };
            let (sum, scratch) = pass.summed();
            match sum {
                Some(sum) if mode == Mode::Training => {
                    batch_norm2d::forward_shard(geometry, affine, fused, input, running, saved, output, scratch, sum);
                }
                _ => batch_norm2d::forward_training(geometry, affine, fused, input, running, saved, output, scratch),
            }
        }
    }
}

/// What [`forward`] made, once more, on the way back: nothing is counted, and statistics stay as they are.
pub fn forward_again<L: BatchNorm2d>(pass: &mut Pass<'_>, owned: Owned<'_>, input: &[f32], output: &mut [f32]) {
    if let Of::Running = statistics_of::<L>(pass.mode()) {
        return forward::<L>(pass, owned, input, output);
    }
    let (mean, inverse_deviation) = owned.saved.split_at(L::GEOMETRY.channels);
    let (saved, affine) = (Saved { mean, inverse_deviation }, affine::<L>(owned.parameters));
    batch_norm2d::forward_saved(&L::GEOMETRY, saved, affine, L::FUSED, input, output);
}

/// input `[n, h, w, c]`, grad_output `[n, h, w, c]` -> grad_input `[n, h, w, c]`, grad_parameters
pub fn backward<L: BatchNorm2d>(
    pass: &mut Pass<'_>,
    owned: Owned<'_>,
    input: &[f32],
    _output: &[f32],
    grad_output: &mut [f32],
    grad_input: Option<GradInput<'_>>,
    grad_parameters: &mut [f32],
) {
    let grad_input = grad_input.map(|GradInput { values, write }| (values, write));
    let maps = MapGradients::Apart { output: grad_output, input: grad_input };
    backward_maps::<L>(pass, owned, input, maps, grad_parameters);
}

/// [`backward`] in the place of the gradient, where those of input and output are one.
pub fn backward_in_place<L: BatchNorm2d>(
    pass: &mut Pass<'_>,
    owned: Owned<'_>,
    input: &[f32],
    grad: &mut [f32],
    grad_parameters: &mut [f32],
) {
    backward_maps::<L>(pass, owned, input, MapGradients::InPlace(grad), grad_parameters);
}

fn backward_maps<L: BatchNorm2d>(
    pass: &mut Pass<'_>,
    owned: Owned<'_>,
    input: &[f32],
    maps: MapGradients<'_>,
    grad_parameters: &mut [f32],
) {
    let (geometry, affine, fused) = (&L::GEOMETRY, affine::<L>(owned.parameters), L::FUSED);
    let gradients = (L::AFFINE && pass.trains()).then(|| {
        let (weight, bias) = grad_parameters.split_at_mut(geometry.channels);
        AffineGradients { weight, bias }
    });
    let mode = pass.mode();
    let (sum, scratch) = pass.summed();
    match statistics_of::<L>(mode) {
        Of::Running => {
            let statistics = running::<L>(owned.state);
            batch_norm2d::backward_evaluation(geometry, statistics, affine, input, fused, maps, gradients, scratch);
        }
        Of::Batch => {
            let (mean, inverse_deviation) = owned.saved.split_at(geometry.channels);
            let saved = Saved { mean, inverse_deviation };
            match sum {
                Some(sum) if mode == Mode::Training => {
                    batch_norm2d::backward_shard(geometry, saved, affine, input, fused, maps, gradients, scratch, sum);
                }
                _ => batch_norm2d::backward_training(geometry, saved, affine, input, fused, maps, gradients, scratch),
            }
        }
    }
}

/// Whose statistics normalize.
enum Of {
    Batch,
    Running,
}

fn statistics_of<L: BatchNorm2d>(mode: Mode) -> Of {
    if mode == Mode::Evaluation && L::TRACK_RUNNING_STATS { Of::Running } else { Of::Batch }
}

fn affine<L: BatchNorm2d>(parameters: &[f32]) -> Option<Affine<'_>> {
    L::AFFINE.then(|| {
        let (weight, bias) = parameters.split_at(L::GEOMETRY.channels);
        Affine { weight, bias }
    })
}

fn running<L: BatchNorm2d>(state: &[f32]) -> Statistics<'_> {
    let (mean, variance) = state.split_at(L::GEOMETRY.channels);
    Statistics { mean, variance }
}

/// The running statistics, after one more batch was counted.
fn count_batch<'a>(geometry: &BatchNorm2dGeometry, state: &'a mut [f32], counts: &mut [u64]) -> StatisticsMut<'a> {
    let (mean, variance) = state.split_at_mut(geometry.channels);
    counts[0] = counts[0].saturating_add(1);
    StatisticsMut { batches: counts[0], mean, variance }
}

/// What a predictor has of it, where it is no part of a layer before it.
pub const fn prepared<L: BatchNorm2d>() -> Prepared {
    let channels = L::GEOMETRY.channels;
    let of_affine = if L::AFFINE { 2 } else { 0 };
    if L::TRACK_RUNNING_STATS {
        Prepared::of(channels.saturating_mul(2 + of_affine))
    } else {
        let saved = lines(channels.saturating_mul(2));
        Prepared { saved, needs: L::NEEDS, by_sample: false, ..Prepared::of(channels.saturating_mul(of_affine)) }
    }
}

/// The running mean and its inverse deviation, if there are some, and the weight and bias, if there are.
pub fn prepare<L: BatchNorm2d>(parameters: &[f32], state: &[f32], prepared: &mut [f32]) {
    let (channels, mut rest) = (L::GEOMETRY.channels, prepared);
    if L::TRACK_RUNNING_STATS {
        let Statistics { mean, variance } = running::<L>(state);
        let [to_mean, inverse_deviation, affine] = split(rest, [channels, channels, parameters.len()]);
        to_mean.copy_from_slice(mean);
        batch_norm2d::invert(&L::GEOMETRY, variance, inverse_deviation);
        rest = affine;
    }
    rest[..parameters.len()].copy_from_slice(parameters);
}

/// [`forward`] with what is prepared, in evaluation. `saved` is memory for the statistics of a batch, if it has no others.
pub fn predict<L: BatchNorm2d>(
    pass: &mut Pass<'_>,
    prepared: &[f32],
    saved: &mut [f32],
    input: &[f32],
    output: &mut [f32],
) {
    if L::TRACK_RUNNING_STATS {
        let (saved, affine) = frozen::<L>(prepared);
        batch_norm2d::forward_saved(&L::GEOMETRY, saved, affine, L::FUSED, input, output);
    } else {
        let parameters = if L::AFFINE { &prepared[..2 * L::GEOMETRY.channels] } else { &[] };
        let saved = &mut saved[..2 * L::GEOMETRY.channels];
        let owned = Owned { parameters, state: &mut [], counts: &mut [], saved, workspace: &mut [] };
        forward::<L>(pass, owned, input, output);
    }
}

/// [`predict`] where input and output are one, with running statistics.
pub fn predict_in_place<L: BatchNorm2d>(_pass: &mut Pass<'_>, prepared: &[f32], map: &mut [f32]) {
    let (saved, affine) = frozen::<L>(prepared);
    batch_norm2d::forward_saved_in_place(&L::GEOMETRY, saved, affine, L::FUSED, map);
}

/// What [`prepare`] made of running statistics.
fn frozen<L: BatchNorm2d>(prepared: &[f32]) -> (Saved<'_>, Option<Affine<'_>>) {
    let channels = L::GEOMETRY.channels;
    let [mean, inverse_deviation] = split_ref(prepared, [channels; 2]);
    (
        Saved { mean, inverse_deviation },
        L::AFFINE.then(|| {
            let [weight, bias] = split_ref(&prepared[2 * channels..], [channels; 2]);
            Affine { weight, bias }
        }),
    )
}

/// It as a part of the weights of a layer before it, whose first channel is this one of its own, with its summands or
/// without them.
pub fn fold<'a, L: BatchNorm2d>(parameters: &'a [f32], state: &'a [f32], first: usize, shifts: bool) -> Fold<'a> {
    let (statistics, affine) = (running::<L>(state), affine::<L>(parameters));
    Fold { of: Folded::Normalization { statistics, affine, eps: L::GEOMETRY.eps }, first, shifts }
}

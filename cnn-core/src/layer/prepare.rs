//! What a predictor has of a layer: values that are prepared once, and batch normalizations that become part of weights.

use std::borrow::Cow;

use crate::kernel::memory::scratch::Needs;
use crate::kernel::normalization::batch_norm2d::{Affine, Statistics};

pub use crate::kernel::convolution::packed::MadeFor;

/// What a step of a predictor takes, or all of them together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared {
    /// Values that are prepared once, in whole cache lines.
    pub values: usize,
    /// Values per batch that it works in, in whole cache lines.
    pub saved: usize,
    /// The scratch memory that its loops take.
    pub needs: Needs,
    /// Whether no sample is looked at for another's sake, so that a batch may go through the steps in parts.
    pub by_sample: bool,
}

impl Prepared {
    /// Nothing.
    pub const NONE: Self = Self { values: 0, saved: 0, needs: Needs::NONE, by_sample: true };

    /// So many values, and nothing else.
    pub const fn of(values: usize) -> Self {
        Self { values: lines(values), ..Self::NONE }
    }

    /// What a loop works in, and nothing else.
    pub const fn working_in(needs: Needs) -> Self {
        Self { needs, ..Self::NONE }
    }

    /// What a loop of a packed weight works in beside it: the padded copies, and nothing that is shared.
    pub(super) const fn with_slots(self, needs: Needs) -> Self {
        Self { needs: Needs { shared: 0, ..needs }, ..self }
    }

    /// Of one step after the other.
    pub const fn and(self, other: Self) -> Self {
        Self {
            values: self.values.saturating_add(other.values),
            saved: self.saved.saturating_add(other.saved),
            needs: self.needs.max(other.needs),
            by_sample: self.by_sample && other.by_sample,
        }
    }
}

/// Rounded up to whole cache lines.
pub(super) const fn lines(values: usize) -> usize {
    values.saturating_add(15) / 16 * 16
}

/// What becomes part of the weights of a layer before it.
#[derive(Clone, Copy, Debug)]
pub struct Fold<'a> {
    pub(super) of: Folded<'a>,
    /// Its channel that is the layer's first: branches of a concatenation have some of its channels.
    pub(super) first: usize,
    /// Whether the layer takes its summands: of the branches of a sum, one does.
    pub(super) shifts: bool,
}

/// A factor for each channel, and a summand.
#[derive(Clone, Copy, Debug)]
pub(super) enum Folded<'a> {
    /// Those of a batch normalization.
    Normalization { statistics: Statistics<'a>, affine: Option<Affine<'a>>, eps: f64 },
    /// These factors, and no summands.
    Factors(&'a [f32]),
}

impl Fold<'_> {
    /// What it does to a channel of the layer: a factor and a summand.
    fn channel(&self, channel: usize) -> [f64; 2] {
        let channel = self.first + channel;
        let (statistics, affine, eps) = match self.of {
            Folded::Normalization { statistics, affine, eps } => (statistics, affine, eps),
            Folded::Factors(factors) => return [f64::from(factors[channel]), 0.0],
        };
        let [mean, variance] = [statistics.mean, statistics.variance].map(|values| f64::from(values[channel]));
        let [weight, bias] = match affine {
            Some(Affine { weight, bias }) => [weight, bias].map(|values| f64::from(values[channel])),
            None => [1.0, 0.0],
        };
        let factor = weight / (variance + eps).sqrt();
        [factor, if self.shifts { bias - mean * factor } else { 0.0 }]
    }
}

/// Weight and bias (which may be empty) of a layer, with normalizations behind it as part of them; then there is a bias.
/// `channel` is the output channel that a place in the weight is of. Reckoned in f64, and rounded once.
pub(super) fn folded<'a>(
    parameters: &'a [f32],
    weight_len: usize,
    channels: usize,
    folds: &[Fold<'_>],
    channel: impl Fn(usize) -> usize,
) -> Cow<'a, [f32]> {
    if folds.is_empty() {
        return Cow::Borrowed(parameters);
    }
    let (weight, bias) = parameters.split_at(weight_len);
    let of_channel = |channel: usize| {
        let start = [1.0, bias.get(channel).map_or(0.0, |bias| f64::from(*bias))];
        folds
            .iter()
            .map(|fold| fold.channel(channel))
            .fold(start, |[factor, summand], [by, plus]| [factor * by, summand * by + plus])
    };
    let of_channels: Vec<[f64; 2]> = (0..channels).map(of_channel).collect();
    let weight = weight.iter().enumerate().map(|(place, weight)| f64::from(*weight) * of_channels[channel(place)][0]);
    let bias = of_channels.iter().map(|[_, summand]| *summand);
    Cow::Owned(weight.chain(bias).map(|value| value as f32).collect())
}

/// Weight and bias, if there is one.
pub(super) fn weight_and_bias(parameters: &[f32], weight_len: usize) -> (&[f32], Option<&[f32]>) {
    let (weight, bias) = parameters.split_at(weight_len);
    (weight, (!bias.is_empty()).then_some(bias))
}

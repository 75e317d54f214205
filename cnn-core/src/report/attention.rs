//! Where in a picture a network sees a class.

use super::picture::{Picture, heat};
use crate::Error;
use crate::metric::MetricError;
use crate::network::{FeatureMap, Network, feature_gradients, feature_maps};
use crate::shape::Shape;
use crate::tensor::{Batch, Tensor};

/// How much each place of a picture speaks for a class: a class-activation map.
#[derive(Clone, Debug, PartialEq)]
pub struct Activation {
    width: usize,
    height: usize,
    /// `[height, width]`, from 0 to 1.
    shares: Vec<f32>,
}

/// Grad-CAM: the last map with places, its channels weighted by the mean gradient of the class's score by them, and of the sum
/// what is positive. Of a network that ends in a global average pooling and a linear layer, it is the class-activation map of
/// Zhou et al. 2016. The score of a class is its channel of the output, of a map the sum of it, before a last softmax.
/// <https://arxiv.org/abs/1610.02391>
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::report::{Picture, grad_cam};
///
/// network! {
///     /// A classifier.
///     pub Net<1, 8, 8> { conv: conv2d<4, 3>(padding = 1), relu, max_pool2d<2>, adaptive_avg_pool2d<1>, flatten, fc: linear<10>
/// } }
///
/// let picture = Tensor::from_nchw(&[0.5; 64])?;
/// let activation = grad_cam(&Net::new(0), &picture, 3)?;
/// assert_eq!(activation.shares().len(), 4 * 4);
/// let shown = activation.over(&Picture::of_values(8, 8, picture.values())?);
/// assert_eq!([shown.width(), shown.height()], [8, 8]);
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
///
/// [`MetricError::Class`] of a class that there is not; [`Error::NoMap`] of a network whose maps have no places.
pub fn grad_cam<N: Network>(network: &N, input: &Tensor<N::Input>, class: usize) -> Result<Activation, Error> {
    let classes = N::Output::SIZES.channels();
    if class >= classes {
        return Err(MetricError::Class { classes, found: class }.into());
    }
    let mut of_class = Batch::<N::Output>::zeros(1);
    of_class.values_mut().iter_mut().skip(class).step_by(classes).for_each(|value| *value = 1.0);
    let gradients = feature_gradients(network, input, &of_class)?;
    let maps = feature_maps(network, input);
    let gradient = |map: &FeatureMap| gradients.iter().find(|gradient| gradient.steps[0] == map.steps[0]);
    // The network's output is its score, and says nothing of what led to it.
    let last = maps.iter().rev().filter(|map| map.sizes.positions() > 1 && !map.steps.contains(&(N::STEPS.len() - 1)));
    let Some((map, gradient)) = last.filter_map(|map| gradient(map).map(|gradient| (map, gradient))).next() else {
        return Err(Error::NoMap { network: N::NAME });
    };
    let (channels, positions) = (map.sizes.channels(), map.sizes.positions() as f32);
    let weights: Vec<f32> = (0..channels).map(|channel| gradient.channel(channel).sum::<f32>() / positions).collect();
    let sums = map.values.chunks_exact(channels);
    let sums = sums.map(|cell| cell.iter().zip(&weights).map(|(value, weight)| value * weight).sum::<f32>().max(0.0));
    let sums: Vec<f32> = sums.collect();
    let most = sums.iter().copied().fold(0.0, f32::max);
    let share = |sum: f32| if most > 0.0 && sum.is_finite() { (sum / most).min(1.0) } else { 0.0 };
    let shares = sums.into_iter().map(share).collect();
    Ok(Activation { width: map.sizes.width(), height: map.sizes.height(), shares })
}

impl Activation {
    /// Columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The shares of the greatest, from 0 to 1: `[height, width]`.
    pub fn shares(&self) -> &[f32] {
        &self.shares
    }

    /// As colours over a picture, between whose pixels and its own it interpolates.
    pub fn over(&self, picture: &Picture) -> Picture {
        let (width, height) = (picture.width(), picture.height());
        Picture::from_fn(width, height, |x, y| {
            let share = self.at((x as f32 + 0.5) / width as f32, (y as f32 + 0.5) / height as f32);
            let (below, above) = (picture.pixel(x, y), heat(share));
            let opacity = 0.7 * share.sqrt();
            core::array::from_fn(|channel| {
                let [below, above] = [below, above].map(|pixel| f32::from(pixel[channel]));
                (below + (above - below) * opacity).round() as u8
            })
        })
    }

    /// At a place from 0 to 1, between the middles of the four cells around it.
    fn at(&self, x: f32, y: f32) -> f32 {
        let around = |place: f32, cells: usize| {
            let at = (place * cells as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
            let first = at as usize;
            (first, (first + 1).min(cells - 1), at - first as f32)
        };
        let ((left, right, of_right), (top, bottom, of_bottom)) = (around(x, self.width), around(y, self.height));
        let row = |y: usize| {
            let row = &self.shares[y * self.width..];
            row[left] + (row[right] - row[left]) * of_right
        };
        row(top) + (row(bottom) - row(top)) * of_bottom
    }
}

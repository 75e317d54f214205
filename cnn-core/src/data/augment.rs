use super::{DataError, Images};
use crate::random::{Key, Purpose, Stream};

/// From bytes to what a network reads: `(v / 255 - mean) / std`.
///
/// ```
/// use cnn_core::data::{Images, Normalize};
///
/// let images = Images::new(1, 2, vec![0, 255, 51, 204])?;
/// let mut batch = [0.0; 4];
/// Normalize::new(0.5, 0.5)?.fill(&images, &[1, 0], &mut batch)?;
/// assert_eq!(batch, [-0.6, 0.6, -1.0, 1.0]);
///
/// let error = Normalize::new(0.5, 0.0).unwrap_err();
/// assert_eq!(error.to_string(), "std = 0: a standard deviation is a finite number above zero");
/// # Ok::<(), cnn_core::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Normalize {
    /// One entry a byte value: a look-up instead of a division a pixel.
    table: [f32; 256],
}

impl Normalize {
    /// With mean and standard deviation of the values between 0 and 1, as torchvision's `Normalize` behind `ToTensor`.
    ///
    /// # Errors
    ///
    /// [`DataError::Mean`] when it is not finite; [`DataError::Std`] when it is not finite, zero or negative;
    /// [`DataError::Contrast`] when the two together make infinities, or the same number of black and of white.
    pub fn new(mean: f32, std: f32) -> Result<Self, DataError> {
        if !mean.is_finite() {
            return Err(DataError::Mean(mean));
        }
        if !(std.is_finite() && std > 0.0) {
            return Err(DataError::Std(std));
        }
        let normalize = Self::with(mean, std);
        let (black, white) = (normalize.table[0], normalize.table[255]);
        if black.is_finite() && white.is_finite() && black != white {
            Ok(normalize)
        } else {
            Err(DataError::Contrast { mean, std, black, white })
        }
    }

    fn with(mean: f32, std: f32) -> Self {
        Self { table: std::array::from_fn(|value| (value as f32 / 255.0 - mean) / std) }
    }

    /// With mean and standard deviation of these images (over all pixels, divided by their number), so that all pixels
    /// together have mean 0 and deviation 1; where all are equal, they become 0.
    pub fn of(images: &Images) -> Self {
        let mut histogram = [0_u64; 256];
        for &pixel in images.iter().flatten() {
            histogram[usize::from(pixel)] += 1;
        }
        let pixels: u64 = histogram.iter().sum();
        let mean_of = |of: &dyn Fn(f64) -> f64| {
            let sum: f64 = (0..256).map(|value| histogram[value] as f64 * of(value as f64 / 255.0)).sum();
            sum / pixels as f64
        };
        let mean = mean_of(&|value| value);
        let std = mean_of(&|value| (value - mean).powi(2)).sqrt();
        Self::with(mean as f32, if std > 0.0 { std as f32 } else { 1.0 })
    }

    /// Writes the images with these indices into `batch`, `[n, height, width, 1]`.
    ///
    /// # Errors
    ///
    /// [`DataError::NoSuchImage`] for an index of no image; [`DataError::BatchLength`] when `batch` is not as long as these
    /// images. It is then as it was.
    pub fn fill(&self, images: &Images, indices: &[usize], batch: &mut [f32]) -> Result<(), DataError> {
        for (pixels, sample) in indices.iter().map(|&index| &images[index]).zip(samples(images, indices, batch)?) {
            self.convert(pixels, sample);
        }
        Ok(())
    }

    fn convert(&self, pixels: &[u8], values: &mut [f32]) {
        for (value, &pixel) in values.iter_mut().zip(pixels) {
            *value = self.table[usize::from(pixel)];
        }
    }
}

/// Moves each image by a random number of pixels in both directions; what moves in is 0, as torchvision's `RandomAffine`
/// with `translate`.
///
/// How far depends on seed, epoch and index of the image alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomShift {
    /// The farthest shift in pixels, up, down, left or right; 0 leaves images as they are.
    pub pixels: usize,
    /// Another seed, other shifts.
    pub seed: u64,
}

impl RandomShift {
    /// [`Normalize::fill`] with the shifts of an epoch.
    ///
    /// # Errors
    ///
    /// As [`Normalize::fill`].
    pub fn fill(
        &self,
        normalize: &Normalize,
        images: &Images,
        indices: &[usize],
        epoch: u64,
        batch: &mut [f32],
    ) -> Result<(), DataError> {
        let (height, width) = (images.height(), images.width());
        for (&index, sample) in indices.iter().zip(samples(images, indices, batch)?) {
            let key =
                Key { purpose: Purpose::Augmentation, seed: self.seed, step: epoch, layer: 0, sample: index as u64 };
            let mut stream = key.stream();
            let rows = Overlap::draw(height, self.pixels, &mut stream);
            let columns = Overlap::draw(width, self.pixels, &mut stream);
            let pixels = &images[index];
            sample.fill(normalize.table[0]);
            for row in 0..rows.len {
                let from = (rows.from + row) * width + columns.from;
                let to = (rows.to + row) * width + columns.to;
                normalize.convert(&pixels[from..][..columns.len], &mut sample[to..][..columns.len]);
            }
        }
        Ok(())
    }
}

/// The part of a row or column that is still seen after a shift.
struct Overlap {
    from: usize,
    to: usize,
    len: usize,
}

impl Overlap {
    fn draw(size: usize, farthest: usize, stream: &mut Stream) -> Self {
        // A shift by the whole size moves everything out; there is nothing beyond.
        let farthest = farthest.min(size);
        let shift = stream.below(2 * farthest + 1);
        let (from, to) = (farthest.saturating_sub(shift), shift.saturating_sub(farthest));
        Self { from, to, len: size - from - to }
    }
}

/// The places in a batch of the images with these indices, which are all there.
fn samples<'a>(
    images: &Images,
    indices: &[usize],
    batch: &'a mut [f32],
) -> Result<impl Iterator<Item = &'a mut [f32]>, DataError> {
    let (height, width) = (images.height(), images.width());
    if let Some(&index) = indices.iter().find(|&&index| index >= images.len()) {
        return Err(images.no_such_image(index));
    }
    let (expected, found) = (indices.len().saturating_mul(height * width), batch.len());
    if found != expected {
        return Err(DataError::BatchLength { images: indices.len(), height, width, expected, found });
    }
    Ok(batch.chunks_exact_mut(height * width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalized_images_have_mean_0_and_deviation_1() {
        let images = Images::new(2, 2, vec![0, 10, 200, 255, 30, 30, 7, 99]).unwrap();
        let mut values = [0.0; 8];
        Normalize::of(&images).fill(&images, &[0, 1], &mut values).unwrap();
        assert!(values.iter().sum::<f32>().abs() < 1e-5);
        assert!((values.iter().map(|value| value * value).sum::<f32>() / 8.0 - 1.0).abs() < 1e-5);

        let black = Images::new(1, 2, vec![9, 9]).unwrap();
        let mut values = [1.0; 2];
        Normalize::of(&black).fill(&black, &[0], &mut values).unwrap();
        assert!(values.iter().all(|value| value.abs() < 1e-6));
    }

    #[test]
    fn images_come_in_the_order_of_their_indices() {
        let images = Images::new(1, 2, vec![0, 51, 102, 153, 204, 255]).unwrap();
        let mut values = [0.0; 4];
        Normalize::new(0.0, 1.0).unwrap().fill(&images, &[2, 0], &mut values).unwrap();
        assert_eq!(values, [0.8, 1.0, 0.0, 0.2]);
    }

    /// One bright pixel in the middle of 9 x 7 shows by where it lands how far it was moved.
    fn landing(shift: RandomShift, index: usize, epoch: u64) -> Option<[usize; 2]> {
        let mut pixels = [0; 63];
        pixels[4 * 7 + 3] = 255;
        let images = Images::new(9, 7, pixels.repeat(20)).unwrap();
        let mut sample = [f32::NAN; 63];
        shift.fill(&Normalize::new(0.0, 1.0).unwrap(), &images, &[index], epoch, &mut sample).unwrap();
        assert!(sample.iter().all(|&value| value == 0.0 || value == 1.0));
        assert!(sample.iter().sum::<f32>() <= 1.0);
        sample.iter().position(|&value| value == 1.0).map(|place| [place / 7, place % 7])
    }

    #[test]
    fn every_shift_up_to_the_farthest_happens_and_none_beyond() {
        let shift = RandomShift { pixels: 2, seed: 5 };
        let mut seen = [[false; 7]; 9];
        for epoch in 0..100 {
            for index in 0..20 {
                let [row, column] = landing(shift, index, epoch).unwrap();
                seen[row][column] = true;
            }
        }
        for (row, columns) in seen.iter().enumerate() {
            for (column, &seen) in columns.iter().enumerate() {
                assert_eq!(seen, (2..=6).contains(&row) && (1..=5).contains(&column), "{row}, {column}");
            }
        }
    }

    #[test]
    fn a_shift_depends_on_seed_epoch_and_image() {
        let all = |seed, epoch| {
            let shift = RandomShift { pixels: 2, seed };
            (0..20).map(|index| landing(shift, index, epoch)).collect::<Vec<_>>()
        };
        assert_eq!(all(5, 0), all(5, 0));
        assert_ne!(all(5, 0), all(6, 0));
        assert_ne!(all(5, 0), all(5, 1));
        assert!(all(5, 0).iter().any(|&shift| shift != all(5, 0)[0]));
    }

    #[test]
    fn a_shift_may_move_everything_out() {
        let shift = RandomShift { pixels: usize::MAX / 4, seed: 5 };
        assert!((0..100).any(|epoch| landing(shift, 0, epoch).is_none()));
    }
}

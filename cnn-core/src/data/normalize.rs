use super::{Canvas, DataError, PictureSource};

/// From bytes to what a network reads, each channel by itself: `(v / 255 - mean) / std`, torchvision's `Normalize` behind
/// `ToTensor`.
///
/// ```
/// use cnn_core::data::Normalize;
///
/// let mut values = [0.0; 4];
/// Normalize::new(&[0.5], &[0.5])?.apply(&[51, 204, 0, 255], 1, &mut values)?;
/// assert_eq!(values, [-0.6, 0.6, -1.0, 1.0]);
///
/// let error = Normalize::new(&[0.5], &[0.0]).unwrap_err();
/// assert_eq!(error.to_string(), "std = 0: a standard deviation is a finite number above zero");
/// # Ok::<(), cnn_core::data::DataError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Normalize {
    /// Of each channel one entry a byte value, a look-up instead of a division a byte; a single one is of all channels.
    tables: Vec<[f32; 256]>,
}

/// Bytes become numbers between 0 and 1.
impl Default for Normalize {
    fn default() -> Self {
        Self { tables: vec![table(0.0, 1.0)] }
    }
}

fn table(mean: f32, std: f32) -> [f32; 256] {
    std::array::from_fn(|value| (value as f32 / 255.0 - mean) / std)
}

impl Normalize {
    /// The mean colour of ImageNet, which torchvision's weights expect.
    pub const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
    /// The standard deviation of ImageNet's colours.
    pub const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];

    /// With [`IMAGENET_MEAN`](Self::IMAGENET_MEAN) and [`IMAGENET_STD`](Self::IMAGENET_STD).
    pub fn imagenet() -> Self {
        let of_channel = |(&mean, &std)| table(mean, std);
        Self { tables: Self::IMAGENET_MEAN.iter().zip(&Self::IMAGENET_STD).map(of_channel).collect() }
    }

    /// With the mean and the standard deviation of each channel's values between 0 and 1; one of each is for all channels.
    ///
    /// # Errors
    ///
    /// [`DataError::NormalizeChannels`] when there are not as many of one as of the other, or none; [`DataError::Mean`] of one that
    /// is not finite; [`DataError::Std`] of one that is not finite, zero or negative; [`DataError::Contrast`] when the two
    /// together make infinities, or the same number of black and of white.
    pub fn new(mean: &[f32], std: &[f32]) -> Result<Self, DataError> {
        if mean.is_empty() || mean.len() != std.len() {
            return Err(DataError::NormalizeChannels { expected: mean.len().max(1), found: std.len() });
        }
        let of_channel = |(&mean, &std): (&f32, &f32)| {
            if !mean.is_finite() {
                return Err(DataError::Mean(mean));
            }
            if !(std.is_finite() && std > 0.0) {
                return Err(DataError::Std(std));
            }
            let table = table(mean, std);
            let (black, white) = (table[0], table[255]);
            if black.is_finite() && white.is_finite() && black != white {
                Ok(table)
            } else {
                Err(DataError::Contrast { mean, std, black, white })
            }
        };
        Ok(Self { tables: mean.iter().zip(std).map(of_channel).collect::<Result<_, _>>()? })
    }

    /// With the mean and the standard deviation of all pixels of a source, each channel by itself, as the pictures are before
    /// any transform, in `channels` channels: then all pixels together have mean 0 and deviation 1. A channel of one value
    /// everywhere becomes 0.
    ///
    /// Reads every picture.
    ///
    /// # Errors
    ///
    /// What is wrong with a picture; [`DataError::Channels`] of one that cannot be converted to so many.
    pub fn of(source: &impl PictureSource, channels: usize) -> Result<Self, DataError> {
        let mut histograms = vec![[0_u64; 256]; channels];
        for index in 0..source.len() {
            let mut canvas = Canvas::default();
            source.read(index, &mut canvas)?;
            if !canvas.convert(channels) {
                let (path, found) = (source.path(index), canvas.channels());
                return Err(DataError::Channels { path, expected: channels, found });
            }
            for pixel in canvas.pixels().chunks_exact(channels) {
                for (histogram, &value) in histograms.iter_mut().zip(pixel) {
                    histogram[usize::from(value)] += 1;
                }
            }
        }
        Ok(Self { tables: histograms.iter().map(of_histogram).collect() })
    }

    /// Writes what becomes of pixels, `[n, h, w, channels]`, into as many values.
    ///
    /// # Errors
    ///
    /// [`DataError::NormalizeChannels`] when it is of another number of channels; [`DataError::Values`] when there is not one
    /// value for each byte. The values are then as they were.
    pub fn apply(&self, pixels: &[u8], channels: usize, values: &mut [f32]) -> Result<(), DataError> {
        self.check_channels(channels)?;
        if pixels.len() != values.len() {
            return Err(DataError::Values { expected: pixels.len(), found: values.len() });
        }
        self.convert(pixels, channels, values);
        Ok(())
    }

    pub(super) fn check_channels(&self, channels: usize) -> Result<(), DataError> {
        match self.tables.len() {
            1 => Ok(()),
            found if found == channels => Ok(()),
            found => Err(DataError::NormalizeChannels { expected: channels, found }),
        }
    }

    /// Takes a number of channels that is checked.
    pub(super) fn convert(&self, pixels: &[u8], channels: usize, values: &mut [f32]) {
        match self.tables.as_slice() {
            [table] => {
                for (value, &byte) in values.iter_mut().zip(pixels) {
                    *value = table[usize::from(byte)];
                }
            }
            [red, green, blue] => {
                for (values, pixel) in values.as_chunks_mut().0.iter_mut().zip(pixels.as_chunks::<3>().0) {
                    let [r, g, b] = pixel.map(usize::from);
                    *values = [red[r], green[g], blue[b]];
                }
            }
            tables => {
                for (values, pixel) in values.chunks_exact_mut(channels).zip(pixels.chunks_exact(channels)) {
                    for ((value, &byte), table) in values.iter_mut().zip(pixel).zip(tables) {
                        *value = table[usize::from(byte)];
                    }
                }
            }
        }
    }
}

fn of_histogram(histogram: &[u64; 256]) -> [f32; 256] {
    let pixels: u64 = histogram.iter().sum();
    let mean_of = |of: &dyn Fn(f64) -> f64| {
        let sum: f64 = (0..256).map(|value| histogram[value] as f64 * of(value as f64 / 255.0)).sum();
        // Of no pixels anything will do.
        sum / pixels.max(1) as f64
    };
    let mean = mean_of(&|value| value);
    let std = mean_of(&|value| (value - mean).powi(2)).sqrt();
    table(mean as f32, if std > 0.0 { std as f32 } else { 1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Images, LabelledImages};

    fn images(channels: usize, pixels: &[u8]) -> LabelledImages<1> {
        let images = Images::new(channels, [1, 2], pixels.to_vec()).unwrap();
        let labels = vec![0; images.len()];
        LabelledImages::new(images, labels).unwrap()
    }

    #[test]
    fn normalized_images_have_mean_0_and_deviation_1_in_each_channel() {
        let pixels = [0, 10, 200, 255, 30, 30, 7, 99, 3, 4, 5, 6];
        for channels in [1, 2, 3] {
            let normalize = Normalize::of(&images(channels, &pixels), channels).unwrap();
            let mut values = [0.0; 12];
            normalize.apply(&pixels, channels, &mut values).unwrap();
            for channel in 0..channels {
                let values: Vec<f32> = values[channel..].iter().step_by(channels).copied().collect();
                let mean_of = |of: fn(f32) -> f32| values.iter().copied().map(of).sum::<f32>() / values.len() as f32;
                assert!(mean_of(|value| value).abs() < 1e-5, "{values:?}");
                assert!((mean_of(|value| value * value) - 1.0).abs() < 1e-5, "{values:?}");
            }
        }
        let mut values = [1.0; 2];
        Normalize::of(&images(1, &[9, 9]), 1).unwrap().apply(&[9, 9], 1, &mut values).unwrap();
        assert!(values.iter().all(|value| value.abs() < 1e-6));
    }

    #[test]
    fn imagenets_numbers_are_torchs() {
        // ((torch.tensor([1, 128, 255]) / 255) - mean) / std in float32.
        let mut values = [0.0; 3];
        Normalize::imagenet().apply(&[1, 128, 255], 3, &mut values).unwrap();
        assert_eq!(values, IMAGENET);
    }

    /// `tests/fixtures/data.py` prints them.
    const IMAGENET: [f32; 3] = [-2.100_779_3, 0.205_182_2, 2.64];

    #[test]
    fn channels_and_lengths_are_checked() {
        let message = |result: Result<(), DataError>| result.unwrap_err().to_string();
        let mut values = [7.0; 3];
        let imagenet = Normalize::imagenet();
        assert_eq!(
            message(imagenet.apply(&[1], 1, &mut values[..1])),
            "expected a mean and a standard deviation for each of 1 channels, found 3"
        );
        assert_eq!(
            message(imagenet.apply(&[1; 6], 3, &mut values)),
            "expected room for 6 values, one for each byte, found 3"
        );
        assert_eq!(values, [7.0; 3]);
        assert_eq!(
            message(Normalize::new(&[0.5; 3], &[0.5]).map(drop)),
            "expected a mean and a standard deviation for each of 3 channels, found 1"
        );
        assert!(Normalize::new(&[], &[]).is_err());
        let error = Normalize::of(&images(2, &[1; 4]), 5).unwrap_err();
        assert_eq!(error.to_string(), "images: expected pictures of 5 channels, or that can be made so, found 2");
    }
}

use super::{Canvas, DataError, Draw, Transform, options};

/// Random brightness, contrast, saturation and hue in a random order, torchvision's `ColorJitter`. The mask stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct ColorJitter {
    brightness: Option<[f64; 2]>,
    contrast: Option<[f64; 2]>,
    saturation: Option<[f64; 2]>,
    hue: Option<[f64; 2]>,
}

/// From `1 - change`, not below 0, to `1 + change`.
fn around_one(change: f64) -> Option<[f64; 2]> {
    // Of a change below 0 or of none: the check finds that it is no range.
    Some([if change > 1.0 { 0.0 } else { 1.0 - change }, 1.0 + change])
}

impl ColorJitter {
    /// As it is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Brightness times `1 - change` to `1 + change`.
    #[must_use]
    pub fn brightness(self, change: f64) -> Self {
        Self { brightness: around_one(change), ..self }
    }

    /// Contrast times `1 - change` to `1 + change`.
    #[must_use]
    pub fn contrast(self, change: f64) -> Self {
        Self { contrast: around_one(change), ..self }
    }

    /// Saturation times `1 - change` to `1 + change`.
    #[must_use]
    pub fn saturation(self, change: f64) -> Self {
        Self { saturation: around_one(change), ..self }
    }

    /// The hue turned by `-change` to `change` of a circle; at most 0.5.
    #[must_use]
    pub fn hue(self, change: f64) -> Self {
        Self { hue: Some([-change, change]), ..self }
    }
}

impl Transform for ColorJitter {
    fn validate(&self) -> Result<(), DataError> {
        for (option, range) in
            [("brightness", self.brightness), ("contrast", self.contrast), ("saturation", self.saturation)]
        {
            let wants = "factors from 1 - change to 1 + change take a finite change, 0 or more";
            range.map_or(Ok(()), |range| options::range(option, range, 0.0, wants))?;
        }
        self.hue.map_or(Ok(()), |hue| match hue {
            [low, high] if low <= high && high <= 0.5 => Ok(()),
            [_, change] => Err(options::wrong("hue", change, "a hue is turned by 0 to 0.5 of a circle")),
        })
    }

    fn output_size(&self, input: Option<[usize; 2]>) -> Option<[usize; 2]> {
        input
    }

    /// torchvision's `ColorJitter.get_params` and `forward`.
    fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
        let mut order = [0, 1, 2, 3];
        draw.stream().shuffle(&mut order);
        let mut factor = |range: Option<[f64; 2]>| range.map(|[low, high]| draw.between(low, high));
        let factors = [self.brightness, self.contrast, self.saturation, self.hue].map(&mut factor);
        for change in order {
            match (change, factors[change]) {
                (0, Some(factor)) => canvas.adjust_brightness(factor),
                (1, Some(factor)) => canvas.adjust_contrast(factor),
                (2, Some(factor)) => canvas.adjust_saturation(factor),
                (_, Some(factor)) => canvas.adjust_hue(factor),
                (_, None) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grey picture behind the jitter, for many samples.
    fn jittered(jitter: ColorJitter, pixels: &[u8]) -> Vec<Vec<u8>> {
        let of_sample = |sample| {
            let mut canvas = Canvas::default();
            canvas.borrow_picture([1, pixels.len()], 1, pixels);
            jitter.apply(&mut canvas, &mut Draw::new(1, 0, sample, 0)).unwrap();
            canvas.pixels().to_vec()
        };
        (0..2000).map(of_sample).collect()
    }

    #[test]
    fn brightness_is_even_in_its_range() {
        let bytes: Vec<u8> = jittered(ColorJitter::new().brightness(0.5), &[100]).concat();
        assert_eq!((bytes.iter().min(), bytes.iter().max()), (Some(&50), Some(&149)));
        let mean = bytes.iter().map(|&byte| f64::from(byte)).sum::<f64>() / 2000.0;
        // From 50 to 150, cut off by half on average, with a standard deviation of 0.65.
        assert!((mean - 99.5).abs() < 2.6, "{mean}");
        let black = jittered(ColorJitter::new().brightness(3.0), &[100]).concat();
        assert!(black.contains(&0) && black.contains(&255));
    }

    #[test]
    fn changes_come_in_every_order() {
        // What is cut off at white first, or after the contrast is less, differs.
        let jitter = ColorJitter { brightness: Some([2.0, 2.0]), contrast: Some([0.5, 0.5]), ..ColorJitter::new() };
        let all = jittered(jitter, &[200, 0]);
        let count = |order: &[u8]| all.iter().filter(|&found| found == order).count();
        let (first, second) = (count(&[191, 64]), count(&[255, 100]));
        assert_eq!(first + second, 2000, "{:?}", &all[..5]);
        assert!(first.abs_diff(1000) < 90, "{first}");
    }

    #[test]
    fn nothing_asked_for_is_nothing_done() {
        assert!(jittered(ColorJitter::new(), &[1, 2, 3]).iter().all(|found| found == &[1, 2, 3]));
    }
}

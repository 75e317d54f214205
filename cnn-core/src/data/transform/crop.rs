use super::{Canvas, DataError, Draw, Transform, options};

/// The middle, torchvision's `CenterCrop`; a picture that is smaller gets black around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CenterCrop {
    size: [usize; 2],
}

impl CenterCrop {
    /// A square.
    pub fn new(size: usize) -> Self {
        Self::of(size, size)
    }

    /// A rectangle.
    pub fn of(height: usize, width: usize) -> Self {
        Self { size: [height, width] }
    }

    /// First row or column: `int(round((size - crop) / 2))`, and of a smaller picture as many before as behind, or one less.
    fn start(size: usize, crop: usize) -> isize {
        if crop > size { -(((crop - size) / 2) as isize) } else { options::round((size - crop) as f64 / 2.0) as isize }
    }
}

impl Transform for CenterCrop {
    fn validate(&self) -> Result<(), DataError> {
        options::size(self.size)
    }

    fn output_size(&self, _: Option<[usize; 2]>) -> Option<[usize; 2]> {
        Some(self.size)
    }

    fn apply(&self, canvas: &mut Canvas<'_>, _: &mut Draw) -> Result<(), DataError> {
        let [height, width] = canvas.size();
        canvas.crop([Self::start(height, self.size[0]), Self::start(width, self.size[1])], self.size);
        Ok(())
    }
}

/// A rectangle anywhere, of a picture that may get black around it first: torchvision's `RandomCrop`, the pad-and-crop of CIFAR.
///
/// `RandomCrop::new(28).padding(2)` moves a 28 x 28 picture by up to two pixels in every direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomCrop {
    size: [usize; 2],
    padding: usize,
    pad_if_needed: bool,
}

impl RandomCrop {
    /// A square.
    pub fn new(size: usize) -> Self {
        Self::of(size, size)
    }

    /// A rectangle.
    pub fn of(height: usize, width: usize) -> Self {
        Self { size: [height, width], padding: 0, pad_if_needed: false }
    }

    /// With so many black pixels on each side first.
    #[must_use]
    pub fn padding(self, padding: usize) -> Self {
        Self { padding, ..self }
    }

    /// With as many black pixels on each side as it takes, where the picture is smaller than the rectangle.
    #[must_use]
    pub fn pad_if_needed(self) -> Self {
        Self { pad_if_needed: true, ..self }
    }

    /// First row or column of the rectangle.
    fn start(&self, size: usize, crop: usize, draw: &mut Draw) -> Option<isize> {
        let padded = size + 2 * self.padding;
        // As torchvision pads: by what is missing, on both sides.
        let more = if self.pad_if_needed { crop.saturating_sub(padded) } else { 0 };
        let room = (padded + 2 * more).checked_sub(crop)?;
        // torchvision draws nothing where nothing is left to choose.
        let start = if room == 0 { 0 } else { draw.below(room + 1) };
        Some(start as isize - (self.padding + more) as isize)
    }
}

impl Transform for RandomCrop {
    fn validate(&self) -> Result<(), DataError> {
        options::size(self.size)?;
        if self.padding <= i32::MAX as usize {
            Ok(())
        } else {
            Err(options::wrong("padding", self.padding, "a picture has no more pixels than memory has"))
        }
    }

    fn output_size(&self, _: Option<[usize; 2]>) -> Option<[usize; 2]> {
        Some(self.size)
    }

    fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
        let size = canvas.size();
        let (top, left) = (self.start(size[0], self.size[0], draw), self.start(size[1], self.size[1], draw));
        let (Some(top), Some(left)) = (top, left) else {
            return Err(DataError::CropSize { crop: self.size, found: size.map(|size| size + 2 * self.padding) });
        };
        canvas.crop([top, left], self.size);
        Ok(())
    }
}

/// A rectangle of random area and proportions, then of this size: torchvision's `RandomResizedCrop`, ImageNet's usual training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomResizedCrop {
    size: [usize; 2],
    scale: [f64; 2],
    ratio: [f64; 2],
}

/// A rectangle: its upper left corner, its height and its width.
type Rectangle = ([usize; 2], [usize; 2]);

impl RandomResizedCrop {
    /// A square, of 0.08 to 1 of the picture's area and proportions from 3/4 to 4/3.
    pub fn new(size: usize) -> Self {
        Self::of(size, size)
    }

    /// A rectangle, the same.
    pub fn of(height: usize, width: usize) -> Self {
        Self { size: [height, width], scale: [0.08, 1.0], ratio: [3.0 / 4.0, 4.0 / 3.0] }
    }

    /// The least and the largest share of the picture's area.
    #[must_use]
    pub fn scale(self, least: f64, largest: f64) -> Self {
        Self { scale: [least, largest], ..self }
    }

    /// The least and the largest width, in heights.
    #[must_use]
    pub fn ratio(self, least: f64, largest: f64) -> Self {
        Self { ratio: [least, largest], ..self }
    }

    /// The rectangle of a picture of this size. `between` and `below` draw.
    /// <https://github.com/pytorch/vision/blob/main/torchvision/transforms/transforms.py>, `RandomResizedCrop.get_params`.
    fn rectangle(&self, [height, width]: [usize; 2], draw: &mut impl Numbers) -> Rectangle {
        let area = (height * width) as f64;
        let [least, largest] = self.ratio.map(f64::ln);
        for _ in 0..10 {
            let area = area * draw.between(self.scale[0], self.scale[1]);
            let ratio = draw.between(least, largest).exp();
            let [h, w] = [(area / ratio).sqrt(), (area * ratio).sqrt()].map(|side| options::round(side) as usize);
            if (1..=height).contains(&h) && (1..=width).contains(&w) {
                let top = draw.below(height - h + 1);
                return ([top, draw.below(width - w + 1)], [h, w]);
            }
        }
        // The middle, as large as the proportions allow.
        let ratio = width as f64 / height as f64;
        let side = |side: f64| options::round(side).max(1.0) as usize;
        let [h, w] = if ratio < self.ratio[0] {
            [side(width as f64 / self.ratio[0]).min(height), width]
        } else if ratio > self.ratio[1] {
            [height, side(height as f64 * self.ratio[1]).min(width)]
        } else {
            [height, width]
        };
        ([(height - h) / 2, (width - w) / 2], [h, w])
    }
}

/// Where a rectangle's numbers come from: a stream, or in tests a list of torch's.
trait Numbers {
    fn between(&mut self, low: f64, high: f64) -> f64;
    fn below(&mut self, n: usize) -> usize;
}

impl Numbers for Draw {
    fn between(&mut self, low: f64, high: f64) -> f64 {
        Self::between(self, low, high)
    }

    fn below(&mut self, n: usize) -> usize {
        Self::below(self, n)
    }
}

impl Transform for RandomResizedCrop {
    fn validate(&self) -> Result<(), DataError> {
        options::size(self.size)?;
        options::scale_and_ratio(self.scale, self.ratio)
    }

    fn output_size(&self, _: Option<[usize; 2]>) -> Option<[usize; 2]> {
        Some(self.size)
    }

    fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
        let (corner, rectangle) = self.rectangle(canvas.size(), draw);
        canvas.resized_crop(corner, rectangle, self.size);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers of `[0, 1)` in order.
    struct List<'a>(std::slice::Iter<'a, f64>);

    impl Numbers for List<'_> {
        fn between(&mut self, low: f64, high: f64) -> f64 {
            low + (high - low) * self.0.next().unwrap()
        }

        fn below(&mut self, n: usize) -> usize {
            (self.0.next().unwrap() * n as f64) as usize
        }
    }

    fn rectangle(crop: RandomResizedCrop, size: [usize; 2], numbers: &[f64]) -> Rectangle {
        crop.rectangle(size, &mut List(numbers.iter()))
    }

    /// `tests/fixtures/data.py` prints them: torchvision's `get_params` with these numbers in the place of torch's.
    #[test]
    fn rectangles_are_torchvisions() {
        let crop = RandomResizedCrop::new(8);
        RECTANGLES.iter().for_each(|&(size, numbers, expected)| {
            assert_eq!(rectangle(crop, size, numbers), expected, "{size:?} {numbers:?}");
        });
    }

    type Case = ([usize; 2], &'static [f64], Rectangle);
    include!("../../../tests/fixtures/rectangles.rs");

    #[test]
    fn what_fits_never_is_the_middle() {
        // Ten attempts, all as wide as can be and wider than the picture.
        let numbers = [1.0; 20];
        assert_eq!(rectangle(RandomResizedCrop::new(8), [100, 10], &numbers), ([43, 0], [13, 10]));
        assert_eq!(rectangle(RandomResizedCrop::new(8), [10, 100], &numbers), ([0, 43], [10, 13]));
        let whole = RandomResizedCrop::new(8).scale(4.0, 4.0);
        assert_eq!(rectangle(whole, [10, 11], &numbers), ([0, 0], [10, 11]));
    }

    #[test]
    fn the_middle_is_rounded_as_python_does() {
        // (7 - 4) / 2 is 1.5, and (9 - 4) / 2 is 2.5: both are 2.
        assert_eq!([7, 8, 9, 4].map(|size| CenterCrop::start(size, 4)), [2, 2, 2, 0]);
        assert_eq!([3, 2, 1].map(|size| CenterCrop::start(size, 4)), [0, -1, -1]);
    }

    #[test]
    fn a_padded_crop_reaches_every_place_equally() {
        let crop = RandomCrop::new(4).padding(1);
        let mut counts = [0; 5];
        for sample in 0..5000 {
            let start = crop.start(6, 4, &mut Draw::new(1, 0, sample, 0)).unwrap();
            counts[(start + 1) as usize] += 1;
        }
        // A thousand each, with a standard deviation of 28.
        assert!(counts.iter().all(|count: &i32| (count - 1000).abs() < 120), "{counts:?}");
    }

    #[test]
    fn a_crop_larger_than_the_picture_is_an_error_or_padded() {
        let mut canvas = Canvas::default();
        canvas.borrow_picture([1, 2], 1, &[8, 9]);
        let mut draw = Draw::new(1, 0, 0, 0);
        let error = RandomCrop::new(4).padding(1).apply(&mut canvas, &mut draw).unwrap_err();
        assert_eq!(error.to_string(), "a crop of 4 x 4 pixels of a picture of 3 x 4; pad_if_needed pads it");
        RandomCrop::new(4).pad_if_needed().apply(&mut canvas, &mut draw).unwrap();
        assert_eq!(canvas.size(), [4, 4]);
        assert_eq!(canvas.pixels().iter().filter(|&&pixel| pixel > 0).count(), 2);
    }
}

use super::{Canvas, DataError, Draw, Transform, options};

/// Another size, bilinear with antialiasing: torchvision's `Resize` of a PIL image, to the byte. Masks take the nearest class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resize(Size);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Exact([usize; 2]),
    Shorter(usize),
}

impl Resize {
    /// To this height and width, whatever becomes of the proportions.
    pub fn new(height: usize, width: usize) -> Self {
        Self(Size::Exact([height, width]))
    }

    /// To so many pixels along the shorter side, and as many along the other as keep the proportions: `Resize(size)` with a single
    /// number.
    pub fn shorter(size: usize) -> Self {
        Self(Size::Shorter(size))
    }

    /// Of a picture of this size.
    fn of(self, [height, width]: [usize; 2]) -> [usize; 2] {
        // Cut off, as Python's `int` does.
        let longer = |size: usize, long: usize, short: usize| (size as f64 * long as f64 / short as f64) as usize;
        match self.0 {
            Size::Exact(size) => size,
            Size::Shorter(size) if width <= height => [longer(size, height, width), size],
            Size::Shorter(size) => [size, longer(size, width, height)],
        }
    }
}

impl Transform for Resize {
    fn validate(&self) -> Result<(), DataError> {
        match self.0 {
            Size::Exact(size) => options::size(size),
            Size::Shorter(size) => options::size([size; 2]),
        }
    }

    fn output_size(&self, input: Option<[usize; 2]>) -> Option<[usize; 2]> {
        match (self.0, input) {
            (Size::Exact(size), _) => Some(size),
            (_, input) => input.map(|input| self.of(input)),
        }
    }

    fn apply(&self, canvas: &mut Canvas<'_>, _: &mut Draw) -> Result<(), DataError> {
        let size = self.of(canvas.size());
        // A picture of very uneven sides may become larger than memory.
        options::size(size)?;
        canvas.resize(size);
        Ok(())
    }
}

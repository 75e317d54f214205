use super::{Canvas, DataError, Draw, Transform, options};

/// Left becomes right by this probability, torchvision's `RandomHorizontalFlip`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomHorizontalFlip {
    p: f64,
}

/// Top becomes bottom by this probability, torchvision's `RandomVerticalFlip`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomVerticalFlip {
    p: f64,
}

impl RandomHorizontalFlip {
    /// By a probability, usually 0.5.
    pub fn new(p: f64) -> Self {
        Self { p }
    }
}

impl RandomVerticalFlip {
    /// By a probability, usually 0.5.
    pub fn new(p: f64) -> Self {
        Self { p }
    }
}

impl Transform for RandomHorizontalFlip {
    fn validate(&self) -> Result<(), DataError> {
        options::probability(self.p)
    }

    fn output_size(&self, input: Option<[usize; 2]>) -> Option<[usize; 2]> {
        input
    }

    fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
        if draw.chance(self.p) {
            canvas.flip_horizontal();
        }
        Ok(())
    }
}

impl Transform for RandomVerticalFlip {
    fn validate(&self) -> Result<(), DataError> {
        options::probability(self.p)
    }

    fn output_size(&self, input: Option<[usize; 2]>) -> Option<[usize; 2]> {
        input
    }

    fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
        if draw.chance(self.p) {
            canvas.flip_vertical();
        }
        Ok(())
    }
}

use super::{Canvas, DataError, Draw, Transform, options};
use crate::data::picture::{Interpolation, Matrix, affine_matrix};

/// Turned by a random angle, torchvision's `RandomRotation`; what comes from outside is black.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomRotation {
    degrees: [f64; 2],
    interpolation: Interpolation,
}

impl RandomRotation {
    /// By an angle from `-degrees` to `degrees`, counter-clockwise.
    pub fn new(degrees: f64) -> Self {
        Self::between(-degrees, degrees)
    }

    /// By an angle from `least` to `largest` degrees.
    pub fn between(least: f64, largest: f64) -> Self {
        Self { degrees: [least, largest], interpolation: Interpolation::Nearest }
    }

    /// How pixels come from their neighbours.
    #[must_use]
    pub fn interpolation(self, interpolation: Interpolation) -> Self {
        Self { interpolation, ..self }
    }
}

impl Transform for RandomRotation {
    fn validate(&self) -> Result<(), DataError> {
        degrees("degrees", self.degrees)
    }

    fn output_size(&self, input: Option<[usize; 2]>) -> Option<[usize; 2]> {
        input
    }

    fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
        let angle = draw.between(self.degrees[0], self.degrees[1]);
        canvas.rotate(angle, self.interpolation);
        Ok(())
    }
}

/// Turned, moved, scaled and sheared around its middle, torchvision's `RandomAffine`; what comes from outside is black.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomAffine {
    degrees: [f64; 2],
    translate: Option<[f64; 2]>,
    scale: Option<[f64; 2]>,
    shear: Option<[[f64; 2]; 2]>,
    interpolation: Interpolation,
}

impl RandomAffine {
    /// Turned by an angle from `-degrees` to `degrees`; nothing else.
    pub fn new(degrees: f64) -> Self {
        let degrees = [-degrees, degrees];
        Self { degrees, translate: None, scale: None, shear: None, interpolation: Interpolation::Nearest }
    }

    /// Moved by up to these shares of the width and of the height.
    #[must_use]
    pub fn translate(self, width: f64, height: f64) -> Self {
        Self { translate: Some([width, height]), ..self }
    }

    /// As large as this, from the least to the largest.
    #[must_use]
    pub fn scale(self, least: f64, largest: f64) -> Self {
        Self { scale: Some([least, largest]), ..self }
    }

    /// Sheared along x by an angle from `-degrees` to `degrees`.
    #[must_use]
    pub fn shear(self, degrees: f64) -> Self {
        Self { shear: Some([[-degrees, degrees], [0.0, 0.0]]), ..self }
    }

    /// Sheared by an angle between two along x, and between two along y.
    #[must_use]
    pub fn shear_between(self, x: [f64; 2], y: [f64; 2]) -> Self {
        Self { shear: Some([x, y]), ..self }
    }

    /// How pixels come from their neighbours.
    #[must_use]
    pub fn interpolation(self, interpolation: Interpolation) -> Self {
        Self { interpolation, ..self }
    }

    /// What is drawn for a picture of this size, in torchvision's order.
    fn draw(&self, [height, width]: [usize; 2], draw: &mut Draw) -> Matrix {
        let angle = draw.between(self.degrees[0], self.degrees[1]);
        let translate = self.translate.map_or([0.0; 2], |share| {
            [share[0] * width as f64, share[1] * height as f64].map(|most| options::round(draw.between(-most, most)))
        });
        let scale = self.scale.map_or(1.0, |[least, largest]| draw.between(least, largest));
        let shear = self.shear.map_or([0.0; 2], |shear| shear.map(|[least, largest]| draw.between(least, largest)));
        affine_matrix([height, width], angle, translate, scale, shear)
    }
}

impl Transform for RandomAffine {
    fn validate(&self) -> Result<(), DataError> {
        degrees("degrees", self.degrees)?;
        for share in self.translate.into_iter().flatten() {
            if !(0.0..=1.0).contains(&share) {
                return Err(options::wrong("translate", share, "a share of the size is from 0 to 1"));
            }
        }
        if let Some(scale) = self.scale {
            let wants = "factors are two finite numbers above 0, the lesser first";
            options::range("scale", scale, f64::MIN_POSITIVE, wants)?;
        }
        self.shear.into_iter().flatten().try_for_each(|shear| degrees("shear", shear))
    }

    fn output_size(&self, input: Option<[usize; 2]>) -> Option<[usize; 2]> {
        input
    }

    fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
        let matrix = self.draw(canvas.size(), draw);
        canvas.affine(&matrix, self.interpolation);
        Ok(())
    }
}

fn degrees(option: &'static str, range: [f64; 2]) -> Result<(), DataError> {
    options::range(option, range, f64::MIN, "angles are finite numbers, 0 or more, or two of them, the lesser first")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_drawn_is_within_its_ranges_and_reaches_them() {
        let affine = RandomAffine::new(0.0).translate(0.25, 0.5).scale(0.5, 2.0);
        let (mut moved, mut scaled) = ([[0.0_f64; 2]; 2], [9.0_f64, 0.0]);
        for sample in 0..2000 {
            let [a, b, c, d, e, f] = affine.draw([8, 12], &mut Draw::new(1, 0, sample, 0));
            assert!(b == 0.0 && d == 0.0 && a == e);
            let scale = 1.0 / a;
            scaled = [scaled[0].min(scale), scaled[1].max(scale)];
            // The middle comes from where it was before it was moved.
            for (way, (matrix, middle)) in [(a * 6.0 + c, 6.0), (e * 4.0 + f, 4.0)].into_iter().enumerate() {
                let by = (middle - matrix) * scale;
                assert!((by - by.round()).abs() < 1e-9, "whole pixels");
                moved[way] = [moved[way][0].min(by.round()), moved[way][1].max(by.round())];
            }
        }
        assert_eq!(moved, [[-3.0, 3.0], [-4.0, 4.0]]);
        assert!(scaled[0] >= 0.5 && scaled[0] < 0.51 && scaled[1] < 2.0 && scaled[1] > 1.98, "{scaled:?}");
    }

    #[test]
    fn angles_are_even_in_their_range() {
        let mut counts = [0; 4];
        for sample in 0..4000 {
            let mut turned = Draw::new(1, 0, sample, 0);
            let [a, b, ..] = RandomAffine::new(20.0).draw([1, 1], &mut turned);
            let degrees = b.atan2(a).to_degrees();
            counts[((degrees + 20.0) / 10.0) as usize] += 1;
        }
        // A thousand each, with a standard deviation of 27.
        assert!(counts.iter().all(|count: &i32| (count - 1000).abs() < 110), "{counts:?}");
    }
}

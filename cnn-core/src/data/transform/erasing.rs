use super::{DataError, Draw, options};

/// A rectangle becomes 0 by this probability, behind the normalization: torchvision's `RandomErasing`.
/// <https://arxiv.org/abs/1708.04896>
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RandomErasing {
    p: f64,
    scale: [f64; 2],
    ratio: [f64; 2],
    value: Option<f32>,
}

impl RandomErasing {
    /// By a probability (torchvision's default is 0.5), of 0.02 to 0.33 of the picture's area and of proportions from 0.3 to 3.3.
    pub fn new(p: f64) -> Self {
        Self { p, scale: [0.02, 0.33], ratio: [0.3, 3.3], value: Some(0.0) }
    }

    /// The least and the largest share of the picture's area.
    #[must_use]
    pub fn scale(self, least: f64, largest: f64) -> Self {
        Self { scale: [least, largest], ..self }
    }

    /// The least and the largest height, in widths.
    #[must_use]
    pub fn ratio(self, least: f64, largest: f64) -> Self {
        Self { ratio: [least, largest], ..self }
    }

    /// What is written, instead of 0.
    #[must_use]
    pub fn value(self, value: f32) -> Self {
        Self { value: Some(value), ..self }
    }

    /// Normal noise is written, another number for each value: `value="random"`.
    #[must_use]
    pub fn noise(self) -> Self {
        Self { value: None, ..self }
    }

    pub(super) fn validate(&self) -> Result<(), DataError> {
        options::probability(self.p)?;
        if self.scale[1] > 1.0 {
            return Err(options::wrong("scale", self.scale[1], "a share of the area is from 0 to 1"));
        }
        options::scale_and_ratio(self.scale, self.ratio)
    }

    /// In values `[h, w, c]`.
    pub(super) fn erase(&self, size: [usize; 2], channels: usize, draw: &mut Draw, values: &mut [f32]) {
        if draw.chance(self.p)
            && let Some(([top, left], [height, width])) = self.rectangle(size, draw)
        {
            let rows = values.chunks_exact_mut(size[1] * channels).skip(top).take(height);
            for value in rows.flat_map(|row| &mut row[left * channels..][..width * channels]) {
                *value = self.value.unwrap_or_else(|| draw.stream().normal() as f32);
            }
        }
    }

    /// Corner and size of what is erased, if one of ten attempts is smaller than the picture: `RandomErasing.get_params`.
    fn rectangle(&self, [height, width]: [usize; 2], draw: &mut Draw) -> Option<([usize; 2], [usize; 2])> {
        let [least, largest] = self.ratio.map(f64::ln);
        (0..10).find_map(|_| {
            let area = (height * width) as f64 * draw.between(self.scale[0], self.scale[1]);
            let ratio = draw.between(least, largest).exp();
            let [h, w] = [(area * ratio).sqrt(), (area / ratio).sqrt()].map(|side| options::round(side) as usize);
            (h < height && w < width).then(|| {
                let top = draw.below(height - h + 1);
                ([top, draw.below(width - w + 1)], [h, w])
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_of_its_area_is_erased() {
        let (mut erased, mut total) = (0, 0.0);
        for sample in 0..2000 {
            let mut values = [1.0; 20 * 30 * 2];
            RandomErasing::new(0.5).erase([20, 30], 2, &mut Draw::new(3, 0, sample, 0), &mut values);
            let zeros: Vec<usize> = (0..1200).filter(|&place| values[place] == 0.0).collect();
            if let (Some(first), Some(last)) = (zeros.first(), zeros.last()) {
                let ([top, left], [bottom, right]) = ([first / 60, first % 60], [last / 60, last % 60]);
                assert_eq!(zeros.len(), (bottom - top + 1) * (right - left + 1), "no rectangle");
                erased += 1;
                total += zeros.len() as f64 / 1200.0;
            }
        }
        // Half of them, with a standard deviation of 22; their shares are even from 0.02 to 0.33, save what is too long.
        assert!((erased - 1000_i32).abs() < 90, "{erased}");
        let mean = total / f64::from(erased);
        assert!((mean - 0.17).abs() < 0.012, "{mean}");
    }

    #[test]
    fn other_values_and_noise() {
        let erased = |erasing: RandomErasing| {
            let mut values = [1.0; 400];
            erasing.erase([20, 20], 1, &mut Draw::new(3, 0, 0, 0), &mut values);
            values.into_iter().filter(|&value| value != 1.0).collect::<Vec<f32>>()
        };
        let values = erased(RandomErasing::new(1.0).value(7.0));
        assert!(!values.is_empty() && values.iter().all(|&value| value == 7.0));
        let noise = erased(RandomErasing::new(1.0).noise());
        assert!(noise.len() == values.len() && noise[0] != noise[1]);
        assert!(erased(RandomErasing::new(0.0)).is_empty());
    }
}

//! What a picture is painted on. Knows no clutter and no chance.

use super::{PIXELS, SIZE};

/// Grey values, 0 black and 1 white, that may go beyond while one paints.
pub(super) struct Canvas(Vec<f32>);

impl Canvas {
    pub(super) fn new(shade: f32) -> Self {
        Self(vec![shade; PIXELS])
    }

    pub(super) fn values(&self) -> &[f32] {
        &self.0
    }

    pub(super) fn mean(&self) -> f32 {
        self.0.iter().sum::<f32>() / PIXELS as f32
    }

    /// Adds a function of row and column.
    pub(super) fn shade(&mut self, change: impl Fn([f32; 2]) -> f32) {
        for (value, position) in self.0.iter_mut().zip(positions()) {
            *value += change(position);
        }
    }

    /// Covers so much of a pixel with a shade.
    pub(super) fn cover(&mut self, index: usize, coverage: f32, shade: f32) {
        let value = &mut self.0[index];
        *value += coverage * (shade - *value);
    }

    /// Everything that is nearer than `radius` to the way between two points, with an edge of a pixel.
    pub(super) fn stroke(&mut self, from: [f32; 2], to: [f32; 2], radius: f32, shade: f32) {
        // Only pixels that the stroke can reach.
        let reach = |axis: usize| {
            let (low, high) = (from[axis].min(to[axis]) - radius - 1.0, from[axis].max(to[axis]) + radius + 1.0);
            low.max(0.0) as usize..(high.max(0.0) as usize + 1).min(SIZE)
        };
        for row in reach(0) {
            for column in reach(1) {
                let distance = distance([row as f32 + 0.5, column as f32 + 0.5], from, to);
                self.cover(row * SIZE + column, (radius + 0.5 - distance).clamp(0.0, 1.0), shade);
            }
        }
    }
}

/// Row and column of the middle of each pixel.
pub(super) fn positions() -> impl Iterator<Item = [f32; 2]> {
    (0..PIXELS).map(|index| [(index / SIZE) as f32 + 0.5, (index % SIZE) as f32 + 0.5])
}

/// From a point to the nearest one of the way between two others.
fn distance(point: [f32; 2], from: [f32; 2], to: [f32; 2]) -> f32 {
    let way = [to[0] - from[0], to[1] - from[1]];
    let offset = [point[0] - from[0], point[1] - from[1]];
    let length = (way[0] * way[0] + way[1] * way[1]).max(f32::MIN_POSITIVE);
    let share = ((offset[0] * way[0] + offset[1] * way[1]) / length).clamp(0.0, 1.0);
    (offset[0] - share * way[0]).hypot(offset[1] - share * way[1])
}

/// The point at `share` of the way along a curve from the first corner to the last, bent towards the middle one.
pub(super) fn bezier(corners: [[f32; 2]; 3], share: f32) -> [f32; 2] {
    let rest = 1.0 - share;
    let weights = [rest * rest, 2.0 * rest * share, share * share];
    [0, 1].map(|axis| (0..3).map(|corner| weights[corner] * corners[corner][axis]).sum())
}

/// The value of an image between its pixels, from 0 to 1; around it is paper.
pub(super) fn bilinear(image: &[u8], width: usize, y: f32, x: f32) -> f32 {
    let height = image.len() / width;
    let (top, left) = (y.floor(), x.floor());
    let mut sum = 0.0;
    for (row, weight_of_row) in [(top, 1.0 - (y - top)), (top + 1.0, y - top)] {
        for (column, weight) in [(left, 1.0 - (x - left)), (left + 1.0, x - left)] {
            if (0.0..height as f32).contains(&row) && (0.0..width as f32).contains(&column) {
                sum += weight_of_row * weight * f32::from(image[row as usize * width + column as usize]) / 255.0;
            }
        }
    }
    sum
}

//! Boxes in a picture, in its pixels, and what is left of those that lie on one another.

/// The pixels from `left` and `top` on and before `right` and `bottom`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// First column.
    pub left: f32,
    /// First row.
    pub top: f32,
    /// Column behind the last.
    pub right: f32,
    /// Row behind the last.
    pub bottom: f32,
}

impl Bounds {
    /// Its sides' product; none if it is inside out.
    pub fn area(&self) -> f32 {
        (self.right - self.left).max(0.0) * (self.bottom - self.top).max(0.0)
    }

    /// The area of what two have in common, as a share of what they cover.
    pub fn intersection_over_union(&self, other: &Self) -> f32 {
        let common = Self {
            left: self.left.max(other.left),
            top: self.top.max(other.top),
            right: self.right.min(other.right),
            bottom: self.bottom.min(other.bottom),
        };
        let area = common.area();
        if area > 0.0 { area / (self.area() + other.area() - area) } else { 0.0 }
    }
}

/// Something that may be there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Found {
    /// Where.
    pub bounds: Bounds,
    /// How sure the network is.
    pub probability: f32,
}

/// Non-maximum suppression: the surest of all that lie on one another by more than this share, surest first.
pub fn suppress(mut found: Vec<Found>, share: f32) -> Vec<Found> {
    found.sort_by(|one, other| other.probability.total_cmp(&one.probability));
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if kept.iter().all(|other| one.bounds.intersection_over_union(&other.bounds) <= share) {
            kept.push(one);
        }
    }
    kept
}

//! One tensor of a layer: PyTorch's name and sizes, how it starts, and the order in which it is kept.

/// A tensor of a layer: a trainable one, or one of its state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameter {
    /// PyTorch's name within the layer, such as `weight`; nothing if it goes by the name of the step itself.
    pub name: &'static str,
    /// PyTorch's sizes; the first [`rank`](Self::rank) count, the others are 1.
    pub sizes: [usize; 4],
    /// How many sizes there are.
    pub rank: usize,
    /// What it starts as.
    pub initial: Initial,
    /// How it is kept in memory.
    pub order: Order,
}

/// What a parameter starts as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initial {
    /// This number everywhere.
    Constant(f32),
    /// Uniform between minus and plus this bound.
    Uniform(f32),
}

/// How a parameter is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As PyTorch's.
    Plain,
    /// PyTorch's `[out, in / groups, kh, kw]` kept as `[groups, kh, kw, in / groups, out / groups]`.
    Conv2d {
        /// The convolution's groups.
        groups: usize,
    },
    /// PyTorch's `[out, in]` kept as `[in, out]`, where the inputs were a map: `[c, h, w]` there, `[h, w, c]` here.
    Linear {
        /// Channels of the map, or all features.
        channels: usize,
    },
    /// PyTorch's `[c, h, w]` kept as `[h, w, c]`.
    Map,
    /// PyTorch's single `int64`: a count, which is kept apart from the numbers, as a `u64`.
    Count,
}

impl Parameter {
    /// One dimension: a bias, or a factor per channel.
    pub const fn vector(name: &'static str, len: usize, initial: Initial) -> Self {
        Self { name, sizes: [len, 1, 1, 1], rank: 1, initial, order: Order::Plain }
    }

    /// A count that starts at zero, such as `num_batches_tracked`.
    pub const fn count(name: &'static str) -> Self {
        Self { name, sizes: [1; 4], rank: 0, initial: Initial::Constant(0.0), order: Order::Count }
    }

    /// Whether its values are as many as those of another, and kept in the same order.
    pub(crate) const fn is_kept_as(&self, other: &Self) -> bool {
        let mut size = 0;
        while size < self.sizes.len() {
            if self.sizes[size] != other.sizes[size] {
                return false;
            }
            size += 1;
        }
        match (self.order, other.order) {
            (Order::Plain, Order::Plain) | (Order::Map, Order::Map) | (Order::Count, Order::Count) => true,
            (Order::Conv2d { groups: one }, Order::Conv2d { groups: other })
            | (Order::Linear { channels: one }, Order::Linear { channels: other }) => one == other,
            _ => false,
        }
    }

    /// PyTorch's sizes.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes[..self.rank]
    }

    /// Values.
    pub const fn len(&self) -> usize {
        let [a, b, c, d] = self.sizes;
        a.saturating_mul(b).saturating_mul(c).saturating_mul(d)
    }

    /// Whether it has no values.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// From PyTorch's order to ours.
    ///
    /// # Panics
    ///
    /// When either slice is not [`len`](Self::len) values long.
    pub fn import<T: Copy>(&self, pytorch: &[T], ours: &mut [T]) {
        assert_eq!([pytorch.len(), ours.len()], [self.len(); 2]);
        for (index, &value) in pytorch.iter().enumerate() {
            ours[self.place(index)] = value;
        }
    }

    /// From our order to PyTorch's; undoes [`import`](Self::import).
    ///
    /// # Panics
    ///
    /// When either slice is not [`len`](Self::len) values long.
    pub fn export<T: Copy>(&self, ours: &[T], pytorch: &mut [T]) {
        assert_eq!([pytorch.len(), ours.len()], [self.len(); 2]);
        for (index, value) in pytorch.iter_mut().enumerate() {
            *value = ours[self.place(index)];
        }
    }

    /// Where the value at an index of PyTorch's order is kept.
    fn place(&self, index: usize) -> usize {
        let [out, inputs, kernel_height, kernel_width] = self.sizes;
        match self.order {
            Order::Plain | Order::Count => index,
            Order::Conv2d { groups } => {
                let (out, taps) = (out / groups, kernel_height * kernel_width);
                let (filter, ic, tap) = (index / (inputs * taps), index / taps % inputs, index % taps);
                let (group, oc) = (filter / out, filter % out);
                ((group * taps + tap) * inputs + ic) * out + oc
            }
            Order::Map => {
                let [channels, height, width, _] = self.sizes;
                let positions = height * width;
                index % positions * channels + index / positions
            }
            Order::Linear { channels } => {
                let positions = inputs / channels;
                let (row, channel, position) = (index / inputs, index % inputs / positions, index % positions);
                (position * channels + channel) * out + row
            }
        }
    }
}

/// `1/sqrt(fan_in)`: the bound of PyTorch's default initialisation of convolutions and linear layers.
pub(super) const fn bound(fan_in: usize) -> f32 {
    // Newton's iteration: `sqrt` is no `const fn`. From above it falls until it stands.
    let fan_in = fan_in as f64;
    let mut root = if fan_in < 1.0 { 1.0 } else { fan_in };
    loop {
        let next = 0.5 * (root + fan_in / root);
        if next >= root {
            return (1.0 / root) as f32;
        }
        root = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_is_the_inverse_root() {
        for fan_in in [1, 2, 3, 9, 25, 400, 4608, 25088, usize::pow(2, 40)] {
            assert_eq!(bound(fan_in), (1.0 / (fan_in as f64).sqrt()) as f32);
        }
    }

    #[test]
    fn export_undoes_import_in_every_order() {
        for (order, sizes) in [
            (Order::Plain, [12, 1, 1, 1]),
            (Order::Conv2d { groups: 1 }, [3, 2, 2, 3]),
            (Order::Conv2d { groups: 2 }, [4, 3, 2, 1]),
            (Order::Linear { channels: 6 }, [3, 6, 1, 1]),
            (Order::Linear { channels: 2 }, [3, 6, 1, 1]),
            (Order::Map, [3, 2, 4, 1]),
        ] {
            let parameter = Parameter { name: "weight", sizes, rank: 4, initial: Initial::Constant(0.0), order };
            let pytorch: Vec<f32> = (0..parameter.len()).map(|value| value as f32).collect();
            let (mut ours, mut back) = (vec![-1.0; pytorch.len()], vec![-1.0; pytorch.len()]);
            parameter.import(&pytorch, &mut ours);
            parameter.export(&ours, &mut back);
            assert_eq!(back, pytorch, "{order:?}");
        }
    }

    #[test]
    fn a_filter_is_kept_tap_by_tap() {
        let order = Order::Conv2d { groups: 1 };
        let parameter =
            Parameter { name: "weight", sizes: [2, 2, 1, 2], rank: 4, initial: Initial::Constant(0.0), order };
        let mut ours = [0.0; 8];
        parameter.import(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], &mut ours);
        assert_eq!(ours, [0.0, 4.0, 2.0, 6.0, 1.0, 5.0, 3.0, 7.0]);
    }
    #[test]
    fn a_map_is_kept_position_by_position() {
        let (initial, order) = (Initial::Constant(1.0), Order::Map);
        let parameter = Parameter { name: "weight", sizes: [3, 1, 2, 1], rank: 3, initial, order };
        let mut ours = [0.0; 6];
        parameter.import(&[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &mut ours);
        assert_eq!(ours, [0.0, 2.0, 4.0, 1.0, 3.0, 5.0]);
    }
}

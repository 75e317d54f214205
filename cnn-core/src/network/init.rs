//! What tensors may start as, by the names of PyTorch's `torch.nn.init`.

use crate::kernel::pointwise::number::Number;
use crate::layer::Parameter;
use crate::random::Stream;

/// The numbers that a tensor starts as. <https://pytorch.org/docs/stable/nn.init.html>
///
/// The numbers are not PyTorch's, their distribution is. `fan_in` of a tensor of sizes `[out, in, ..]` is `in` times the sizes
/// behind it, `fan_out` is `out` times these.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// One number everywhere.
    Constant(f32),
    /// From `a` to `b`, each as likely as the others.
    Uniform {
        /// The least.
        a: f32,
        /// The greatest.
        b: f32,
    },
    /// Normally distributed.
    Normal {
        /// Their mean.
        mean: f32,
        /// Their standard deviation.
        std: f32,
    },
    /// Normally distributed between two bounds, which have to leave a thousandth of all numbers or more.
    TruncNormal {
        /// The mean, were there no bounds.
        mean: f32,
        /// The standard deviation, were there no bounds.
        std: f32,
        /// The least.
        a: f32,
        /// The greatest.
        b: f32,
    },
    /// Between plus and minus `gain sqrt(6 / (fan_in + fan_out))`.
    XavierUniform {
        /// A factor, 1 in PyTorch.
        gain: f32,
    },
    /// Of the standard deviation `gain sqrt(2 / (fan_in + fan_out))`.
    XavierNormal {
        /// A factor, 1 in PyTorch.
        gain: f32,
    },
    /// Between plus and minus `gain sqrt(3 / fan)`.
    KaimingUniform {
        /// Which of the two.
        fan: Fan,
        /// What follows, which says the gain.
        nonlinearity: Nonlinearity,
    },
    /// Of the standard deviation `gain / sqrt(fan)`.
    KaimingNormal {
        /// Which of the two.
        fan: Fan,
        /// What follows, which says the gain.
        nonlinearity: Nonlinearity,
    },
    /// Rows, or columns where those are fewer, that are of length `gain` and stand upright on one another: of the matrix
    /// `[sizes[0], ..]`. Takes as long as the matrix has numbers times its lesser size.
    Orthogonal {
        /// A factor, 1 in PyTorch.
        gain: f32,
    },
}

/// Whether the values keep their size on the way there, or gradients on the way back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fan {
    /// On the way there.
    #[default]
    In,
    /// On the way back.
    Out,
}

/// What follows a layer, and so how much larger its numbers are to be: PyTorch's `calculate_gain`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Nonlinearity {
    /// Nothing, a convolution, a sigmoid: 1.
    Linear,
    /// A rectifier: the root of 2.
    Relu,
    /// A rectifier of this slope: the root of `2 / (1 + slope^2)`.
    LeakyRelu(f32),
    /// A hyperbolic tangent: 5/3.
    Tanh,
    /// A scaled exponential unit: 3/4.
    Selu,
}

impl Nonlinearity {
    /// The factor.
    pub fn gain(self) -> f64 {
        match self {
            Self::Linear => 1.0,
            Self::Relu => 2.0_f64.sqrt(),
            Self::LeakyRelu(slope) => (2.0 / (1.0 + f64::from(slope).powi(2))).sqrt(),
            Self::Tanh => 5.0 / 3.0,
            Self::Selu => 0.75,
        }
    }
}

const FINITE: &str = "its numbers are to be finite";
const ORDER: &str = "the least is below the greatest";
const DEVIATION: &str = "a standard deviation is not negative";
const TAIL: &str = "its bounds leave less than a thousandth of the distribution";
const FANS: &str = "a fan is that of a tensor of two sizes or more";
const ROWS: &str = "a matrix has two sizes or more";

impl Init {
    /// What is wrong with it, for a tensor of these sizes.
    pub(super) fn problem(&self, sizes: &[usize]) -> Option<&'static str> {
        let (numbers, wants_fans) = match *self {
            Self::Constant(value) => ([value, 0.0, 0.0, 0.0], false),
            Self::Uniform { a, b } => ([a, b, b - a, 0.0], false),
            Self::Normal { mean, std } => ([mean, std, 0.0, 0.0], false),
            Self::TruncNormal { mean, std, a, b } => ([mean, std, a, b], false),
            Self::XavierUniform { gain } | Self::XavierNormal { gain } => ([gain, 0.0, 0.0, 0.0], true),
            Self::KaimingUniform { nonlinearity, .. } | Self::KaimingNormal { nonlinearity, .. } => {
                ([nonlinearity.gain() as f32, 0.0, 0.0, 0.0], true)
            }
            Self::Orthogonal { gain } => ([gain, 0.0, 0.0, 0.0], false),
        };
        if !numbers.iter().all(|number| number.is_finite()) {
            return Some(FINITE);
        }
        match *self {
            Self::Uniform { a, b } if a > b => Some(ORDER),
            Self::Normal { std, .. } if std < 0.0 => Some(DEVIATION),
            Self::TruncNormal { std, .. } if std <= 0.0 => Some(DEVIATION),
            Self::TruncNormal { a, b, .. } if a >= b => Some(ORDER),
            Self::TruncNormal { mean, std, a, b } => {
                let below = |x: f32| 0.5 * (1.0 + Number::erf(f64::from(x - mean) / f64::from(std) / 2.0_f64.sqrt()));
                (below(b) - below(a) < 1e-3).then_some(TAIL)
            }
            Self::Orthogonal { .. } if sizes.len() < 2 => Some(ROWS),
            _ if wants_fans && sizes.len() < 2 => Some(FANS),
            _ => None,
        }
    }

    /// Fills a tensor, in PyTorch's order, of sizes for which there is no [`problem`](Self::problem).
    pub(super) fn fill(&self, parameter: &Parameter, stream: &mut Stream, values: &mut [f32]) {
        let [rows, ..] = parameter.sizes;
        let fans = || {
            let [fan_out, fan_in, ..] = parameter.sizes;
            let receptive = (values.len() / (fan_in * fan_out).max(1)) as f64;
            [fan_in as f64 * receptive, fan_out as f64 * receptive]
        };
        let of = |fan: Fan| fans()[usize::from(fan == Fan::Out)];
        match *self {
            Self::Constant(value) => values.fill(value),
            Self::Uniform { a, b } => uniform(stream, f64::from(a), f64::from(b), values),
            Self::Normal { mean, std } => values.fill_with(|| mean + std * stream.normal() as f32),
            Self::TruncNormal { mean, std, a, b } => values.fill_with(|| {
                loop {
                    let value = mean + std * stream.normal() as f32;
                    if (a..=b).contains(&value) {
                        return value;
                    }
                }
            }),
            Self::XavierUniform { gain } => {
                let [fan_in, fan_out] = fans();
                let bound = f64::from(gain).abs() * (6.0 / (fan_in + fan_out)).sqrt();
                uniform(stream, -bound, bound, values);
            }
            Self::XavierNormal { gain } => {
                let [fan_in, fan_out] = fans();
                let std = f64::from(gain) * (2.0 / (fan_in + fan_out)).sqrt();
                values.fill_with(|| (std * stream.normal()) as f32);
            }
            Self::KaimingUniform { fan, nonlinearity } => {
                let bound = nonlinearity.gain() * (3.0 / of(fan)).sqrt();
                uniform(stream, -bound, bound, values);
            }
            Self::KaimingNormal { fan, nonlinearity } => {
                let std = nonlinearity.gain() / of(fan).sqrt();
                values.fill_with(|| (std * stream.normal()) as f32);
            }
            Self::Orthogonal { gain } => orthogonal(stream, f64::from(gain), rows, values),
        }
    }
}

fn uniform(stream: &mut Stream, from: f64, to: f64, values: &mut [f32]) {
    values.fill_with(|| (from + (to - from) * f64::from(stream.uniform())) as f32);
}

/// Normally distributed vectors, each of which what it has of those before it is taken off (Gram and Schmidt, twice, as rounding
/// leaves some of it the first time): the Q of the QR decomposition that has no negative numbers on R's diagonal, which is as
/// likely as any other.
fn orthogonal(stream: &mut Stream, gain: f64, rows: usize, values: &mut [f32]) {
    let columns = values.len() / rows.max(1);
    let (count, len) = (rows.min(columns), rows.max(columns));
    let mut vectors: Vec<Vec<f64>> = Vec::with_capacity(count);
    while vectors.len() < count {
        let mut vector: Vec<f64> = (0..len).map(|_| stream.normal()).collect();
        for _ in 0..2 {
            for other in &vectors {
                let share: f64 = vector.iter().zip(other).map(|(x, y)| x * y).sum();
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= share * y);
            }
        }
        let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
        // One that depends on the others has no direction of its own: another is drawn.
        if length > 1e-9 {
            vector.iter_mut().for_each(|x| *x /= length);
            vectors.push(vector);
        }
    }
    for (index, value) in values.iter_mut().enumerate() {
        let (row, column) = (index / columns, index % columns);
        let number = if rows <= columns { vectors[row][column] } else { vectors[column][row] };
        *value = (gain * number) as f32;
    }
}

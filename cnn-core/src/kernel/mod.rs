//! Loops over slices. Knows no tensors, layers or files.
//!
//! The only room with `unsafe`: every public function is a safe shell that checks lengths against a geometry once, around
//! a core that trusts them. Two laws hold everywhere: work is cut into pieces by shape and batch, never by the number of
//! threads, and sums over pieces are added in a fixed order. So the result has the same bits on any number of threads.

pub mod activation;
mod average_pool;
pub mod batch_norm2d;
pub mod buffer;
pub(crate) mod chunk;
mod column_sums;
pub mod conv_transpose2d;
mod correlate;
mod depthwise;
mod depthwise_weight;
pub mod direct;
pub mod geometry;
pub mod isa;
pub mod join;
pub mod linear;
pub mod local_response_norm;
mod math;
mod max_pool;
mod pack;
pub mod packed;
mod phase;
pub mod pool;
pub mod prelu;
pub mod rows;
mod scatter;
pub mod scratch;
pub mod softmax;
mod strip;
mod tile;
pub mod upsample;
mod weight_gradient;
mod widen;
pub mod zero_pad2d;

/// What happens to the values that a result meets in its target.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Write {
    /// They are overwritten.
    #[default]
    Store,
    /// The result is added to them.
    Add,
}

/// The function at the end of a product or a normalization, which costs nothing there: one whose slope can be told from
/// its results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rectifier {
    /// None: results stay as they are.
    #[default]
    None,
    /// `max(x, 0)`; NaN stays.
    Relu,
    /// `min(max(x, 0), 6)`; NaN stays.
    Relu6,
}

impl Rectifier {
    #[inline(always)]
    fn apply(self, x: f32) -> f32 {
        match self {
            Self::None => x,
            // `f32::max` would turn NaN into zero.
            Self::Relu => {
                if x < 0.0 {
                    0.0
                } else {
                    x
                }
            }
            Self::Relu6 => x.clamp(0.0, 6.0),
        }
    }
}

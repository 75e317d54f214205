//! Every layer and loss, forward and backward, as plain `f64` loops: the definition, written to be read.
//!
//! Everything fast in this library is held to these functions by tests. They take the geometries of
//! [`kernel`](crate::kernel) and slices, allocate what they return, and never trade clarity for speed. Maps are
//! channels-last with the batch outermost, `[n, h, w, c]`; the number of samples is the length of the input divided by
//! that of one sample. Knows no tensors, layers or networks.
//!
//! A network is differentiated from its end: a `backward` gets `grad_output`, the derivative of the loss by each value
//! that its `forward` gave, and returns the derivative by each value that `forward` took.
//!
//! In the loops `n` is the sample, `g` the group, `ic ih iw` the input's channel, row and column, `oc oh ow` the
//! output's, `kh kw` the row and column in the window.

pub mod activation;
pub mod adaptive_avg_pool2d;
pub mod adaptive_max_pool2d;
pub mod add;
pub mod avg_pool2d;
pub mod batch_norm2d;
pub mod concat;
pub mod conv2d;
pub mod conv_transpose2d;
pub mod drop_path;
pub mod dropout;
pub mod dropout2d;
mod erf;
pub mod flatten;
pub mod group_norm;
pub mod layer_scale;
pub mod learned;
pub mod linear;
pub mod local_response_norm;
pub mod log_softmax;
pub mod loss;
pub mod matmul;
pub mod max_pool2d;
pub mod multiply;
pub mod pad2d;
pub mod prelu;
pub mod reduce;
pub mod relu;
pub mod softmax;
pub mod upsample;

pub use erf::erf;

/// The derivatives of the loss by what a layer with parameters took.
#[derive(Clone, Debug, PartialEq)]
pub struct Gradients {
    /// By the input.
    pub input: Vec<f64>,
    /// By the weight, summed over the batch.
    pub weight: Vec<f64>,
    /// By the bias, summed over the batch.
    pub bias: Vec<f64>,
}

/// The gradient of `function` at `point` by central differences, `(f(x + h) - f(x - h)) / 2h` for each value in turn:
/// what a `backward` must agree with wherever the function is smooth.
pub fn central_differences(mut function: impl FnMut(&[f64]) -> f64, point: &[f64], step: f64) -> Vec<f64> {
    let mut moved = point.to_vec();
    (0..point.len())
        .map(|index| {
            moved[index] = point[index] + step;
            let above = function(&moved);
            moved[index] = point[index] - step;
            let below = function(&moved);
            moved[index] = point[index];
            (above - below) / (2.0 * step)
        })
        .collect()
}

/// The number of samples in `len` values of `sample` each.
fn samples(len: usize, sample: usize) -> usize {
    assert_eq!(len % sample, 0, "{len} values are no whole number of samples of {sample}");
    len / sample
}

/// The cell of the map under tap `tap` of the window at `position`, `None` on the padding.
fn cell(position: usize, tap: usize, stride: usize, dilation: usize, padding: usize, cells: usize) -> Option<usize> {
    let padded = position * stride + tap * dilation;
    padded.checked_sub(padding).filter(|&cell| cell < cells)
}

/// Whether a value takes the place of the largest before it: the first of equals stays, and of several NaNs the last wins,
/// as in PyTorch's loop `if (value > max || isnan(value))`.
fn beats(value: f64, largest: f64) -> bool {
    value > largest || value.is_nan()
}

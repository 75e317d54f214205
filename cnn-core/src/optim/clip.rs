use super::invalid::check_not_negative;
use super::{CHUNK, InvalidOption};
use crate::kernel::memory::chunk::join;

/// Scales a gradient down to length `max_norm` if it is longer, and returns the length that it had.
///
/// The length is the Euclidean one of the whole slice, all parameters of a network together, and the same bits on any number
/// of threads. As PyTorch's, the gradient is multiplied by `max_norm / (length + 1e-6)` where that is less than 1: lengths
/// not far above 1e-6 come out shorter than the bound. The factor is an `f64`, and may be as small as the values need.
/// <https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html>
///
/// A gradient that is not finite has a length that is not, and becomes zeros and NaN, as PyTorch's: nothing makes it whole,
/// so look at the length before the step.
///
/// # Errors
///
/// [`InvalidOption::MaxNorm`] when the bound is negative or not finite; the gradient is then as it was.
pub fn clip_grad_norm(gradient: &mut [f32], max_norm: f64) -> Result<f64, InvalidOption> {
    check_not_negative(max_norm, InvalidOption::MaxNorm)?;
    let norm = sum_of_squares(gradient).sqrt();
    // PyTorch's, which leaves a gradient of length zero alone.
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 || factor.is_nan() {
        scale(gradient, factor);
    }
    Ok(norm)
}

/// Cuts every value of a gradient off at `clip_value` and `-clip_value`; NaN stays NaN.
/// <https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html>
///
/// # Errors
///
/// [`InvalidOption::ClipValue`] when the bound is negative or not finite; the gradient is then as it was.
pub fn clip_grad_value(gradient: &mut [f32], clip_value: f64) -> Result<(), InvalidOption> {
    check_not_negative(clip_value, InvalidOption::ClipValue)?;
    let bound = clip_value as f32;
    for value in gradient {
        *value = value.clamp(-bound, bound);
    }
    Ok(())
}

/// Sums side by side, which the compiler keeps in vector registers.
const LANES: usize = 8;

/// In `f64`, which the squares of no `f32` overflow. Halves are cut by length alone, so the order of the sum is fixed.
pub(super) fn sum_of_squares(values: &[f32]) -> f64 {
    if values.len() > CHUNK {
        let (left, right) = values.split_at(middle(values.len()));
        let (left, right) = join(|| sum_of_squares(left), || sum_of_squares(right));
        return left + right;
    }
    let (rows, rest) = values.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for row in rows {
        for (sum, &value) in sums.iter_mut().zip(row) {
            *sum += f64::from(value) * f64::from(value);
        }
    }
    sums.iter().sum::<f64>() + rest.iter().map(|&value| f64::from(value) * f64::from(value)).sum::<f64>()
}

/// In `f64`: between the largest and the least of `f32` are factors that `f32` has few bits for, or none.
fn scale(values: &mut [f32], factor: f64) {
    if values.len() > CHUNK {
        let (left, right) = values.split_at_mut(middle(values.len()));
        join(|| scale(left, factor), || scale(right, factor));
        return;
    }
    for value in values {
        *value = (f64::from(*value) * factor) as f32;
    }
}

/// Where a slice of more than one piece is cut in two.
pub(super) fn middle(len: usize) -> usize {
    (len / 2).next_multiple_of(CHUNK)
}

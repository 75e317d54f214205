//! Loops over values one by one, and over rows of them. Plain loops: the compiler vectorizes them for the instruction set.

use super::Write;
use super::chunk::{self, Target};
use super::isa;

/// Values of a piece of work.
const PIECE: usize = 1 << 15;

/// Cuts `target` into pieces and calls `body` with the place of each and the piece, compiled for the instruction set.
fn for_each_piece(target: &mut [f32], body: impl Fn(usize, &mut [f32]) + Sync) {
    for_each_piece_of(PIECE, target, body);
}

#[inline(always)]
fn for_each_piece_of(piece: usize, target: &mut [f32], body: impl Fn(usize, &mut [f32]) + Sync) {
    let isa = isa::current();
    let len = target.len();
    let target = Target::new(target);
    chunk::for_each(len.div_ceil(piece), len, |index| {
        let start = index * piece;
        // SAFETY: pieces are disjoint and end with the slice.
        let part = unsafe { target.slice(start, piece.min(len - start)) };
        isa.vectorize(
            #[inline(always)]
            || body(start, part),
        );
    });
}

/// value = max(value, 0); NaN stays.
pub fn relu(values: &mut [f32]) {
    for_each_piece(
        values,
        #[inline(always)]
        |_, values| values.iter_mut().for_each(|value| *value = if *value < 0.0 { 0.0 } else { *value }),
    );
}

/// input -> output = max(input, 0); NaN stays.
pub fn relu_from(input: &[f32], output: &mut [f32]) {
    assert_eq!(input.len(), output.len());
    for_each_piece(
        output,
        #[inline(always)]
        |start, output| {
            for (output, input) in output.iter_mut().zip(&input[start..]) {
                *output = if *input < 0.0 { 0.0 } else { *input };
            }
        },
    );
}

/// output of the forward pass, grad_output -> the gradient of the input in the same place: zero where the output is.
///
/// Behind a max pooling it is the same, and cheaper, to apply this to the pooled map before going back through the
/// pooling: whatever wins is zero where its copy in the pooled map is.
pub fn relu_backward_in_place(output: &[f32], grad: &mut [f32]) {
    assert_eq!(output.len(), grad.len());
    for_each_piece(
        grad,
        #[inline(always)]
        |start, grad| {
            for (grad, output) in grad.iter_mut().zip(&output[start..]) {
                *grad = if *output > 0.0 { *grad } else { 0.0 };
            }
        },
    );
}

/// output of the forward pass, grad_output -> grad_input: zero where the output is.
pub fn relu_backward(output: &[f32], grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    assert_eq!(output.len(), grad_input.len());
    assert_eq!(grad_output.len(), grad_input.len());
    if write == Write::Store {
        for_each_piece(
            grad_input,
            #[inline(always)]
            |start, grad_input| {
                for ((grad_input, output), grad) in
                    grad_input.iter_mut().zip(&output[start..]).zip(&grad_output[start..])
                {
                    *grad_input = if *output > 0.0 { *grad } else { 0.0 };
                }
            },
        );
    } else {
        for_each_piece(
            grad_input,
            #[inline(always)]
            |start, grad_input| {
                for ((grad_input, output), grad) in
                    grad_input.iter_mut().zip(&output[start..]).zip(&grad_output[start..])
                {
                    *grad_input += if *output > 0.0 { *grad } else { 0.0 };
                }
            },
        );
    }
}

/// y = y + x.
pub fn add(x: &[f32], y: &mut [f32]) {
    axpy(1.0, x, y);
}

/// y = y + a * x.
pub fn axpy(a: f32, x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    for_each_piece(
        y,
        #[inline(always)]
        |start, y| {
            for (y, x) in y.iter_mut().zip(&x[start..]) {
                *y += a * x;
            }
        },
    );
}

/// y = y * x, value by value: a mask of dropout, or a product of branches.
pub fn multiply(x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    for_each_piece(
        y,
        #[inline(always)]
        |start, y| {
            for (y, x) in y.iter_mut().zip(&x[start..]) {
                *y *= x;
            }
        },
    );
}

/// y = a * y.
pub fn scale(a: f32, y: &mut [f32]) {
    for_each_piece(
        y,
        #[inline(always)]
        |_, y| y.iter_mut().for_each(|y| *y *= a),
    );
}

/// y = x.
pub fn copy(x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len());
    for_each_piece(
        y,
        #[inline(always)]
        |start, y| y.copy_from_slice(&x[start..start + y.len()]),
    );
}

/// input `[.., channels]` -> output `[.., channels]`: `exp(x) / sum exp(x)` in each row.
pub fn softmax_rows(channels: usize, input: &[f32], output: &mut [f32]) {
    assert_eq!(input.len(), output.len());
    assert_eq!(input.len() % channels, 0);
    let rows = (PIECE / 16).div_ceil(channels);
    for_each_piece_of(
        rows * channels,
        output,
        #[inline(always)]
        |start, output| {
            for (output, input) in output.chunks_exact_mut(channels).zip(input[start..].chunks_exact(channels)) {
                // Without the maximum `exp` would overflow.
                let max = input.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                let mut sum = 0.0;
                for (output, input) in output.iter_mut().zip(input) {
                    *output = (input - max).exp();
                    sum += *output;
                }
                output.iter_mut().for_each(|value| *value /= sum);
            }
        },
    );
}

/// output of the forward pass `[.., channels]`, grad_output -> grad_input: `y * (grad - sum(grad * y))` in each row.
pub fn softmax_rows_backward(
    channels: usize,
    output: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
) {
    assert_eq!(output.len(), grad_input.len());
    assert_eq!(grad_output.len(), grad_input.len());
    assert_eq!(output.len() % channels, 0);
    let rows = (PIECE / 4).div_ceil(channels);
    for_each_piece_of(
        rows * channels,
        grad_input,
        #[inline(always)]
        |start, grad_input| {
            let rows = output[start..].chunks_exact(channels).zip(grad_output[start..].chunks_exact(channels));
            for (grad_input, (output, grad_output)) in grad_input.chunks_exact_mut(channels).zip(rows) {
                let dot: f32 = output.iter().zip(grad_output).map(|(y, grad)| y * grad).sum();
                for ((grad_input, y), grad) in grad_input.iter_mut().zip(output).zip(grad_output) {
                    let kept = if write == Write::Add { *grad_input } else { 0.0 };
                    *grad_input = kept + y * (grad - dot);
                }
            }
        },
    );
}

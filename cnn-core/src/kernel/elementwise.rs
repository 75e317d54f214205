//! Loops over values one by one. Plain loops: the compiler vectorizes them for the instruction set.

use super::Write;
use super::chunk::{self, Target};
use super::isa;

/// Values of a piece of work.
const PIECE: usize = 1 << 15;

/// Cuts slices of the same length into pieces, and calls `body` with a piece of each, compiled for the instruction set and
/// on all threads: for optimizers and everything else that goes once over flat memory.
///
/// The closure has to be inlined to profit:
///
/// ```
/// # let (mut weight, gradient) = ([1.0, 2.0], [0.5, -1.0]);
/// # use cnn_core::kernel::elementwise::for_each_piece;
/// for_each_piece(
///     [&mut weight],
///     [&gradient],
///     #[inline(always)]
///     |[weight], [gradient]| {
///         for (weight, gradient) in weight.iter_mut().zip(gradient) {
///             *weight -= 0.1 * gradient;
///         }
///     },
/// );
/// # assert_eq!(weight, [0.95, 2.1]);
/// ```
///
/// # Panics
/// If a length is another than that of the first slice.
pub fn for_each_piece<const M: usize, const R: usize>(
    written: [&mut [f32]; M],
    read: [&[f32]; R],
    body: impl Fn([&mut [f32]; M], [&[f32]; R]) + Sync,
) {
    let isa = isa::current();
    let len = written[0].len();
    assert!(written.iter().all(|values| values.len() == len), "all slices have the same length");
    assert!(read.iter().all(|values| values.len() == len), "all slices have the same length");
    let written = written.map(Target::new);
    chunk::for_each(len.div_ceil(PIECE), len, |index| {
        let start = index * PIECE;
        let count = PIECE.min(len - start);
        // SAFETY: pieces are disjoint and end with the slices, which are exclusively ours and do not overlap.
        let written = written.map(|values| unsafe { values.slice(start, count) });
        let read = read.map(|values| &values[start..start + count]);
        isa.vectorize(
            #[inline(always)]
            || body(written, read),
        );
    });
}

/// value = max(value, 0); NaN stays.
pub fn relu(values: &mut [f32]) {
    for_each_piece(
        [values],
        [],
        #[inline(always)]
        |[values], []| values.iter_mut().for_each(|value| *value = if *value < 0.0 { 0.0 } else { *value }),
    );
}

/// input -> output = max(input, 0); NaN stays.
pub fn relu_from(input: &[f32], output: &mut [f32]) {
    for_each_piece(
        [output],
        [input],
        #[inline(always)]
        |[output], [input]| {
            for (output, input) in output.iter_mut().zip(input) {
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
    for_each_piece(
        [grad],
        [output],
        #[inline(always)]
        |[grad], [output]| {
            for (grad, output) in grad.iter_mut().zip(output) {
                *grad = if *output > 0.0 { *grad } else { 0.0 };
            }
        },
    );
}

/// output of the forward pass, grad_output -> grad_input: zero where the output is.
pub fn relu_backward(output: &[f32], grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    for_each_piece(
        [grad_input],
        [output, grad_output],
        #[inline(always)]
        |[grad_input], [output, grad_output]| {
            let values = grad_input.iter_mut().zip(output.iter().zip(grad_output));
            match write {
                Write::Store => {
                    values.for_each(|(to, (output, grad))| *to = if *output > 0.0 { *grad } else { 0.0 });
                }
                Write::Add => {
                    values.for_each(|(to, (output, grad))| *to += if *output > 0.0 { *grad } else { 0.0 });
                }
            }
        },
    );
}

/// y = y + x.
pub fn add(x: &[f32], y: &mut [f32]) {
    axpy(1.0, x, y);
}

/// y = y + a * x.
pub fn axpy(a: f32, x: &[f32], y: &mut [f32]) {
    for_each_piece(
        [y],
        [x],
        #[inline(always)]
        |[y], [x]| y.iter_mut().zip(x).for_each(|(y, x)| *y += a * x),
    );
}

/// y = y * x, value by value: a mask of dropout, or a product of branches.
pub fn multiply(x: &[f32], y: &mut [f32]) {
    for_each_piece(
        [y],
        [x],
        #[inline(always)]
        |[y], [x]| y.iter_mut().zip(x).for_each(|(y, x)| *y *= x),
    );
}

/// y = a * y.
pub fn scale(a: f32, y: &mut [f32]) {
    for_each_piece(
        [y],
        [],
        #[inline(always)]
        |[y], []| y.iter_mut().for_each(|y| *y *= a),
    );
}

/// y = x.
pub fn copy(x: &[f32], y: &mut [f32]) {
    for_each_piece(
        [y],
        [x],
        #[inline(always)]
        |[y], [x]| y.copy_from_slice(x),
    );
}

//! Values at other places.

use crate::kernel::Write;
use crate::kernel::geometry::RearrangementGeometry;
use crate::kernel::memory::chunk::for_each_part;

/// input `[n, in_len]` -> output `[n, sizes]`
///
/// # Panics
/// If they are not of equally many samples, or a value that is taken is none of the input's.
#[inline]
pub fn forward(geometry: &RearrangementGeometry, input: &[f32], output: &mut [f32]) {
    let (in_len, out_len) = lens(geometry, [input.len(), output.len()]);
    // The outermost sizes of all samples, each of which is a part of the output.
    let [outer, ..] = geometry.sizes;
    let rest = out_len / outer;
    for_each_part(output.len() / rest, rest, rest, output, |first, output| {
        for (index, to) in output.chunks_exact_mut(rest).enumerate() {
            let (sample, outer) = ((first + index) / outer, (first + index) % outer);
            let input = &input[sample * in_len..][..in_len];
            let mut to = to;
            each_row(geometry, geometry.first + outer * geometry.steps[0], &mut |place| {
                let (row, behind) = std::mem::take(&mut to).split_at_mut(geometry.sizes[4]);
                to = behind;
                match geometry.steps[4] {
                    1 => row.copy_from_slice(&input[place..][..row.len()]),
                    step => row.iter_mut().enumerate().for_each(|(index, to)| *to = input[place + index * step]),
                }
            });
        }
    });
}

/// grad_output `[n, sizes]` -> grad_input `[n, in_len]`: nothing of what was not taken.
///
/// # Panics
/// As [`forward`].
#[inline]
pub fn backward(geometry: &RearrangementGeometry, grad_output: &[f32], grad_input: &mut [f32], write: Write) {
    let (in_len, out_len) = lens(geometry, [grad_input.len(), grad_output.len()]);
    for_each_part(grad_input.len() / in_len, in_len, in_len, grad_input, |first, grad_input| {
        for (index, to) in grad_input.chunks_exact_mut(in_len).enumerate() {
            if write == Write::Store {
                to.fill(0.0);
            }
            let mut from = &grad_output[(first + index) * out_len..][..out_len];
            for outer in 0..geometry.sizes[0] {
                each_row(geometry, geometry.first + outer * geometry.steps[0], &mut |place| {
                    let (row, behind) = from.split_at(geometry.sizes[4]);
                    from = behind;
                    row.iter().enumerate().for_each(|(index, from)| to[place + index * geometry.steps[4]] += from);
                });
            }
        }
    });
}

/// Values of a sample of each map, of which there are so many.
fn lens(geometry: &RearrangementGeometry, [input, output]: [usize; 2]) -> (usize, usize) {
    let (in_len, out_len) = (geometry.in_len, geometry.out_len());
    assert!(in_len > 0 && out_len > 0 && out_len < usize::MAX, "both maps have values");
    let samples = input / in_len;
    let are_whole = input.is_multiple_of(in_len) && samples.checked_mul(out_len) == Some(output);
    assert!(are_whole, "both maps have the same samples");
    let mut steps = geometry.sizes.iter().zip(geometry.steps);
    let last = steps.try_fold(geometry.first, |place, (size, step)| (size - 1).checked_mul(step)?.checked_add(place));
    assert!(last.is_some_and(|last| last < in_len), "what is taken is the input's");
    (in_len, out_len)
}

/// Calls `each` with the place of the first value of each innermost row.
fn each_row(geometry: &RearrangementGeometry, first: usize, each: &mut dyn FnMut(usize)) {
    let ([_, b, c, d, _], [_, step_b, step_c, step_d, _]) = (geometry.sizes, geometry.steps);
    for b in 0..b {
        for c in 0..c {
            for d in 0..d {
                each(first + b * step_b + c * step_c + d * step_d);
            }
        }
    }
}

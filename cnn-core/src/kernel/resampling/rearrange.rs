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
    let (in_len, out_len) = lens(geometry);
    assert_eq!(input.len() / in_len * out_len, output.len(), "both maps have the same samples");
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
    let (in_len, out_len) = lens(geometry);
    assert_eq!(grad_input.len() / in_len * out_len, grad_output.len(), "both maps have the same samples");
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

fn lens(geometry: &RearrangementGeometry) -> (usize, usize) {
    let lens = (geometry.in_len, geometry.out_len());
    assert!(lens.0 > 0 && lens.1 > 0 && lens.1 < usize::MAX, "both maps have values");
    lens
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

//! `share`: a step with the weights of another.

use super::add;
use crate::kernel::FusedActivation;
use crate::kernel::rows::{Rows, RowsMut};

/// Adds the gradient of weights to that of the same weights in another step.
pub fn add(gradient: &[f32], sum: &mut [f32]) {
    // In rows that threads take parts of.
    const ROW: usize = 64;
    let whole = sum.len() / ROW * ROW;
    for (columns, from, to) in [(ROW, 0, whole), (1, whole, sum.len())] {
        if from < to {
            let (gradient, sum) = (Rows::dense(&gradient[from..to]), RowsMut::dense(&mut sum[from..to]));
            add::accumulate(columns, FusedActivation::None, gradient, sum);
        }
    }
}

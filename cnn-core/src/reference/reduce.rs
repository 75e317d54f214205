//! `sum`, `mean`, `max`, `logsumexp`, `norm`: many values become one.

use crate::kernel::geometry::{Over, Reduction, ReductionGeometry};

/// input `[n, cells, channels]` -> output `[n, cells, 1]`, `[n, 1, channels]` or `[n, 1]`.
pub fn forward(geometry: &ReductionGeometry, input: &[f64]) -> Vec<f64> {
    groups(geometry, input.len())
        .map(|group| one(geometry.reduction, group.map(|index| input[index]).collect()))
        .collect()
}

/// input, grad_output -> grad_input.
pub fn backward(geometry: &ReductionGeometry, input: &[f64], grad_output: &[f64]) -> Vec<f64> {
    let mut gradient = vec![0.0; input.len()];
    for (group, grad) in groups(geometry, input.len()).zip(grad_output) {
        let places: Vec<usize> = group.collect();
        let value = one(geometry.reduction, places.iter().map(|index| input[*index]).collect());
        let largest = places.iter().position(|index| input[*index] == value || input[*index].is_nan());
        for (number, index) in places.iter().enumerate() {
            gradient[*index] = match geometry.reduction {
                Reduction::Sum => *grad,
                Reduction::Mean => grad / places.len() as f64,
                Reduction::Max => {
                    if largest == Some(number) {
                        *grad
                    } else {
                        0.0
                    }
                }
                Reduction::LogSumExp => grad * (input[*index] - value).exp(),
                Reduction::Norm => {
                    if value == 0.0 {
                        0.0
                    } else {
                        grad * input[*index] / value
                    }
                }
            };
        }
    }
    gradient
}

/// The places of the values that become one, in PyTorch's order.
fn groups(geometry: &ReductionGeometry, len: usize) -> impl Iterator<Item = impl Iterator<Item = usize>> {
    let (channels, cells, over) = (geometry.channels, geometry.cells, geometry.over);
    let (per_sample, group) = match over {
        Over::Channels => (cells, channels),
        Over::Space => (channels, cells),
        Over::All => (1, cells * channels),
    };
    (0..len / (cells * channels) * per_sample).map(move |number| {
        let (sample, number) = (number / per_sample, number % per_sample);
        (0..group).map(move |index| {
            let (cell, channel) = match over {
                Over::Channels => (number, index),
                Over::Space => (index, number),
                Over::All => (index % cells, index / cells),
            };
            (sample * cells + cell) * channels + channel
        })
    })
}

fn one(reduction: Reduction, values: Vec<f64>) -> f64 {
    let largest =
        || values.iter().copied().fold(f64::NEG_INFINITY, |best, x| if x > best || x.is_nan() { x } else { best });
    match reduction {
        Reduction::Sum => values.iter().sum(),
        Reduction::Mean => values.iter().sum::<f64>() / values.len() as f64,
        Reduction::Max => largest(),
        Reduction::Norm => values.iter().map(|x| x * x).sum::<f64>().sqrt(),
        Reduction::LogSumExp => {
            let shift = largest();
            if shift.is_finite() { values.iter().map(|x| (x - shift).exp()).sum::<f64>().ln() + shift } else { shift }
        }
    }
}

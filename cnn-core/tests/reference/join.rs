use cnn_core::reference::multiply::{self, Branch};
use cnn_core::reference::{add, concat};
use proptest::prelude::*;

use super::{check, dot, values};

/// The positions of a branch's map, and its values.
type OwnedBranch = (usize, Vec<f64>);

/// Channels, branches, of which the first has a whole map, and a gradient of the product.
fn products() -> impl Strategy<Value = (usize, Vec<OwnedBranch>, Vec<f64>)> {
    let gates = prop::collection::vec(any::<bool>(), 0..=2);
    (1..=3usize, 1..=4usize, 1..=2usize, gates).prop_flat_map(|(channels, positions, n, gates)| {
        let branch = move |positions: usize| (Just(positions), values(n * positions * channels));
        let others = gates.into_iter().map(move |gate| branch(if gate { 1 } else { positions }));
        let branches: Vec<_> = core::iter::once(branch(positions)).chain(others).collect();
        (Just(channels), branches, values(n * positions * channels))
    })
}

proptest! {
    #[test]
    fn add_backward_is_the_derivative_of_forward(
        (branches, grad_output) in (1..=10usize, 1..=3usize).prop_flat_map(|(len, branches)| (
            prop::collection::vec(values(len), branches), values(len),
        ))
    ) {
        let gradients = add::backward(branches.len(), &grad_output);
        prop_assert_eq!(gradients.len(), branches.len());
        for (index, gradient) in gradients.iter().enumerate() {
            let forward = |values: &[f64]| {
                let mut moved: Vec<&[f64]> = branches.iter().map(Vec::as_slice).collect();
                moved[index] = values;
                dot(&add::forward(&moved), &grad_output)
            };
            check("branch", gradient, forward, &branches[index]);
        }
    }

    #[test]
    fn multiply_backward_is_the_derivative_of_forward(
        (channels, branches, grad_output) in products()
    ) {
        let all: Vec<Branch<'_>> =
            branches.iter().map(|(positions, values)| Branch { positions: *positions, values }).collect();
        for (index, gradient) in multiply::backward(channels, &all, &grad_output).iter().enumerate() {
            let forward = |values: &[f64]| {
                let mut moved = all.clone();
                moved[index] = Branch { values, ..moved[index] };
                dot(&multiply::forward(channels, &moved), &grad_output)
            };
            check("branch", gradient, forward, all[index].values);
        }
    }

    #[test]
    fn concat_comes_apart_again(
        (channels, branches) in (prop::collection::vec(1..=3usize, 1..=3), 1..=4usize).prop_flat_map(|(channels, rows)| {
            let branches: Vec<_> = channels.iter().map(|channels| values(rows * channels)).collect();
            (Just(channels), branches)
        })
    ) {
        let all: Vec<&[f64]> = branches.iter().map(Vec::as_slice).collect();
        let output = concat::forward(&channels, &all);
        prop_assert_eq!(output.len(), branches.iter().map(Vec::len).sum::<usize>());
        // It moves values and no more, so its derivative is to move them back.
        prop_assert_eq!(concat::backward(&channels, &output), branches);
    }
}

//! Sums, products and copies of maps that are parts of wider ones.

mod kernel;

use cnn_core::kernel::pointwise::join::{self, Gate};
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{FusedActivation, Write};
use cnn_core::reference::multiply::{self, Branch};
use kernel::{Part, everywhere, whole_numbers, wide};
use proptest::prelude::*;

/// What a function leaves behind in a map with `extra` other channels that held these values.
fn written(values: &[f32], channels: usize, extra: usize, write: impl FnOnce(RowsMut<'_>)) -> Vec<f32> {
    let mut part = Part::new(values, channels, extra);
    write(RowsMut::strided(part.slice_mut(), channels + extra));
    part.values()
}

fn extras() -> impl Strategy<Value = [usize; 3]> {
    prop_oneof![Just([0; 3]), [0..=9usize, 0..=9usize, 0..=9usize]]
}

/// A reference's result, written over what was there or added to ones.
fn expected(values: &[f64], write: Write) -> Vec<f32> {
    values.iter().map(|&value| value as f32 + if write == Write::Add { 1.0 } else { 0.0 }).collect()
}

fn before(len: usize, write: Write) -> Vec<f32> {
    vec![if write == Write::Add { 1.0 } else { f32::NAN }; len]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sums_products_and_copies(rows in 0..=400usize, channels in 1..=70usize, extra in extras()) {
        let (a, b) = (whole_numbers(rows * channels, 1), whole_numbers(rows * channels, 2));
        let nothing = vec![f32::NAN; a.len()];
        // What a rectifier can leave: both of its flat ends, NaN, and numbers between them.
        let results: Vec<f32> = a.iter().map(|a| if *a == 1.0 { f32::NAN } else { (2.0 * a).clamp(0.0, 6.0) }).collect();
        let parts = [Part::new(&a, channels, extra[0]), Part::new(&b, channels, extra[1])];
        let part_of_results = Part::new(&results, channels, extra[0]);
        let [x, y] = [0, 1].map(|i| Rows::strided(parts[i].slice(), channels + extra[i]));
        let y_of_x = Rows::strided(part_of_results.slice(), channels + extra[0]);
        let write = |values: &[f32], write: &dyn Fn(RowsMut<'_>)| written(values, channels, extra[2], write);
        let found = everywhere(true, || {
            [
                write(&nothing, &|output| join::add(channels, FusedActivation::Relu, x, y, output)),
                write(&nothing, &|output| join::add(channels, FusedActivation::Relu6, x, y, output)),
                write(&b, &|output| join::accumulate(channels, FusedActivation::None, x, output)),
                write(&nothing, &|output| join::copy(channels, x, output)),
                write(&nothing, &|output| join::multiply(channels, x, y, output, Write::Store)),
                write(&a, &|output| join::multiply(channels, x, y, output, Write::Add)),
                write(&b, &|output| join::multiply_in_place(channels, x, output)),
                write(&b, &|output| join::rectify_backward(channels, FusedActivation::Relu, y_of_x, output)),
                write(&b, &|output| join::rectify_backward(channels, FusedActivation::Relu6, y_of_x, output)),
            ]
            .concat()
        });
        let map = |each: &dyn Fn(f32, f32) -> f32| a.iter().zip(&b).map(|(a, b)| each(*a, *b)).collect::<Vec<_>>();
        let passed = |flat: &[f32]| -> Vec<f32> {
            results.iter().zip(&b).map(|(y, b)| if flat.contains(y) { 0.0 } else { *b }).collect()
        };
        let expected = [
            map(&|a, b| (a + b).max(0.0)),
            map(&|a, b| (a + b).clamp(0.0, 6.0)),
            map(&|a, b| a + b),
            a.clone(),
            map(&|a, b| a * b),
            map(&|a, b| a + a * b),
            map(&|a, b| a * b),
            passed(&[0.0]),
            passed(&[0.0, 6.0]),
        ];
        prop_assert_eq!(found, expected.concat());
    }

    #[test]
    fn a_gate_agrees_with_the_reference(
        samples in 0..=3usize,
        cells in prop_oneof![1..=9usize, 60..=200usize],
        channels in 1..=150usize,
        extra in extras(),
        add in any::<bool>(),
    ) {
        let write = if add { Write::Add } else { Write::Store };
        let len = samples * cells * channels;
        let (map, grad) = (whole_numbers(len, 1), whole_numbers(len, 2));
        let gate = whole_numbers(samples * channels, 3);
        let geometry = Gate { channels, cells };
        let parts = [Part::new(&map, channels, extra[0]), Part::new(&grad, channels, extra[1])];
        let [x, dy] = [0, 1].map(|i| Rows::strided(parts[i].slice(), channels + extra[i]));
        let found = everywhere(true, || {
            let mut grad_gate = before(gate.len(), write);
            join::gate_backward(geometry, x, dy, &mut grad_gate, write);
            let gated = |x: Rows<'_>, values: &[f32], write| {
                written(values, channels, extra[2], |output| join::gate(geometry, x, &gate, output, write))
            };
            let in_place = written(&map, channels, extra[2], |map| join::gate_in_place(geometry, &gate, map));
            let output = gated(x, &before(len, Write::Store), Write::Store);
            [output, gated(dy, &before(len, write), write), grad_gate, in_place].concat()
        });
        let (map, gate, grad) = (wide(&map), wide(&gate), wide(&grad));
        if samples > 0 {
            let branches = [Branch { positions: cells, values: &map }, Branch { positions: 1, values: &gate }];
            let output = expected(&multiply::forward(channels, &branches), Write::Store);
            let gradients = multiply::backward(channels, &branches, &grad).concat();
            prop_assert_eq!(found, [output.clone(), expected(&gradients, write), output].concat());
        }
    }
}

#[test]
fn rectified_sums_keep_nan() {
    for fused in [FusedActivation::None, FusedActivation::Relu, FusedActivation::Relu6] {
        let sums = everywhere(false, || {
            let mut sums = vec![1.0; 40];
            join::accumulate(1, fused, Rows::dense(&[f32::NAN; 40]), RowsMut::dense(&mut sums));
            sums
        });
        assert!(sums.iter().all(|sum| sum.is_nan()), "{fused:?}");
    }
}

#[test]
fn long_maps_are_shared_among_threads() {
    let values = whole_numbers(300_000, 1);
    let sums = everywhere(true, || {
        written(&values, 100, 3, |sums| join::accumulate(100, FusedActivation::None, Rows::dense(&values), sums))
    });
    assert!(sums.iter().zip(&values).all(|(sum, value)| *sum == 2.0 * value));
}

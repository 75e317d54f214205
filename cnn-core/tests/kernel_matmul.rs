//! Products of maps on every instruction set and on 1, 2 and 3 threads against plain loops in f64.

mod kernel;

use cnn_core::kernel::Write;
use cnn_core::kernel::geometry::MatmulGeometry;
use cnn_core::kernel::isa::{self, Isa};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::product::matmul;
use cnn_core::reference;
use kernel::{everywhere, fill, wide};
use proptest::prelude::*;

/// Sums of products of numbers up to 1 round by so much.
fn assert_close(found: &[f32], expected: &[f64], before: Option<&[f32]>, terms: usize) {
    let most = 2e-7 * (terms as f64).max(4.0);
    for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
        let expected = expected + before.map_or(0.0, |before| f64::from(before[index]));
        assert!((f64::from(*found) - expected).abs() <= most, "{index}: {found} {expected}");
    }
}

fn check(geometry: MatmulGeometry, samples: usize, write: Write) {
    let [first, second, grad] = [0, 1, 2].map(|map| fill(samples * geometry.lens()[map], map as u64 + 1));
    let expected = reference::matmul::forward(&geometry, &wide(&first), &wide(&second));
    let slopes = reference::matmul::backward(&geometry, &wide(&first), &wide(&second), &wide(&grad));
    everywhere(false, || {
        let mut scratch = Scratch::default();
        let mut output = fill(grad.len(), 4);
        matmul::forward(&geometry, &first, &second, &mut output, &mut scratch);
        assert_close(&output, &expected, None, geometry.depth);
        let before = [fill(first.len(), 5), fill(second.len(), 6)];
        let added = |map: usize| (write == Write::Add).then_some(before[map].as_slice());
        let mut found = before.clone();
        matmul::backward_first(&geometry, &second, &grad, &mut found[0], write, &mut scratch);
        assert_close(&found[0], &slopes[0], added(0), geometry.columns);
        matmul::backward_second(&geometry, &first, &grad, &mut found[1], write, &mut scratch);
        assert_close(&found[1], &slopes[1], added(1), geometry.rows);
        [output, found.concat()].concat()
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn rows_times_columns(
        channels in prop_oneof![Just(1_usize), 1..=5_usize], rows in 1..=100_usize, depth in 1..=40_usize, columns in 1..=70_usize,
        transposed in any::<[bool; 2]>(), samples in 0..=3_usize, adds in any::<bool>(),
    ) {
        let write = if adds { Write::Add } else { Write::Store };
        check(MatmulGeometry { channels, rows, depth, columns, transposed }, samples, write);
    }
}

#[test]
fn long_and_large() {
    for transposed in [[false, false], [true, false], [false, true], [true, true]] {
        for (channels, rows, depth, columns) in [(1, 197, 64, 197), (3, 197, 64, 197), (1, 1, 3000, 1), (2, 300, 1, 2)]
        {
            check(MatmulGeometry { channels, rows, depth, columns, transposed }, 2, Write::Store);
        }
        // Samples enough for each product to be a task; in the last, matrices too large for that.
        for (channels, rows, depth, columns) in [(1, 100, 7, 70), (3, 100, 7, 70), (2, 90, 3, 300)] {
            check(MatmulGeometry { channels, rows, depth, columns, transposed }, 17, Write::Add);
        }
    }
}

/// What the first matrix has that is no number meets its row alone; a column alone what the second has.
#[test]
fn what_is_no_number_stays_where_it_belongs() {
    for channels in [1, 2] {
        let geometry = MatmulGeometry { channels, rows: 9, depth: 5, columns: 37, transposed: [false, false] };
        let [mut first, mut second] = [0, 1].map(|map| fill(geometry.lens()[map], 1));
        first[(3 * 5 + 1) * channels] = f32::NAN;
        second[(2 * 37 + 36) * channels] = f32::INFINITY;
        for isa in Isa::available() {
            isa::with(isa, || {
                let mut output = vec![0.0; geometry.lens()[2]];
                matmul::forward(&geometry, &first, &second, &mut output, &mut Scratch::default());
                for (index, value) in output.iter().enumerate() {
                    let (row, column, channel) = (index / channels / 37, index / channels % 37, index % channels);
                    let is_finite = channel > 0 || row != 3 && column != 36;
                    assert_eq!(value.is_finite(), is_finite, "{} {row} {column} {channel}", isa.name());
                }
            });
        }
    }
}

#[test]
#[should_panic(expected = "the same samples")]
fn maps_of_other_samples_are_refused() {
    let geometry = MatmulGeometry::of([1, 2, 3], [1, 3, 2], [false, false]);
    matmul::forward(&geometry, &[0.0; 12], &[0.0; 6], &mut [0.0; 8], &mut Scratch::default());
}

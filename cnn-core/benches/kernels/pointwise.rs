//! Activations and joins.

use crate::machine::Machine;
use crate::work::{Table, Work, best, noise};
use cnn_core::kernel::geometry::{Activation, GeluApproximation};
use cnn_core::kernel::memory::buffer::Buffer;
use cnn_core::kernel::pointwise::activation::{self, Remembered};
use cnn_core::kernel::pointwise::join;
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{FusedActivation, Write};

const ACTIVATIONS: &[(&str, Activation)] = &[
    ("relu", Activation::Relu),
    ("hardswish", Activation::Hardswish),
    ("sigmoid", Activation::Sigmoid),
    ("tanh", Activation::Tanh),
    ("silu", Activation::Silu),
    ("gelu", Activation::Gelu { approximate: GeluApproximation::None }),
    ("gelu tanh", Activation::Gelu { approximate: GeluApproximation::Tanh }),
];

/// Of one channel each, so that the batch is what there is.
const LEN: usize = 1 << 18;

pub(crate) fn measure(machine: &Machine, filter: &str) {
    let mut table = Table::new(machine, &["forward", "backward"]);
    ACTIVATIONS.iter().filter(|case| case.0.contains(filter)).for_each(|case| measure_activation(&mut table, case));
    if "add".contains(filter) {
        measure_add(&mut table);
    }
}

fn measure_activation(table: &mut Table<'_>, (name, activation): &(&str, Activation)) {
    let (input, grad) = (noise(LEN), noise(LEN));
    let (mut output, mut grad_input) = (Buffer::zeros(LEN), Buffer::zeros(LEN));
    let forward = best(|| activation::forward(*activation, 1, Rows::dense(&input), RowsMut::dense(&mut output)));
    let backward = best(|| {
        let (remembered, grad_input) = (Remembered::Input(Rows::dense(&input)), RowsMut::dense(&mut grad_input));
        activation::backward(*activation, 1, remembered, Rows::dense(&grad), grad_input, Write::Store);
    });
    table.line(name, LEN, &[(work(1), forward), (work(2), backward)]);
}

/// The sum at the end of a residual block and its rectifier.
fn measure_add(table: &mut Table<'_>) {
    let (a, b) = (noise(LEN), noise(LEN));
    let (mut output, mut grad) = (Buffer::zeros(LEN), noise(LEN));
    let forward =
        best(|| join::add(1, FusedActivation::Relu, Rows::dense(&a), Rows::dense(&b), RowsMut::dense(&mut output)));
    let backward =
        best(|| join::rectify_backward(1, FusedActivation::Relu, Rows::dense(&output), RowsMut::dense(&mut grad)));
    table.line("add, relu", LEN, &[(work(2), forward), (work(2), backward)]);
}

fn work(maps_read: usize) -> Work {
    Work { read: maps_read * LEN, written: LEN, ..Work::default() }
}

//! Max pooling.

use crate::machine::Machine;
use crate::work::{Table, Work, best, noise};
use cnn_core::kernel::Write;
use cnn_core::kernel::geometry::{Layout, Pool2dGeometry};
use cnn_core::kernel::memory::buffer::Buffer;
use cnn_core::kernel::pooling;

const fn max_pool(channels: usize, size: usize, kernel: usize, stride: usize, padding: usize) -> Pool2dGeometry {
    Pool2dGeometry {
        channels,
        in_size: [size, size],
        kernel_size: [kernel, kernel],
        stride: [stride, stride],
        padding: [padding, padding],
        dilation: [1, 1],
        ceil_mode: false,
        count_include_pad: true,
        divisor_override: None,
        layout: Layout::DENSE,
    }
}

pub(crate) const POOLS: &[(&str, usize, Pool2dGeometry)] = &[
    ("lenet pool1", 8, max_pool(6, 28, 2, 2, 0)),
    ("lenet pool1", 64, max_pool(6, 28, 2, 2, 0)),
    ("lenet pool2", 64, max_pool(16, 10, 2, 2, 0)),
    ("pool 2x2 64@32", 64, max_pool(64, 32, 2, 2, 0)),
    ("pool 3x3/2 64@112", 8, max_pool(64, 112, 3, 2, 1)),
];

pub(crate) fn measure(machine: &Machine, filter: &str) {
    let mut table = Table::new(machine, &["forward", "backward"]);
    POOLS.iter().filter(|case| case.0.contains(filter)).for_each(|case| measure_case(&mut table, case));
}

fn measure_case(table: &mut Table<'_>, (name, batch, geometry): &(&str, usize, Pool2dGeometry)) {
    let input = noise(batch * geometry.in_len());
    let grad_output = noise(batch * geometry.out_len());
    let mut output = Buffer::zeros(batch * geometry.out_len());
    let mut grad_input = Buffer::zeros(batch * geometry.in_len());
    let forward = best(|| pooling::max_forward(geometry, &input, &mut output));
    let backward =
        best(|| pooling::max_backward(geometry, &input, &output, &grad_output, &mut grad_input, Write::Store));
    let work = |read, written| Work { read, written, ..Work::default() };
    let passes = [
        (work(input.len(), output.len()), forward),
        (work(input.len() + 2 * output.len(), grad_input.len()), backward),
    ];
    table.line(name, *batch, &passes);
}

//! Sums, products, copies and gates.
#![no_main]

use cnn_core::kernel::pointwise::join::{self, Gate};
use cnn_fuzz::{Arguments, call, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let (channels, samples, cells) = (arguments.size(), arguments.batch(), arguments.size());
    let (which, write, fused) = (arguments.below(9), arguments.write(), arguments.fused());
    let rows = samples.wrapping_mul(cells);
    let [a, b] = [(); 2].map(|()| arguments.rows(channels, rows));
    let mut target = arguments.rows(channels, rows);
    let mut gate = arguments.values(channels.checked_mul(samples));
    let sound = small(&[channels, cells]) && a.right() && b.right() && target.right() && gate.right;
    let geometry = Gate { channels, cells };
    call(sound, || match which {
        0 => join::add(channels, fused, a.read(), b.read(), target.write()),
        1 => join::accumulate(channels, fused, a.read(), target.write()),
        2 => join::copy(channels, a.read(), target.write()),
        3 => join::multiply(channels, a.read(), b.read(), target.write(), write),
        4 => join::multiply_in_place(channels, a.read(), target.write()),
        5 => join::rectify_backward(channels, fused, a.read(), target.write()),
        6 => join::gate(geometry, a.read(), &gate.values, target.write(), write),
        7 => join::gate_in_place(geometry, &gate.values, target.write()),
        _ => join::gate_backward(geometry, a.read(), b.read(), &mut gate.values, write),
    });
});

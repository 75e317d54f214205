//! Products of maps, and their gradients.
#![no_main]

use cnn_core::kernel::geometry::MatmulGeometry;
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::product::matmul;
use cnn_fuzz::{Arguments, call, is_much_memory, is_much_work, right, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let geometry = MatmulGeometry {
        channels: arguments.step(),
        rows: arguments.size(),
        depth: arguments.size(),
        columns: arguments.size(),
        transposed: [arguments.yes(), arguments.yes()],
    };
    let MatmulGeometry { channels, rows, depth, columns, .. } = geometry;
    let (which, write, samples) = (arguments.below(3), arguments.write(), arguments.batch());
    let [mut first, mut second, mut output] = geometry.lens().map(|len| arguments.values(len.checked_mul(samples)));
    let right = right(&[&first, &second, &output]);
    let is_small = small(&[channels, rows, depth, columns]);
    if right
        && (is_much_work(&[samples, geometry.multiply_adds()]) || is_small && is_much_memory(Some(geometry.needs())))
    {
        return;
    }
    let scratch = &mut Scratch::default();
    call(right && is_small, || match which {
        0 => matmul::forward(&geometry, &first.values, &second.values, &mut output.values, scratch),
        1 => matmul::backward_first(&geometry, &second.values, &output.values, &mut first.values, write, scratch),
        _ => matmul::backward_second(&geometry, &first.values, &output.values, &mut second.values, write, scratch),
    });
});

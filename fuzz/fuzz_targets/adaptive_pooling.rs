//! Max and average poolings to a given size.
#![no_main]

use cnn_core::kernel::geometry::AdaptivePool2dGeometry;
use cnn_core::kernel::pooling;
use cnn_fuzz::{Arguments, attempt, call, is_much_work, right, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let channels = arguments.size();
    let geometry = AdaptivePool2dGeometry {
        channels,
        in_size: arguments.pair(Arguments::size),
        out_size: arguments.pair(Arguments::size),
        layout: arguments.layout(channels, channels),
    };
    let (which, write, batch) = (arguments.below(4), arguments.write(), arguments.batch());
    let mut input = arguments.maps(attempt(|| geometry.input()), batch);
    let mut output = arguments.maps(attempt(|| geometry.output()), batch);
    let other = arguments.maps(attempt(|| geometry.input()), batch);
    let best = arguments.maps(attempt(|| geometry.output()), batch);
    // A window has the cells of its share and of two shares of a neighbour, at most.
    if is_much_work(&[input.values.len().max(output.values.len()), 9]) {
        return;
    }
    let sound = small(&[channels])
        && small(&[geometry.in_size, geometry.out_size].concat())
        && right(&[&input, &output, &other, &best]);
    let (input, output) = (&mut input.values, &mut output.values);
    call(sound, || match which {
        0 => pooling::adaptive_max_forward(&geometry, input, output),
        1 => pooling::adaptive_max_backward(&geometry, &other.values, &best.values, output, input, write),
        2 => pooling::adaptive_average_forward(&geometry, input, output),
        _ => pooling::adaptive_average_backward(&geometry, output, input, write),
    });
});

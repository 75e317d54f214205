//! Max and average poolings with windows of one size.
#![no_main]

use cnn_core::kernel::geometry::Pool2dGeometry;
use cnn_core::kernel::pooling;
use cnn_fuzz::{Arguments, attempt, call, is_much_work, right, small};
use libfuzzer_sys::fuzz_target;

fn geometry(arguments: &mut Arguments<'_>) -> Pool2dGeometry {
    let channels = arguments.size();
    Pool2dGeometry {
        channels,
        in_size: arguments.pair(Arguments::size),
        kernel_size: arguments.pair(Arguments::size),
        stride: arguments.pair(Arguments::size),
        padding: arguments.pair(Arguments::margin),
        dilation: arguments.pair(Arguments::step),
        ceil_mode: arguments.yes(),
        count_include_pad: arguments.yes(),
        divisor_override: arguments.yes().then(|| arguments.size()),
        layout: arguments.layout(channels, channels),
    }
}

/// Whether all numbers are what the language allows.
fn is_sound(geometry: &Pool2dGeometry) -> bool {
    let Pool2dGeometry { channels, in_size, kernel_size, stride, padding, dilation, .. } = *geometry;
    small(&[channels])
        && small(&[in_size, kernel_size, stride, dilation].concat())
        && (0..2).all(|axis| {
            padding[axis] <= kernel_size[axis] / 2
                && dilation[axis] * (kernel_size[axis] - 1) < in_size[axis] + 2 * padding[axis]
        })
}

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let geometry = geometry(&mut arguments);
    let (which, write, batch) = (arguments.below(4), arguments.write(), arguments.batch());
    let mut input = arguments.maps(attempt(|| geometry.input()), batch);
    let mut output = arguments.maps(attempt(|| geometry.output()), batch);
    let other = arguments.maps(attempt(|| geometry.input()), batch);
    let best = arguments.maps(attempt(|| geometry.output()), batch);
    let taps = |axis: usize| geometry.kernel_size[axis].min(geometry.in_size[axis]);
    if is_much_work(&[output.values.len(), taps(0), taps(1)]) {
        return;
    }
    let sound = is_sound(&geometry) && right(&[&input, &output, &other, &best]);
    let (input, output) = (&mut input.values, &mut output.values);
    call(sound, || match which {
        0 => pooling::max_forward(&geometry, input, output),
        1 => pooling::max_backward(&geometry, &other.values, &best.values, output, input, write),
        2 => pooling::average_forward(&geometry, input, output),
        _ => pooling::average_backward(&geometry, output, input, write),
    });
});

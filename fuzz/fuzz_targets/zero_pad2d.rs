//! Zeros around a map.
#![no_main]

use cnn_core::kernel::geometry::ZeroPad2dGeometry;
use cnn_core::kernel::resampling::zero_pad2d;
use cnn_fuzz::{Arguments, attempt, call, right, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let channels = arguments.size();
    let geometry = ZeroPad2dGeometry {
        channels,
        in_size: arguments.pair(Arguments::size),
        padding: arguments.padding(),
        layout: arguments.layout(channels, channels),
    };
    let (backward, write, batch) = (arguments.yes(), arguments.write(), arguments.batch());
    let mut input = arguments.maps(attempt(|| geometry.input()), batch);
    let mut output = arguments.maps(attempt(|| geometry.output()), batch);
    let sound = small(&[channels]) && small(&geometry.in_size) && right(&[&input, &output]);
    call(sound, || {
        if backward {
            zero_pad2d::backward(&geometry, &output.values, &mut input.values, write);
        } else {
            zero_pad2d::forward(&geometry, &input.values, &mut output.values);
        }
    });
});

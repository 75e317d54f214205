//! Rows and columns around a map.
#![no_main]

use cnn_core::kernel::geometry::{Pad2dGeometry, PaddingMode};
use cnn_core::kernel::resampling::pad2d;
use cnn_fuzz::{Arguments, attempt, call, right, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let channels = arguments.size();
    let geometry = Pad2dGeometry {
        channels,
        in_size: arguments.pair(Arguments::size),
        padding: arguments.padding(),
        mode: match (arguments.yes(), arguments.yes()) {
            (true, true) => PaddingMode::Constant(0.5),
            (true, false) => PaddingMode::Reflect,
            (false, true) => PaddingMode::Replicate,
            (false, false) => PaddingMode::Circular,
        },
        layout: arguments.layout(channels, channels),
    };
    let (backward, write, batch) = (arguments.yes(), arguments.write(), arguments.batch());
    let mut input = arguments.maps(attempt(|| geometry.input()), batch);
    let mut output = arguments.maps(attempt(|| geometry.output()), batch);
    let sound = small(&[channels]) && small(&geometry.in_size) && geometry.has_cells() && right(&[&input, &output]);
    call(sound, || {
        if backward {
            pad2d::backward(&geometry, &output.values, &mut input.values, write);
        } else {
            pad2d::forward(&geometry, &input.values, &mut output.values);
        }
    });
});

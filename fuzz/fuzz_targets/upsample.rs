//! Resampling to another size.
#![no_main]

use cnn_core::kernel::geometry::{Interpolation, Upsample2dGeometry};
use cnn_core::kernel::resampling::upsample;
use cnn_fuzz::{Arguments, attempt, call, right, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let channels = arguments.size();
    let geometry = Upsample2dGeometry {
        channels,
        in_size: arguments.pair(Arguments::size),
        out_size: arguments.pair(Arguments::size),
        scale_factor: arguments.yes().then(|| [arguments.option(2.0), arguments.option(1.5)]),
        interpolation: match arguments.below(3) {
            0 => Interpolation::Nearest,
            which => Interpolation::Bilinear { align_corners: which == 1 },
        },
        layout: arguments.layout(channels, channels),
    };
    let (backward, write, batch) = (arguments.yes(), arguments.write(), arguments.batch());
    let mut input = arguments.maps(attempt(|| geometry.input()), batch);
    let mut output = arguments.maps(attempt(|| geometry.output()), batch);
    let sound =
        small(&[channels]) && small(&[geometry.in_size, geometry.out_size].concat()) && right(&[&input, &output]);
    call(sound, || {
        if backward {
            upsample::backward(&geometry, &output.values, &mut input.values, write);
        } else {
            upsample::forward(&geometry, &input.values, &mut output.values);
        }
    });
});

//! Local response normalization.
#![no_main]

use cnn_core::kernel::geometry::LocalResponseNormGeometry;
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::local_response_norm;
use cnn_fuzz::{Arguments, attempt, call, right, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let [channels, size] = arguments.pair(Arguments::size);
    let geometry = LocalResponseNormGeometry {
        channels,
        size,
        alpha: arguments.option(1e-4),
        beta: arguments.option(0.75),
        k: arguments.option(1.0),
        layout: arguments.layout(channels, channels),
    };
    let rows = arguments.batch() * arguments.below(40);
    let (backward, write) = (arguments.yes(), arguments.write());
    let input = arguments.maps(attempt(|| geometry.input()), rows);
    let mut output = arguments.maps(attempt(|| geometry.output()), rows);
    let mut grad_input = arguments.maps(attempt(|| geometry.input()), rows);
    let right = right(&[&input, &output, &grad_input]);
    let sound = right && small(&[channels, size]);
    let scratch = &mut Scratch::default();
    call(sound, || {
        if backward {
            let (grad_output, grad_input) = (&output.values, &mut grad_input.values);
            local_response_norm::backward(&geometry, &input.values, grad_output, grad_input, write, scratch);
        } else {
            local_response_norm::forward(&geometry, &input.values, &mut output.values, scratch);
        }
    });
});

//! The rectifier whose slope is learned.
#![no_main]

use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::pointwise::prelu;
use cnn_fuzz::{Arguments, call, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let (channels, rows) = (arguments.size(), arguments.batch() * arguments.below(64));
    let (which, write) = (arguments.below(3), arguments.write());
    let [input, grad_output] = [(); 2].map(|()| arguments.rows(channels, rows));
    let mut target = arguments.rows(channels, rows);
    let slopes = if arguments.yes() { channels } else { 1 };
    let [weight, mut grad_weight] = [(); 2].map(|()| arguments.values(Some(slopes)));
    let sound = small(&[channels])
        && input.right()
        && grad_output.right()
        && target.right()
        && weight.right
        && grad_weight.right;
    call(sound, || match which {
        0 => prelu::forward(channels, &weight.values, input.read(), target.write()),
        which => {
            let grad_input = if which == 1 { Some((target.write(), write)) } else { None };
            let (weight, grad_weight) = (&weight.values, &mut grad_weight.values);
            let scratch = &mut Scratch::default();
            prelu::backward(channels, weight, input.read(), grad_output.read(), grad_input, grad_weight, scratch);
        }
    });
});

//! Softmax of rows, and its logarithm.
#![no_main]

use cnn_core::kernel::pointwise::softmax;
use cnn_fuzz::{Arguments, call, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let (channels, rows) = (arguments.size(), arguments.batch() * arguments.below(64));
    let (which, write) = (arguments.below(4), arguments.write());
    let [first, second] = [(); 2].map(|()| arguments.rows(channels, rows));
    let mut target = arguments.rows(channels, rows);
    let sound = small(&[channels]) && first.right() && second.right() && target.right();
    call(sound, || match which {
        0 => softmax::forward(channels, first.read(), target.write()),
        1 => softmax::log_forward(channels, first.read(), target.write()),
        2 => softmax::backward(channels, first.read(), second.read(), target.write(), write),
        _ => softmax::log_backward(channels, first.read(), second.read(), target.write(), write),
    });
});

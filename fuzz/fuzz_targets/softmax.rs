//! Softmax of rows, or of rows of a map by channels, and its logarithm.
#![no_main]

use cnn_core::kernel::pointwise::softmax;
use cnn_fuzz::{Arguments, call, right, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let (channels, rows) = (arguments.size(), arguments.batch() * arguments.below(64));
    let (which, write) = (arguments.below(6), arguments.write());
    if which > 3 {
        let (width, logarithm) = (arguments.size(), arguments.yes());
        let len = channels.checked_mul(width).and_then(|row| row.checked_mul(rows));
        let [first, second, mut target] = [(); 3].map(|()| arguments.values(len));
        let (size, to) = ([channels, width], &mut target.values);
        call(small(&size) && right(&[&first, &second]) && to.len() == first.values.len(), || match which {
            4 => softmax::forward_over_width(logarithm, size, &first.values, to),
            _ => softmax::backward_over_width(logarithm, size, &first.values, &second.values, to, write),
        });
        return;
    }
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

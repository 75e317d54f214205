//! Factors of channels, and maps that are the same for each sample.
#![no_main]

use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::pointwise::{constant, scale};
use cnn_fuzz::{Arguments, call, right, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let (channels, rows) = (arguments.size(), arguments.batch() * arguments.below(64));
    let (which, write) = (arguments.below(6), arguments.write());
    let [weight, mut grad_weight] = [(); 2].map(|()| arguments.values(Some(channels)));
    if which < 2 {
        let mut map = arguments.values(channels.checked_mul(rows));
        call(small(&[channels]) && right(&[&weight, &grad_weight, &map]), || match which {
            0 => constant::forward(&weight.values, &mut map.values),
            _ => constant::backward(&map.values, &mut grad_weight.values),
        });
        return;
    }
    let [input, grad_output] = [(); 2].map(|()| arguments.rows(channels, rows));
    let mut target = arguments.rows(channels, rows);
    let sound =
        small(&[channels]) && right(&[&weight, &grad_weight]) && input.right() && grad_output.right() && target.right();
    call(sound, || match which {
        2 => scale::forward(&weight.values, input.read(), target.write(), write),
        3 => scale::forward_in_place(&weight.values, target.write()),
        which => {
            let grad_input = if which == 4 { Some((target.write(), write)) } else { None };
            let (weight, grad_weight) = (&weight.values, &mut grad_weight.values);
            let scratch = &mut Scratch::default();
            scale::backward(weight, input.read(), grad_output.read(), grad_input, grad_weight, scratch);
        }
    });
});

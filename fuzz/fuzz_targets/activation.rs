//! Functions of one value.
#![no_main]

use cnn_core::kernel::geometry::{Activation, GeluApproximation};
use cnn_core::kernel::pointwise::activation::{self, Remembered};
use cnn_fuzz::{Arguments, call, small};
use libfuzzer_sys::fuzz_target;

fn function(arguments: &mut Arguments<'_>) -> Activation {
    match arguments.below(10) {
        0 => Activation::Relu,
        1 => Activation::Relu6,
        2 => Activation::LeakyRelu { negative_slope: arguments.option(0.01) },
        3 => Activation::Sigmoid,
        4 => Activation::Tanh,
        5 => Activation::Hardsigmoid,
        6 => Activation::Hardswish,
        7 => Activation::Silu,
        8 => Activation::Gelu { approximate: GeluApproximation::None },
        _ => Activation::Gelu { approximate: GeluApproximation::Tanh },
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let function = function(&mut arguments);
    let (channels, rows) = (arguments.size(), arguments.batch() * arguments.below(64));
    let (which, write, of_output) = (arguments.below(4), arguments.write(), arguments.yes());
    let [first, second] = [(); 2].map(|()| arguments.rows(channels, rows));
    let mut target = arguments.rows(channels, rows);
    let sound = small(&[channels])
        && first.right()
        && second.right()
        && target.right()
        && (!of_output || function.slope_of_output());
    let remembered = if of_output { Remembered::Output(first.read()) } else { Remembered::Input(first.read()) };
    call(sound, || match which {
        0 => activation::forward(function, channels, first.read(), target.write()),
        1 => activation::forward_in_place(function, channels, target.write()),
        2 => activation::backward(function, channels, remembered, second.read(), target.write(), write),
        _ => activation::backward_in_place(function, channels, remembered, target.write()),
    });
});

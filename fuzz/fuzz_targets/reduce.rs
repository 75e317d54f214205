//! Many values that become one, and values at other places.
#![no_main]

use cnn_core::kernel::geometry::{Over, RearrangementGeometry, Reduction, ReductionGeometry};
use cnn_core::kernel::pointwise::reduce;
use cnn_core::kernel::resampling::rearrange;
use cnn_fuzz::{Arguments, attempt, call, is_much_work, right, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    if arguments.yes() {
        let (in_len, first) = (arguments.size(), arguments.margin());
        let sizes = core::array::from_fn(|_| arguments.margin());
        let steps = core::array::from_fn(|_| arguments.margin());
        let geometry = RearrangementGeometry { in_len, first, sizes, steps };
        let samples = arguments.batch();
        let input = arguments.values(in_len.checked_mul(samples));
        let mut output = arguments.values(geometry.out_len().checked_mul(samples));
        let write = arguments.write();
        if is_much_work(&[geometry.out_len().max(1), samples]) {
            return;
        }
        // What is taken lies in the input.
        let reach = sizes
            .iter()
            .zip(steps)
            .try_fold(first, |reach, (&size, step)| size.checked_sub(1)?.checked_mul(step)?.checked_add(reach));
        let sound = right(&[&input, &output]) && small(&[in_len]) && reach.is_some_and(|reach| reach < in_len);
        let mut grad = input.clone();
        call(sound, || rearrange::forward(&geometry, &input.values, &mut output.values));
        call(sound, || rearrange::backward(&geometry, &output.values, &mut grad.values, write));
        return;
    }
    let (channels, cells, samples) = (arguments.size(), arguments.size(), arguments.batch());
    let kinds = [Reduction::Sum, Reduction::Mean, Reduction::Max, Reduction::LogSumExp, Reduction::Norm];
    let geometry = ReductionGeometry {
        reduction: kinds[arguments.below(5)],
        over: [Over::Channels, Over::Space, Over::All][arguments.below(3)],
        channels,
        cells,
        layout: arguments.layout(channels, channels),
    };
    let input = arguments.maps(attempt(|| geometry.input()), samples);
    let mut output = arguments.maps(attempt(|| geometry.output()), samples);
    let grad = arguments.maps(attempt(|| geometry.output()), samples);
    let (is_forward, write) = (arguments.yes(), arguments.write());
    if is_much_work(&[channels, cells, samples]) {
        return;
    }
    let sound = small(&[channels, cells])
        && right(&[&input, &output, &grad])
        && geometry.layout.in_stride == 0
        && geometry.layout.out_stride == 0;
    let mut grad_input = input.clone();
    call(sound, || {
        if is_forward {
            reduce::forward(&geometry, &input.values, &mut output.values);
        } else {
            reduce::backward(&geometry, &input.values, &output.values, &grad.values, &mut grad_input.values, write);
        }
    });
});

//! Normalization of each sample by itself, with a function that may follow it.
#![no_main]

use cnn_core::kernel::geometry::GroupNormGeometry;
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::group_norm::{self, Affine, AffineGradients};
use cnn_fuzz::{Arguments, attempt, call, right, small};
use libfuzzer_sys::fuzz_target;

fn geometry(arguments: &mut Arguments<'_>) -> GroupNormGeometry {
    let (channels, size) = match arguments.below(8) {
        // As many values as are cut into parts.
        0 => {
            let channels = 1 << arguments.below(7);
            (channels, [256, 256 / channels])
        }
        1 => (arguments.size(), [1, 1]),
        _ => (arguments.size(), arguments.pair(Arguments::size)),
    };
    let (by_value, layout) = (arguments.yes(), arguments.layout(channels, channels));
    let groups = match arguments.below(4) {
        0 | 1 => 1,
        2 => channels,
        _ => arguments.size(),
    };
    GroupNormGeometry {
        channels,
        size,
        groups,
        eps: arguments.option(1e-5),
        centered: arguments.yes(),
        by_value: by_value && (groups == 1 || arguments.yes()),
        layout,
    }
}

/// Whether all numbers are what the language allows.
fn is_sound(geometry: &GroupNormGeometry) -> bool {
    let GroupNormGeometry { channels, size, groups, by_value, .. } = *geometry;
    small(&[channels, size[0], size[1], groups]) && channels.is_multiple_of(groups) && (!by_value || groups == 1)
}

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let geometry = geometry(&mut arguments);
    let (is_forward, write, fused, batch) = (arguments.yes(), arguments.write(), arguments.fused(), arguments.batch());
    let input = arguments.maps(attempt(|| geometry.input()), batch);
    let mut output = arguments.maps(attempt(|| geometry.output()), batch);
    let mut grad_input = arguments.yes().then(|| arguments.maps(attempt(|| geometry.input()), batch));
    let weights = attempt(|| geometry.weights());
    let [weight, bias, mut grad_weight, mut grad_bias] = [(); 4].map(|()| arguments.maybe(weights));
    let sound = is_sound(&geometry)
        && right(&[&input, &output])
        && [&grad_input, &weight, &bias, &grad_weight, &grad_bias].into_iter().flatten().all(|values| values.right);
    let [weight, bias] = [&weight, &bias].map(|values| values.as_ref().map(|values| &values.values[..]));
    let scratch = &mut Scratch::default();
    call(sound, || {
        if is_forward {
            let affine = Affine { weight, bias };
            group_norm::forward(&geometry, affine, fused, &input.values, &mut output.values, scratch);
        } else {
            let gradients = AffineGradients {
                weight: grad_weight.as_mut().map(|values| &mut values.values[..]),
                bias: grad_bias.as_mut().map(|values| &mut values.values[..]),
            };
            let grad_input = grad_input.as_mut().map(|values| (&mut values.values[..], write));
            group_norm::backward(&geometry, weight, &input.values, &output.values, grad_input, gradients, scratch);
        }
    });
});

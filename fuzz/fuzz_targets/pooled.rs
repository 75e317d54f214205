//! A convolution of few channels and the pooling behind it.
#![no_main]

use cnn_core::kernel::FusedActivation;
use cnn_core::kernel::convolution::pooled;
use cnn_core::kernel::geometry::{Conv2dAlgorithm, Conv2dGeometry, Pool2dGeometry};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_fuzz::{Arguments, attempt, call, is_much_work, right, small};
use libfuzzer_sys::fuzz_target;

/// A number that is most often the usual one.
fn mostly(arguments: &mut Arguments<'_>, usual: usize) -> usize {
    if arguments.below(64) > 0 { usual } else { arguments.size() }
}

fn convolution(arguments: &mut Arguments<'_>) -> Conv2dGeometry {
    let [in_channels, out_channels] = arguments.pair(Arguments::size);
    Conv2dGeometry {
        in_channels,
        in_size: arguments.pair(Arguments::size),
        out_channels,
        kernel_size: arguments.pair(Arguments::size),
        stride: arguments.pair(|arguments| mostly(arguments, 1)),
        padding: arguments.padding(),
        unread: if arguments.yes() { [0, 0] } else { arguments.pair(Arguments::margin) },
        algorithm: Conv2dAlgorithm::Auto,
        dilation: arguments.pair(|arguments| mostly(arguments, 1)),
        groups: mostly(arguments, 1),
        layout: arguments.layout(in_channels, out_channels),
    }
}

fn pool(arguments: &mut Arguments<'_>, convolution: &Conv2dGeometry) -> Pool2dGeometry {
    let channels = mostly(arguments, convolution.out_channels);
    let [rows, columns] = attempt(|| convolution.out_size()).unwrap_or_default();
    Pool2dGeometry {
        channels,
        in_size: [mostly(arguments, rows), mostly(arguments, columns)],
        kernel_size: arguments.pair(|arguments| mostly(arguments, 2)),
        stride: arguments.pair(|arguments| mostly(arguments, 2)),
        padding: arguments.pair(|arguments| mostly(arguments, 0)),
        dilation: arguments.pair(|arguments| mostly(arguments, 1)),
        ceil_mode: arguments.below(64) == 1,
        count_include_pad: arguments.yes(),
        divisor_override: None,
        layout: arguments.layout(channels, channels),
    }
}

/// Whether all numbers are what the plan allows.
fn is_sound(convolution: &Conv2dGeometry, pool: &Pool2dGeometry) -> bool {
    let Conv2dGeometry { in_channels, in_size, out_channels, kernel_size, padding, unread, .. } = *convolution;
    let [top, bottom, left, right] = [padding.top, padding.bottom, padding.left, padding.right].map(|side| side + 1);
    small(&[in_channels, out_channels])
        && small(&[in_size, kernel_size].concat())
        && small(&[top, bottom, left, right])
        && (0..2).all(|axis| {
            let padded = in_size[axis] + padding.around()[axis];
            (kernel_size[axis] - 1).checked_add(unread[axis]).is_some_and(|reach| reach < padded)
        })
        && pooled::applies(convolution, pool)
        && pool.channels == out_channels
        && pool.in_size == convolution.out_size()
}

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let convolution = convolution(&mut arguments);
    let pool = pool(&mut arguments, &convolution);
    let (fused, batch) = (arguments.fused(), arguments.batch());
    let input = arguments.maps(attempt(|| convolution.input()), batch);
    let mut output = arguments.maps(attempt(|| pool.output()), batch);
    let weight = arguments.values(attempt(|| convolution.weight_len()));
    let bias = arguments.maybe(Some(convolution.out_channels));
    let right = right(&[&input, &output, &weight]) && bias.as_ref().is_none_or(|bias| bias.right);
    if right && is_much_work(&[output.values.len(), 4, weight.values.len()]) {
        return;
    }
    let sound =
        right && !matches!(fused, FusedActivation::Then(_)) && attempt(|| is_sound(&convolution, &pool)) == Some(true);
    // As long as it should be, or as what it is made of.
    let len = if arguments.yes() {
        attempt(|| pooled::packed_len(&convolution)).filter(|&len| len <= weight.values.len() + (1 << 10))
    } else {
        None
    };
    let len = len.unwrap_or(
        weight.values.len() + bias.as_ref().map_or(convolution.out_channels, |bias| bias.values.len()) % (1 << 10),
    );
    call(sound, || {
        let mut packed = vec![0.0; len];
        pooled::pack(&convolution, &weight.values, bias.as_ref().map(|bias| &bias.values[..]), &mut packed);
        pooled::forward(
            &convolution,
            &pool,
            fused,
            &input.values,
            &packed,
            &mut output.values,
            &mut Scratch::default(),
        );
    });
});

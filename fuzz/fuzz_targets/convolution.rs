//! Convolutions, and those with a packed weight.
#![no_main]

use cnn_core::kernel::convolution::packed::MadeFor;
use cnn_core::kernel::convolution::{self, Epilogue, packed};
use cnn_core::kernel::geometry::{Conv2dAlgorithm, Conv2dGeometry};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_fuzz::{Arguments, are_batches, attempt, call, is_much_memory, is_much_work, right, small, zeros};
use libfuzzer_sys::fuzz_target;

fn geometry(arguments: &mut Arguments<'_>) -> Conv2dGeometry {
    let (first, second) = (arguments.size(), arguments.size());
    // Most groups divide both, some are depthwise.
    let (in_channels, out_channels, groups) = match arguments.below(6) {
        0 => (first, first, first),
        1 => (first.wrapping_mul(3), second.wrapping_mul(3), 3),
        2 => (first, second, arguments.size()),
        _ => (first, second, 1),
    };
    Conv2dGeometry {
        in_channels,
        in_size: arguments.pair(Arguments::size),
        out_channels,
        kernel_size: arguments.pair(Arguments::size),
        stride: arguments.pair(Arguments::step),
        padding: arguments.padding(),
        unread: arguments.pair(Arguments::margin),
        algorithm: Conv2dAlgorithm::Auto,
        dilation: arguments.pair(Arguments::step),
        groups,
        layout: arguments.layout(in_channels, out_channels),
    }
}

/// Whether all numbers are what the language allows.
fn is_sound(geometry: &Conv2dGeometry) -> bool {
    let Conv2dGeometry {
        in_channels,
        in_size,
        out_channels,
        kernel_size,
        stride,
        padding,
        unread,
        dilation,
        groups,
        ..
    } = *geometry;
    let [top, bottom, left, right] = [padding.top, padding.bottom, padding.left, padding.right].map(|side| side + 1);
    small(&[in_channels, out_channels, groups])
        && small(&[in_size, kernel_size, stride, dilation].concat())
        && small(&[top, bottom, left, right])
        && in_channels.is_multiple_of(groups)
        && out_channels.is_multiple_of(groups)
        && (0..2).all(|axis| {
            let padded = in_size[axis] + padding.around()[axis];
            (dilation[axis] * (kernel_size[axis] - 1)).checked_add(unread[axis]).is_some_and(|reach| reach < padded)
        })
}

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let geometry = geometry(&mut arguments);
    let (which, write, fused, batch) = (arguments.below(4), arguments.write(), arguments.fused(), arguments.batch());
    let (of_batches, changed) = (arguments.yes(), arguments.below(8) == 1);
    let input = arguments.maps(attempt(|| geometry.input()), batch);
    let mut output = arguments.maps(attempt(|| geometry.output()), batch);
    let mut weight = arguments.values(attempt(|| geometry.weight_len()));
    let bias = arguments.maybe(Some(geometry.out_channels));
    let cells = attempt(|| geometry.output()).map_or(0, |map| map.size[0].wrapping_mul(map.size[1]));
    let needs = attempt(|| geometry.needs());
    let right_weight = weight.right && bias.as_ref().is_none_or(|bias| bias.right);
    let maps = [(attempt(|| geometry.input()), &input), (attempt(|| geometry.output()), &output)];
    if right_weight
        && are_batches(maps)
        && (is_much_memory(needs) || is_much_work(&[batch, weight.values.len(), cells]))
    {
        return;
    }
    let sound = right_weight && right(&[&input, &output]) && attempt(|| is_sound(&geometry)) == Some(true);
    let mut scratch = Scratch::default();
    let (geometry, scratch) = (&geometry, &mut scratch);
    let some_bias = bias.as_ref().map(|bias| &bias.values[..]);
    call(sound, || match which {
        0 => {
            let epilogue = Epilogue { bias: some_bias, write, fused };
            convolution::forward(geometry, epilogue, &input.values, &weight.values, &mut output.values, scratch);
        }
        1 => {
            let Some(mut packed) = zeros(packed::packed_len(geometry)) else { return };
            let made_for = if of_batches { MadeFor::Batches } else { MadeFor::OneSample };
            packed::pack(geometry, made_for, &weight.values, some_bias, &mut packed);
            if changed {
                // All that is packed are numbers, which anyone may write.
                packed[1..4].iter_mut().for_each(|number| *number = 1.0 - *number);
            }
            let epilogue = Epilogue { bias: None, write, fused };
            packed::forward(geometry, epilogue, &input.values, &packed, &mut output.values, scratch);
        }
        2 => {
            let mut input = input.values.clone();
            convolution::backward_input(geometry, &weight.values, &output.values, &mut input, write, scratch);
        }
        _ => {
            let mut bias = bias.clone();
            let bias = bias.as_mut().map(|bias| &mut bias.values[..]);
            convolution::backward_weight(geometry, &input.values, &output.values, &mut weight.values, bias, scratch);
        }
    });
});

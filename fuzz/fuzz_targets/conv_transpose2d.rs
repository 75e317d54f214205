//! Transposed convolutions.
#![no_main]

use cnn_core::kernel::convolution::packed::MadeFor;
use cnn_core::kernel::convolution::{Epilogue, conv_transpose2d};
use cnn_core::kernel::geometry::ConvTranspose2dGeometry;
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_fuzz::{Arguments, are_batches, attempt, call, is_much_memory, is_much_work, right, small, zeros};
use libfuzzer_sys::fuzz_target;

fn geometry(arguments: &mut Arguments<'_>) -> ConvTranspose2dGeometry {
    let (first, second) = (arguments.size(), arguments.size());
    let (in_channels, out_channels, groups) = match arguments.below(6) {
        0 => (first, first, first),
        1 => (first.wrapping_mul(3), second.wrapping_mul(3), 3),
        2 => (first, second, arguments.size()),
        _ => (first, second, 1),
    };
    let output_padding = if arguments.yes() { [0, 0] } else { arguments.pair(Arguments::margin) };
    ConvTranspose2dGeometry {
        in_channels,
        in_size: arguments.pair(Arguments::size),
        out_channels,
        kernel_size: arguments.pair(Arguments::size),
        stride: arguments.pair(Arguments::step),
        padding: arguments.padding(),
        output_padding,
        dilation: arguments.pair(Arguments::step),
        groups,
        layout: arguments.layout(in_channels, out_channels),
    }
}

/// Whether all numbers are what the language allows.
fn is_sound(geometry: &ConvTranspose2dGeometry) -> bool {
    let ConvTranspose2dGeometry { in_channels, out_channels, groups, padding, output_padding, .. } = *geometry;
    let [top, bottom, left, right] = [padding.top, padding.bottom, padding.left, padding.right].map(|side| side + 1);
    small(&[in_channels, out_channels, groups])
        && small(&[geometry.in_size, geometry.kernel_size, geometry.stride, geometry.dilation].concat())
        && small(&[top, bottom, left, right])
        && in_channels.is_multiple_of(groups)
        && out_channels.is_multiple_of(groups)
        && (0..2).all(|axis| output_padding[axis] < geometry.stride[axis].max(geometry.dilation[axis]))
        && geometry.out_size().iter().all(|&size| size > 0)
}

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let geometry = geometry(&mut arguments);
    let (which, write, fused, batch) = (arguments.below(4), arguments.write(), arguments.fused(), arguments.batch());
    let input = arguments.maps(attempt(|| geometry.input()), batch);
    let mut output = arguments.maps(attempt(|| geometry.output()), batch);
    let mut weight = arguments.values(attempt(|| geometry.weight_len()));
    let bias = arguments.maybe(Some(geometry.out_channels));
    let cells = geometry.in_size[0].wrapping_mul(geometry.in_size[1]);
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
    call(sound, || match which {
        0 => {
            let bias = bias.as_ref().map(|bias| &bias.values[..]);
            let epilogue = Epilogue { bias, write, fused };
            conv_transpose2d::forward(geometry, epilogue, &input.values, &weight.values, &mut output.values, scratch);
        }
        1 => {
            let Some(mut packed) = zeros(conv_transpose2d::packed_len(geometry)) else { return };
            let bias = bias.as_ref().map(|bias| &bias.values[..]);
            conv_transpose2d::pack(geometry, MadeFor::OneSample, &weight.values, bias, &mut packed);
            let epilogue = Epilogue { bias: None, write, fused };
            conv_transpose2d::forward_packed(geometry, epilogue, &input.values, &packed, &mut output.values, scratch);
        }
        2 => {
            let mut input = input.values.clone();
            conv_transpose2d::backward_input(geometry, &weight.values, &output.values, &mut input, write, scratch);
        }
        _ => {
            let mut bias = bias.clone();
            let bias = bias.as_mut().map(|bias| &mut bias.values[..]);
            let weight = &mut weight.values;
            conv_transpose2d::backward_weight(geometry, &input.values, &output.values, weight, bias, scratch);
        }
    });
});

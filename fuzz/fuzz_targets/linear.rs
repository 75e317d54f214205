//! Linear layers, and those with a packed weight.
#![no_main]

use cnn_core::kernel::Write;
use cnn_core::kernel::convolution::packed::MadeFor;
use cnn_core::kernel::convolution::{Epilogue, linear};
use cnn_core::kernel::geometry::LinearGeometry;
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_fuzz::{Arguments, attempt, call, is_much_work, right, small, zeros};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let [in_features, out_features] = arguments.pair(Arguments::size);
    let layout = arguments.layout(in_features, out_features);
    let geometry = LinearGeometry { in_features, out_features, layout };
    let (which, write, fused, batch) = (arguments.below(4), arguments.write(), arguments.fused(), arguments.batch());
    let input = arguments.maps(attempt(|| geometry.input()), batch);
    let mut output = arguments.maps(attempt(|| geometry.output()), batch);
    let mut weight = arguments.values(attempt(|| geometry.weight_len()));
    let bias = arguments.maybe(Some(out_features));
    if is_much_work(&[batch, weight.values.len()]) {
        return;
    }
    let right = right(&[&input, &output, &weight]) && bias.as_ref().is_none_or(|bias| bias.right);
    let sound = right && small(&[in_features, out_features]);
    let mut scratch = Scratch::default();
    let (geometry, scratch) = (&geometry, &mut scratch);
    let some_bias = bias.as_ref().map(|bias| &bias.values[..]);
    call(sound, || match which {
        0 => {
            let epilogue = Epilogue { bias: some_bias, write, fused };
            linear::forward(geometry, epilogue, &input.values, &weight.values, &mut output.values, scratch);
        }
        1 => {
            let Some(mut packed) = zeros(linear::packed_len(geometry)) else { return };
            linear::pack(geometry, MadeFor::OneSample, &weight.values, some_bias, &mut packed);
            let epilogue = Epilogue { bias: None, write, fused };
            let (input, output) = (&input.values, &mut output.values);
            if write == Write::Add {
                linear::packing(geometry).forward(epilogue, input, &packed, output, scratch);
            } else {
                linear::forward_packed(geometry, epilogue, input, &packed, output, scratch);
            }
        }
        2 => {
            let mut input = input.values.clone();
            linear::backward_input(geometry, &weight.values, &output.values, &mut input, write, scratch);
        }
        _ => {
            let mut bias = bias.clone();
            let bias = bias.as_mut().map(|bias| &mut bias.values[..]);
            linear::backward_weight(geometry, &input.values, &output.values, &mut weight.values, bias, scratch);
        }
    });
});

//! Batch normalization, with a rectifier that may follow it.
#![no_main]

use cnn_core::kernel::geometry::BatchNorm2dGeometry;
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::batch_norm2d::{
    self, Affine, AffineGradients, MapGradients, Saved, SavedMut, Statistics, StatisticsMut,
};
use cnn_fuzz::{Arguments, attempt, call, right, small};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let channels = arguments.size();
    let geometry = BatchNorm2dGeometry {
        channels,
        eps: arguments.option(1e-5),
        momentum: arguments.yes().then(|| arguments.option(0.1)),
        layout: arguments.layout(channels, channels),
    };
    let rows = arguments.batch() * arguments.below(256);
    let (which, write, fused) = (arguments.below(8), arguments.write(), arguments.fused());
    let mut input = arguments.maps(attempt(|| geometry.input()), rows);
    let mut output = arguments.maps(attempt(|| geometry.output()), rows);
    let [mut mean, mut variance] = [(); 2].map(|()| arguments.values(Some(channels)));
    let [mut weight, mut bias] = [(); 2].map(|()| arguments.values(Some(channels)));
    let [mut running_mean, mut running_variance] = [(); 2].map(|()| arguments.values(Some(channels)));
    let [with_affine, with_running, with_input] = [(); 3].map(|()| arguments.yes());
    let sound = small(&[channels])
        && rows > 1
        && right(&[&input, &output, &mean, &variance, &weight, &bias, &running_mean, &running_variance])
        && (![2, 6, 7].contains(&which) || geometry.layout.in_stride == geometry.layout.out_stride);
    let (geometry, scratch) = (&geometry, &mut Scratch::default());
    call(sound, || match which {
        0 => {
            let affine = with_affine.then_some(Affine { weight: &weight.values, bias: &bias.values });
            let batches = running_mean.values.len() as u32;
            let running = with_running.then_some(StatisticsMut {
                batches: batches.into(),
                mean: &mut running_mean.values,
                variance: &mut running_variance.values,
            });
            let saved = SavedMut { mean: &mut mean.values, inverse_deviation: &mut variance.values };
            let output = &mut output.values;
            batch_norm2d::forward_training(geometry, affine, fused, &input.values, running, saved, output, scratch);
        }
        1 | 2 => {
            let affine = with_affine.then_some(Affine { weight: &weight.values, bias: &bias.values });
            let statistics = Statistics { mean: &mean.values, variance: &variance.values };
            let (input, output) = (&input.values, &mut output.values);
            if which == 1 {
                batch_norm2d::forward_evaluation(geometry, statistics, affine, fused, input, output, scratch);
            } else {
                batch_norm2d::forward_evaluation_in_place(geometry, statistics, affine, fused, output, scratch);
            }
        }
        5 | 6 => {
            let affine = with_affine.then_some(Affine { weight: &weight.values, bias: &bias.values });
            batch_norm2d::invert(geometry, &variance.values, &mut running_variance.values);
            let saved = Saved { mean: &mean.values, inverse_deviation: &running_variance.values };
            if which == 5 {
                batch_norm2d::forward_saved(geometry, saved, affine, fused, &input.values, &mut output.values);
            } else {
                batch_norm2d::forward_saved_in_place(geometry, saved, affine, fused, &mut output.values);
            }
        }
        _ => {
            let (factors, summands) = (weight.values.clone(), bias.values.clone());
            let affine = with_affine.then_some(Affine { weight: &factors, bias: &summands });
            let gradients =
                with_running.then_some(AffineGradients { weight: &mut weight.values, bias: &mut bias.values });
            let given = input.values.clone();
            let grad_input = with_input.then_some((&mut input.values[..], write));
            let maps = if which == 7 {
                MapGradients::InPlace(&mut output.values)
            } else {
                MapGradients::Apart { output: &output.values, input: grad_input }
            };
            if which == 3 || which == 7 && with_input {
                let saved = Saved { mean: &mean.values, inverse_deviation: &variance.values };
                batch_norm2d::backward_training(geometry, saved, affine, &given, fused, maps, gradients, scratch);
            } else {
                let statistics = Statistics { mean: &mean.values, variance: &variance.values };
                batch_norm2d::backward_evaluation(
                    geometry, statistics, affine, &given, fused, maps, gradients, scratch,
                );
            }
        }
    });
});

//! Batch normalization in training, with a rectifier behind it, and normalizations of each sample.

use crate::machine::Machine;
use crate::work::{Table, Work, best, noise};
use cnn_core::kernel::geometry::{BatchNorm2dGeometry, GroupNormGeometry};
use cnn_core::kernel::memory::buffer::Buffer;
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::normalization::batch_norm2d::{self, Affine, AffineGradients, MapGradients, Saved, SavedMut};
use cnn_core::kernel::normalization::group_norm;
use cnn_core::kernel::{FusedActivation, Write};

/// Batch normalizations of ResNet-18: channels and size.
const NORMS: &[(&str, usize, [usize; 2])] = &[
    ("norm 64@112", 8, [64, 112]),
    ("norm 64@56", 8, [64, 56]),
    ("norm 128@28", 8, [128, 28]),
    ("norm 256@14", 8, [256, 14]),
    ("norm 512@7", 8, [512, 7]),
];

/// Normalizations of each sample: samples, channels, size, groups, and whether each value has a weight.
type OfSamples = (&'static str, usize, [usize; 3], usize, bool);

/// Those of ConvNeXt-Tiny, over channels, and of ResNet-18 with groups instead of a batch.
const OF_SAMPLES: &[OfSamples] = &[
    ("channels 96@56", 8 * 56 * 56, [96, 1, 1], 1, false),
    ("channels 768@7", 8 * 7 * 7, [768, 1, 1], 1, false),
    ("groups 64@56", 8, [64, 56, 56], 32, false),
    ("groups 512@7", 8, [512, 7, 7], 32, false),
    ("each 64@56", 8, [64, 56, 56], 64, false),
    ("all 64@56", 8, [64, 56, 56], 1, true),
    ("all 512@7", 8, [512, 7, 7], 1, true),
];

pub(crate) fn measure(machine: &Machine, filter: &str) {
    let mut table = Table::new(machine, &["forward", "backward"]);
    NORMS.iter().filter(|case| case.0.contains(filter)).for_each(|case| measure_case(&mut table, case));
    OF_SAMPLES.iter().filter(|case| case.0.contains(filter)).for_each(|case| measure_of_samples(&mut table, case));
}

fn measure_of_samples(table: &mut Table<'_>, (name, batch, [channels, height, width], groups, by_value): &OfSamples) {
    let geometry = GroupNormGeometry::new(*channels, [*height, *width], *groups);
    let geometry = GroupNormGeometry { by_value: *by_value, ..geometry };
    let (len, weights) = (batch * channels * height * width, geometry.weights());
    let mut scratch = Scratch::new(geometry.needs(), rayon::current_num_threads());
    let (input, weight, bias) = (noise(len), noise(weights), noise(weights));
    let (mut output, grad_output, mut grad_input) = (Buffer::zeros(len), noise(len), Buffer::zeros(len));
    let [mut grad_weight, mut grad_bias] = core::array::from_fn(|_| Buffer::zeros(weights));
    let affine = group_norm::Affine { weight: Some(&weight), bias: Some(&bias) };
    let forward =
        best(|| group_norm::forward(&geometry, affine, FusedActivation::None, &input, &mut output, &mut scratch));
    let backward = best(|| {
        let gradients = group_norm::AffineGradients { weight: Some(&mut grad_weight), bias: Some(&mut grad_bias) };
        let wanted = Some((&mut grad_input[..], Write::Store));
        group_norm::backward(&geometry, Some(&weight), &input, &grad_output, wanted, gradients, &mut scratch);
    });
    let work = |read| Work { read, written: len, ..Work::default() };
    table.line(name, *batch, &[(work(len), forward), (work(2 * len), backward)]);
}

fn measure_case(table: &mut Table<'_>, (name, batch, [channels, size]): &(&str, usize, [usize; 2])) {
    let geometry = BatchNorm2dGeometry::new(*channels);
    let len = batch * size * size * channels;
    let mut scratch = Scratch::new(geometry.needs(), rayon::current_num_threads());
    let (input, weight, bias) = (noise(len), noise(*channels), noise(*channels));
    let (mut output, grad_output, mut grad_input) = (Buffer::zeros(len), noise(len), Buffer::zeros(len));
    let [mut mean, mut inverse, mut grad_weight, mut grad_bias] = core::array::from_fn(|_| Buffer::zeros(*channels));
    let fused = FusedActivation::Relu;
    let affine = Some(Affine { weight: &weight, bias: &bias });
    let forward = best(|| {
        let saved = SavedMut { mean: &mut mean, inverse_deviation: &mut inverse };
        batch_norm2d::forward_training(&geometry, affine, fused, &input, None, saved, &mut output, &mut scratch);
    });
    let backward = best(|| {
        let saved = Saved { mean: &mean, inverse_deviation: &inverse };
        let gradients = Some(AffineGradients { weight: &mut grad_weight, bias: &mut grad_bias });
        let maps = MapGradients::Apart { output: &grad_output, input: Some((&mut grad_input[..], Write::Store)) };
        batch_norm2d::backward_training(&geometry, saved, affine, &input, fused, maps, gradients, &mut scratch);
    });
    let work = |read| Work { read, written: len, ..Work::default() };
    // Backward reads the input and the gradient.
    table.line(name, *batch, &[(work(len), forward), (work(2 * len), backward)]);
}

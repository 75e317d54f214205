//! Convolutions, and the linear layers and transposed convolutions that are convolutions in other words.
//!
//! A value only meets the weights of its window: an infinity or NaN reaches no other cell, whatever is padded or widened.
//!
//! Here is the shell: it checks lengths, asks `Algorithm` how this geometry is computed, and calls that. An algorithm
//! knows none of the others; what several stand on is `correlation`, a map against a filter bank on the register tile.

mod algorithm;
pub mod conv_transpose2d;
mod correlation;
mod depthwise;
mod direct;
pub mod linear;
pub mod packed;
pub mod pooled;
mod scatter;
mod thin;
mod weight_border;
mod weight_gradient;
mod widen;
mod winograd;

use crate::kernel::geometry::Conv2dGeometry;
use crate::kernel::isa;
use crate::kernel::memory::chunk::Target;
use crate::kernel::memory::scratch::{Needs, Scratch};
use crate::kernel::tile::Finish;
use crate::kernel::{FusedActivation, Write};
use algorithm::{Algorithm, Pass};

/// What is done to a sum before it is stored: `rectifier(sum + bias)`, or `rectifier(output + sum + bias)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// A value for each output channel to add.
    pub bias: Option<&'a [f32]>,
    /// Whether it is added to what is in the output: a branch that joins a sum.
    pub write: Write,
    /// The rectifier behind it.
    pub fused: FusedActivation,
}

impl Epilogue<'_> {
    fn finish(&self) -> Finish {
        Finish { add: self.write == Write::Add, fused: self.fused }
    }

    /// The bias, empty if there is none.
    fn bias(&self, channels: usize) -> &[f32] {
        let bias = self.bias.unwrap_or(&[]);
        assert!(self.bias.is_none() || bias.len() == channels);
        bias
    }
}

impl Conv2dGeometry {
    /// What [`forward`], [`backward_input`] and [`backward_weight`] work in.
    ///
    /// # Panics
    /// If groups do not share out the channels, or a step is none.
    pub const fn needs(&self) -> Needs {
        check(self);
        let forward = Algorithm::of(self, Pass::Forward).needs(self, Pass::Forward);
        let to_input = Algorithm::of(self, Pass::BackwardInput).needs(self, Pass::BackwardInput);
        let to_weight = Algorithm::of(self, Pass::BackwardWeight).needs(self, Pass::BackwardWeight);
        forward.max(to_input).max(to_weight)
    }
}

/// What every algorithm takes for granted, beside what `out_size` and `weight_len` refuse themselves.
const fn check(geometry: &Conv2dGeometry) {
    let Conv2dGeometry { in_channels, out_channels, groups, stride, .. } = *geometry;
    assert!(geometry.algorithm.computes(geometry), "Winograd's transforms are those of 3x3 filters, one cell apart");
    assert!(groups > 0 && stride[0] > 0 && stride[1] > 0, "there are groups, and windows move");
    assert!(in_channels >= groups && in_channels.is_multiple_of(groups), "groups share out the channels of the input");
    assert!(out_channels >= groups && out_channels.is_multiple_of(groups), "groups share out the filters");
}

/// How many samples both slices are a batch of.
fn batch(geometry: &Conv2dGeometry, input: usize, output: usize) -> usize {
    check(geometry);
    let batch = geometry.output().samples(output);
    assert_eq!(geometry.input().samples(input), batch, "input and output are batches of the same size");
    batch
}

/// input `[n, ih, iw, ic]`, weight `[g, kh, kw, ic / g, oc / g]` -> output `[n, oh, ow, oc]`.
/// <https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>
pub fn forward(
    geometry: &Conv2dGeometry,
    epilogue: Epilogue<'_>,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    let batch = batch(geometry, input.len(), output.len());
    assert_eq!(weight.len(), geometry.weight_len());
    let (bias, finish) = (epilogue.bias(geometry.out_channels), epilogue.finish());
    if batch == 0 {
        return;
    }
    let isa = isa::current();
    let (shared, slots) = scratch.lend(geometry.needs());
    match Algorithm::of(geometry, Pass::Forward) {
        Algorithm::Depthwise => depthwise::forward(isa, geometry, bias, finish, input, weight, output, shared),
        Algorithm::Widened(wide) => {
            let (copy, shared) = shared.split_at_mut(widen::copy_len(&wide));
            let (wide_weight, wide_bias) = widen::parameters(geometry, &wide, weight, bias, copy);
            let (map, out_map) = (geometry.input(), geometry.output());
            widen::for_each_run(isa, map, input, |samples, finite| {
                let input = &input[map.run(samples.clone(), input.len())];
                let output_range = out_map.run(samples, output.len());
                let output = &mut output[output_range];
                let memory = (&mut *shared, slots);
                if finite {
                    direct::forward(isa, &wide, wide_bias, finish, input, wide_weight, output, memory);
                } else {
                    direct::forward(isa, geometry, bias, finish, input, weight, output, memory);
                }
            });
        }
        Algorithm::Winograd => {
            let output = Target::new(output);
            winograd::forward(isa, geometry, bias, finish, input, weight, output, (shared, slots));
        }
        Algorithm::Direct | Algorithm::Scattered => {
            direct::forward(isa, geometry, bias, finish, input, weight, output, (shared, slots));
        }
    }
}

/// weight `[g, kh, kw, ic / g, oc / g]`, grad_output `[n, oh, ow, oc]` -> grad_input `[n, ih, iw, ic]`.
pub fn backward_input(
    geometry: &Conv2dGeometry,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    write: Write,
    scratch: &mut Scratch,
) {
    input_gradient(geometry, Epilogue { write, ..Epilogue::default() }, weight, grad_output, grad_input, scratch);
}

/// [`backward_input`] with something behind it, a bias for each input channel among it: a transposed convolution.
fn input_gradient(
    geometry: &Conv2dGeometry,
    epilogue: Epilogue<'_>,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    scratch: &mut Scratch,
) {
    let batch = batch(geometry, grad_input.len(), grad_output.len());
    assert_eq!(weight.len(), geometry.weight_len());
    let (bias, finish) = (epilogue.bias(geometry.in_channels), epilogue.finish());
    if batch == 0 {
        return;
    }
    let isa = isa::current();
    let (shared, slots) = scratch.lend(geometry.needs());
    match Algorithm::of(geometry, Pass::BackwardInput) {
        Algorithm::Depthwise => {
            depthwise::backward_input(
                isa,
                geometry,
                bias,
                finish,
                weight,
                grad_output,
                Target::new(grad_input),
                shared,
            );
        }
        Algorithm::Scattered => {
            scatter::backward_input(isa, geometry, epilogue, weight, grad_output, grad_input, (shared, slots));
        }
        Algorithm::Winograd => {
            let target = Target::new(grad_input);
            winograd::backward_input(isa, geometry, bias, finish, weight, grad_output, target, (shared, slots));
        }
        Algorithm::Direct | Algorithm::Widened(_) => {
            let target = Target::new(grad_input);
            direct::backward_input(isa, geometry, bias, finish, weight, grad_output, target, (shared, slots));
        }
    }
}

/// input `[n, ih, iw, ic]`, grad_output `[n, oh, ow, oc]` -> grad_weight `[g, kh, kw, ic / g, oc / g]`, grad_bias `[oc]`.
pub fn backward_weight(
    geometry: &Conv2dGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    mut grad_bias: Option<&mut [f32]>,
    scratch: &mut Scratch,
) {
    let batch = batch(geometry, input.len(), grad_output.len());
    assert_eq!(grad_weight.len(), geometry.weight_len());
    assert!(grad_bias.as_ref().is_none_or(|grad_bias| grad_bias.len() == geometry.out_channels));
    if batch == 0 {
        grad_weight.fill(0.0);
        if let Some(grad_bias) = grad_bias {
            grad_bias.fill(0.0);
        }
        return;
    }
    let (shared, slots) = scratch.lend(geometry.needs());
    match Algorithm::of(geometry, Pass::BackwardWeight) {
        Algorithm::Winograd => {
            let (isa, memory) = (isa::current(), (&mut *shared, slots));
            if winograd::backward_weight(
                isa,
                geometry,
                input,
                grad_output,
                grad_weight,
                grad_bias.as_deref_mut(),
                memory,
            ) {
                return;
            }
            // One infinity spoils a channel's taps, also those that do not meet it.
            weight_gradient::run(geometry, batch, input, grad_output, grad_weight, grad_bias, (shared, slots));
        }
        Algorithm::Depthwise => {
            depthwise::weight::run(geometry, batch, input, grad_output, grad_weight, grad_bias, shared);
            return;
        }
        Algorithm::Widened(wide) => {
            let (copy, shared) = shared.split_at_mut(widen::copy_len(&wide));
            let (wide_weight, wide_bias) = copy.split_at_mut(wide.weight_len());
            let bias = grad_bias.is_some().then_some(&mut *wide_bias);
            weight_gradient::run(&wide, batch, input, grad_output, wide_weight, bias, (shared, slots));
            widen::fold(geometry, &wide, wide_weight, wide_bias, grad_weight, grad_bias);
        }
        Algorithm::Direct | Algorithm::Scattered => {
            weight_gradient::run(geometry, batch, input, grad_output, grad_weight, grad_bias, (shared, slots));
        }
    }
    weight_border::mend(geometry, input, grad_output, grad_weight);
}

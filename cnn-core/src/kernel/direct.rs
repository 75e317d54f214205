//! Convolution, directly: every product of a value and a weight is one multiply-add of the register tile.

use super::chunk::Target;
use super::correlate::{Correlation, Filters, correlate, pack_filters};
use super::geometry::Conv2dGeometry;
use super::isa;
use super::pack::Matrix;
use super::phase::{self, Phase};
use super::scratch::{Needs, Scratch, Slots};
use super::tile::Finish;
use super::{Rectifier, Write, depthwise, depthwise_weight, scatter, weight_gradient, widen};

/// What is done to a sum before it is stored: `rectifier(sum + bias)`, or `rectifier(output + sum + bias)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Epilogue<'a> {
    /// A value for each output channel to add.
    pub bias: Option<&'a [f32]>,
    /// Whether it is added to what is in the output: a branch that joins a sum.
    pub write: Write,
    /// The rectifier behind it.
    pub rectifier: Rectifier,
}

impl Epilogue<'_> {
    pub(super) fn finish(&self) -> Finish {
        Finish { add: self.write == Write::Add, rectifier: self.rectifier }
    }
}

/// Whether the weight is read where it is: a packed one is not read often enough to pay for its packing, and rows of a
/// small one do not evict one another from the cache.
const fn reads_in_place(cells: usize, weight_len: usize) -> bool {
    cells <= 14 || (cells < 128 && weight_len <= 1 << 16)
}

impl Conv2dGeometry {
    /// What [`forward`], [`backward_input`] and [`backward_weight`] work in.
    pub const fn needs(&self) -> Needs {
        if depthwise::is(self) {
            // The phases of the input's gradient share out the taps among them.
            let (filters, partials) = (self.weight_len(), depthwise_weight::partials_len(self));
            return Needs { shared: if filters > partials { filters } else { partials }, per_thread: 0 };
        }
        let forward = forward_correlation(self);
        let mut needs = Needs { shared: forward.packed_len(), per_thread: forward.per_thread() };
        if let Some(wide) = widen::geometry(self) {
            let correlation = forward_correlation(&wide);
            let forward = Needs { shared: correlation.packed_len(), per_thread: correlation.per_thread() };
            let mut wide_needs = forward.max(weight_gradient::needs(&wide));
            wide_needs.shared += widen::copy_len(&wide);
            needs = needs.max(wide_needs);
        }
        if scatter::pays(self) {
            return needs.max(scatter::needs(self)).max(weight_gradient::needs(self));
        }
        let mut shared = 0;
        let [vertical, horizontal] = [phase::count(self, 0), phase::count(self, 1)];
        let mut index = 0;
        while index < vertical * horizontal {
            let correlation = phase_correlation(self, index).0;
            shared += correlation.packed_len();
            needs = needs.max(Needs { shared, per_thread: correlation.per_thread() });
            index += 1;
        }
        needs.max(weight_gradient::needs(self))
    }
}

pub(super) const fn forward_correlation(geometry: &Conv2dGeometry) -> Correlation {
    let output = geometry.output();
    Correlation {
        source: geometry.input(),
        origin: [-(geometry.padding.top as isize), -(geometry.padding.left as isize)],
        step: geometry.stride,
        taps: geometry.kernel_size,
        distance: geometry.dilation,
        cells: output.size,
        start: 0,
        target_step: [output.sample_step(), output.row_step(), output.stride],
        groups: geometry.groups,
        columns: geometry.out_channels / geometry.groups,
    }
}

/// The filters of a group as they lie in the weight.
pub(super) const fn forward_matrix(correlation: &Correlation, group: usize) -> Matrix {
    let depth = correlation.depth();
    Matrix {
        start: group * depth * correlation.columns,
        count: [1, 1, depth],
        step: [0, 0, correlation.columns as isize],
        columns: correlation.columns,
        column_step: 1,
    }
}

/// The cells of one pair of phases of the input's gradient, as a correlation of the output's gradient; and the phases.
const fn phase_correlation(geometry: &Conv2dGeometry, index: usize) -> (Correlation, [Phase; 2]) {
    let columns = phase::count(geometry, 1);
    let vertical = Phase::new(geometry, 0, index / columns);
    let horizontal = Phase::new(geometry, 1, index % columns);
    let input = geometry.input();
    let correlation = Correlation {
        source: geometry.output(),
        origin: [vertical.origin, horizontal.origin],
        step: [1, 1],
        taps: [vertical.taps, horizontal.taps],
        distance: [vertical.distance, horizontal.distance],
        cells: [vertical.cells, horizontal.cells],
        start: vertical.first * input.row_step() + horizontal.first * input.stride,
        target_step: [input.sample_step(), geometry.stride[0] * input.row_step(), geometry.stride[1] * input.stride],
        groups: geometry.groups,
        columns: geometry.in_channels / geometry.groups,
    };
    (correlation, [vertical, horizontal])
}

/// How many samples both slices are a batch of.
pub(super) fn batch(geometry: &Conv2dGeometry, input: usize, output: usize) -> usize {
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
    batch(geometry, input.len(), output.len());
    assert_eq!(weight.len(), geometry.weight_len());
    let bias = epilogue.bias.unwrap_or(&[]);
    assert!(epilogue.bias.is_none() || bias.len() == geometry.out_channels);

    let finish = epilogue.finish();
    let (shared, slots) = scratch.lend(geometry.needs());
    if depthwise::is(geometry) {
        let (isa, correlation) = (isa::current(), forward_correlation(geometry));
        let packed = &mut shared[..depthwise::packed_len(&correlation)];
        let [kh, kw] = geometry.kernel_size;
        depthwise::pack(&correlation, weight, kh * kw, |row, column| row * kw + column, packed);
        depthwise::correlate(isa, &correlation, packed, bias, finish, input, Target::new(output));
    } else if let Some(wide) = widen::geometry(geometry) {
        let (copy, shared) = shared.split_at_mut(widen::copy_len(&wide));
        let (wide_weight, wide_bias) = widen::parameters(geometry, &wide, weight, bias, copy);
        run_forward(&wide, wide_bias, finish, input, wide_weight, output, (shared, slots));
    } else {
        run_forward(geometry, bias, finish, input, weight, output, (shared, slots));
    }
}

fn run_forward(
    geometry: &Conv2dGeometry,
    bias: &[f32],
    finish: Finish,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    (packed, slots): (&mut [f32], &Slots),
) {
    let isa = isa::current();
    let correlation = forward_correlation(geometry);
    let map = geometry.output();
    let in_place = reads_in_place(map.samples(output.len()) * map.cells(), geometry.weight_len());
    pack_filters(isa, &correlation, weight, |group| forward_matrix(&correlation, group), in_place, packed);
    let filters = Filters { packed, in_place: if in_place { weight } else { &[] } };
    correlate(isa, &correlation, filters, bias, finish, input, Target::new(output), slots);
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
pub(super) fn input_gradient(
    geometry: &Conv2dGeometry,
    epilogue: Epilogue<'_>,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    scratch: &mut Scratch,
) {
    batch(geometry, grad_input.len(), grad_output.len());
    assert_eq!(weight.len(), geometry.weight_len());

    let isa = isa::current();
    let (mut packed, slots) = scratch.lend(geometry.needs());
    if scatter::pays(geometry) {
        return scatter::run(isa, geometry, epilogue, weight, grad_output, grad_input, (packed, slots));
    }
    let bias = epilogue.bias.unwrap_or(&[]);
    assert!(epilogue.bias.is_none() || bias.len() == geometry.in_channels);
    let finish = epilogue.finish();
    let target = Target::new(grad_input);
    let (ic, oc) = (geometry.in_channels / geometry.groups, geometry.out_channels / geometry.groups);
    let [kh, kw] = geometry.kernel_size;
    for index in 0..phase::count(geometry, 0) * phase::count(geometry, 1) {
        let (correlation, [vertical, horizontal]) = phase_correlation(geometry, index);
        if correlation.depth() == 0 && finish == Finish::ADD && bias.is_empty() {
            continue;
        }
        if depthwise::is(geometry) {
            let (these, rest) = packed.split_at_mut(depthwise::packed_len(&correlation));
            packed = rest;
            let tap = |row: usize, column: usize| {
                (vertical.last_tap - row * vertical.tap_step) * kw + horizontal.last_tap - column * horizontal.tap_step
            };
            depthwise::pack(&correlation, weight, kh * kw, tap, these);
            depthwise::correlate(isa, &correlation, these, bias, finish, grad_output, target);
            continue;
        }
        let group = |group: usize| Matrix {
            start: (group * kh * kw + vertical.last_tap * kw + horizontal.last_tap) * ic * oc,
            count: [vertical.taps, horizontal.taps, oc],
            step: [-((vertical.tap_step * kw * ic * oc) as isize), -((horizontal.tap_step * ic * oc) as isize), 1],
            columns: ic,
            column_step: oc,
        };
        let (these, rest) = packed.split_at_mut(correlation.packed_len());
        packed = rest;
        pack_filters(isa, &correlation, weight, group, false, these);
        let filters = Filters { packed: these, in_place: &[] };
        correlate(isa, &correlation, filters, bias, finish, grad_output, target, slots);
    }
}

/// input `[n, ih, iw, ic]`, grad_output `[n, oh, ow, oc]` -> grad_weight `[g, kh, kw, ic / g, oc / g]`, grad_bias `[oc]`.
pub fn backward_weight(
    geometry: &Conv2dGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    grad_bias: Option<&mut [f32]>,
    scratch: &mut Scratch,
) {
    let batch = batch(geometry, input.len(), grad_output.len());
    assert_eq!(grad_weight.len(), geometry.weight_len());
    assert!(grad_bias.as_ref().is_none_or(|grad_bias| grad_bias.len() == geometry.out_channels));
    let (shared, slots) = scratch.lend(geometry.needs());
    if depthwise::is(geometry) {
        depthwise_weight::run(geometry, batch, input, grad_output, grad_weight, grad_bias, shared);
    } else if let Some(wide) = widen::geometry(geometry) {
        let (copy, shared) = shared.split_at_mut(widen::copy_len(&wide));
        let (wide_weight, wide_bias) = copy.split_at_mut(wide.weight_len());
        let bias = grad_bias.is_some().then_some(&mut *wide_bias);
        weight_gradient::run(&wide, batch, input, grad_output, wide_weight, bias, (shared, slots));
        widen::fold(geometry, &wide, wide_weight, wide_bias, grad_weight, grad_bias);
    } else {
        weight_gradient::run(geometry, batch, input, grad_output, grad_weight, grad_bias, (shared, slots));
    }
}

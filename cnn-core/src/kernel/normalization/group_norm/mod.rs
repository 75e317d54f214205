//! Normalization of each sample by itself, `(x - mean) / deviation * weight + bias` for each group of its channels: layer
//! normalization is one group, instance normalization a group for each channel, and where the mean is not subtracted it is
//! that by the root of the mean square. <https://pytorch.org/docs/stable/generated/torch.nn.GroupNorm.html>
//!
//! Nothing is kept for the way back: what a cache holds takes less time to be looked at twice than statistics of all samples
//! take memory. Small samples are work for a task each; a large one is cut into parts, whose statistics are merged in their
//! order.

mod loops;
mod rows;
mod sums;

use crate::kernel::geometry::{GroupNormGeometry, Map};
use crate::kernel::isa::{self, Isa, Kernel, Simd};
use crate::kernel::memory::buffer::split;
use crate::kernel::memory::chunk::{self, Target};
use crate::kernel::memory::scratch::{Needs, Scratch, Slots};
use crate::kernel::{FusedActivation, Write};
use crate::shape::window;
use core::ops::Range;
use loops::{Lines, LinesMut, Returned};
use rows::{ReturnedRows, RowsOf};

/// Parts of a sample at most: their sums are kept.
const PARTS: usize = 16;
/// Values of a part at least. Miri has patience for small maps only.
const PART: usize = if cfg!(miri) { 1 << 6 } else { 1 << 15 };
/// Shares of a batch of small samples at most, of which each has gradients of the weights.
const SHARES: usize = 16;
/// Samples whose gradients are added up before they are added to others: the terms of a sum are few.
const BLOCK: usize = 64;

/// What is done to normalized values.
#[derive(Clone, Copy, Debug, Default)]
pub struct Affine<'a> {
    /// A factor for each channel, or for each value, if there are some.
    pub weight: Option<&'a [f32]>,
    /// As many summands, if there are some.
    pub bias: Option<&'a [f32]>,
}

/// Where the gradients of weight and bias go.
#[derive(Debug, Default)]
pub struct AffineGradients<'a> {
    /// Of the weight, if there is one.
    pub weight: Option<&'a mut [f32]>,
    /// Of the bias, if there is one.
    pub bias: Option<&'a mut [f32]>,
}

impl GroupNormGeometry {
    /// What [`forward`] and [`backward`] work in.
    pub const fn needs(&self) -> Needs {
        let work = window::sum(self.lines(), self.lines()).saturating_mul(5);
        if self.parts() > 1 {
            let of_part = window::sum(3usize.saturating_mul(self.groups), 2usize.saturating_mul(self.lines()));
            let shared = of_part.saturating_mul(PARTS).saturating_add(work);
            Needs { shared, per_thread: work }
        } else {
            let weights = self.width().saturating_mul(2);
            Needs { shared: weights.saturating_mul(SHARES), per_thread: work.saturating_add(weights) }
        }
    }

    /// Whether all of a sample has one mean and a weight for each of its values.
    const fn is_whole(&self) -> bool {
        self.groups == 1 && (self.by_value || self.cells() == 1)
    }

    /// How many means there are where each channel has one beside it.
    const fn lines(&self) -> usize {
        if self.is_whole() { 1 } else { self.channels }
    }

    /// Values that have a weight of their own, if there are weights.
    const fn width(&self) -> usize {
        if self.is_whole() { window::product(self.channels, self.cells()) } else { self.channels }
    }

    /// Parts of a sample, cut by its positions.
    const fn parts(&self) -> usize {
        let (values, cells) = (self.channels.saturating_mul(self.cells()), self.cells());
        let parts = if values / PART < PARTS { values / PART } else { PARTS };
        let parts = if parts < cells { parts } else { cells };
        if parts > 1 { parts } else { 1 }
    }

    /// The positions of a part.
    fn part(&self, part: usize) -> Range<usize> {
        let (cells, parts) = (self.cells(), self.parts());
        part * cells / parts..(part + 1) * cells / parts
    }

    fn check(&self, affine: Affine<'_>) {
        assert!(self.groups > 0 && self.channels.is_multiple_of(self.groups), "groups divide the channels");
        assert!(!self.by_value || self.groups == 1, "a weight for each value is for one group");
        let fits = |values: Option<&[f32]>| values.is_none_or(|values| values.len() == self.weights());
        assert!(fits(affine.weight) && fits(affine.bias), "as many weights as the geometry says");
    }
}

/// Maps of which some are read: the values, and how they lie.
#[derive(Clone, Copy)]
struct Given {
    start: *const f32,
    map: Map,
}

// SAFETY: the pointer lives as long as the slice that a shell borrows, and is only read through.
unsafe impl Send for Given {}
// SAFETY: as above.
unsafe impl Sync for Given {}

impl Given {
    fn new(values: &[f32], map: Map) -> Self {
        Self { start: values.as_ptr(), map }
    }

    /// The first value of a position.
    fn at(&self, sample: usize, position: usize) -> (*const f32, usize) {
        (self.start.wrapping_add(sample * self.map.sample_step() + position * self.map.stride), self.map.stride)
    }
}

/// Maps that are written.
#[derive(Clone, Copy)]
struct Wanted {
    target: Target,
    map: Map,
    add: bool,
}

impl Wanted {
    /// The first value of a position, behind which so many positions are.
    fn at(&self, sample: usize, positions: Range<usize>) -> (*mut f32, usize) {
        let Map { channels, stride, .. } = self.map;
        let start = sample * self.map.sample_step() + positions.start * stride;
        (self.target.pointer(start, (positions.len() - 1) * stride + channels), stride)
    }
}

/// What tasks look at.
#[derive(Clone, Copy)]
struct Job<'a> {
    geometry: &'a GroupNormGeometry,
    affine: Affine<'a>,
    /// What is applied to the results on the way there.
    fused: FusedActivation,
    input: Given,
    /// What comes back, on the way back.
    grad_output: Option<Given>,
    /// The output, or the gradient of the input if that is wanted.
    wanted: Option<Wanted>,
    isa: Isa,
}

impl Job<'_> {
    /// Whether each sample is one piece in all maps, with one mean.
    fn is_of_rows(&self) -> bool {
        let maps = [Some(self.input.map), self.grad_output.map(|grad| grad.map), self.wanted.map(|wanted| wanted.map)];
        let is_piece = |map: &Map| map.stride == map.channels || map.cells() == 1;
        self.geometry.is_whole() && maps.iter().flatten().all(is_piece)
    }

    fn run(&self, samples: Samples<'_>) {
        if self.is_of_rows() {
            self.isa.run(SamplesAsRows(samples));
        } else {
            samples.run();
        }
    }
}

/// input `[n, h, w, c]` -> output `[n, h, w, c]`, and a function of it
pub fn forward(
    geometry: &GroupNormGeometry,
    affine: Affine<'_>,
    fused: FusedActivation,
    input: &[f32],
    output: &mut [f32],
    scratch: &mut Scratch,
) {
    geometry.check(affine);
    let samples = geometry.input().samples(input.len());
    assert_eq!(geometry.output().samples(output.len()), samples, "input and output have the same samples");
    if samples == 0 {
        return;
    }
    let job = Job {
        geometry,
        affine,
        fused,
        input: Given::new(input, geometry.input()),
        grad_output: None,
        wanted: Some(Wanted { target: Target::new(output), map: geometry.output(), add: false }),
        isa: isa::current(),
    };
    let (shared, slots) = scratch.lend(geometry.needs());
    let cost = (4 + fused.then().map_or(0, |then| then.cost)) * geometry.channels * geometry.cells();
    if geometry.parts() == 1 {
        let piece = PART.div_ceil(cost);
        return chunk::for_each(samples.div_ceil(piece), cost * samples, |index| {
            let mut slot = slots.own();
            let samples = index * piece..samples.min((index + 1) * piece);
            job.run(Samples { job: &job, samples, work: &mut slot, gradients: None });
        });
    }
    let mut memory = Memory::of(geometry, shared);
    for sample in 0..samples {
        memory.statistics(&job, sample, slots);
        let lines = memory.lines.read();
        chunk::for_each(geometry.parts(), cost, |part| {
            let task = PartTask { job: &job, sample, positions: geometry.part(part), gradients: None };
            job.isa.run(Forward { task: &task, lines });
        });
    }
}

/// input `[n, h, w, c]`, grad_output `[n, h, w, c]` -> grad_input `[n, h, w, c]`, and the gradients of weight and bias
pub fn backward(
    geometry: &GroupNormGeometry,
    weight: Option<&[f32]>,
    input: &[f32],
    grad_output: &[f32],
    grad_input: Option<(&mut [f32], Write)>,
    gradients: AffineGradients<'_>,
    scratch: &mut Scratch,
) {
    let AffineGradients { weight: mut grad_weight, bias: mut grad_bias } = gradients;
    let affine = Affine { weight, bias: None };
    geometry.check(affine);
    geometry.check(Affine { weight: grad_weight.as_deref(), bias: grad_bias.as_deref() });
    let samples = geometry.input().samples(input.len());
    assert_eq!(geometry.output().samples(grad_output.len()), samples, "input and output have the same samples");
    for gradient in [&mut grad_weight, &mut grad_bias].into_iter().flatten() {
        gradient.fill(0.0);
    }
    if let Some((grad_input, _)) = &grad_input {
        assert_eq!(geometry.input().samples(grad_input.len()), samples, "the input has one gradient for each value");
    }
    if samples == 0 {
        return;
    }
    let wanted = grad_input.map(|(values, write)| Wanted {
        target: Target::new(values),
        map: geometry.input(),
        add: write == Write::Add,
    });
    let job = Job {
        geometry,
        affine,
        fused: FusedActivation::None,
        input: Given::new(input, geometry.input()),
        grad_output: Some(Given::new(grad_output, geometry.output())),
        wanted,
        isa: isa::current(),
    };
    let (shared, slots) = scratch.lend(geometry.needs());
    let cost = 8 * geometry.channels * geometry.cells();
    if geometry.parts() == 1 {
        let shares = (cost * samples / PART).clamp(1, SHARES).min(samples);
        let width = if grad_weight.is_some() || grad_bias.is_some() { geometry.width() } else { 0 };
        let partials = &mut shared[..2 * width * shares];
        chunk::for_each_share(shares, shares, cost * samples, partials, |share, partial| {
            let mut slot = slots.own();
            let samples = share.start * samples / shares..share.end * samples / shares;
            partial.fill(0.0);
            let gradients = (!partial.is_empty()).then_some(partial);
            job.run(Samples { job: &job, samples, work: &mut slot, gradients });
        });
        for (index, gradient) in [grad_weight, grad_bias].into_iter().enumerate() {
            let Some(gradient) = gradient else { continue };
            for partial in partials.chunks_exact(2 * width) {
                add(gradient, &partial[index * width..][..width]);
            }
        }
        return;
    }
    let mut memory = Memory::of(geometry, shared);
    let width = geometry.lines();
    // Where each value has a weight, a part has its own; else those of all parts are the channels'.
    let whole = geometry.is_whole();
    let targets = [&mut grad_weight, &mut grad_bias].map(|gradient| gradient.as_deref_mut().map(Target::new));
    for sample in 0..samples {
        memory.statistics(&job, sample, slots);
        let sums = Target::new(memory.sums);
        let lines = memory.lines.read();
        chunk::for_each(geometry.parts(), cost, |part| {
            // SAFETY: each part has sums of its own.
            let sums = unsafe { sums.slice(2 * width * part, 2 * width) };
            let task = PartTask { job: &job, sample, positions: geometry.part(part), gradients: None };
            job.isa.run(Sums { task: &task, lines, sums });
        });
        let (total, others) = memory.sums.split_at_mut(2 * width);
        for sums in others.chunks_exact(2 * width).take(geometry.parts() - 1) {
            add(total, sums);
        }
        if !whole {
            let inverse = &*memory.lines.inverse;
            for (channel, inverse) in inverse.iter().enumerate() {
                if let Some(weight) = grad_weight.as_deref_mut() {
                    weight[channel] += total[width + channel] * inverse;
                }
                if let Some(bias) = grad_bias.as_deref_mut() {
                    bias[channel] += total[channel];
                }
            }
        }
        loops::slopes(geometry, affine.weight, total, &mut memory.lines);
        let lines = memory.lines.read();
        chunk::for_each(geometry.parts(), cost, |part| {
            let positions = geometry.part(part);
            let gradients = whole.then(|| {
                let (start, len) = (positions.start * geometry.channels, positions.len() * geometry.channels);
                targets.map(|target| target.map(|target| target.pointer(start, len)))
            });
            let task = PartTask { job: &job, sample, positions, gradients };
            job.isa.run(Backward { task: &task, lines });
        });
    }
}

fn add(sums: &mut [f32], values: &[f32]) {
    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
}

/// What a sample in parts is worked on in.
struct Memory<'a> {
    /// Of each part the moments of each group.
    moments: &'a mut [f32],
    /// Of each part two sums for each line.
    sums: &'a mut [f32],
    lines: LinesMut<'a>,
}

impl<'a> Memory<'a> {
    fn of(geometry: &GroupNormGeometry, shared: &'a mut [f32]) -> Self {
        let lines = geometry.lines();
        let [moments, sums, lines] = split(shared, [3 * geometry.groups * PARTS, 2 * lines * PARTS, 5 * lines]);
        Self { moments, sums, lines: LinesMut::of(lines) }
    }

    /// The mean and the deviation of each group of a sample.
    fn statistics(&mut self, job: &Job<'_>, sample: usize, slots: &Slots) {
        let (geometry, len) = (job.geometry, 3 * job.geometry.groups);
        let moments = Target::new(self.moments);
        chunk::for_each(geometry.parts(), 4 * geometry.channels * geometry.cells(), |part| {
            let mut slot = slots.own();
            // SAFETY: each part has moments of its own.
            let moments = unsafe { moments.slice(len * part, len) };
            let task = PartTask { job, sample, positions: geometry.part(part), gradients: None };
            let lines = geometry.lines();
            let [lines, sums] = split(&mut slot, [5 * lines, 2 * lines]);
            job.isa.run(Moments { task: &task, moments, lines: &mut LinesMut::of(lines), sums });
        });
        loops::finish(geometry, &self.moments[..len * geometry.parts()], &mut self.lines);
    }
}

/// Some positions of a sample.
struct PartTask<'a> {
    job: &'a Job<'a>,
    sample: usize,
    positions: Range<usize>,
    /// Where gradients of weights and biases are added, if each value has its own.
    gradients: Option<[Option<*mut f32>; 2]>,
}

impl PartTask<'_> {
    fn part(&self) -> loops::Part<'_> {
        let Self { job, sample, positions, .. } = self;
        loops::Part {
            geometry: job.geometry,
            affine: job.affine,
            fused: job.fused,
            positions: positions.clone(),
            input: job.input.at(*sample, positions.start),
        }
    }

    fn returned(&self) -> Returned {
        let Self { job, sample, positions, gradients } = self;
        Returned {
            grad: job.grad_output.expect("there is one on the way back").at(*sample, positions.start),
            to: job.wanted.map(|wanted| wanted.at(*sample, positions.clone())),
            add: job.wanted.is_some_and(|wanted| wanted.add),
            gradients: gradients.unwrap_or_default(),
        }
    }
}

struct Moments<'a, 'b> {
    task: &'a PartTask<'a>,
    moments: &'a mut [f32],
    /// To work in, as the sums are.
    lines: &'a mut LinesMut<'b>,
    sums: &'a mut [f32],
}

impl Kernel for Moments<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        // SAFETY: the shell has found the sample in the input.
        unsafe { self.task.part().moments(simd, self.moments, self.lines, self.sums) };
    }
}

struct Forward<'a> {
    task: &'a PartTask<'a>,
    lines: Lines<'a>,
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { task, lines } = self;
        let Some(wanted) = task.job.wanted else { return };
        let to = wanted.at(task.sample, task.positions.clone());
        // SAFETY: the shell has found the sample in both maps, and no other task has these positions.
        unsafe { task.part().forward(simd, lines, to) };
    }
}

struct Sums<'a> {
    task: &'a PartTask<'a>,
    lines: Lines<'a>,
    sums: &'a mut [f32],
}

impl Kernel for Sums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let returned = self.task.returned();
        // SAFETY: the shell has found the sample in both maps.
        unsafe { self.task.part().sums(simd, self.lines, returned.grad, self.sums) };
    }
}

struct Backward<'a> {
    task: &'a PartTask<'a>,
    lines: Lines<'a>,
}

impl Kernel for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let returned = self.task.returned();
        // SAFETY: the shell has found the sample in all maps, and no other task has these positions; where each value has
        // sums of its gradients, so has a block.
        unsafe { self.task.part().backward(simd, self.lines, returned) };
    }
}

/// Whole samples one after the other, there or back.
struct Samples<'a> {
    job: &'a Job<'a>,
    samples: Range<usize>,
    work: &'a mut [f32],
    /// Zeros to which the gradients of weight and bias are added, on the way back.
    gradients: Option<&'a mut [f32]>,
}

impl Samples<'_> {
    fn run(self) {
        let Self { job, samples, work, mut gradients } = self;
        let geometry = job.geometry;
        let (lines, width, whole) = (geometry.lines(), geometry.width(), geometry.is_whole());
        let (work, block) = work.split_at_mut(10 * lines);
        let block = if gradients.is_some() { &mut block[..2 * width] } else { &mut [] };
        let [lines, sums, moments] = split(work, [5 * lines, 2 * lines, 3 * geometry.groups]);
        let mut lines = LinesMut::of(lines);
        let end = samples.end;
        for first in samples.step_by(BLOCK) {
            block.fill(0.0);
            for sample in first..end.min(first + BLOCK) {
                let (to_weight, to_bias) = block.split_at_mut(block.len() / 2);
                let gradients = (whole && gradients.is_some())
                    .then(|| [to_weight, to_bias].map(|to| Some(core::ptr::from_mut(to).cast::<f32>())));
                let task = PartTask { job, sample, positions: 0..geometry.cells(), gradients };
                job.isa.run(Moments { task: &task, moments, lines: &mut lines, sums });
                loops::finish(geometry, moments, &mut lines);
                if job.grad_output.is_none() {
                    job.isa.run(Forward { task: &task, lines: lines.read() });
                    continue;
                }
                job.isa.run(Sums { task: &task, lines: lines.read(), sums });
                if gradients.is_none() && !block.is_empty() {
                    let (of_grad, of_product) = sums.split_at(geometry.channels);
                    let (weight, bias) = block.split_at_mut(width);
                    for channel in 0..geometry.channels {
                        weight[channel] += of_product[channel] * lines.inverse[channel];
                        bias[channel] += of_grad[channel];
                    }
                }
                loops::slopes(geometry, job.affine.weight, sums, &mut lines);
                job.isa.run(Backward { task: &task, lines: lines.read() });
            }
            if let Some(gradients) = &mut gradients {
                add(gradients, block);
            }
        }
    }
}

/// [`Samples`] that are rows of values.
struct SamplesAsRows<'a>(Samples<'a>);

impl Kernel for SamplesAsRows<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Samples { job, samples, work, mut gradients } = self.0;
        let Job { geometry, affine, fused, input, grad_output, wanted, .. } = *job;
        let (len, end) = (geometry.width(), samples.end);
        let block = if gradients.is_some() { &mut work[..2 * len] } else { &mut [] };
        for first in samples.step_by(BLOCK) {
            let count = BLOCK.min(end - first);
            let input = (input.at(first, 0).0, input.map.sample_step());
            let (eps, centered) = (geometry.eps, geometry.centered);
            let rows = RowsOf { affine, fused, eps, centered, count, len, input };
            let to = wanted.map(|Wanted { target, map, .. }| {
                let step = map.sample_step();
                (target.pointer(first * step, (count - 1) * step + len), step)
            });
            let Some(grad) = grad_output else {
                let Some(to) = to else { continue };
                // SAFETY: the shell has found the samples in both maps, and no other task has them.
                unsafe { rows.forward(simd, to) };
                continue;
            };
            block.fill(0.0);
            let (to_weight, to_bias) = block.split_at_mut(block.len() / 2);
            let sums = gradients.is_some().then(|| [to_weight, to_bias].map(<[f32]>::as_mut_ptr));
            let add_to = wanted.is_some_and(|wanted| wanted.add);
            let grad = (grad.at(first, 0).0, grad.map.sample_step());
            // SAFETY: as above; a block has two sums for each weight.
            unsafe { rows.backward(simd, ReturnedRows { grad, to, add: add_to, gradients: sums }) };
            if let Some(gradients) = &mut gradients {
                add(gradients, block);
            }
        }
    }
}

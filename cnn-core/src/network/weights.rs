//! Parameters, state and gradients of a network: each one flat buffer.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;
use std::sync::Arc;

use super::{Network, Step};
use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::layer::{Initial, Operation, Order, Parameter, step};
use crate::optim::{clip_grad_norm, clip_grad_value};
use crate::random::{Key, Purpose};

/// All that a network of type `N` keeps in files: the trainable values, the numbers of its state (running statistics), and
/// its counts (of batches), each in the order of the steps.
///
/// A clone has the same memory until either is changed: then whichever that is gets a copy first.
pub struct Weights<N> {
    all: Arc<All>,
    /// Of each trainable tensor whether it is frozen; none is if there are none.
    frozen: Vec<bool>,
    network: PhantomData<fn() -> N>,
}

/// What clones share.
#[derive(Clone)]
struct All {
    values: Buffer,
    state: Buffer,
    counts: Vec<u64>,
}

/// The gradient of a loss by all trainable values of a network of type `N`, laid out as [`Weights::values`].
pub struct Gradients<N> {
    values: Buffer,
    network: PhantomData<fn() -> N>,
}

/// A tensor of a network.
#[derive(Clone, Debug)]
pub struct Tensor<'a> {
    /// PyTorch's name, such as `conv1.weight`.
    pub name: String,
    /// What the layer says of it.
    pub parameter: Parameter,
    kept: Kept<'a>,
}

/// What a tensor is made of, as it is kept.
#[derive(Clone, Debug)]
enum Kept<'a> {
    Values(&'a [f32]),
    Count(u64),
}

impl Tensor<'_> {
    /// Its values in PyTorch's order; of a count, the f32 nearest to it.
    pub fn to_pytorch(&self) -> Vec<f32> {
        match self.kept {
            Kept::Values(kept) => {
                let mut values = vec![0.0; kept.len()];
                self.parameter.export(kept, &mut values);
                values
            }
            Kept::Count(count) => vec![count as f32],
        }
    }

    /// Its value, if it is a count, such as `num_batches_tracked`: a whole number, which f32 may not hold.
    pub fn count(&self) -> Option<u64> {
        match self.kept {
            Kept::Values(_) => None,
            Kept::Count(count) => Some(count),
        }
    }
}

/// A tensor of a network, and where its values are.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// PyTorch's name.
    pub(crate) name: String,
    pub(crate) parameter: Parameter,
    pub(crate) home: Home,
}

impl Place {
    /// What its name has in common with those of the same layer's other tensors.
    pub(crate) fn module(&self) -> &str {
        self.name.strip_suffix(self.parameter.name).expect("a tensor's name ends with that of its layer's")
    }
}

/// Where a tensor's values are.
#[derive(Clone, Debug)]
pub(crate) enum Home {
    /// Among the trainable values.
    Values(Range<usize>),
    /// Among those of the state.
    State(Range<usize>),
    /// This one of the counts.
    Count(usize),
}

/// Every tensor of the steps in PyTorch's order, with the place of its values.
pub(crate) fn places(steps: &'static [Step]) -> Vec<Place> {
    let mut places = Vec::new();
    visit(steps, "", &mut Next::default(), &mut places);
    places
}

/// The first places that are free.
#[derive(Default)]
struct Next {
    value: usize,
    state: usize,
    count: usize,
}

/// As many values from the first free place on.
fn take(next: &mut usize, len: usize) -> Range<usize> {
    let start = *next;
    *next += len;
    start..*next
}

/// The tensors of steps that are prefixed.
fn visit(steps: &[Step], prefix: &str, next: &mut Next, places: &mut Vec<Place>) {
    for step in steps.iter().filter(|step| step.shares.is_none()) {
        let path = if step.path.is_empty() { prefix.to_owned() } else { step::within(prefix, step.path) };
        if let Operation::Network(steps) = step.operation {
            visit(steps, &path, next, places);
        }
        let place = |parameter: &Parameter, home: Home| Place {
            name: step::within(&path, parameter.name),
            parameter: *parameter,
            home,
        };
        for parameter in step.operation.parameters().as_slice() {
            places.push(place(parameter, Home::Values(take(&mut next.value, parameter.len()))));
        }
        for parameter in step.operation.state().as_slice() {
            let home = match parameter.order {
                Order::Count => Home::Count(take(&mut next.count, 1).start),
                _ => Home::State(take(&mut next.state, parameter.len())),
            };
            places.push(place(parameter, home));
        }
    }
}

impl<N: Network> Weights<N> {
    /// PyTorch's default initialisation, from a seed. The numbers are not PyTorch's, their distribution is.
    pub fn new(seed: u64) -> Self {
        let mut weights = Self::zeros();
        for (index, Place { parameter, home, .. }) in places(N::STEPS).into_iter().enumerate() {
            // A count starts at zero.
            let Some(kept) = weights.numbers_mut(&home) else { continue };
            let mut values = vec![0.0; parameter.len()];
            match parameter.initial {
                Initial::Constant(value) => values.fill(value),
                Initial::Uniform(bound) => {
                    let purpose = Purpose::Initialization;
                    let key = Key { purpose, seed, step: 0, layer: index as u64, sample: 0 };
                    key.stream().fill_symmetric(bound, &mut values);
                }
            }
            parameter.import(&values, kept);
        }
        weights
    }

    pub(crate) fn zeros() -> Self {
        let state = Buffer::zeros(step::state(N::STEPS));
        let counts = vec![0; step::counts(N::STEPS)];
        let all = Arc::new(All { values: Buffer::zeros(N::PARAMETERS), state, counts });
        Self { all, frozen: Vec::new(), network: PhantomData }
    }

    /// Takes all numbers and counts of others; what is frozen stays so.
    pub(crate) fn take(&mut self, other: Self) {
        self.all = other.all;
    }

    /// Of each trainable tensor whether it is frozen; none is if there are none.
    pub(crate) fn frozen(&self) -> &[bool] {
        &self.frozen
    }

    pub(super) fn put_frozen(&mut self, frozen: Vec<bool>) {
        self.frozen = frozen;
    }

    /// The same weights, in the same memory, as those of another network, whose tensors are alike.
    ///
    /// # Panics
    /// If that has other numbers of them.
    pub(super) fn of_another<M: Network>(self) -> Weights<M> {
        let [from, to] = [N::STEPS, M::STEPS].map(|steps| (step::state(steps), step::counts(steps)));
        assert!(N::PARAMETERS == M::PARAMETERS && from == to, "{} and {} have other weights", N::NAME, M::NAME);
        Weights { all: self.all, frozen: self.frozen, network: PhantomData }
    }

    /// All of them, in memory that no clone has.
    fn own(&mut self) -> &mut All {
        Arc::make_mut(&mut self.all)
    }

    /// The trainable values in the order of the steps, each tensor as its layer keeps it.
    pub fn values(&self) -> &[f32] {
        &self.all.values
    }

    /// See [`values`](Self::values). Copies all weights if a clone has the same memory.
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.own().values
    }

    /// The numbers that are not trained, such as running statistics, in the order of the steps. Counts are whole numbers and
    /// stand apart, in [`counts`](Self::counts).
    pub fn state(&self) -> &[f32] {
        &self.all.state
    }

    /// See [`state`](Self::state).
    pub fn state_mut(&mut self) -> &mut [f32] {
        &mut self.own().state
    }

    /// The numbers of a tensor; a count has none.
    pub(crate) fn numbers_mut(&mut self, home: &Home) -> Option<&mut [f32]> {
        match home {
            Home::Values(range) => Some(&mut self.values_mut()[range.clone()]),
            Home::State(range) => Some(&mut self.state_mut()[range.clone()]),
            Home::Count(_) => None,
        }
    }

    /// The counts, such as the batches that running statistics are of, in the order of the steps; by name they are
    /// [`Tensor::count`].
    pub fn counts(&self) -> &[u64] {
        &self.all.counts
    }

    /// See [`counts`](Self::counts).
    pub fn counts_mut(&mut self) -> &mut [u64] {
        &mut self.own().counts
    }

    /// Every tensor with PyTorch's name.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        places(N::STEPS).into_iter().map(|place| self.at(place))
    }

    /// The tensor of a place.
    pub(super) fn at(&self, Place { name, parameter, home }: Place) -> Tensor<'_> {
        let kept = match home {
            Home::Values(range) => Kept::Values(&self.values()[range]),
            Home::State(range) => Kept::Values(&self.state()[range]),
            Home::Count(index) => Kept::Count(self.counts()[index]),
        };
        Tensor { name, parameter, kept }
    }
}

impl<N: Network> Gradients<N> {
    pub(crate) fn zeros() -> Self {
        Self { values: Buffer::zeros(N::PARAMETERS), network: PhantomData }
    }

    /// The values, laid out as [`Weights::values`].
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// See [`values`](Self::values).
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    pub(crate) fn buffer_mut(&mut self) -> &mut Buffer {
        &mut self.values
    }

    /// Adds those of another loss: together they are the gradient of the sum.
    ///
    /// For the parts of one batch there is [`Training::backward_shards`](crate::train::Training::backward_shards).
    pub fn add(&mut self, other: &Self) {
        self.values.iter_mut().zip(&other.values[..]).for_each(|(value, other)| *value += other);
    }

    /// Multiplies all by a factor.
    pub fn scale(&mut self, factor: f32) {
        self.values.iter_mut().for_each(|value| *value *= factor);
    }

    /// Scales them down to length `max_norm` if they are longer, and returns the length that they had.
    /// <https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html>
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when the bound is negative or not finite; the gradients are then as they were.
    pub fn clip_norm(&mut self, max_norm: f64) -> Result<f64, Error> {
        Ok(clip_grad_norm(&mut self.values, max_norm)?)
    }

    /// Cuts every value off at `clip_value` and `-clip_value`.
    /// <https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html>
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when the bound is negative or not finite; the gradients are then as they were.
    pub fn clip_value(&mut self, clip_value: f64) -> Result<(), Error> {
        Ok(clip_grad_value(&mut self.values, clip_value)?)
    }

    /// Every trainable tensor's gradient with PyTorch's name of the tensor.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        places(N::STEPS).into_iter().filter_map(|Place { name, parameter, home }| match home {
            Home::Values(range) => Some(Tensor { name, parameter, kept: Kept::Values(&self.values[range]) }),
            Home::State(_) | Home::Count(_) => None,
        })
    }
}

impl<N> Clone for Weights<N> {
    fn clone(&self) -> Self {
        Self { all: Arc::clone(&self.all), frozen: self.frozen.clone(), network: PhantomData }
    }
}

impl<N> Clone for Gradients<N> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), network: PhantomData }
    }
}

impl<N> PartialEq for Weights<N> {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (&self.all, &other.all);
        one.values[..] == other.values[..] && one.state[..] == other.state[..] && one.counts == other.counts
    }
}

impl<N: Network> fmt::Debug for Weights<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Weights<{}>({} values)", N::NAME, self.values().len())
    }
}

impl<N: Network> fmt::Debug for Gradients<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Gradients<{}>({} values)", N::NAME, self.values.len())
    }
}

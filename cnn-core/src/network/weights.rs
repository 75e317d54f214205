//! Parameters, state and gradients of a network: each one flat buffer.

use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

use super::{Network, Step};
use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::layer::{Initial, Operation, Parameter, step};
use crate::optim::clip_grad_norm;
use crate::random::{Key, Purpose};

/// All values of a network of type `N` that files keep: the trainable ones, and its state (running statistics), each in
/// the order of the steps.
pub struct Weights<N> {
    values: Buffer,
    state: Buffer,
    network: PhantomData<fn() -> N>,
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
    /// Its values, as they are kept.
    values: &'a [f32],
}

impl Tensor<'_> {
    /// Its values in PyTorch's order.
    pub fn to_pytorch(&self) -> Vec<f32> {
        let mut values = vec![0.0; self.values.len()];
        self.parameter.export(self.values, &mut values);
        values
    }
}

/// Where a tensor's values are.
#[derive(Clone, Debug)]
pub(crate) enum Home {
    /// Among the trainable values.
    Values(Range<usize>),
    /// Among those of the state.
    State(Range<usize>),
}

/// Every tensor of the steps in PyTorch's order, with the place of its values.
pub(crate) fn places(steps: &'static [Step]) -> Vec<(String, Parameter, Home)> {
    let mut places = Vec::new();
    visit(steps, "", &mut [0, 0], &mut places);
    places
}

/// The tensors of steps that are prefixed, from these numbers of trainable values and of values of the state on.
fn visit(steps: &[Step], prefix: &str, next: &mut [usize; 2], places: &mut Vec<(String, Parameter, Home)>) {
    for step in steps {
        let path = format!("{prefix}{}", step.path);
        if let Operation::Network(steps) = step.operation {
            visit(steps, &format!("{path}."), next, places);
        }
        let mut take = |parameter: &Parameter, kind: usize| {
            let start = next[kind];
            next[kind] += parameter.len();
            (format!("{path}.{}", parameter.name), start..next[kind])
        };
        for parameter in step.operation.parameters().as_slice() {
            let (name, range) = take(parameter, 0);
            places.push((name, *parameter, Home::Values(range)));
        }
        for parameter in step.operation.state().as_slice() {
            let (name, range) = take(parameter, 1);
            places.push((name, *parameter, Home::State(range)));
        }
    }
}

impl<N: Network> Weights<N> {
    /// PyTorch's default initialisation, from a seed. The numbers are not PyTorch's, their distribution is.
    pub fn new(seed: u64) -> Self {
        let mut weights = Self::zeros();
        for (index, (_, parameter, home)) in places(N::STEPS).into_iter().enumerate() {
            let mut values = vec![0.0; parameter.len()];
            match parameter.initial {
                Initial::Constant(value) => values.fill(value),
                Initial::Uniform(bound) => {
                    let purpose = Purpose::Initialization;
                    let key = Key { purpose, seed, step: 0, layer: index as u64, sample: 0 };
                    key.stream().fill_symmetric(bound, &mut values);
                }
            }
            parameter.import(&values, weights.at_mut(&home));
        }
        weights
    }

    pub(crate) fn zeros() -> Self {
        let state = Buffer::zeros(step::state(N::STEPS));
        Self { values: Buffer::zeros(N::PARAMETERS), state, network: PhantomData }
    }

    /// The trainable values in the order of the steps, each tensor as its layer keeps it.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// See [`values`](Self::values).
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// The values that are not trained, such as running statistics, in the order of the steps.
    pub fn state(&self) -> &[f32] {
        &self.state
    }

    /// See [`state`](Self::state).
    pub fn state_mut(&mut self) -> &mut [f32] {
        &mut self.state
    }

    /// The values of a tensor, as they are kept.
    pub(crate) fn at_mut(&mut self, home: &Home) -> &mut [f32] {
        match home {
            Home::Values(range) => &mut self.values[range.clone()],
            Home::State(range) => &mut self.state[range.clone()],
        }
    }

    /// Every tensor with PyTorch's name.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        places(N::STEPS).into_iter().map(|(name, parameter, home)| {
            let values = match home {
                Home::Values(range) => &self.values[range],
                Home::State(range) => &self.state[range],
            };
            Tensor { name, parameter, values }
        })
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

    /// Scales them down to length `max_norm` if they are longer, and returns the length that they had.
    /// <https://pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html>
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when the bound is negative or not finite; the gradients are then as they were.
    pub fn clip_norm(&mut self, max_norm: f64) -> Result<f64, Error> {
        Ok(clip_grad_norm(&mut self.values, max_norm)?)
    }

    /// Every trainable tensor's gradient with PyTorch's name of the tensor.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        places(N::STEPS).into_iter().filter_map(|(name, parameter, home)| match home {
            Home::Values(range) => Some(Tensor { name, parameter, values: &self.values[range] }),
            Home::State(_) => None,
        })
    }
}

impl<N> Clone for Weights<N> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), state: self.state.clone(), network: PhantomData }
    }
}

impl<N> Clone for Gradients<N> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), network: PhantomData }
    }
}

impl<N> PartialEq for Weights<N> {
    fn eq(&self, other: &Self) -> bool {
        self.values[..] == other.values[..] && self.state[..] == other.state[..]
    }
}

impl<N: Network> fmt::Debug for Weights<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Weights<{}>({} values)", N::NAME, self.values.len())
    }
}

impl<N: Network> fmt::Debug for Gradients<N> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Gradients<{}>({} values)", N::NAME, self.values.len())
    }
}

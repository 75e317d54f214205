//! Parameters and gradients of a network: each one flat buffer of the same layout.

use core::fmt;
use core::marker::PhantomData;

use super::{Network, Step};
use crate::kernel::buffer::Buffer;
use crate::layer::{Initial, Parameter};
use crate::random::{Key, Purpose};

/// All trainable values of a network of type `N`, in the order of its steps.
pub struct Weights<N> {
    values: Buffer,
    network: PhantomData<fn() -> N>,
}

/// The gradient of a loss by all trainable values of a network of type `N`, laid out as [`Weights`].
pub struct Gradients<N> {
    values: Buffer,
    network: PhantomData<fn() -> N>,
}

/// A trainable tensor of a network.
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

/// Every trainable tensor of the steps, with the place of its values.
pub(crate) fn places(steps: &'static [Step]) -> impl Iterator<Item = (String, Parameter, core::ops::Range<usize>)> {
    let mut start = 0;
    steps.iter().flat_map(move |step| {
        let parameters = step.operation.parameters();
        let places: Vec<_> = parameters
            .as_slice()
            .iter()
            .map(|parameter| {
                let place = start..start + parameter.len();
                start = place.end;
                (step.parameter_name(parameter), *parameter, place)
            })
            .collect();
        places
    })
}

fn tensors<'a>(steps: &'static [Step], values: &'a [f32]) -> impl Iterator<Item = Tensor<'a>> {
    places(steps).map(|(name, parameter, place)| Tensor { name, parameter, values: &values[place] })
}

impl<N: Network> Weights<N> {
    /// PyTorch's default initialisation, from a seed. The numbers are not PyTorch's, their distribution is.
    pub fn new(seed: u64) -> Self {
        let mut weights = Self::zeros();
        for (index, (_, parameter, place)) in places(N::STEPS).enumerate() {
            let mut values = vec![0.0; parameter.len()];
            match parameter.initial {
                Initial::Constant(value) => values.fill(value),
                Initial::Uniform(bound) => {
                    let purpose = Purpose::Initialization;
                    let key = Key { purpose, seed, step: 0, layer: index as u64, sample: 0 };
                    key.stream().fill_symmetric(bound, &mut values);
                }
            }
            parameter.import(&values, &mut weights.values[place]);
        }
        weights
    }

    pub(crate) fn zeros() -> Self {
        Self { values: Buffer::zeros(N::PARAMETERS), network: PhantomData }
    }

    /// The values in the order of the steps, each tensor as its layer keeps it.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// See [`values`](Self::values).
    pub fn values_mut(&mut self) -> &mut [f32] {
        &mut self.values
    }

    /// Every tensor with PyTorch's name.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        tensors(N::STEPS, &self.values)
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

    /// Every tensor's gradient with PyTorch's name of the tensor.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor<'_>> {
        tensors(N::STEPS, &self.values)
    }
}

impl<N> Clone for Weights<N> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), network: PhantomData }
    }
}

impl<N> Clone for Gradients<N> {
    fn clone(&self) -> Self {
        Self { values: self.values.clone(), network: PhantomData }
    }
}

impl<N> PartialEq for Weights<N> {
    fn eq(&self, other: &Self) -> bool {
        self.values[..] == other.values[..]
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

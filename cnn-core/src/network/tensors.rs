//! Tensors of a network by name.

use core::fmt;
use core::ops::{Deref, DerefMut};

use super::Network;
use super::init::Init;
use super::weights::{Home, Place, Tensor, Weights, places};
use crate::Error;
use crate::error::Nearest;
use crate::layer::Parameter;
use crate::random::{Key, Purpose};

/// The numbers of a tensor in PyTorch's order, to be read and written; the network has what was written when this is dropped.
pub struct TensorMut<'a> {
    parameter: Parameter,
    kept: &'a mut [f32],
    values: Vec<f32>,
    is_changed: bool,
}

impl TensorMut<'_> {
    /// PyTorch's sizes: `[out, in / groups, kernel height, kernel width]` of a convolution's weight.
    pub fn sizes(&self) -> &[usize] {
        self.parameter.sizes()
    }
}

impl Deref for TensorMut<'_> {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values
    }
}

impl DerefMut for TensorMut<'_> {
    fn deref_mut(&mut self) -> &mut [f32] {
        self.is_changed = true;
        &mut self.values
    }
}

impl Drop for TensorMut<'_> {
    fn drop(&mut self) {
        if self.is_changed {
            self.parameter.import(&self.values, self.kept);
        }
    }
}

impl fmt::Debug for TensorMut<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "TensorMut({:?}, {} values)", self.sizes(), self.values.len())
    }
}

/// The place of a tensor of this name.
fn place<N: Network>(name: &str) -> Result<Place, Error> {
    let places = places(N::STEPS);
    if let Some(place) = places.iter().find(|place| place.name == name) {
        return Ok(place.clone());
    }
    let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
    let nearest = Nearest::among(&names).of(name);
    Err(Error::NoTensor { network: N::NAME, name: name.to_owned(), nearest })
}

impl<N: Network> Weights<N> {
    /// The tensor with this name, PyTorch's: `fc.weight`.
    ///
    /// # Errors
    ///
    /// [`Error::NoTensor`], with names that may have been meant.
    pub fn tensor(&self, name: &str) -> Result<Tensor<'_>, Error> {
        Ok(self.at(place::<N>(name)?))
    }

    /// The numbers of the tensor with this name, in PyTorch's order, to be changed. Copies all weights first if a clone has the
    /// same memory.
    ///
    /// ```
    /// use cnn_core::prelude::*;
    ///
    /// network! {
    ///     /// A linear classifier.
    ///     pub Classifier<1, 4, 4> { flatten, fc: linear<3> }
    /// }
    ///
    /// let mut net = Classifier::new(0);
    /// net.weights_mut().tensor_mut("fc.bias")?.copy_from_slice(&[0.1, 0.2, 0.7]);
    /// assert_eq!(net.weights().tensor("fc.bias")?.to_pytorch(), [0.1, 0.2, 0.7]);
    /// assert_eq!(
    ///     net.weights_mut().tensor_mut("fc.weigth").unwrap_err().to_string(),
    ///     "Classifier has no tensor `fc.weigth`; did you mean `fc.weight`?"
    /// );
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NoTensor`], with names that may have been meant; [`Error::IsCount`] of one that has no numbers.
    pub fn tensor_mut(&mut self, name: &str) -> Result<TensorMut<'_>, Error> {
        let Place { name, parameter, home } = place::<N>(name)?;
        if let Home::Count(_) = home {
            return Err(Error::IsCount { name });
        }
        let kept = self.numbers_mut(&home).expect("it is no count");
        let mut values = vec![0.0; parameter.len()];
        parameter.export(kept, &mut values);
        Ok(TensorMut { parameter, kept, values, is_changed: false })
    }

    /// Begins anew: each tensor, trained or of the state, for which `of` says so, by its name and by what the layer says of it.
    ///
    /// ```
    /// use cnn_core::network::{Fan, Init, Nonlinearity};
    /// use cnn_core::prelude::*;
    ///
    /// network! {
    ///     /// Two layers.
    ///     pub Net<1, 8, 8> { conv1: conv2d<4, 3>, relu, flatten, fc: linear<3> }
    /// }
    ///
    /// let mut net = Net::new(0);
    /// let kaiming = Init::KaimingNormal { fan: Fan::Out, nonlinearity: Nonlinearity::Relu };
    /// net.weights_mut().initialize(1, |name, parameter| match name {
    ///     "fc.weight" => Some(Init::Orthogonal { gain: 1.0 }),
    ///     _ if parameter.name == "bias" => Some(Init::Constant(0.0)),
    ///     _ => Some(kaiming),
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Initial`] of the first tensor that cannot start so; no tensor is changed then.
    pub fn initialize(&mut self, seed: u64, mut of: impl FnMut(&str, &Parameter) -> Option<Init>) -> Result<(), Error> {
        let mut chosen = Vec::new();
        for (index, Place { name, parameter, home }) in places(N::STEPS).into_iter().enumerate() {
            if let Home::Count(_) = home {
                continue;
            }
            let Some(initial) = of(&name, &parameter) else { continue };
            if let Some(why) = initial.problem(parameter.sizes()) {
                let (sizes, initial) = (parameter.sizes().to_vec(), format!("{initial:?}"));
                return Err(Error::Initial { name, sizes, initial, why });
            }
            chosen.push((index, parameter, home, initial));
        }
        for (index, parameter, home, initial) in chosen {
            let key = Key { purpose: Purpose::Initialization, seed, step: 0, layer: index as u64, sample: 0 };
            let mut values = vec![0.0; parameter.len()];
            initial.fill(&parameter, &mut key.stream(), &mut values);
            parameter.import(&values, self.numbers_mut(&home).expect("it is no count"));
        }
        Ok(())
    }
}

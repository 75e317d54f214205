//! A network within another one.

use core::ops::Range;

use super::{Network, Step, Weights, is_within, no_part};
use crate::Error;
use crate::layer::{Operation, step};

/// Where the weights of a network within another lie.
struct Place {
    steps: &'static [Step],
    values: Range<usize>,
    state: Range<usize>,
    counts: Range<usize>,
}

/// The networks within these steps, with their names.
fn networks(steps: &'static [Step], module: &str, [value, state, count]: [usize; 3], found: &mut Vec<(String, Place)>) {
    let (mut value, mut state, mut count) = (value, state, count);
    for step in steps.iter().filter(|step| step.shares.is_none()) {
        let ends = [
            value + step.operation.parameter_count(),
            state + step.operation.state_count(),
            count + step.operation.counts(),
        ];
        if let Operation::Network(inner) = step.operation {
            let name = step::within(module, step.path);
            let place = Place { steps: inner, values: value..ends[0], state: state..ends[1], counts: count..ends[2] };
            found.push((name.clone(), place));
            networks(inner, &name, [value, state, count], found);
        }
        [value, state, count] = ends;
    }
}

/// The place of the network of this name, which is of type `M`.
fn place<N: Network, M: Network>(name: &str) -> Result<Place, Error> {
    let mut found = Vec::new();
    networks(N::STEPS, "", [0; 3], &mut found);
    let names: Vec<String> = found.iter().map(|(name, _)| name.clone()).collect();
    let mut of_name = found.into_iter().filter(|(other, _)| other == name).map(|(_, place)| place).peekable();
    if of_name.peek().is_none() {
        let is_step = step::leaves(N::STEPS).iter().any(|(path, _)| is_within(name, path));
        if !is_step {
            return Err(no_part::<N>(name, step::leaves(N::STEPS).into_iter().map(|(path, _)| path)));
        }
        return Err(Error::NotANetwork { network: N::NAME, name: name.to_owned(), networks: names });
    }
    let is_it = |place: &Place| place.steps == M::STEPS;
    of_name.find(is_it).ok_or_else(|| Error::OtherPart { network: N::NAME, name: name.to_owned(), expected: M::NAME })
}

impl<N: Network> Weights<N> {
    /// The network of type `M` that is a step of this name, with copies of the weights that it has here: to look at what it
    /// makes, to save it by itself, or, with [`put_part`](Self::put_part), to load it.
    ///
    /// ```
    /// use cnn_core::prelude::*;
    ///
    /// network! {
    ///     /// Features of a picture.
    ///     pub Backbone<1, 8, 8> { conv: conv2d<4, 3>, relu, adaptive_avg_pool2d<1>, flatten }
    ///     /// A classifier of them.
    ///     pub Classifier<1, 8, 8> { body: Backbone, fc: linear<3> }
    /// }
    ///
    /// let mut net = Classifier::new(0);
    /// net.weights_mut().put_part("body", &Backbone::new(7))?;
    /// let features = net.weights().part::<Backbone>("body")?.forward(&Batch::zeros(2));
    /// assert_eq!(net.weights().part::<Backbone>("body")?.weights(), Backbone::new(7).weights());
    /// assert_eq!(
    ///     net.weights().part::<Backbone>("bdy").unwrap_err().to_string(),
    ///     "Classifier has no part `bdy`; did you mean `body`?"
    /// );
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::NoPart`] when nothing has that name, [`Error::NotANetwork`] when it is no network, and [`Error::OtherPart`] when it
    /// is of another type.
    pub fn part<M: Network>(&self, name: &str) -> Result<M, Error> {
        let place = place::<N, M>(name)?;
        let mut part = Weights::<M>::zeros();
        part.values_mut().copy_from_slice(&self.values()[place.values]);
        part.state_mut().copy_from_slice(&self.state()[place.state]);
        part.counts_mut().copy_from_slice(&self.counts()[place.counts]);
        Ok(M::from_weights(part))
    }

    /// Gives the network that is a step of this name the weights of another one of its type. What is frozen stays so.
    ///
    /// # Errors
    ///
    /// As [`part`](Self::part); nothing is changed then.
    pub fn put_part<M: Network>(&mut self, name: &str, part: &M) -> Result<(), Error> {
        let place = place::<N, M>(name)?;
        let from = part.weights();
        self.values_mut()[place.values].copy_from_slice(from.values());
        self.state_mut()[place.state].copy_from_slice(from.state());
        self.counts_mut()[place.counts].copy_from_slice(from.counts());
        Ok(())
    }
}

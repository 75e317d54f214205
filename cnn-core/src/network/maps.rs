//! What each step of a network makes of a sample, and the gradients of that: what a predictor never keeps.

use super::Network;
use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::kernel::memory::chunk::{in_pool, threads};
use crate::kernel::memory::scratch::Scratch;
use crate::layer::{Mode, Owned, Pass, Step, step};
use crate::shape::Sizes;
use crate::tensor::{Batch, Tensor};

/// A map that steps of a network made of a sample in evaluation mode, or the gradient of one.
#[derive(Clone, Debug, PartialEq)]
pub struct FeatureMap {
    /// The steps whose map it is, by their place in [`STEPS`](Network::STEPS), counted from 0. They are several where one is
    /// done in the place of another, such as a `relu` behind a convolution, or only looks at the map, such as a `flatten`.
    pub steps: Vec<usize>,
    /// Its sizes.
    pub sizes: Sizes,
    /// Its values, channels last: `[h, w, c]`, or the features.
    pub values: Vec<f32>,
}

impl FeatureMap {
    /// The values of a channel, `[h, w]`; none of one that it does not have.
    pub fn channel(&self, channel: usize) -> impl Iterator<Item = f32> + '_ {
        self.values.iter().skip(channel).step_by(self.sizes.channels().max(1)).copied()
    }
}

/// The maps of a sample, in the order in which they are made: of every step but those within a network that is a step. Their
/// values are those of [`forward`](Network::forward).
///
/// ```
/// use cnn_core::network::feature_maps;
/// use cnn_core::prelude::*;
///
/// network! {
///     /// A classifier.
///     pub Net<1, 8, 8> { conv1: conv2d<4, 3>, relu, max_pool2d<2>, flatten, fc: linear<10> }
/// }
///
/// let maps = feature_maps(&Net::new(0), &Tensor::zeros());
/// let steps: Vec<_> = maps.iter().map(|map| (&map.steps[..], map.sizes.to_string())).collect();
/// let made = [(&[0, 1][..], "4x6x6"), (&[2, 3], "4x3x3"), (&[4], "10")];
/// assert!(steps.iter().map(|(steps, sizes)| (*steps, sizes.as_str())).eq(made));
/// ```
pub fn feature_maps<N: Network>(network: &N, input: &Tensor<N::Input>) -> Vec<FeatureMap> {
    let mut maps = Maps::new(N::STEPS);
    let mut output = Batch::<N::Output>::zeros(1);
    Room::new::<N>(network, N::MEMORY.evaluation).pass(|owned, scratch| {
        let mut view = |step, stride, values: &[f32]| maps.keep(step, stride, values);
        let mut pass = Pass::new(Mode::Evaluation, 0, 0, scratch).with_viewer(&mut view);
        N::evaluate(&mut pass, 1, owned, input.values(), output.values_mut());
    });
    maps.finish()
}

/// The gradients, by the maps of a sample in evaluation mode, of whatever has this gradient by the output: of the maps that
/// [`feature_maps`] has, in that order, but those whose gradient is the input's own. Behind a last `softmax` it is taken for
/// the gradient by what that gets.
///
/// # Errors
///
/// [`Error::Samples`] when the gradient is not that of one sample.
pub fn feature_gradients<N: Network>(
    network: &N,
    input: &Tensor<N::Input>,
    grad_output: &Batch<N::Output>,
) -> Result<Vec<FeatureMap>, Error> {
    if grad_output.len() != 1 {
        return Err(Error::Samples { expected: 1, found: grad_output.len() });
    }
    let mut maps = Maps::new(N::STEPS);
    let (mut output, mut grad_output) = (Batch::<N::Output>::zeros(1), grad_output.clone());
    let mut grad_parameters = Buffer::zeros(N::PARAMETERS);
    Room::new::<N>(network, N::MEMORY.training).pass(|mut owned, scratch| {
        let mut view = |step, stride, values: &[f32]| maps.keep(step, stride, values);
        let mut pass = Pass::new(Mode::Evaluation, 0, 0, scratch).with_viewer(&mut view);
        if let Some(last) = step::last_softmax(N::STEPS) {
            pass = pass.with_softmax_of_loss(last);
        }
        let (input, output) = (input.values(), output.values_mut());
        N::forward_steps(&mut pass, 1, owned.reborrow(), input, output);
        N::backward_steps(&mut pass, 1, owned, input, output, grad_output.values_mut(), None, &mut grad_parameters);
    });
    maps.found.reverse();
    Ok(maps.finish())
}

/// What a pass of one sample works in.
struct Room<'a> {
    parameters: &'a [f32],
    state: Buffer,
    counts: Vec<u64>,
    saved: Buffer,
    workspace: Buffer,
    scratch: Scratch,
    needs: super::Needs,
    cost: usize,
}

impl<'a> Room<'a> {
    fn new<N: Network>(network: &'a N, workspace: usize) -> Self {
        let mut state = Buffer::zeros(step::state(N::STEPS));
        state.copy_from_slice(network.weights().state());
        Self {
            parameters: network.weights().values(),
            state,
            counts: network.weights().counts().to_vec(),
            saved: Buffer::zeros(step::saved(N::STEPS)),
            workspace: Buffer::zeros(workspace),
            scratch: Scratch::default(),
            needs: N::NEEDS,
            cost: N::COST,
        }
    }

    fn pass(mut self, work: impl FnOnce(Owned<'_>, &mut Scratch) + Send) {
        in_pool(self.cost, || {
            self.scratch.prepare(self.needs, threads());
            let owned = Owned {
                parameters: self.parameters,
                state: &mut self.state,
                counts: &mut self.counts,
                saved: &mut self.saved,
                workspace: &mut self.workspace,
            };
            work(owned, &mut self.scratch);
        });
    }
}

/// The maps that were shown.
struct Maps {
    steps: &'static [Step],
    found: Vec<FeatureMap>,
}

impl Maps {
    fn new(steps: &'static [Step]) -> Self {
        Self { steps, found: Vec::new() }
    }

    fn keep(&mut self, step: usize, stride: usize, values: &[f32]) {
        let sizes = self.steps[step].output;
        let (channels, len) = (sizes.channels(), sizes.len());
        let values = match stride {
            0 => values[..len].to_vec(),
            stride => {
                values.chunks(stride).take(sizes.positions()).flat_map(|cell| &cell[..channels]).copied().collect()
            }
        };
        self.found.push(FeatureMap { steps: vec![step], sizes, values });
    }

    /// Them with the steps that have no map of their own.
    fn finish(mut self) -> Vec<FeatureMap> {
        let mut map_of: Vec<Option<usize>> = vec![None; self.steps.len()];
        for (index, map) in self.found.iter().enumerate() {
            map_of[map.steps[0]] = Some(index);
        }
        for (index, step) in self.steps.iter().enumerate() {
            let &[input] = step.inputs else { continue };
            if map_of[index].is_none()
                && let Some(map) = input.checked_sub(1).and_then(|step| map_of[step])
            {
                map_of[index] = Some(map);
                self.found[map].steps.push(index);
            }
        }
        self.found
    }
}

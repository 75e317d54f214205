//! What a run remembers of a network: all its tensors by PyTorch's names and in its order, and which are frozen.

use super::weights::{Home, Place, Weights, places};
use super::{Network, trainable};
use crate::snapshot::{Found, Record, SnapshotProblem, Staged, State};

/// Beside the names of tensors, of which none begins so.
const NETWORK: &str = "@network";
const FROZEN: &str = "@frozen";

impl<N: Network> State for N {
    fn record<'a>(&'a self, record: &mut Record<'a>) {
        record.text(NETWORK, N::NAME.to_owned());
        for tensor in self.weights().tensors() {
            match tensor.count() {
                Some(count) => record.whole(&tensor.name, count),
                None => {
                    let (name, sizes) = (tensor.name.clone(), tensor.parameter.sizes().to_vec());
                    record.values(&name, &sizes, move || tensor.to_pytorch());
                }
            }
        }
        record.text(FROZEN, self.weights().frozen_names().collect::<Vec<_>>().join("\n"));
    }

    fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
        // A network of another name fits if its tensors do; if not, that is what there is to say.
        let name = found.text(NETWORK)?;
        let mut weights = Weights::<N>::zeros();
        for Place { name: tensor, parameter, home } in places(N::STEPS) {
            let of = |problem| match problem {
                _ if name != N::NAME => found.other(NETWORK, N::NAME, &name),
                problem => problem,
            };
            if let Home::Count(index) = home {
                weights.counts_mut()[index] = found.whole(&tensor).map_err(of)?;
                continue;
            }
            let values = found.values(&tensor, parameter.sizes()).map_err(of)?;
            parameter.import(values, weights.numbers_mut(&home).expect("it is no count"));
        }
        let frozen = found.text(FROZEN)?;
        let names: Vec<&str> = frozen.lines().collect();
        let is_frozen = trainable(N::STEPS).map(|(name, ..)| names.contains(&name.as_str()));
        let is_frozen: Vec<bool> = if names.is_empty() { Vec::new() } else { is_frozen.collect() };
        if is_frozen.iter().filter(|is_frozen| **is_frozen).count() != names.len() {
            return Err(found.other(FROZEN, "names of tensors", &frozen));
        }
        Ok(Box::new(move || {
            self.weights_mut().take(weights);
            self.weights_mut().put_frozen(is_frozen);
        }))
    }
}

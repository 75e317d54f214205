//! What a run remembers of its steps.

use super::{Averaged, Training};
use crate::network::Network;
use crate::snapshot::{Found, Record, SnapshotProblem, Staged, State};

/// The seed, the number of steps, which steps of the network run in evaluation mode, and what its statistics are of: all that the
/// next step depends on.
impl<N: Network> State for Training<N> {
    fn record<'a>(&'a self, record: &mut Record<'a>) {
        record.wholes("seed_and_step", vec![self.seed(), self.step()]);
        record.whole("sync_batch_norm", u64::from(self.sync_batch_norm()));
        record.wholes("evaluates", self.evaluates().iter().map(|evaluates| u64::from(*evaluates)).collect());
    }

    fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
        let numbers = found.wholes("seed_and_step")?;
        let [seed, step] = numbers[..] else {
            return Err(found.other("seed_and_step", "2 whole numbers", &numbers.len().to_string()));
        };
        let evaluates: Vec<bool> = found.wholes("evaluates")?.into_iter().map(|evaluates| evaluates != 0).collect();
        let steps = crate::layer::step::leaves(N::STEPS).len();
        if !(evaluates.is_empty() || evaluates.len() == steps) {
            return Err(found.other("evaluates", &format!("{steps} steps"), &evaluates.len().to_string()));
        }
        let sync_batch_norm = found.whole("sync_batch_norm")? != 0;
        Ok(Box::new(move || self.go_on(seed, step, evaluates, sync_batch_norm)))
    }
}

impl<N: Network> State for Averaged<N> {
    fn record<'a>(&'a self, record: &mut Record<'a>) {
        record.within("network", self.network());
        record.whole("updates", self.updates());
    }

    fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
        let updates = found.whole("updates")?;
        let (network, own_updates) = self.parts_mut();
        let network = found.stage("network", network)?;
        Ok(Box::new(move || {
            network();
            *own_updates = updates;
        }))
    }
}

//! Training steps that several processes do together.

use core::ops::{AddAssign, Range};

use super::Training;
use super::shards::{parts, totals};
use crate::Error;
use crate::layer::Mode;
use crate::loss::{Divisors, Loss};
use crate::network::Network;
use crate::tensor::Batch;

/// Processes, or machines, that train a network together: what each says to the others. With the feature `mpi`,
/// `mpi::World` is that of an MPI run.
///
/// All of them call the same in the same order. Where something goes wrong with one, all get an error.
pub trait Processes: Sync {
    /// Which of them this one is, counted from 0.
    fn rank(&self) -> usize;

    /// How many they are.
    fn count(&self) -> usize;

    /// The numbers that each of them gives, by their ranks; all give equally many.
    ///
    /// # Errors
    ///
    /// [`Error::Process`] when one does not answer, or has failed.
    fn gather(&self, numbers: &[f64]) -> Result<Vec<Vec<f64>>, Error>;

    /// Begins to add these to what the others give: as [`sum_in_tree`] does, by rank. It goes on while this one does other things.
    fn begin_sum(&self, values: Vec<f32>);

    /// The first sum that was begun and has not been taken.
    ///
    /// # Errors
    ///
    /// As [`gather`](Self::gather).
    fn end_sum(&self) -> Result<Vec<f32>, Error>;

    /// Tells the others that this one has failed, and why.
    fn fail(&self, why: &str);
}

/// Adds lists of numbers: the first and the second, the third and the fourth, and then those sums in the same way, whatever came
/// first. Of a power of two it is a tree in which the sum of each half is a sum of its own.
///
/// ```
/// use cnn_core::train::sum_in_tree;
///
/// assert_eq!(sum_in_tree(vec![vec![1.0, 2.0], vec![3.0, 4.0], vec![5.0, 6.0]]), [9.0, 12.0]);
/// ```
pub fn sum_in_tree<T: Copy + AddAssign>(mut lists: Vec<Vec<T>>) -> Vec<T> {
    while lists.len() > 1 {
        let mut pairs = Vec::with_capacity(lists.len().div_ceil(2));
        let mut rest = lists.into_iter();
        while let Some(mut left) = rest.next() {
            if let Some(right) = rest.next() {
                left.iter_mut().zip(right).for_each(|(left, right)| *left += right);
            }
            pairs.push(left);
        }
        lists = pairs;
    }
    lists.pop().unwrap_or_default()
}

/// The shards of a step that are a process's own: as many for each, one behind the other.
///
/// ```
/// use cnn_core::train::shards_of;
///
/// assert_eq!(shards_of(1, 2, 8)?, 4..8);
/// let error = shards_of(0, 3, 8).unwrap_err();
/// assert_eq!(error.to_string(), "8 shards for 3 processes: expected two powers of two, the shards the larger");
/// # Ok::<(), cnn_core::Error>(())
/// ```
///
/// # Errors
///
/// [`Error::Shards`] when the two are no powers of two, or there are more processes than shards: the sum would depend on the
/// number of processes.
pub fn shards_of(rank: usize, processes: usize, shards: usize) -> Result<Range<usize>, Error> {
    if !(processes.is_power_of_two() && shards.is_power_of_two() && processes <= shards) {
        return Err(Error::Shards { shards, processes });
    }
    let each = shards / processes;
    Ok(rank * each..(rank + 1) * each)
}

impl<N: Network> Training<N> {
    /// [`backward_shards`](Self::backward_shards) of several processes together: each has the shards that [`shards_of`] says, and
    /// all get the loss of the whole and its gradient, with the same bits, and the same as of one process that has all shards. So
    /// the networks stay the same, if they and the optimizers were.
    ///
    /// The gradients of the last layers are on their way to the others while those of the first are still computed.
    ///
    /// # Errors
    ///
    /// As [`backward_shards`](Self::backward_shards), where what goes wrong in one process is an error in all;
    /// [`Error::Shards`]; [`Error::Process`] when one does not answer, or is at another step or has other weights.
    pub fn backward_among<L: Loss<N::Output>>(
        &mut self,
        processes: &dyn Processes,
        mode: Mode,
        network: &mut N,
        shards: &[(&Batch<N::Input>, L)],
    ) -> Result<f32, Error> {
        if processes.count() == 1 {
            return self.backward_shards(mode, network, shards);
        }
        let done = self.backward_with_others(processes, mode, network, shards);
        if let Err(error) = &done
            && !matches!(error, Error::Process { .. })
        {
            processes.fail(&error.to_string());
        }
        done
    }

    fn backward_with_others<L: Loss<N::Output>>(
        &mut self,
        processes: &dyn Processes,
        mode: Mode,
        network: &mut N,
        shards: &[(&Batch<N::Input>, L)],
    ) -> Result<f32, Error> {
        let all = shards.len() * processes.count();
        shards_of(processes.rank(), processes.count(), all)?;
        let divisors: Vec<_> = shards.iter().map(|(input, loss)| loss.divisors(input.len())).collect();
        let whole = Whole::of::<N>(processes, self, network, shards, &divisors)?;
        let parts = parts(whole.samples_before, shards, &divisors, &whole.totals);
        if self.sync_batch_norm() {
            let losses = self.backward_together(mode, network, shards, &parts, whole.samples, Some(processes))?;
            return self.end_among(processes, mode, network, losses);
        }
        let (Some(((input, loss), others)), Some((part, other_parts))) = (shards.split_last(), parts.split_last())
        else {
            return Err(Error::Shards { shards: all, processes: processes.count() });
        };
        self.tree.clear();
        let mut losses = 0.0;
        for ((input, loss), part) in others.iter().zip(other_parts) {
            losses += f64::from(self.backward_part(mode, network, input, loss, part, None, None)?);
            self.tree.push(self.gradients.buffer_mut(), &self.state);
        }
        // Behind the last shard the others get the sum of all shards here.
        let tree = core::mem::take(&mut self.tree);
        let mut begun = Vec::new();
        let mut hand_on = |values: Range<usize>, gradients: &[f32]| {
            processes.begin_sum(tree.gradients_with(values.clone(), &gradients[values.clone()]));
            begun.push(values);
        };
        let done = self.backward_part(mode, network, input, loss, part, None, Some(&mut hand_on));
        self.tree = tree;
        losses += f64::from(done?);
        processes.begin_sum(self.tree.state_with(&self.state));
        let mut sums = Vec::with_capacity(begun.len());
        for _ in &begun {
            sums.push(processes.end_sum()?);
        }
        let state = processes.end_sum()?;
        for (values, sum) in begun.into_iter().zip(sums) {
            self.gradients.values_mut()[values].copy_from_slice(&sum);
        }
        let count = all as f32;
        self.state.iter_mut().zip(state).for_each(|(value, sum)| *value = sum / count);
        self.end_among(processes, mode, network, losses)
    }

    /// The end of a step that has been done, in all processes or in none: the sum of the losses.
    fn end_among(&mut self, processes: &dyn Processes, mode: Mode, network: &mut N, losses: f64) -> Result<f32, Error> {
        let losses = processes.gather(&[losses])?;
        self.end(mode, network);
        Ok(losses.iter().map(|losses| losses[0]).sum::<f64>() as f32)
    }
}

/// What a step is of, in all processes.
struct Whole {
    totals: Vec<f64>,
    samples_before: usize,
    samples: usize,
}

impl Whole {
    /// Hears from all others what they have, and that they do the same.
    fn of<N: Network>(
        processes: &dyn Processes,
        training: &Training<N>,
        network: &N,
        shards: &[(&Batch<N::Input>, impl Loss<N::Output>)],
        divisors: &[Divisors],
    ) -> Result<Self, Error> {
        let mine = [
            training.step() as f64,
            shards.len() as f64,
            shards.iter().map(|(input, _)| input.len()).sum::<usize>() as f64,
            fingerprint(network.weights().values()),
            network.weights().frozen().iter().filter(|frozen| **frozen).count() as f64,
            f64::from(training.sync_batch_norm()),
        ];
        let same = |found: &[f64], rank: usize, what: &str, index: usize| {
            let [expected, found] = [mine[index], found[index]];
            let what = format!("it is at another {what}: expected {expected}, found {found}");
            if expected == found { Ok(()) } else { Err(Error::Process { rank, what }) }
        };
        let gathered = processes.gather(&mine)?;
        for (rank, found) in gathered.iter().enumerate() {
            same(found, rank, "step", 0)?;
            same(found, rank, "number of shards", 1)?;
            same(found, rank, "fingerprint of its weights", 3)?;
            same(found, rank, "number of frozen tensors", 4)?;
            same(found, rank, "choice of synchronized batch normalization", 5)?;
        }
        // A sum is told by a number that nothing is divided by.
        let flat = divisors.iter().flat_map(|divisors| divisors.of.iter().map(|divisor| divisor.unwrap_or(-1.0)));
        let flat: Vec<f64> = flat.collect();
        let of_each = divisors.first().map_or(0, |divisors| divisors.of.len());
        let all: Vec<Divisors> = processes
            .gather(&flat)?
            .iter()
            .flat_map(|numbers| numbers.chunks(of_each.max(1)))
            .map(|of| Divisors {
                of: of.iter().map(|divisor| (*divisor >= 0.0).then_some(*divisor)).collect(),
                is_of_outputs: divisors[0].is_of_outputs,
            })
            .collect();
        let samples = |ranks: usize| gathered[..ranks].iter().map(|found| found[2] as usize).sum();
        let (samples_before, samples) = (samples(processes.rank()), samples(gathered.len()));
        Ok(Self { totals: totals(&all), samples_before, samples })
    }
}

/// A number that other weights do not make.
fn fingerprint(values: &[f32]) -> f64 {
    // A sample of them, as all would take as long as an optimizer: networks of another seed differ everywhere.
    const SEEN: usize = 1 << 14;
    let every = values.len().div_ceil(SEEN).max(1);
    hashed(values.iter().step_by(every).map(|value| value.to_bits().into()))
}

/// A number that others do not make, to be compared among processes.
pub(crate) fn hashed(numbers: impl Iterator<Item = u64>) -> f64 {
    // FNV-1a, and of it as many bits as are whole numbers in an f64.
    let hash = numbers.fold(0xcbf2_9ce4_8422_2325, |hash: u64, number| (hash ^ number).wrapping_mul(0x0100_0000_01b3));
    (hash >> 12) as f64
}

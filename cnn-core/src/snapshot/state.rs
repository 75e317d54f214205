use super::{Found, Record, SnapshotProblem};

/// What is still to be done to put a state back, when it is known that it fits.
pub type Staged<'a> = Box<dyn FnOnce() + 'a>;

/// Something that a run remembers: networks, optimizers, training runs, averages, schedules that count, numbers and words, and
/// whatever you write of these.
///
/// ```
/// use cnn_core::snapshot::{Found, Record, SnapshotProblem, Staged, State};
///
/// /// A running mean of losses.
/// struct Smoothed {
///     mean: f64,
///     count: u64,
/// }
///
/// impl State for Smoothed {
///     fn record<'a>(&'a self, record: &mut Record<'a>) {
///         record.within("mean", &self.mean);
///         record.within("count", &self.count);
///     }
///
///     fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
///         let (mean, count) = (found.stage("mean", &mut self.mean)?, found.stage("count", &mut self.count)?);
///         Ok(Box::new(move || {
///             mean();
///             count();
///         }))
///     }
/// }
/// ```
pub trait State {
    /// Notes all of it.
    fn record<'a>(&'a self, record: &mut Record<'a>);

    /// Finds it, and what is left to do when all that belongs to a snapshot has been found: nothing is changed before that.
    ///
    /// # Errors
    ///
    /// What does not fit.
    fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem>;
}

macro_rules! plain {
    ($($of:ty: $write:ident, $read:ident;)*) => {
        $(impl State for $of {
            fn record<'a>(&'a self, record: &mut Record<'a>) {
                record.$write("", self.clone());
            }

            fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
                let value = found.$read("")?;
                Ok(Box::new(move || *self = value))
            }
        })*
    };
}

plain! {
    u64: whole, whole;
    f64: real, real;
    String: text, text;
    Vec<u64>: wholes, wholes;
    Vec<f64>: reals, reals;
}

macro_rules! array {
    ($($of:ty: $write:ident, $read:ident;)*) => {
        $(impl<const N: usize> State for [$of; N] {
            fn record<'a>(&'a self, record: &mut Record<'a>) {
                record.$write("", self.to_vec());
            }

            fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
                let values = found.$read("")?;
                let count = values.len().to_string();
                let values = values.try_into().map_err(|_| found.other("", &format!("{N} numbers"), &count))?;
                Ok(Box::new(move || *self = values))
            }
        })*
    };
}

array! {
    u64: wholes, wholes;
    f64: reals, reals;
}

impl<T: State> State for Option<T>
where
    T: Default,
{
    fn record<'a>(&'a self, record: &mut Record<'a>) {
        record.whole("is_some", self.is_some().into());
        if let Some(value) = self {
            record.within("some", value);
        }
    }

    fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
        if found.whole("is_some")? == 0 {
            return Ok(Box::new(move || *self = None));
        }
        let mut value = T::default();
        found.stage("some", &mut value)?();
        Ok(Box::new(move || *self = Some(value)))
    }
}

//! Classes of samples.

use crate::Error;

/// The class of each sample of a batch, each below `CLASSES`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels<const CLASSES: usize>(Vec<u32>);

impl<const CLASSES: usize> Labels<CLASSES> {
    /// From numbers of classes.
    ///
    /// # Errors
    ///
    /// [`Error::Label`] for the first that is not below `CLASSES`.
    pub fn new<L: Copy + Into<i64>>(labels: &[L]) -> Result<Self, Error> {
        let mut new = Self(Vec::with_capacity(labels.len()));
        new.set(labels.iter().copied())?;
        Ok(new)
    }

    /// Replaces them. Allocates only to hold more than ever before.
    ///
    /// # Errors
    ///
    /// [`Error::Label`] for the first that is not below `CLASSES`; there are no labels then.
    pub fn set<L: Into<i64>>(&mut self, labels: impl IntoIterator<Item = L>) -> Result<(), Error> {
        self.0.clear();
        for (index, label) in labels.into_iter().enumerate() {
            let label = label.into();
            match u32::try_from(label) {
                Ok(class) if (class as usize) < CLASSES => self.0.push(class),
                _ => {
                    self.0.clear();
                    return Err(Error::Label { index, label, classes: CLASSES });
                }
            }
        }
        Ok(())
    }

    /// The classes in order.
    pub fn as_slice(&self) -> &[u32] {
        &self.0
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn check(&self, samples: usize) -> Result<(), Error> {
        if self.len() == samples { Ok(()) } else { Err(Error::Samples { expected: samples, found: self.len() }) }
    }
}

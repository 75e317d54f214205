//! Classes of samples.

use core::fmt;

use crate::Error;
use crate::shape::Shape;

/// The class of each sample of a batch, or of each position of each sample's map, row by row; each below `CLASSES`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels<const CLASSES: usize>(Vec<usize>);

impl<const CLASSES: usize> Labels<CLASSES> {
    /// From numbers of classes.
    ///
    /// # Errors
    ///
    /// [`Error::Label`] for the first that is not below `CLASSES`.
    pub fn new<L: Copy + fmt::Display + TryInto<usize>>(labels: &[L]) -> Result<Self, Error> {
        let mut new = Self(Vec::with_capacity(labels.len()));
        new.set(labels.iter().copied())?;
        Ok(new)
    }

    /// Replaces them. Allocates only to hold more than ever before.
    ///
    /// # Errors
    ///
    /// [`Error::Label`] for the first that is not below `CLASSES`; there are no labels then.
    pub fn set<L: Copy + fmt::Display + TryInto<usize>>(
        &mut self,
        labels: impl IntoIterator<Item = L>,
    ) -> Result<(), Error> {
        self.0.clear();
        for (index, label) in labels.into_iter().enumerate() {
            match label.try_into() {
                Ok(class) if class < CLASSES => self.0.push(class),
                _ => {
                    self.0.clear();
                    return Err(Error::Label { index, label: label.to_string(), classes: CLASSES });
                }
            }
        }
        Ok(())
    }

    /// The classes in order.
    pub fn as_slice(&self) -> &[usize] {
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

    /// The classes of so many samples of shape `S`, so many of each; there is at least one.
    pub(super) fn of<S: Shape>(&self, samples: usize, of_each: usize) -> Result<&[usize], Error> {
        let found = self.len();
        if samples == 0 {
            Err(Error::EmptyBatch { shape: S::SIZES })
        } else if found == samples * of_each {
            Ok(&self.0)
        } else {
            Err(Error::Labels { samples, of_each, found })
        }
    }
}

//! Classes of samples.

use core::fmt;

use crate::Error;
use crate::shape::Shape;

/// The class of each sample of a batch, or of each position of each sample's map, row by row; each below `CLASSES`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels<const CLASSES: usize> {
    /// One that does not count is `CLASSES`.
    classes: Vec<usize>,
    /// Whether one does not count.
    ignores: bool,
}

impl<const CLASSES: usize> Labels<CLASSES> {
    /// From numbers of classes.
    ///
    /// # Errors
    ///
    /// [`Error::Label`] for the first that is not below `CLASSES`.
    pub fn new<L: Copy + fmt::Display + TryInto<usize>>(labels: &[L]) -> Result<Self, Error> {
        let mut new = Self { classes: Vec::with_capacity(labels.len()), ignores: false };
        new.set(labels.iter().copied())?;
        Ok(new)
    }

    /// From numbers of classes, of which this one does not count: it has no loss and no gradient, as with PyTorch's
    /// `ignore_index`. Among [`as_slice`](Self::as_slice) it is `CLASSES`.
    ///
    /// # Errors
    ///
    /// [`Error::IgnoredClass`] when it is a class; [`Error::Label`] for the first label that is neither a class nor it.
    pub fn ignoring<L: Copy + fmt::Display + TryInto<usize> + PartialEq>(
        ignored: L,
        labels: &[L],
    ) -> Result<Self, Error> {
        if let Ok(class) = ignored.try_into()
            && class < CLASSES
        {
            return Err(Error::IgnoredClass { class, classes: CLASSES });
        }
        let class = |(index, label): (usize, &L)| match (*label).try_into() {
            _ if *label == ignored => Ok(CLASSES),
            Ok(class) if class < CLASSES => Ok(class),
            _ => Err(Error::Label { index, label: label.to_string(), classes: CLASSES }),
        };
        let classes = labels.iter().enumerate().map(class).collect::<Result<Vec<_>, _>>()?;
        let ignores = classes.contains(&CLASSES);
        Ok(Self { classes, ignores })
    }

    /// Whether one does not count.
    pub(super) fn ignores(&self) -> bool {
        self.ignores
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
        self.classes.clear();
        self.ignores = false;
        for (index, label) in labels.into_iter().enumerate() {
            match label.try_into() {
                Ok(class) if class < CLASSES => self.classes.push(class),
                _ => {
                    self.classes.clear();
                    return Err(Error::Label { index, label: label.to_string(), classes: CLASSES });
                }
            }
        }
        Ok(())
    }

    /// Removes all. The memory stays.
    pub fn clear(&mut self) {
        self.classes.clear();
        self.ignores = false;
    }

    /// Adds one at the end.
    ///
    /// # Errors
    ///
    /// [`Error::Label`] when it is not below `CLASSES`; the labels are then as they were.
    pub fn push(&mut self, class: usize) -> Result<(), Error> {
        if class >= CLASSES {
            return Err(Error::Label { index: self.len(), label: class.to_string(), classes: CLASSES });
        }
        self.classes.push(class);
        Ok(())
    }

    /// Adds one at the end that does not count, as those of [`ignoring`](Self::ignoring).
    pub fn push_ignored(&mut self) {
        self.classes.push(CLASSES);
        self.ignores = true;
    }

    /// The classes in order.
    pub fn as_slice(&self) -> &[usize] {
        &self.classes
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.classes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.classes.is_empty()
    }

    /// The classes of so many samples of shape `S`, so many of each; there is at least one.
    pub(super) fn of<S: Shape>(&self, samples: usize, of_each: usize) -> Result<&[usize], Error> {
        let found = self.len();
        if samples == 0 {
            Err(Error::EmptyBatch { shape: S::SIZES })
        } else if found == samples * of_each {
            Ok(&self.classes)
        } else {
            Err(Error::Labels { samples, of_each, found })
        }
    }
}

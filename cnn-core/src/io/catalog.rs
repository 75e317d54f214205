//! What a file of weights has, or several that belong together, whatever their format: tensors by name, and where they are.

use std::path::PathBuf;

use super::number::Dtype;
use super::source::Source;
use crate::Error;
use crate::error::WeightsProblem;

/// Tensors by name, and the files that they are in.
pub(super) struct Catalog<'a> {
    pub(super) entries: Vec<Entry>,
    pub(super) files: Files<'a>,
}

/// What a file has by one name.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Which of the files it is in.
    pub(super) file: usize,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    Tensor(Tensor),
    /// What stands where a tensor is expected, in words.
    #[cfg_attr(not(feature = "pth"), expect(dead_code, reason = "all that other files have is tensors"))]
    Other(&'static str),
}

/// Where the values of a tensor are, within its file.
#[derive(Clone, Debug)]
pub(super) struct Tensor {
    pub(super) dtype: Dtype,
    pub(super) sizes: Vec<usize>,
    /// Its first byte.
    pub(super) begin: u64,
    /// Steps to the next value along each size, in values; none if they lie as they are counted, without gaps.
    pub(super) strides: Option<Vec<u64>>,
}

/// Values that lie apart are read with what is between them, up to so many times as much: more is the file of somebody who wants
/// us to read long. The rest is for tensors so small that it does not matter.
const GAPS: u64 = 16;
const SMALL: u64 = 1 << 20;

impl Tensor {
    /// Values from its first to behind its last, if they can be counted.
    pub(super) fn span(&self) -> Option<u64> {
        if self.sizes.contains(&0) {
            return Some(0);
        }
        match &self.strides {
            None => self.sizes.iter().try_fold(1_u64, |span, &size| span.checked_mul(size as u64)),
            Some(strides) => self
                .sizes
                .iter()
                .zip(strides)
                .try_fold(1_u64, |span, (&size, stride)| span.checked_add(stride.checked_mul(size as u64 - 1)?)),
        }
    }

    /// Its values, little-endian, as they are counted.
    fn read(&self, source: &Source<'_>, name: &str) -> Result<Result<Vec<u8>, WeightsProblem>, Error> {
        let (Some(bytes), Some(span)) = (self.dtype.bytes(&self.sizes), self.span()) else {
            unreachable!("a tensor of a catalog is within its file");
        };
        let Some(strides) = &self.strides else { return source.read(self.begin, bytes, Some(name)).map(Ok) };
        let item = self.dtype.bits() / 8;
        if span * item > bytes.saturating_mul(GAPS).saturating_add(SMALL) {
            let (expected, found) = (format!("{bytes} bytes near one another"), format!("them within {}", span * item));
            return Ok(Err(WeightsProblem::Entry { name: name.to_owned(), expected, found }));
        }
        let held = source.read(self.begin, span * item, Some(name))?;
        Ok(Ok(gather(&held, item as usize, &self.sizes, strides)))
    }
}

/// Items of so many bytes, which lie apart, one behind the other.
fn gather(held: &[u8], item: usize, sizes: &[usize], strides: &[u64]) -> Vec<u8> {
    let mut gathered = Vec::with_capacity(sizes.iter().product::<usize>() * item);
    if sizes.contains(&0) {
        return gathered;
    }
    let mut index = vec![0; sizes.len()];
    let mut at = 0;
    loop {
        gathered.extend_from_slice(&held[at * item..][..item]);
        // The next place, as a counter whose last digit turns fastest.
        let Some(digit) = (0..sizes.len()).rev().find(|&digit| index[digit] + 1 < sizes[digit]) else {
            return gathered;
        };
        for later in digit + 1..sizes.len() {
            at -= index[later] * strides[later] as usize;
            index[later] = 0;
        }
        index[digit] += 1;
        at += strides[digit] as usize;
    }
}

/// Files, one of which is open at a time.
pub(super) struct Files<'a> {
    /// The file, or the index.
    whole: Source<'a>,
    /// Which shard is open.
    open: Option<(usize, Source<'a>)>,
    /// Where the shards are, and how the index calls them; empty for a file that is not one of several.
    shards: Vec<(String, PathBuf)>,
}

impl<'a> Files<'a> {
    pub(super) fn one(source: Source<'a>) -> Self {
        Self::several(source, Vec::new())
    }

    pub(super) fn several(index: Source<'a>, shards: Vec<(String, PathBuf)>) -> Self {
        Self { whole: index, open: None, shards }
    }

    /// Reads an entry's values; files are opened one after the other if it is asked for the entries in that order.
    pub(super) fn read(
        &mut self,
        file: usize,
        tensor: &Tensor,
        name: &str,
    ) -> Result<Result<Vec<u8>, WeightsProblem>, Error> {
        let Some((_, path)) = self.shards.get(file) else { return tensor.read(&self.whole, name) };
        let source = match self.open.take() {
            Some((open, source)) if open == file => source,
            _ => Source::open(path)?,
        };
        let (_, source) = self.open.insert((file, source));
        tensor.read(source, name)
    }

    /// Problems with what the file says.
    pub(super) fn problems(&self, problems: Vec<WeightsProblem>) -> Error {
        self.whole.problems(problems)
    }

    /// A problem with a tensor of a file, and which of several that is.
    pub(super) fn within(&self, file: usize, problem: WeightsProblem) -> WeightsProblem {
        match self.shards.get(file) {
            Some((shard, _)) => WeightsProblem::Shard { shard: shard.clone(), problem: Box::new(problem) },
            None => problem,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_lie_apart_are_gathered() {
        let held: Vec<u8> = (0..12).collect();
        assert_eq!(gather(&held, 2, &[2, 3], &[3, 1]), held);
        assert_eq!(gather(&held, 2, &[3, 2], &[1, 3]), [0, 1, 6, 7, 2, 3, 8, 9, 4, 5, 10, 11]);
        assert_eq!(gather(&held, 1, &[2, 2, 2], &[0, 5, 2]), [0, 2, 5, 7, 0, 2, 5, 7]);
        assert_eq!((gather(&held, 4, &[], &[]), gather(&held, 4, &[3, 0], &[1, 1])), (held[..4].to_vec(), vec![]));
    }
}

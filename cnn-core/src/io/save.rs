//! From a network to a safetensors file.

use std::path::Path;

use super::load::not_a_number;
use super::number::{F32, I64};
use super::write::{Piece, write};
use crate::Error;
use crate::network::{Network, Weights};

/// Writes a file that changes as a whole.
pub(super) fn save<N: Network>(weights: &Weights<N>, path: &Path) -> Result<(), Error> {
    let problems: Vec<_> =
        weights.tensors().filter_map(|tensor| not_a_number(&tensor.name, &tensor.to_pytorch())).collect();
    if !problems.is_empty() {
        return Err(Error::Weights { path: path.to_owned(), problems });
    }
    let pieces = weights.tensors().map(|tensor| Piece {
        name: tensor.name.clone(),
        dtype: if tensor.count().is_some() { I64 } else { F32 },
        sizes: tensor.parameter.sizes().to_vec(),
        bytes: Box::new(move || match tensor.count() {
            Some(count) => count.to_le_bytes().to_vec(),
            None => tensor.to_pytorch().iter().flat_map(|value| value.to_le_bytes()).collect(),
        }),
    });
    write(path, pieces.collect())
}

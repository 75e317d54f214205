//! From a network to a safetensors file.

use std::io::Write;
use std::path::Path;

use super::load::not_a_number;
use super::number::{Dtype, F32, I64};
use super::replace::replace_file;
use crate::Error;
use crate::network::{Network, Tensor, Weights};

/// Writes a file that changes as a whole.
pub(super) fn save<N: Network>(weights: &Weights<N>, path: &Path) -> Result<(), Error> {
    let mut tensors: Vec<Tensor<'_>> = weights.tensors().collect();
    let problems: Vec<_> =
        tensors.iter().filter_map(|tensor| not_a_number(&tensor.name, &tensor.to_pytorch())).collect();
    if !problems.is_empty() {
        return Err(Error::Weights { path: path.to_owned(), problems });
    }
    // As the crate `safetensors` orders them: wide numbers first, so that all are aligned; then by name.
    tensors.sort_by(|left, right| {
        let order = |tensor: &Tensor<'_>| u64::MAX - dtype(tensor).bits();
        order(left).cmp(&order(right)).then_with(|| left.name.cmp(&right.name))
    });
    let header = header(&tensors);
    let write = |file: &mut dyn Write| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        for tensor in &tensors {
            match tensor.count() {
                Some(count) => file.write_all(&count.to_le_bytes())?,
                None => tensor.to_pytorch().iter().try_for_each(|value| file.write_all(&value.to_le_bytes()))?,
            }
        }
        Ok(())
    };
    replace_file(path, write).map_err(|error| Error::Io { path: path.to_owned(), error })
}

/// The JSON in front of them, with spaces behind it that align what follows.
fn header(tensors: &[Tensor<'_>]) -> String {
    let mut header = String::from("{");
    let mut begin = 0;
    for (index, tensor) in tensors.iter().enumerate() {
        let (dtype, sizes) = (dtype(tensor), tensor.parameter.sizes());
        let end = begin + dtype.bytes(sizes).expect("it is in memory");
        let comma = if index == 0 { "" } else { "," };
        let sizes = sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        header += &format!(
            r#"{comma}{}:{{"dtype":"{}","shape":[{sizes}],"data_offsets":[{begin},{end}]}}"#,
            serde_json::Value::from(&*tensor.name),
            dtype.name()
        );
        begin = end;
    }
    header.push('}');
    header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
    header
}

fn dtype(tensor: &Tensor<'_>) -> Dtype {
    if tensor.count().is_some() { I64 } else { F32 }
}

//! Which bytes of a file a tensor is: views of storages, which are not trusted to be within them.

use super::globals::{Numbers, Rebuild};
use super::pickle::{Made, Object, Storage, Value};
use crate::error::WeightsProblem;
use crate::io::catalog::{self, Tensor};
use crate::io::number::Dtype;

/// As many sizes has no tensor of PyTorch's.
const MOST_SIZES: usize = 64;

/// Where a storage is in the file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) begin: u64,
    pub(super) bytes: u64,
}

/// The number of bytes of each.
pub(super) fn bytes_each(numbers: Numbers) -> u64 {
    match numbers {
        Numbers::Plain(dtype) => dtype.bits() / 8,
        Numbers::Bytes => 1,
        Numbers::Odd(_, bytes) => bytes,
    }
}

/// The tensor that a function would make of its arguments, if its storages are where `place` says.
pub(super) fn tensor(
    made: &Made,
    name: &str,
    rebuild: Rebuild,
    arguments: Value,
    place: impl FnOnce(&Storage) -> Result<Place, WeightsProblem>,
) -> Result<catalog::Value, WeightsProblem> {
    let wrong = |expected: String, found: String| WeightsProblem::Entry { name: name.to_owned(), expected, found };
    let arguments = made.elements(arguments).unwrap_or(&[]);
    let dtype = match (rebuild, arguments) {
        (Rebuild::Other(what), _) => return Ok(catalog::Value::Other(what)),
        (Rebuild::TypedTensor, [_, _, _, _, _, _, Value::Global(super::globals::Global::Numbers(numbers)), ..]) => {
            Some(*numbers)
        }
        _ => None,
    };
    // Marks of a view whose values are not those of its storage: negated, or conjugated.
    let marks = arguments.get(if dtype.is_some() { 7 } else { 6 });
    if marks.is_some_and(|marks| made.pairs(*marks).is_some_and(|mut pairs| pairs.next().is_some())) {
        return Ok(catalog::Value::Other("a tensor whose values are negated or conjugated; save a copy of it"));
    }
    let broken = || wrong("a storage, an offset, sizes and strides".to_owned(), "other arguments".to_owned());
    let [storage, Value::Int(offset), sizes, strides, ..] = *arguments else { return Err(broken()) };
    let Some(Object::Storage(storage)) = made.object(storage) else { return Err(broken()) };
    let (Some(sizes), Some(strides)) = (whole(made, sizes), whole(made, strides)) else {
        return Err(wrong("sizes and strides from 0 on".to_owned(), "others".to_owned()));
    };
    let (Ok(offset), true) = (u64::try_from(offset), sizes.len() == strides.len() && sizes.len() <= MOST_SIZES) else {
        let found = format!("offset {offset}, {} and {}", sizes.len(), strides.len());
        return Err(wrong(format!("an offset from 0 on, as many sizes as strides, {MOST_SIZES} at most"), found));
    };
    let dtype = match dtype.unwrap_or(storage.numbers) {
        Numbers::Plain(dtype) => dtype,
        Numbers::Bytes => Dtype::named("U8").expect("a type of safetensors"),
        Numbers::Odd(what, _) => return Ok(catalog::Value::Other(what)),
    };
    let stored = bytes_each(storage.numbers);

    let each = dtype.bits() / 8;
    let held = storage.len.checked_mul(stored);
    let begin = storage.offset.checked_mul(stored).zip(offset.checked_mul(each));
    let begin = begin.and_then(|(storage, offset)| storage.checked_add(offset));
    let mut tensor = Tensor { dtype, sizes, begin: 0, strides: Some(strides) };
    let end = tensor.span().and_then(|span| offset.checked_add(span)?.checked_mul(each));
    let (Some(held), Some(begin), Some(end), Some(_)) = (held, begin, end, dtype.bytes(&tensor.sizes)) else {
        return Err(wrong("values that can be counted".to_owned(), format!("{} {:?}", dtype.name(), tensor.sizes)));
    };
    if end > held {
        let Tensor { sizes, strides, .. } = tensor;
        let strides = strides.unwrap_or_default();
        let found = format!("offset {offset}, sizes {sizes:?} and strides {strides:?}, which end at byte {end}");
        return Err(wrong(format!("values within its storage of {held} bytes"), found));
    }
    let place = place(storage)?;
    let needed = begin.checked_add(end - offset * each);
    if needed.is_none_or(|needed| needed > place.bytes) {
        return Err(wrong(format!("a storage of {held} bytes"), format!("{} in the file", place.bytes)));
    }
    tensor.begin = place.begin + begin;
    if is_dense(&tensor) {
        tensor.strides = None;
    }
    Ok(catalog::Value::Tensor(tensor))
}

/// Whole numbers from 0 on.
fn whole<T: TryFrom<i64>>(made: &Made, list: Value) -> Option<Vec<T>> {
    let number = |value: &Value| match value {
        Value::Int(number) if *number >= 0 => T::try_from(*number).ok(),
        _ => None,
    };
    made.elements(list)?.iter().take(MOST_SIZES + 1).map(number).collect()
}

/// Whether its values lie as they are counted, without gaps.
fn is_dense(tensor: &Tensor) -> bool {
    let Some(strides) = &tensor.strides else { return true };
    let mut dense = 1_u64;
    tensor.sizes.contains(&0)
        || tensor.sizes.iter().zip(strides).rev().all(|(&size, &stride)| {
            let is_dense = size == 1 || stride == dense;
            dense = dense.saturating_mul(size as u64);
            is_dense
        })
}

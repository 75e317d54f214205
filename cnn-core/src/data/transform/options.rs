//! Options of transforms that several have.

use super::DataError;

pub(super) fn wrong(option: &'static str, value: impl ToString, wants: &'static str) -> DataError {
    DataError::TransformOption { option, value: value.to_string(), wants }
}

pub(super) fn probability(p: f64) -> Result<(), DataError> {
    if (0.0..=1.0).contains(&p) { Ok(()) } else { Err(wrong("p", p, "a probability is from 0 to 1")) }
}

pub(super) fn size([height, width]: [usize; 2]) -> Result<(), DataError> {
    // As many bytes as memory can have, of any number of channels that a picture has.
    let fits = height
        .checked_mul(width)
        .and_then(|pixels| pixels.checked_mul(16))
        .is_some_and(|bytes| bytes <= isize::MAX as usize);
    if height > 0 && width > 0 && fits {
        Ok(())
    } else {
        Err(wrong("size", format!("{height} x {width}"), "a picture has 1 pixel or more, and no more than memory has"))
    }
}

/// Two finite numbers, the second not below the first, which is not below `least`.
pub(super) fn range(
    option: &'static str,
    [low, high]: [f64; 2],
    least: f64,
    wants: &'static str,
) -> Result<(), DataError> {
    if low >= least && low <= high && high.is_finite() {
        Ok(())
    } else {
        Err(wrong(option, format!("[{low}, {high}]"), wants))
    }
}

/// Shares of an area, and proportions.
pub(super) fn scale_and_ratio(scale: [f64; 2], ratio: [f64; 2]) -> Result<(), DataError> {
    range("scale", scale, 0.0, "shares of an area are two finite numbers from 0 up, the lesser first")?;
    range("ratio", ratio, f64::MIN_POSITIVE, "proportions are two finite numbers above 0, the lesser first")
}

/// As Python rounds: of two that are equally near, the even one.
pub(super) fn round(value: f64) -> f64 {
    value.round_ties_even()
}

//! Numbers as safetensors files keep them, little-endian.

use super::half::{bf16_to_f32, f16_to_f32};

/// A type of numbers: its name and its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dtype(&'static (&'static str, u64));

pub(super) const F32: Dtype = Dtype(&("F32", 32));
pub(super) const F64: Dtype = Dtype(&("F64", 64));
pub(super) const I64: Dtype = Dtype(&("I64", 64));
pub(super) const U64: Dtype = Dtype(&("U64", 64));
pub(super) const U8: Dtype = Dtype(&("U8", 8));

/// All that the format has. <https://docs.rs/safetensors/latest/safetensors/tensor/enum.Dtype.html>
static DTYPES: [(&str, u64); 22] = [
    ("F32", 32),
    ("F16", 16),
    ("BF16", 16),
    ("F64", 64),
    ("I64", 64),
    ("I32", 32),
    ("I16", 16),
    ("I8", 8),
    ("U64", 64),
    ("U32", 32),
    ("U16", 16),
    ("U8", 8),
    ("BOOL", 8),
    ("C64", 64),
    ("F8_E5M2", 8),
    ("F8_E4M3", 8),
    ("F8_E5M2FNUZ", 8),
    ("F8_E4M3FNUZ", 8),
    ("F8_E8M0", 8),
    ("F6_E2M3", 6),
    ("F6_E3M2", 6),
    ("F4", 4),
];

impl Dtype {
    pub(super) fn named(name: &str) -> Option<Self> {
        DTYPES.iter().find(|(known, _)| *known == name).map(Self)
    }

    pub(super) fn name(self) -> &'static str {
        self.0.0
    }

    pub(super) fn bits(self) -> u64 {
        self.0.1
    }

    /// Bytes of a tensor of these sizes, if they are a whole number that can be counted.
    pub(super) fn bytes(self, sizes: &[usize]) -> Option<u64> {
        // A product with a zero is zero, however large the others are.
        let values = if sizes.contains(&0) { Some(0) } else { product(sizes) };
        let bits = values?.checked_mul(self.bits())?;
        bits.is_multiple_of(8).then_some(bits / 8)
    }

    /// Values as f32: exact, or of F64 the nearest, which is infinite beyond f32's range. None of a type that is no plain
    /// floating-point number: those are quantized, and what they mean is not in the tensor alone.
    pub(super) fn to_f32s(self, bytes: &[u8]) -> Option<Vec<f32>> {
        Some(match self.name() {
            "F32" => numbers(bytes).map(f32::from_le_bytes).collect(),
            "F64" => numbers(bytes).map(|bytes| f64::from_le_bytes(bytes) as f32).collect(),
            "F16" => numbers(bytes).map(|bytes| f16_to_f32(u16::from_le_bytes(bytes))).collect(),
            "BF16" => numbers(bytes).map(|bytes| bf16_to_f32(u16::from_le_bytes(bytes))).collect(),
            _ => return None,
        })
    }

    /// The first value, of any type of plain number.
    pub(super) fn to_number(self, bytes: &[u8]) -> Option<Number> {
        Some(match self.name() {
            "I8" => Number::Whole(numbers(bytes).map(i8::from_le_bytes).next()?.into()),
            "I16" => Number::Whole(numbers(bytes).map(i16::from_le_bytes).next()?.into()),
            "I32" => Number::Whole(numbers(bytes).map(i32::from_le_bytes).next()?.into()),
            "I64" => Number::Whole(numbers(bytes).map(i64::from_le_bytes).next()?.into()),
            "U8" => Number::Whole(numbers(bytes).map(u8::from_le_bytes).next()?.into()),
            "U16" => Number::Whole(numbers(bytes).map(u16::from_le_bytes).next()?.into()),
            "U32" => Number::Whole(numbers(bytes).map(u32::from_le_bytes).next()?.into()),
            "U64" => Number::Whole(numbers(bytes).map(u64::from_le_bytes).next()?.into()),
            "F64" => Number::Float(numbers(bytes).map(f64::from_le_bytes).next()?),
            _ => Number::Float((*self.to_f32s(bytes)?.first()?).into()),
        })
    }
}

/// A number before it is known whether it is a count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    /// It, if it is a count that PyTorch's `int64` holds.
    pub(super) fn to_count(self) -> Option<u64> {
        let whole = match self {
            Self::Whole(value) => value,
            // One that is not exact has a fraction, is none, or is far beyond.
            Self::Float(value) if value as i128 as f64 == value => value as i128,
            Self::Float(_) => return None,
        };
        i64::try_from(whole).ok()?.try_into().ok()
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole(value) => value.fmt(formatter),
            Self::Float(value) => write!(formatter, "{value:?}"),
        }
    }
}

fn numbers<const BYTES: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; BYTES]> {
    bytes.as_chunks().0.iter().copied()
}

fn product(sizes: &[usize]) -> Option<u64> {
    sizes.iter().try_fold(1, |product: u64, &size| product.checked_mul(size.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_that_overflow_or_end_inside_a_byte_have_no_bytes() {
        let of = |name, sizes: &[usize]| Dtype::named(name).unwrap().bytes(sizes);
        assert_eq!(of("F32", &[6, 1, 5, 5]), Some(600));
        assert_eq!((of("I64", &[]), of("F32", &[0, usize::MAX, usize::MAX])), (Some(8), Some(0)));
        assert_eq!((of("F32", &[1 << 62, 4]), of("F32", &[1 << 60])), (None, None));
        assert_eq!((of("F4", &[3]), of("F4", &[4]), of("F6_E2M3", &[4])), (None, Some(2), Some(3)));
    }

    #[test]
    fn a_count_is_a_whole_number_of_any_type() {
        let of = |name, bytes: &[u8]| Dtype::named(name).unwrap().to_number(bytes).map(Number::to_count);
        assert_eq!(of("I64", &i64::MAX.to_le_bytes()), Some(Some(i64::MAX as u64)));
        assert_eq!(of("U8", &[200]), Some(Some(200)));
        assert_eq!(of("F16", &0x4900_u16.to_le_bytes()), Some(Some(10)));
        assert_eq!(of("F32", &16_777_216_f32.to_le_bytes()), Some(Some(1 << 24)));
        assert_eq!(of("F64", &9_007_199_254_740_993_f64.to_le_bytes()), Some(Some((1 << 53) + 1 - 1)));
        for (name, bytes) in [
            ("I8", (-1_i8).to_le_bytes().to_vec()),
            ("U64", u64::MAX.to_le_bytes().to_vec()),
            ("F32", 2.5_f32.to_le_bytes().to_vec()),
            ("F32", (-1_f32).to_le_bytes().to_vec()),
            ("F32", f32::NAN.to_le_bytes().to_vec()),
            ("F32", f32::INFINITY.to_le_bytes().to_vec()),
            ("F64", 1e300_f64.to_le_bytes().to_vec()),
            ("F64", 9.3e18_f64.to_le_bytes().to_vec()),
        ] {
            assert_eq!(of(name, &bytes), Some(None), "{name} {bytes:?}");
        }
        assert_eq!(of("BOOL", &[1]), None);
    }

    #[test]
    fn f64_rounds_to_the_nearest() {
        let dtype = Dtype::named("F64").unwrap();
        let round = |value: f64| dtype.to_f32s(&value.to_le_bytes()).unwrap()[0];
        assert_eq!(round(1.0 + f64::powi(2.0, -24)), 1.0, "half way, to even");
        assert_eq!(round(1.0 + 1.5 * f64::powi(2.0, -24)), 1.0 + f32::EPSILON);
        assert_eq!((round(1e300), round(-1e300)), (f32::INFINITY, f32::NEG_INFINITY));
        assert_eq!(round(f64::from(f32::from_bits(1))), f32::from_bits(1), "a subnormal number");
    }
}

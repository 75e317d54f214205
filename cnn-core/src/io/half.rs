//! Numbers of 16 bits, as files keep them, to f32. Both conversions are exact.

/// IEEE 754 binary16: a sign, 5 bits of exponent, 10 of fraction.
pub(super) fn f16_to_f32(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 0x1f), f32::from(bits & 0x3ff));
    match exponent {
        // No number: f32's exponent of all ones, and the fraction in the place of its own upper bits.
        0x1f => f32::from_bits(u32::from(bits >> 15) << 31 | 0xff << 23 | u32::from(bits & 0x3ff) << 13),
        // Below the smallest exponent the leading one is missing.
        0 => sign * fraction * f32::powi(2.0, -24),
        _ => sign * (1024.0 + fraction) * f32::powi(2.0, exponent - 25),
    }
}

/// The upper half of an f32.
pub(super) fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binary16_has_these_values() {
        // <https://en.wikipedia.org/wiki/Half-precision_floating-point_format#Half_precision_examples>
        let values = [
            (0x0000, 0.0),
            (0x0001, 5.960_464_5e-8),
            (0x03ff, 6.097_555e-5),
            (0x0400, 6.103_515_6e-5),
            (0x3555, 0.333_251_95),
            (0x3bff, 0.999_511_7),
            (0x3c00, 1.0),
            (0x3c01, 1.000_976_6),
            (0x7bff, 65504.0),
            (0x7c00, f32::INFINITY),
            (0xc000, -2.0),
            (0xfc00, f32::NEG_INFINITY),
        ];
        for (bits, value) in values {
            assert_eq!(f16_to_f32(bits), value, "{bits:04x}");
        }
        assert!(f16_to_f32(0x8000).is_sign_negative());
        assert!(f16_to_f32(0x7e00).is_nan());
    }

    #[test]
    fn bfloat16_is_the_upper_half() {
        for value in [0.0, 1.0, -2.5, f32::INFINITY, f32::MIN_POSITIVE] {
            assert_eq!(bf16_to_f32((value.to_bits() >> 16) as u16), value);
        }
    }
}

//! Messages that const functions write.

use crate::shape::Sizes;

/// Lines, as far as they fit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Text {
    bytes: [u8; 640],
    len: usize,
}

impl Text {
    /// `conv1: ..`
    #[inline]
    pub(crate) const fn new(name: &str) -> Self {
        Self { bytes: [0; 640], len: 0 }.str(name).str(": ")
    }

    #[inline]
    pub(crate) const fn str(mut self, text: &str) -> Self {
        let mut index = 0;
        while index < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text.as_bytes()[index];
            self.len += 1;
            index += 1;
        }
        self
    }

    #[inline]
    pub(crate) const fn number(self, number: u128) -> Self {
        let text = if number >= 10 { self.number(number / 10) } else { self };
        text.str(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"][(number % 10) as usize])
    }

    /// `0.5`, `2.5e-9`.
    #[inline]
    pub(crate) const fn real(self, number: f64) -> Self {
        if number.is_nan() {
            return self.str("NaN");
        }
        let (text, size) = if number < 0.0 { (self.str("-"), -number) } else { (self, number) };
        if size.is_infinite() {
            return text.str("inf");
        }
        let (mut size, mut exponent) = (size, 0);
        if size >= 1e15 || size > 0.0 && size < 1e-5 {
            while size >= 10.0 {
                size /= 10.0;
                exponent += 1;
            }
            while size < 1.0 {
                size *= 10.0;
                exponent -= 1;
            }
        }
        // Ten digits behind the point.
        let scaled = (size * 1e10 + 0.5) as u128;
        let (whole, mut rest, mut unit) = (scaled / 10_000_000_000, scaled % 10_000_000_000, 1_000_000_000);
        let mut text = text.number(whole);
        if rest > 0 {
            text = text.str(".");
        }
        while rest > 0 {
            text = text.number(rest / unit);
            (rest, unit) = (rest % unit, unit / 10);
        }
        match exponent {
            0 => text,
            1.. => text.str("e").number(exponent as u128),
            _ => text.str("e-").number(-exponent as u128),
        }
    }

    /// `6x28x28`, or `120`.
    #[inline]
    pub(crate) const fn sizes(self, sizes: Sizes) -> Self {
        self.between(sizes, "x")
    }

    #[inline]
    pub(crate) const fn between(self, sizes: Sizes, sign: &str) -> Self {
        match sizes {
            Sizes::Map { channels, height, width } => {
                let text = self.number(channels as u128).str(sign).number(height as u128);
                text.str(sign).number(width as u128)
            }
            Sizes::Flat { features } => self.number(features as u128),
        }
    }

    /// It, unless it ends within a letter.
    pub(crate) const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => text,
            Err(_) => "a mistake in a step of a name that does not fit into a message",
        }
    }
}

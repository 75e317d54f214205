//! Options that are numbers with fractions.

use super::text::Text;
use super::{report, text_of};

/// Which numbers an option takes.
#[derive(Clone, Copy, Debug)]
pub enum Range {
    /// From 0 to 1.
    Probability,
    /// Finite.
    Finite,
    /// Finite, and at least this.
    AtLeast(f64),
    /// Finite, and above 0.
    Positive,
    /// Of cells in the output to cells in the input.
    Factor,
}

/// A number that was written.
#[derive(Clone, Copy, Debug)]
pub struct Real {
    /// It, or one that it may be.
    pub value: f64,
    mistake: Option<Text>,
}

impl Real {
    /// Panics with what is wrong with it.
    #[track_caller]
    #[inline]
    pub const fn report(&self) {
        report(&self.mistake);
    }

    /// What is wrong with it.
    #[inline]
    pub const fn mistake(&self) -> Option<&str> {
        text_of(&self.mistake)
    }

    /// It with fewer digits.
    #[inline]
    pub const fn single(&self) -> f32 {
        self.value as f32
    }

    /// Whether it has no fraction.
    #[inline]
    pub const fn is_whole(&self) -> bool {
        (self.value as usize) as f64 == self.value
    }
}

/// A number that the macro has looked at.
#[inline]
pub const fn known(value: f64) -> Real {
    Real { value, mistake: None }
}

/// A number in its range.
#[inline]
pub const fn real(name: &str, what: &str, range: Range, value: f64) -> Real {
    let text = Text::new(name).str(what);
    let (sound, instead, text) = match range {
        Range::Probability => {
            let text = text.str(" = ").real(value).str(" is no probability\nhelp: a number from 0 to 1");
            (value >= 0.0 && value <= 1.0, 0.0, text)
        }
        Range::Finite => {
            let text = text.str(" is ").real(value).str("\nhelp: a finite number");
            (value.is_finite(), 1.0, text)
        }
        Range::AtLeast(least) => {
            let text = text.str(" is ").real(value).str("\nhelp: ").str(what).str(" >= ").real(least);
            (value.is_finite() && value >= least, least, text)
        }
        Range::Positive => {
            let text = text.str(" is ").real(value).str("\nhelp: ").str(what).str(" > 0");
            (value.is_finite() && value > 0.0, 1.0, text)
        }
        Range::Factor => {
            let text = text.str(" wants numbers above 0, such as `1.5` or `(1.5, 2)`");
            (value.is_finite() && value > 0.0, 1.0, text)
        }
    };
    if sound { Real { value, mistake: None } } else { Real { value: instead, mistake: Some(text) } }
}

/// So many times as many cells, rounded down as PyTorch does.
#[inline]
pub const fn scaled(cells: usize, factor: Real) -> usize {
    if factor.is_whole() {
        return cells.saturating_mul(factor.value as usize);
    }
    (cells as f64 * factor.value) as usize
}

/// The factors of an upsampling, if one of them has a fraction.
#[inline]
pub const fn factors(vertical: Real, horizontal: Real) -> Option<[f64; 2]> {
    if vertical.is_whole() && horizontal.is_whole() { None } else { Some([vertical.value, horizontal.value]) }
}

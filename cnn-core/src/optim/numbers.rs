//! Options as numbers.

/// An option that is one number or several.
pub(super) trait Numbers: Sized {
    fn to_numbers(&self) -> Vec<f64>;

    /// None if they cannot be it.
    fn of_numbers(numbers: &[f64]) -> Option<Self>;
}

impl Numbers for f64 {
    fn to_numbers(&self) -> Vec<f64> {
        vec![*self]
    }

    fn of_numbers(numbers: &[f64]) -> Option<Self> {
        let [number] = numbers else { return None };
        Some(*number)
    }
}

impl Numbers for bool {
    fn to_numbers(&self) -> Vec<f64> {
        vec![u8::from(*self).into()]
    }

    fn of_numbers(numbers: &[f64]) -> Option<Self> {
        let [number] = numbers else { return None };
        [0.0, 1.0].contains(number).then_some(*number == 1.0)
    }
}

impl<const N: usize> Numbers for [f64; N] {
    fn to_numbers(&self) -> Vec<f64> {
        self.to_vec()
    }

    fn of_numbers(numbers: &[f64]) -> Option<Self> {
        numbers.try_into().ok()
    }
}

//! Optimizers: what a step makes of parameters and their gradient. Formulas, names and defaults are PyTorch's,
//! <https://pytorch.org/docs/stable/optim.html>.
//!
//! All of a network's parameters are one flat slice, and so are its gradient and an optimizer's state, so a step is one
//! pass. It is elementwise: its bits do not depend on threads. Hyperparameters are `f64`, as in PyTorch, and rounded to
//! `f32` where they meet the values. One that makes no sense is an [`InvalidOption`] wherever it is used. Knows no layers or
//! networks.
//!
//! # Parameters without a gradient
//!
//! A step is of all parameters. One whose gradient is zero in it is still moved by its momentum (or Adam's running mean) and
//! by weight decay, as PyTorch's is where `grad` is zeros; what PyTorch skips, as it has `grad = None`, is
//! [frozen](crate::network::Network::freeze_weights) here:
//!
//! ```
//! use cnn_core::optim::{Rule, SgdOptions};
//!
//! let (mut parameter, mut momentum) = ([1.0], [0.0]);
//! let options = SgdOptions::new(0.1).momentum(0.9);
//! for (step, gradient, expected) in [(1, 1.0, "0.900"), (2, 0.0, "0.810"), (3, 0.0, "0.729")] {
//!     options.step(step, &mut parameter, &[gradient], &mut [&mut momentum])?;
//!     assert_eq!(format!("{:.3}", parameter[0]), expected);
//! }
//! # Ok::<(), cnn_core::optim::InvalidOption>(())
//! ```
//!
//! # Subnormal numbers
//!
//! Numbers nearer to zero than `f32::MIN_POSITIVE`, 1.2e-38, are kept exactly as `f32` has them, in steps and everywhere else
//! in the library: none is flushed to zero, and the processor's modes that do so are left alone (so does PyTorch, as long as
//! nobody calls `torch.set_flush_denormal(True)`). On many processors they are slow: a step of Adam takes 2 to 4 times as long
//! where the running means are subnormal. That happens to parameters whose gradient has become zero for good, such as those
//! behind a rectifier that is never positive: Adam's mean is multiplied by 0.9 in each step, is subnormal after some 800, and
//! never gets to zero, since the last few multiples of the least number round to themselves. The parameter is not moved by it.

/// Methods that set an option each, by its name.
macro_rules! setters {
    ($($(#[$about:meta])* $option:ident: $of:ty,)*) => {
        $(
            $(#[$about])*
            #[must_use]
            pub fn $option(self, $option: $of) -> Self {
                Self { $option, ..self }
            }
        )*
    };
}

/// What a [`Rule`] says of its options, by themselves and by their own methods.
macro_rules! by_its_options {
    ($($option:ident),* $(,)?) => {
        fn numbers(&self) -> Vec<(&'static str, Vec<f64>)> {
            vec![$((stringify!($option), crate::optim::numbers::Numbers::to_numbers(&self.$option))),*]
        }

        fn with_numbers(mut self, name: &str, numbers: &[f64]) -> Option<Self> {
            match name {
                $(stringify!($option) => self.$option = crate::optim::numbers::Numbers::of_numbers(numbers)?,)*
                _ => return None,
            }
            Some(self)
        }

        fn learning_rate(&self) -> f64 {
            self.lr
        }

        fn with_learning_rate(self, lr: f64) -> Self {
            self.lr(lr)
        }

        fn check(&self) -> Result<(), InvalidOption> {
            self.validate()
        }
    };
}

mod adagrad;
mod adam;
mod clip;
mod invalid;
mod lamb;
mod numbers;
mod rmsprop;
mod rule;
pub mod schedule;
mod sgd;

use crate::kernel::memory::chunk::join;
use core::{array, mem};

pub use adagrad::AdagradOptions;
pub use adam::AdamOptions;
pub use clip::{clip_grad_norm, clip_grad_value};
pub use invalid::InvalidOption;
pub use lamb::LambOptions;
pub use rmsprop::RmsPropOptions;
pub use rule::Rule;
pub use sgd::SgdOptions;

/// Values that one thread updates at a time: small networks stay on one, and a piece is long beside handing it over.
const CHUNK: usize = 1 << 18;

/// What a gradient is multiplied by before it is gone down.
fn sign(maximize: bool) -> f32 {
    if maximize { -1.0 } else { 1.0 }
}

/// Calls `update` on pieces of equal places of the slices, in parallel: the parameters, `N` states and the gradient.
///
/// An `update` owns its numbers (`move`): behind references they might lie in the slices for all that the compiler knows,
/// and are read again for every value (SGD with momentum on LeNet-5's 61,706 parameters: 76 us, owned 17 us).
fn in_chunks<const N: usize>(
    parameters: &mut [f32],
    mut states: [&mut [f32]; N],
    gradient: &[f32],
    update: &(impl Fn(&mut [f32], [&mut [f32]; N], &[f32]) + Sync),
) {
    if parameters.len() <= CHUNK {
        return update(parameters, states, gradient);
    }
    let middle = (parameters.len() / 2).next_multiple_of(CHUNK);
    let (parameters, more_parameters) = parameters.split_at_mut(middle);
    let (gradient, more_gradient) = gradient.split_at(middle);
    let mut more_states = array::from_fn(|_| Default::default());
    for (state, more_state) in states.iter_mut().zip(&mut more_states) {
        (*state, *more_state) = mem::take(state).split_at_mut(middle);
    }
    join(
        || in_chunks(parameters, states, gradient, update),
        || in_chunks(more_parameters, more_states, more_gradient, update),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_keep_their_places() {
        let len = 3 * CHUNK + 17;
        let gradient: Vec<f32> = (0..len).map(|i| (i % 1000) as f32).collect();
        let mut parameters = vec![1.0; len];
        let mut states = [vec![2.0; len], vec![3.0; len]];
        let [first, second] = &mut states;
        in_chunks(&mut parameters, [first, second], &gradient, &|parameters, [first, second], gradient| {
            assert!(parameters.len() <= CHUNK);
            for (i, gradient) in gradient.iter().enumerate() {
                parameters[i] += gradient;
                first[i] += gradient;
                second[i] += gradient;
            }
        });
        for i in 0..len {
            let added = gradient[i];
            assert_eq!([parameters[i], states[0][i], states[1][i]], [1.0 + added, 2.0 + added, 3.0 + added]);
        }
    }
}

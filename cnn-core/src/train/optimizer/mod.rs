//! Optimizers of a network's weights: their options and state, laid out as the weights, for all of them or by groups.

mod remembered;

use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

use crate::Error;
use crate::kernel::memory::buffer::Buffer;
use crate::layer::Parameter;
use crate::network::{Gradients, Network, Resize, trainable};
use crate::optim::{AdagradOptions, AdamOptions, LambOptions, RmsPropOptions, Rule, SgdOptions};
use crate::snapshot::{Found, Record, SnapshotProblem, Staged, State};

/// What changes the weights of a network of type `N` by the gradient of a loss.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not optimize `{N}`",
    note = "gradients and an optimizer's state belong to one type of network: make an optimizer for `{N}`"
)]
pub trait Optimizer<N: Network> {
    /// One step down the gradient, of all parameters that are not [frozen](Network::freeze_weights): one whose gradient is zero is
    /// [still moved](crate::optim#parameters-without-a-gradient) by momentum and weight decay.
    fn step(&mut self, network: &mut N, gradients: &Gradients<N>);

    /// The learning rate: of parameters that are in no group.
    fn lr(&self) -> f64;

    /// Sets the learning rate of the steps that follow, as a schedule does. That of each group stays in the same proportion to it.
    ///
    /// # Errors
    ///
    /// [`Error::Option`] when it is negative or not finite; it is then as it was.
    fn set_lr(&mut self, lr: f64) -> Result<(), Error>;
}

/// Whether a parameter is a bias, a factor of a normalization, or another of one dimension or none: what many recipes let not
/// decay.
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::train::is_vector;
/// # network! { /// A classifier.
/// #     pub Net<1, 8, 8> { conv1: conv2d<4, 3>, bn1: batch_norm2d, relu, flatten, fc: linear<10> } }
///
/// let adamw = Adam::<Net>::new(AdamOptions::adamw(1e-3))?.group(is_vector, |options| options.weight_decay(0.0))?;
/// # Ok::<(), Error>(())
/// ```
pub fn is_vector(_name: &str, parameter: &Parameter) -> bool {
    parameter.rank < 2
}

/// An optimizer of a network's weights: groups of options, and what is kept of each parameter.
struct Descent<R> {
    /// The first is of what is in no other.
    groups: Vec<Group<R>>,
    /// All parameters, one run behind the other.
    runs: Vec<Run>,
    /// Of each trainable tensor whether it was frozen when the runs were made.
    frozen: Vec<bool>,
    steps: u64,
    /// Of each of [`Rule::KEEPS`] that any group keeps.
    kept: Vec<Buffer>,
}

struct Group<R> {
    options: R,
    /// Its learning rate, in shares of the first group's.
    share: f64,
}

/// Parameters that lie one behind the other and are treated alike: a tensor, or several.
struct Run {
    values: Range<usize>,
    group: usize,
    /// How many steps they have done: fewer than the optimizer if they were frozen.
    steps: u64,
    is_frozen: bool,
}

impl<R: Rule> Descent<R> {
    fn new<N: Network>(options: R) -> Result<Self, Error> {
        options.check()?;
        let groups = vec![Group { options, share: 1.0 }];
        let mut descent = Self { groups, runs: Vec::new(), frozen: Vec::new(), steps: 0, kept: Vec::new() };
        descent.keep(N::PARAMETERS, &options);
        descent.arrange::<N>(&descent.tensors::<N>());
        Ok(descent)
    }

    /// Has room for what these options keep.
    fn keep(&mut self, parameters: usize, options: &R) {
        while self.kept.len() < options.kept() {
            let mut kept = Buffer::zeros(parameters);
            // Memory that is not touched is none.
            if options.initial() != 0.0 {
                kept.fill(options.initial());
            }
            self.kept.push(kept);
        }
    }

    /// Of each tensor its group, and how many steps it has done.
    fn tensors<N: Network>(&self) -> Vec<(usize, u64)> {
        let starts = trainable(N::STEPS).map(|(.., values)| values.start);
        starts.map(|start| run_of(&self.runs, start).map_or((0, 0), |run| (run.group, run.steps))).collect()
    }

    /// Every tensor in such a group, with so many steps done. Those that are treated alike are together, where the rule is one of
    /// each value.
    fn arrange<N: Network>(&mut self, of: &[(usize, u64)]) {
        self.runs.clear();
        let tensors = trainable(N::STEPS).zip(of).enumerate();
        let tensors = tensors.map(|(tensor, ((.., values), (group, steps)))| Run {
            values,
            group: *group,
            steps: *steps,
            is_frozen: self.frozen.get(tensor) == Some(&true),
        });
        for run in tensors {
            match self.runs.last_mut() {
                Some(last) if !R::BY_TENSOR && last.is_like(&run) => last.values.end = run.values.end,
                _ => self.runs.push(run),
            }
        }
    }

    fn group<N: Network>(
        mut self,
        is_in: impl Fn(&str, &Parameter) -> bool,
        change: impl Fn(R) -> R,
    ) -> Result<Self, Error> {
        let tensors: Vec<_> = trainable(N::STEPS).collect();
        let is_new: Vec<_> = tensors.iter().map(|(name, parameter, _)| is_in(name, parameter)).collect();
        if !is_new.contains(&true) {
            let names = tensors.into_iter().map(|(name, ..)| name).collect();
            return Err(Error::NoParameters { network: N::NAME, names });
        }
        let base = self.groups[0].options.learning_rate();
        let mut of = self.tensors::<N>();
        // Of each group that some of them are in, those become one of their own.
        for before in 0..self.groups.len() {
            let taken = |tensor: &usize| is_new[*tensor] && of[*tensor].0 == before;
            let taken: Vec<_> = (0..of.len()).filter(taken).collect();
            if taken.is_empty() {
                continue;
            }
            let options = change(self.groups[before].options);
            options.check()?;
            self.keep(N::PARAMETERS, &options);
            for tensor in taken {
                of[tensor].0 = self.groups.len();
                if self.steps == 0 {
                    let values = &tensors[tensor].2;
                    self.kept.iter_mut().for_each(|kept| kept[values.clone()].fill(options.initial()));
                }
            }
            let share = if base > 0.0 { options.learning_rate() / base } else { 1.0 };
            self.groups.push(Group { options, share });
        }
        self.arrange::<N>(&of);
        Ok(self)
    }

    fn step<N: Network>(&mut self, network: &mut N, gradients: &[f32]) {
        if self.frozen != network.weights().frozen() {
            self.frozen = network.weights().frozen().to_vec();
            self.arrange::<N>(&self.tensors::<N>());
        }
        self.steps += 1;
        let parameters = network.weights_mut().values_mut();
        let Self { groups, runs, kept, .. } = self;
        for Run { values, group, steps, .. } in runs.iter_mut().filter(|run| !run.is_frozen) {
            *steps += 1;
            let options = groups[*group].options;
            let mut kept = kept.iter_mut().take(options.kept());
            let mut of_run: [&mut [f32]; MOST_KEPT] =
                core::array::from_fn(|_| kept.next().map(|kept| &mut kept[values.clone()]).unwrap_or_default());
            let of_run = &mut of_run[..options.kept()];
            options.update(*steps, &mut parameters[values.clone()], &gradients[values.clone()], of_run);
        }
    }

    fn set_lr(&mut self, lr: f64) -> Result<(), Error> {
        let at = |group: &Group<R>| group.options.with_learning_rate(lr * group.share);
        // All of them or none.
        self.groups.iter().try_for_each(|group| at(group).check())?;
        self.groups.iter_mut().for_each(|group| group.options = at(group));
        Ok(())
    }
}

impl Run {
    /// Whether what lies behind it is treated in the same way.
    fn is_like(&self, other: &Self) -> bool {
        let of = |run: &Self| (run.group, run.steps, run.is_frozen);
        of(self) == of(other) && self.values.end == other.values.start
    }
}

/// The run that a value is in.
fn run_of(runs: &[Run], value: usize) -> Option<&Run> {
    runs.iter().find(|run| run.values.contains(&value))
}

/// No rule of the library keeps more.
const MOST_KEPT: usize = 3;

macro_rules! optimizer {
    ($(#[$about:meta])* $name:ident($options:ident)) => {
        $(#[$about])*
        pub struct $name<N> {
            descent: Descent<$options>,
            network: PhantomData<fn() -> N>,
        }

        impl<N: Network> $name<N> {
            /// For a network of type `N`, before its first step.
            ///
            /// # Errors
            ///
            /// [`Error::Option`] when one makes no sense.
            pub fn new(options: $options) -> Result<Self, Error> {
                Ok(Self { descent: Descent::new::<N>(options)?, network: PhantomData })
            }

            /// With options of their own for those parameters that `is_in` says, by PyTorch's name, as `conv1.weight`, and by what
            /// the layer says of them: what `change` makes of the options that they have so far, so that groups may overlap. See
            /// [`is_vector`].
            ///
            /// # Errors
            ///
            /// [`Error::Option`] when one makes no sense; [`Error::NoParameters`] of a group of none.
            pub fn group(
                self,
                is_in: impl Fn(&str, &Parameter) -> bool,
                change: impl Fn($options) -> $options,
            ) -> Result<Self, Error> {
                Ok(Self { descent: self.descent.group::<N>(is_in, change)?, network: PhantomData })
            }

            /// How many steps it has done.
            pub fn steps(&self) -> u64 {
                self.descent.steps
            }

            /// The options of parameters that are in no group.
            pub fn options(&self) -> &$options {
                &self.descent.groups[0].options
            }

            /// For the network at another size: the state goes with it, and none of it is copied. See [`Resize`].
            pub fn resized<M: Resize<First = N::First>>(self) -> $name<M>
            where
                N: Resize,
            {
                $name { descent: self.descent, network: PhantomData }
            }
        }

        impl<N: Network> Optimizer<N> for $name<N> {
            fn step(&mut self, network: &mut N, gradients: &Gradients<N>) {
                self.descent.step(network, gradients.values());
            }

            fn lr(&self) -> f64 {
                self.options().learning_rate()
            }

            fn set_lr(&mut self, lr: f64) -> Result<(), Error> {
                self.descent.set_lr(lr)
            }
        }

        /// Its options, as schedules and groups have changed them, and all that it keeps. It goes on with the options that were
        /// noted, as PyTorch's does.
        impl<N: Network> State for $name<N> {
            fn record<'a>(&'a self, record: &mut Record<'a>) {
                self.descent.record::<N>(record);
            }

            fn stage<'a>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
                self.descent.stage::<N>(found)
            }
        }

        impl<N: Network> fmt::Debug for $name<N> {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                let (name, groups) = (stringify!($name), self.descent.groups.len());
                write!(formatter, "{name}<{}>({:?}, {groups} groups, {} steps)", N::NAME, self.options(), self.steps())
            }
        }
    };
}

optimizer! {
    /// Stochastic gradient descent, with PyTorch's options: see [`SgdOptions`].
    ///
    /// ```
    /// use cnn_core::prelude::*;
    /// # network! { /// A classifier.
    /// #     pub Net<1, 8, 8> { conv1: conv2d<4, 3>, relu, flatten, fc: linear<10> } }
    ///
    /// // The last layer learns ten times as fast.
    /// let mut sgd = Sgd::<Net>::new(SgdOptions::new(0.01).momentum(0.9))?
    ///     .group(|name, _| name.starts_with("fc."), |options| options.lr(0.1))?;
    /// sgd.set_lr(0.001)?; // and still does
    /// # Ok::<(), Error>(())
    /// ```
    Sgd(SgdOptions)
}

optimizer! {
    /// Adam, or AdamW, with PyTorch's options: see [`AdamOptions`].
    Adam(AdamOptions)
}

optimizer! {
    /// RMSprop, with PyTorch's options: see [`RmsPropOptions`].
    RmsProp(RmsPropOptions)
}

optimizer! {
    /// Adagrad, with PyTorch's options: see [`AdagradOptions`].
    Adagrad(AdagradOptions)
}

optimizer! {
    /// LAMB: see [`LambOptions`].
    Lamb(LambOptions)
}

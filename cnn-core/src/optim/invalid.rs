/// A hyperparameter that makes no sense, by its name, or values that do not go together. Nothing is changed then.
///
/// What is finite as `f64` and infinite as `f32`, in which parameters are, is not finite here.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidOption {
    /// A negative or non-finite learning rate.
    #[error("lr = {0}: a learning rate is a finite number, zero or more")]
    LearningRate(f64),
    /// A negative or non-finite momentum.
    #[error("momentum = {0}: a momentum is a finite number, zero or more")]
    Momentum(f64),
    /// A non-finite dampening.
    #[error("dampening = {0}: a dampening is a finite number")]
    Dampening(f64),
    /// A negative or non-finite weight decay.
    #[error("weight_decay = {0}: a weight decay is a finite number, zero or more")]
    WeightDecay(f64),
    /// Nesterov's momentum without momentum, or with dampening.
    #[error("nesterov = true takes a momentum and no dampening, found momentum = {momentum}, dampening = {dampening}")]
    Nesterov {
        /// The momentum it was given.
        momentum: f64,
        /// The dampening it was given.
        dampening: f64,
    },
    /// A decay rate of a moment outside `[0, 1)`.
    #[error("betas[{index}] = {beta}: a decay rate is at least 0 and below 1")]
    Beta {
        /// Which of the two.
        index: usize,
        /// What it was.
        beta: f64,
    },
    /// An epsilon that is negative, not finite, or zero in `f32`: with it a parameter without a gradient would become 0 / 0.
    #[error("eps = {0:?}: an epsilon is a finite number of f32 above zero")]
    Epsilon(f64),
    /// A schedule's step of no length.
    #[error("step_size = 0: a learning rate falls every 1 step or more")]
    StepSize,
    /// A negative or non-finite factor of a schedule.
    #[error("gamma = {0}: a factor of a learning rate is a finite number, zero or more")]
    Gamma(f64),
    /// A wave of no length.
    #[error("t_max = 0: half a wave takes 1 step or more")]
    TMax,
    /// A negative or non-finite least learning rate.
    #[error("eta_min = {0}: a learning rate is a finite number, zero or more")]
    EtaMin(f64),
    /// A cycle of no length.
    #[error("total_steps = 0: a cycle takes 1 step or more")]
    TotalSteps,
    /// A negative or non-finite greatest learning rate of a cycle.
    #[error("max_lr = {0}: a learning rate is a finite number, zero or more")]
    MaxLr(f64),
    /// A negative or non-finite least momentum of a cycle.
    #[error("base_momentum = {0}: a momentum is a finite number, zero or more")]
    BaseMomentum(f64),
    /// A negative or non-finite greatest momentum of a cycle.
    #[error("max_momentum = {0}: a momentum is a finite number, zero or more")]
    MaxMomentum(f64),
    /// A share outside `[0, 1]`.
    #[error("pct_start = {0}: a share is from 0 to 1")]
    PctStart(f64),
    /// A divisor that is not finite and positive, or so small that the learning rate is infinite.
    #[error("{name} = {value:?}: a divisor is a finite number above zero, and leaves a finite learning rate")]
    Divisor {
        /// `div_factor` or `final_div_factor`.
        name: &'static str,
        /// What it was.
        value: f64,
    },
    /// A decay rate of averaged weights outside `[0, 1)`.
    #[error("decay = {0}: a decay rate is at least 0 and below 1")]
    Decay(f64),
    /// A part of a schedule that has no steps.
    #[error("{0} = 0: it takes 1 step or more")]
    NoSteps(&'static str),
    /// Steps at which a learning rate changes, out of order.
    #[error("milestones are steps in ascending order, and the first schedule of several begins at step 0")]
    Milestones,
    /// A learning rate that would grow without a bound.
    #[error("gamma = {0}: a learning rate that falls in each step is multiplied by 1 at most")]
    Growth(f64),
    /// A factor of a learning rate that is negative, not finite, or of no use.
    #[error(
        "{name} = {value}: a factor is a finite number, zero or more, leaves a finite learning rate, and on a plateau is below 1"
    )]
    Factor {
        /// Which of them.
        name: &'static str,
        /// What it was.
        value: f64,
    },
    /// A power that is not above zero, or not finite.
    #[error("power = {0}: a power of what is left is a finite number above 0")]
    Power(f64),
    /// A threshold that is not finite.
    #[error("threshold = {0}: a threshold is a finite number")]
    Threshold(f64),
    /// A negative or non-finite least fall of a learning rate.
    #[error("eps = {0}: the least fall of a learning rate is a finite number, zero or more")]
    LeastFall(f64),
    /// A negative or non-finite bound of a gradient.
    #[error("max_norm = {0}: a bound is a finite number, zero or more")]
    MaxNorm(f64),
    /// A negative or non-finite bound of each value of a gradient.
    #[error("clip_value = {0}: a bound is a finite number, zero or more")]
    ClipValue(f64),
    /// A decay rate of running means outside `[0, 1)`.
    #[error("alpha = {0}: a decay rate is at least 0 and below 1")]
    Alpha(f64),
    /// A negative or non-finite fall of the learning rate.
    #[error("lr_decay = {0}: a decay of a learning rate is a finite number, zero or more")]
    LrDecay(f64),
    /// A negative or non-finite start of sums of squares.
    #[error("initial_accumulator_value = {0}: a sum of squares is a finite number, zero or more")]
    InitialAccumulatorValue(f64),
    /// A step before the first.
    #[error("step = 0: steps are counted from 1")]
    Step,
    /// A gradient, or an optimizer's state, of other parameters.
    #[error("{name}: expected {expected} values, one for each parameter, found {found}")]
    Length {
        /// Which of the slices.
        name: &'static str,
        /// The number of parameters.
        expected: usize,
        /// How many values there are.
        found: usize,
    },
}

/// Passes `value` if it is finite and not negative.
pub(super) fn check_not_negative(value: f64, invalid: fn(f64) -> InvalidOption) -> Result<(), InvalidOption> {
    if is_finite(value) && value >= 0.0 { Ok(()) } else { Err(invalid(value)) }
}

/// Passes decay rates of two running means.
pub(super) fn check_betas(betas: [f64; 2]) -> Result<(), InvalidOption> {
    match betas.into_iter().enumerate().find(|(_, beta)| !(0.0..1.0).contains(beta)) {
        Some((index, beta)) => Err(InvalidOption::Beta { index, beta }),
        None => Ok(()),
    }
}

/// Passes what keeps a division from dividing by zero.
pub(super) fn check_epsilon(eps: f64) -> Result<(), InvalidOption> {
    if is_finite(eps) && eps as f32 > 0.0 { Ok(()) } else { Err(InvalidOption::Epsilon(eps)) }
}

/// Whether it is finite where it meets parameters, which are `f32`.
pub(super) fn is_finite(value: f64) -> bool {
    (value as f32).is_finite()
}

/// Passes slices that have a value for each of so many parameters.
pub(super) fn check_lengths(expected: usize, slices: &[(&'static str, usize)]) -> Result<(), InvalidOption> {
    match slices.iter().find(|&&(_, found)| found != expected) {
        Some(&(name, found)) => Err(InvalidOption::Length { name, expected, found }),
        None => Ok(()),
    }
}

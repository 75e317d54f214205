//! Functions of one value, over maps that may be parts of wider ones.

use super::math;
use crate::kernel::finish::{At, From};
use crate::kernel::geometry::Activation;
use crate::kernel::isa::{Isa, Simd};
use crate::kernel::rows::{self, Rows, RowsMut, Values};
use crate::kernel::{FusedActivation, Then, Write};

/// What a function's slope is told from.
#[derive(Clone, Copy, Debug)]
pub enum Remembered<'a> {
    /// The input of the forward pass.
    Input(Rows<'a>),
    /// The output of the forward pass, where [`Activation::slope_of_output`].
    Output(Rows<'a>),
}

/// A function and its gradient. Where it is flat there is none, whatever comes in, as in PyTorch: it is not multiplied by zero.
trait Function: Copy + Sync {
    /// The function, of an activation of its kind.
    fn new(activation: Activation) -> Self;
    /// Values that take about as long as one that is only moved.
    const COST: usize = 1;
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector;
    /// The gradient of `x`, where that of the value is `grad`.
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector;
    /// Whether the gradient is told from the value in another way than from the input.
    const FROM_OUTPUT: bool = false;
    /// The gradient where the value is `y`.
    fn gradient_of_output<S: Simd>(self, simd: S, y: S::Vector, grad: S::Vector) -> S::Vector {
        self.gradient(simd, y, grad)
    }
}

/// Zero up to `least` and from `most` on, and at NaN; `inside` between them.
#[inline(always)]
fn between<S: Simd>(simd: S, x: S::Vector, [least, most]: [f32; 2], inside: S::Vector) -> S::Vector {
    let zero = simd.splat(0.0);
    let value = simd.select(simd.less(simd.splat(least), x), inside, zero);
    simd.select(simd.less(x, simd.splat(most)), value, zero)
}

/// `relu6(x + 3) / 6`, by a factor, as a division takes longer than all the rest: a sixth of 6 is 1 too.
#[inline(always)]
fn hardsigmoid<S: Simd>(simd: S, x: S::Vector) -> S::Vector {
    let x = simd.raise(simd.add(x, simd.splat(3.0)), simd.splat(0.0));
    simd.mul(simd.cap(x, simd.splat(6.0)), simd.splat(1.0 / 6.0))
}

#[derive(Clone, Copy)]
struct Relu;

impl Function for Relu {
    #[inline(always)]
    fn new(_: Activation) -> Self {
        Self
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        simd.relu(x)
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector {
        FusedActivation::Relu.gradient(simd, self.value(simd, x), grad)
    }
}

#[derive(Clone, Copy)]
struct Relu6;

impl Function for Relu6 {
    #[inline(always)]
    fn new(_: Activation) -> Self {
        Self
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        simd.cap(simd.relu(x), simd.splat(6.0))
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector {
        FusedActivation::Relu6.gradient(simd, self.value(simd, x), grad)
    }
}

#[derive(Clone, Copy)]
struct LeakyRelu {
    negative_slope: f32,
}

impl Function for LeakyRelu {
    #[inline(always)]
    fn new(activation: Activation) -> Self {
        // Of another function nobody asks.
        let Activation::LeakyRelu { negative_slope } = activation else { return Self { negative_slope: 0.0 } };
        Self { negative_slope: negative_slope as f32 }
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        let below = simd.mul(x, simd.splat(self.negative_slope));
        simd.select(simd.less(simd.splat(0.0), x), x, below)
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector {
        simd.select(simd.less(simd.splat(0.0), x), grad, simd.mul(grad, simd.splat(self.negative_slope)))
    }
}

#[derive(Clone, Copy)]
struct Sigmoid;

impl Function for Sigmoid {
    const COST: usize = 4;
    const FROM_OUTPUT: bool = true;

    #[inline(always)]
    fn new(_: Activation) -> Self {
        Self
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        math::sigmoid(simd, x)[0]
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector {
        let [value, rest] = math::sigmoid(simd, x);
        simd.mul(simd.mul(value, rest), grad)
    }

    #[inline(always)]
    fn gradient_of_output<S: Simd>(self, simd: S, y: S::Vector, grad: S::Vector) -> S::Vector {
        simd.mul(simd.mul(y, simd.sub(simd.splat(1.0), y)), grad)
    }
}

#[derive(Clone, Copy)]
struct Tanh;

impl Function for Tanh {
    const COST: usize = 4;
    const FROM_OUTPUT: bool = true;

    #[inline(always)]
    fn new(_: Activation) -> Self {
        Self
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        math::tanh(simd, x)
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector {
        simd.mul(math::tanh_slope(simd, x), grad)
    }

    #[inline(always)]
    fn gradient_of_output<S: Simd>(self, simd: S, y: S::Vector, grad: S::Vector) -> S::Vector {
        simd.mul(simd.sub(simd.splat(1.0), simd.mul(y, y)), grad)
    }
}

#[derive(Clone, Copy)]
struct Hardsigmoid;

impl Function for Hardsigmoid {
    const FROM_OUTPUT: bool = true;

    #[inline(always)]
    fn new(_: Activation) -> Self {
        Self
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        hardsigmoid(simd, x)
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector {
        between(simd, x, [-3.0, 3.0], simd.mul(grad, simd.splat(1.0 / 6.0)))
    }

    #[inline(always)]
    fn gradient_of_output<S: Simd>(self, simd: S, y: S::Vector, grad: S::Vector) -> S::Vector {
        // The last number below 3 has the value 1 too: from there on the function is flat in f32.
        between(simd, y, [0.0, 1.0], simd.mul(grad, simd.splat(1.0 / 6.0)))
    }
}

#[derive(Clone, Copy)]
struct Hardswish;

impl Function for Hardswish {
    #[inline(always)]
    fn new(_: Activation) -> Self {
        Self
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        simd.mul(x, hardsigmoid(simd, x))
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector {
        let inside = simd.mul_add(x, simd.splat(1.0 / 3.0), simd.splat(0.5));
        let value = simd.select(simd.less(simd.splat(-3.0), x), simd.mul(inside, grad), simd.splat(0.0));
        let value = simd.select(simd.less(x, simd.splat(3.0)), value, grad);
        // NaN stays.
        simd.select(simd.equal(x, x), value, x)
    }
}

#[derive(Clone, Copy)]
struct Silu;

impl Function for Silu {
    const COST: usize = 4;

    #[inline(always)]
    fn new(_: Activation) -> Self {
        Self
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        simd.mul(x, math::sigmoid(simd, x)[0])
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector {
        let [value, rest] = math::sigmoid(simd, x);
        simd.mul(simd.mul(value, simd.mul_add(x, rest, simd.splat(1.0))), grad)
    }
}

#[derive(Clone, Copy)]
struct Gelu;

impl Function for Gelu {
    const COST: usize = 6;

    #[inline(always)]
    fn new(_: Activation) -> Self {
        Self
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        simd.mul(x, math::normal(simd, x)[0])
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector {
        let [probability, density] = math::normal(simd, x);
        simd.mul(simd.mul_add(x, density, probability), grad)
    }
}

#[derive(Clone, Copy)]
struct GeluTanh;

impl GeluTanh {
    /// `2 sqrt(2 / pi)`: half of one plus `tanh(u)` is the sigmoid of `2 u`.
    const FACTOR: f32 = 1.595_769_2;
    const CUBE: f32 = 0.044_715;
}

impl Function for GeluTanh {
    const COST: usize = 4;

    #[inline(always)]
    fn new(_: Activation) -> Self {
        Self
    }

    #[inline(always)]
    fn value<S: Simd>(self, simd: S, x: S::Vector) -> S::Vector {
        let inner = simd.mul_add(simd.mul(x, x), simd.splat(Self::FACTOR * Self::CUBE), simd.splat(Self::FACTOR));
        simd.mul(x, math::sigmoid(simd, simd.mul(x, inner))[0])
    }

    #[inline(always)]
    fn gradient<S: Simd>(self, simd: S, x: S::Vector, grad: S::Vector) -> S::Vector {
        // The slope does not change any more, and cubes stay finite.
        let x = simd.raise(simd.cap(x, simd.splat(50.0)), simd.splat(-50.0));
        let square = simd.mul(x, x);
        let factor = simd.splat(Self::FACTOR);
        let inner = simd.mul_add(square, simd.splat(Self::FACTOR * Self::CUBE), factor);
        let inner_slope = simd.mul_add(square, simd.splat(3.0 * Self::FACTOR * Self::CUBE), factor);
        let [value, rest] = math::sigmoid(simd, simd.mul(x, inner));
        let slope = simd.mul(value, simd.mul_add(simd.mul(x, rest), inner_slope, simd.splat(1.0)));
        simd.mul(slope, grad)
    }
}

/// A function that the compiler knows, or one that is told when the program runs.
///
/// A network's layer is the former, by a type of its own: then its function alone is compiled, and in the program that uses
/// it. An [`Activation`] is the latter, and brings them all.
pub trait Chosen: Copy {
    /// The [`kind`](Activation::kind) of the function, or [`TOLD`].
    const KIND: u8;
    /// The function.
    fn function(self) -> Activation;
}

/// A kind that is none.
pub const TOLD: u8 = u8::MAX;

impl Chosen for Activation {
    const KIND: u8 = TOLD;

    fn function(self) -> Activation {
        self
    }
}

/// input -> output, of any shape.
pub fn forward<A: Chosen>(activation: A, channels: usize, input: Rows<'_>, output: RowsMut<'_>) {
    run(activation, channels, output, [Some(input), None], None, Write::Store);
}

/// [`forward`] in the place of its input.
pub fn forward_in_place<A: Chosen>(activation: A, channels: usize, values: RowsMut<'_>) {
    run(activation, channels, values, [None; 2], None, Write::Store);
}

/// What the forward pass took or gave, grad_output -> grad_input.
pub fn backward<A: Chosen>(
    activation: A,
    channels: usize,
    remembered: Remembered<'_>,
    grad_output: Rows<'_>,
    grad_input: RowsMut<'_>,
    write: Write,
) {
    let (values, from) = slope_from(activation.function(), remembered);
    run(activation, channels, grad_input, [Some(values), Some(grad_output)], Some(from), write);
}

/// [`backward`] in the place of the gradient.
pub fn backward_in_place<A: Chosen>(activation: A, channels: usize, remembered: Remembered<'_>, grad: RowsMut<'_>) {
    let (values, from) = slope_from(activation.function(), remembered);
    run(activation, channels, grad, [Some(values), None], Some(from), Write::Store);
}

fn slope_from(activation: Activation, remembered: Remembered<'_>) -> (Rows<'_>, From) {
    match remembered {
        Remembered::Input(values) => (values, From::Input),
        Remembered::Output(values) => {
            assert!(activation.slope_of_output(), "{activation:?} has different slopes where it has the same value");
            (values, From::Output)
        }
    }
}

/// An expression with the function of a [`kind`](Activation::kind).
macro_rules! by_kind {
    ($kind:expr, $function:ident => $value:expr) => {
        by_kind!(@ $kind, $function, $value, 0 Relu, 1 Relu6, 2 LeakyRelu, 3 Sigmoid, 4 Tanh, 5 Hardsigmoid, 6 Hardswish, 7 Silu, 8 Gelu, _ GeluTanh)
    };
    (@ $kind:expr, $function:ident, $value:expr, $($number:tt $of:ident),*) => {
        match $kind {
            $($number => {
                type $function = $of;
                $value
            })*
        }
    };
}

/// It as a function that a task applies to what it has just written. (As long as only constants call this, a program has the
/// functions alone that are in their values.)
#[inline]
pub const fn then(activation: Activation) -> Then {
    by_kind!(activation.kind(), F => Then {
        function: activation,
        cost: F::COST,
        values: values::<F>,
        gradients: gradients::<F>,
    })
}

/// # Safety
/// As [`finish::Values`](crate::kernel::finish::Values).
unsafe fn values<F: Function>(activation: Activation, isa: Isa, size: [usize; 2], values: At<*mut f32>) {
    let read = (values.0.cast_const(), values.1);
    // SAFETY: the caller's promise.
    unsafe { rows::map_here(isa, size, [read; 2], values, &Forward(F::new(activation))) };
}

/// # Safety
/// As [`finish::Gradients`](crate::kernel::finish::Gradients).
unsafe fn gradients<F: Function>(
    activation: Activation,
    isa: Isa,
    size: [usize; 2],
    from: From,
    read: [At<*const f32>; 2],
    to: At<*mut f32>,
) {
    // SAFETY: the caller's promise.
    unsafe { rows::map_here(isa, size, read, to, &Backward { function: F::new(activation), from }) };
}

/// target (+)= the function of the first operand, or where there is something that its slope is told `from`, the slope
/// times the second.
fn run<A: Chosen>(
    activation: A,
    channels: usize,
    target: RowsMut<'_>,
    operands: [Option<Rows<'_>>; 2],
    from: Option<From>,
    write: Write,
) {
    let call = Call { channels, target, operands, from, write };
    let function = activation.function();
    // A match on a constant is decided before its arms are compiled.
    match A::KIND {
        TOLD => by_kind!(function.kind(), F => call.of(F::new(function))),
        _ => by_kind!(A::KIND, F => call.of(F::new(function))),
    }
}

struct Call<'a> {
    channels: usize,
    target: RowsMut<'a>,
    operands: [Option<Rows<'a>>; 2],
    from: Option<From>,
    write: Write,
}

impl Call<'_> {
    fn of<F: Function>(self, function: F) {
        let Self { channels, target, operands, from, write } = self;
        match from {
            None => rows::map(channels, target, operands, write, Forward(function)),
            Some(from) => rows::map(channels, target, operands, write, Backward { function, from }),
        }
    }
}

struct Forward<F>(F);

impl<F: Function> Values for Forward<F> {
    const COST: usize = F::COST;

    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, x: S::Vector, _: S::Vector) -> S::Vector {
        self.0.value(simd, x)
    }
}

struct Backward<F> {
    function: F,
    from: From,
}

impl<F: Function> Values for Backward<F> {
    const COST: usize = F::COST;

    #[inline(always)]
    fn value<S: Simd>(&self, simd: S, remembered: S::Vector, grad: S::Vector) -> S::Vector {
        if F::FROM_OUTPUT && self.from == From::Output {
            self.function.gradient_of_output(simd, remembered, grad)
        } else {
            self.function.gradient(simd, remembered, grad)
        }
    }
}

//! The rule `(n - f + 2p)/s + 1`, as types and as its `const fn` twin. Nobody else in this crate writes it.

use core::marker::PhantomData;
use core::ops::{Add, Div, Mul, Sub};
use typenum::{B0, B1, IsGreaterOrEqual, U1, U2, UInt, UTerm, Unsigned};

/// A window of `Kernel` taps, `Dilation` apart, that moves by `Stride` over a map with `Pad` zeros on both sides, all of
/// them numbers of [`typenum`].
#[derive(Debug)]
pub struct Window<Kernel, Stride, Pad, Dilation>(PhantomData<(Kernel, Stride, Pad, Dilation)>);

impl<Kernel, Stride, Pad, Dilation> Window<Kernel, Stride, Pad, Dilation> {
    /// The positions that rustc derives, as a number: two types that are numbers, unified, nobody could read in an error.
    pub const fn positions<N>() -> usize
    where
        Self: Rule<N>,
    {
        <Self as Rule<N>>::Output::USIZE
    }
}

/// How many positions a window has on `N` cells: `(N + 2 Pad - Dilation (Kernel - 1) - 1)/Stride + 1`, rounded down, as
/// <https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>.
pub trait Rule<N> {
    /// The number of positions.
    type Output: Unsigned;
}

// Each intermediate number is a parameter, bound to the output of one operation: written as nested projections, rustc
// would derive the inner ones again for every outer one.
impl<N, Kernel, Stride, Pad, Dilation, Both, Padded, Gaps, Reach, Room, Rest, Steps, Positions> Rule<N>
    for Window<Kernel, Stride, Pad, Dilation>
where
    Pad: Mul<U2, Output = Both>,
    N: Add<Both, Output = Padded>,
    Kernel: Sub<B1, Output = Gaps>,
    Gaps: Mul<Dilation, Output = Reach>,
    Padded: Sub<Reach, Output = Room>,
    Room: Sub<B1, Output = Rest>,
    Stride: Divides<Rest, Output = Steps>,
    Steps: Add<B1, Output = Positions>,
    Positions: Unsigned,
{
    type Output = Positions;
}

/// A [`Window`] that gives a remainder a window of its own, as poolings in `ceil_mode`.
#[derive(Debug)]
pub struct CeilWindow<Kernel, Stride, Pad, Dilation>(PhantomData<(Kernel, Stride, Pad, Dilation)>);

impl<Kernel, Stride, Pad, Dilation> CeilWindow<Kernel, Stride, Pad, Dilation> {
    /// The positions that rustc derives, as a number.
    pub const fn positions<N>() -> usize
    where
        Self: Rule<N>,
    {
        <Self as Rule<N>>::Output::USIZE
    }
}

// Rounded up is rounded down with a stride less one more to go; the last window goes if it would start behind the map.
impl<
    N,
    Kernel,
    Stride,
    Pad,
    Dilation,
    Both,
    Padded,
    More,
    Over,
    Gaps,
    Reach,
    Room,
    Steps,
    Last,
    Behind,
    Gone,
    Most,
    Left,
> Rule<N> for CeilWindow<Kernel, Stride, Pad, Dilation>
where
    Pad: Mul<U2, Output = Both>,
    N: Add<Both, Output = Padded>,
    Stride: Sub<B1, Output = More>,
    Padded: Add<More, Output = Over>,
    Kernel: Sub<B1, Output = Gaps>,
    Gaps: Mul<Dilation, Output = Reach>,
    Over: Sub<Reach, Output = Room>,
    Room: Sub<B1>,
    Stride: Divides<<Room as Sub<B1>>::Output, Output = Steps>,
    Steps: Mul<Stride, Output = Last>,
    N: Add<Pad, Output = Behind>,
    Last: IsGreaterOrEqual<Behind, Output = Gone>,
    Steps: Add<B1, Output = Most>,
    Most: Sub<Gone, Output = Left>,
    Left: Unsigned,
{
    type Output = Left;
}

/// What a [`Window`] makes, backwards: a transposed convolution. `Pad` is the sum of both sides.
#[derive(Debug)]
pub struct Transposed<Kernel, Stride, Pad, OutputPad, Dilation>(
    PhantomData<(Kernel, Stride, Pad, OutputPad, Dilation)>,
);

impl<Kernel, Stride, Pad, OutputPad, Dilation> Transposed<Kernel, Stride, Pad, OutputPad, Dilation> {
    /// The cells that rustc derives, as a number.
    pub const fn cells<N>() -> usize
    where
        Self: Rule<N>,
    {
        <Self as Rule<N>>::Output::USIZE
    }
}

/// `(N - 1) Stride + Dilation (Kernel - 1) + 1 + OutputPad - Pad`
impl<N, Kernel, Stride, Pad, OutputPad, Dilation, Moves, Spread, Gaps, Reach, Ends, More, All, Cells> Rule<N>
    for Transposed<Kernel, Stride, Pad, OutputPad, Dilation>
where
    N: Sub<B1, Output = Moves>,
    Moves: Mul<Stride, Output = Spread>,
    Kernel: Sub<B1, Output = Gaps>,
    Gaps: Mul<Dilation, Output = Reach>,
    Spread: Add<Reach, Output = Ends>,
    Ends: Add<B1, Output = More>,
    More: Add<OutputPad, Output = All>,
    All: Sub<Pad, Output = Cells>,
    Cells: Unsigned,
{
    type Output = Cells;
}

/// `N / Self`, rounded down. typenum's division alone takes rustc half the time of a large network: strides are 1 or
/// even, and then there is next to nothing to divide.
pub trait Divides<N> {
    /// The quotient.
    type Output;
}

impl<N> Divides<N> for U1 {
    type Output = N;
}

impl<N: Half, U, B> Divides<N> for UInt<UInt<U, B>, B0>
where
    UInt<U, B>: Divides<N::Output>,
{
    type Output = <UInt<U, B> as Divides<N::Output>>::Output;
}

impl<N: Div<Self>, U, B> Divides<N> for UInt<UInt<U, B>, B1> {
    type Output = N::Output;
}

/// Half of a number, rounded down: all but its last bit.
pub trait Half {
    /// The half.
    type Output;
}

impl Half for UTerm {
    type Output = UTerm;
}

impl<U, B> Half for UInt<U, B> {
    type Output = U;
}

/// What no memory has so much of: loops that trust a number which overflowed would run out of bounds.
const fn bounded(number: Option<usize>) -> usize {
    match number {
        Some(number) if number <= isize::MAX as usize => number,
        _ => panic!("the numbers of a window make more than memory can have"),
    }
}

pub(crate) const fn sum(a: usize, b: usize) -> usize {
    bounded(a.checked_add(b))
}

pub(crate) const fn product(a: usize, b: usize) -> usize {
    bounded(a.checked_mul(b))
}

/// Cells from the first tap to the last.
const fn reach(kernel: usize, dilation: usize) -> usize {
    assert!(kernel > 0 && dilation > 0, "a window has taps, and they are apart");
    product(dilation, kernel - 1)
}

/// The twin of [`Rule`] on numbers. The window must fit the padded map; one that does not has one position, so that what
/// is computed of it while its error is on the way makes no further one.
pub const fn output(cells: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> usize {
    sum(cells, product(2, padding)).saturating_sub(sum(reach(kernel, dilation), 1)) / stride + 1
}

/// [`output`] rounded up, as poolings in `ceil_mode`: a remainder gets a window of its own, unless that would start on
/// the padding behind the map. Even the first window may hang over the end, by less than a stride.
///
/// `pooling_output_shape_pad_lr` in <https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/Pool.h>
pub const fn ceil_output(cells: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> usize {
    let room = sum(sum(cells, product(2, padding)), stride - 1);
    let positions =
        room.checked_sub(sum(reach(kernel, dilation), 1)).expect("the window does not fit the padded map") / stride + 1;
    if (positions - 1) * stride >= cells + padding { positions - 1 } else { positions }
}

/// Cells of a map on which a window has `cells` positions: `output` backwards, where `padding` is the sum of both sides and
/// `output_padding` the remainder that `output` rounds off. They must not be negative.
///
/// <https://pytorch.org/docs/stable/generated/torch.nn.ConvTranspose2d.html>
pub const fn transposed_output(
    cells: usize,
    kernel: usize,
    stride: usize,
    padding: usize,
    output_padding: usize,
    dilation: usize,
) -> usize {
    let all = sum(sum(product(cells - 1, stride), reach(kernel, dilation)), sum(output_padding, 1));
    all.checked_sub(padding).expect("the padding takes more cells than there are")
}

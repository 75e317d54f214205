//! The rule `(n - f + 2p)/s + 1`, as types and as its `const fn` twin. Nobody else in this crate writes it.

use core::marker::PhantomData;
use core::ops::{Add, Div, Mul, Sub};
use typenum::{Add1, Diff, Prod, Quot, Sub1, Sum, U2, Unsigned};

/// A window of `Kernel` taps, `Dilation` apart, that moves by `Stride` over a map with `Pad` zeros on both sides, all of
/// them numbers of [`typenum`].
#[derive(Debug)]
pub struct Window<Kernel, Stride, Pad, Dilation>(PhantomData<(Kernel, Stride, Pad, Dilation)>);

/// How many positions a window has on `N` cells: `(N + 2 Pad - Dilation (Kernel - 1) - 1)/Stride + 1`, rounded down, as
/// <https://pytorch.org/docs/stable/generated/torch.nn.Conv2d.html>.
pub trait Rule<N> {
    /// The number of positions.
    type Output: Unsigned;
}

type Padded<N, Pad> = Sum<N, Prod<Pad, U2>>;
type Reach<Kernel, Dilation> = Prod<Sub1<Kernel>, Dilation>;
type Steps<N, Kernel, Stride, Pad, Dilation> = Quot<Sub1<Diff<Padded<N, Pad>, Reach<Kernel, Dilation>>>, Stride>;

impl<N, Kernel, Stride, Pad, Dilation> Rule<N> for Window<Kernel, Stride, Pad, Dilation>
where
    Pad: Mul<U2>,
    N: Add<Prod<Pad, U2>>,
    Kernel: Sub<typenum::B1>,
    Sub1<Kernel>: Mul<Dilation>,
    Padded<N, Pad>: Sub<Reach<Kernel, Dilation>>,
    Diff<Padded<N, Pad>, Reach<Kernel, Dilation>>: Sub<typenum::B1>,
    Sub1<Diff<Padded<N, Pad>, Reach<Kernel, Dilation>>>: Div<Stride>,
    Steps<N, Kernel, Stride, Pad, Dilation>: Add<typenum::B1>,
    Add1<Steps<N, Kernel, Stride, Pad, Dilation>>: Unsigned,
{
    type Output = Add1<Steps<N, Kernel, Stride, Pad, Dilation>>;
}

/// The twin of [`Rule`] on numbers. The window must fit the padded map.
pub const fn output(cells: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> usize {
    (cells + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1
}

/// [`output`] rounded up, as poolings in `ceil_mode`: a remainder gets a window of its own, unless that would start on
/// the padding behind the map. Even the first window may hang over the end, by less than a stride.
///
/// `pooling_output_shape_pad_lr` in <https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/Pool.h>
pub const fn ceil_output(cells: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> usize {
    let positions = (cells + 2 * padding + stride - 1 - dilation * (kernel - 1) - 1) / stride + 1;
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
    (cells - 1) * stride + dilation * (kernel - 1) + 1 + output_padding - padding
}

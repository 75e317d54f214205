//! The rule, as a type and as a `const fn`, counts the positions of a window as counting them one by one does.

use cnn_core::shape::window::{CeilWindow, Rule, Transposed, Window, ceil_output, output, transposed_output};
use typenum::{U0, U1, U2, U3, U4, U5, U6, U7, U8, U9, U10, U11, U12, U13, U28, U32, U33, U112, U224, Unsigned};

/// Slides the window over the padded map until its last tap falls off.
fn count(cells: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> usize {
    let padded = cells + 2 * padding;
    let fits = |start: usize| (0..kernel).all(|tap| start + tap * dilation < padded);
    (0..padded).step_by(stride).filter(|&start| fits(start)).count()
}

#[test]
fn the_const_fn_counts_positions() {
    for cells in 1..=24 {
        for kernel in 1..=7 {
            for stride in 1..=5 {
                for padding in 0..=4 {
                    for dilation in 1..=4 {
                        let expected = count(cells, kernel, stride, padding, dilation);
                        if expected > 0 {
                            let found = output(cells, kernel, stride, padding, dilation);
                            assert_eq!(found, expected, "{cells} {kernel} {stride} {padding} {dilation}");
                        }
                    }
                }
            }
        }
    }
}

/// Slides the window on while its first tap is on the map or the padding before it, and stops behind the one that
/// covers the end of the padded map.
fn count_in_ceil_mode(cells: usize, kernel: usize, stride: usize, padding: usize, dilation: usize) -> usize {
    let last_tap = |start: usize| start + (kernel - 1) * dilation;
    let end = cells + 2 * padding - 1;
    (0..cells + padding).step_by(stride).take_while(|&start| start == 0 || last_tap(start - stride) < end).count()
}

/// Padding is at most half of what a window reaches over, as PyTorch demands of poolings. Even the first window may hang
/// over the end, but by less than a stride.
#[test]
fn ceil_mode_counts_positions_that_start_on_the_map() {
    for cells in 1..=24 {
        for kernel in 1..=7 {
            for stride in 1..=5 {
                for dilation in 1..=3 {
                    let reach = dilation * (kernel - 1) + 1;
                    for padding in (0..=reach / 2).filter(|padding| reach < cells + 2 * padding + stride) {
                        let expected = count_in_ceil_mode(cells, kernel, stride, padding, dilation);
                        let found = ceil_output(cells, kernel, stride, padding, dilation);
                        assert_eq!(found, expected, "{cells} {kernel} {stride} {padding} {dilation}");
                    }
                }
            }
        }
    }
}

/// One past the last cell that any tap of any position touches, without what the padding takes and with what is added.
#[test]
fn a_transposed_window_covers_its_output() {
    for cells in 1..=9 {
        for kernel in 1..=5 {
            for stride in 1..=4 {
                for dilation in 1..=3 {
                    let last = (0..cells).flat_map(|i| (0..kernel).map(move |tap| i * stride + tap * dilation)).max();
                    let covered = last.unwrap() + 1;
                    for padding in 0..=4 {
                        for output_padding in 0..stride.max(dilation) {
                            if covered + output_padding <= padding {
                                continue;
                            }
                            let found = transposed_output(cells, kernel, stride, padding, output_padding, dilation);
                            assert_eq!(found, covered + output_padding - padding);
                            // The convolution goes back to where this came from.
                            let both_sides = found + padding;
                            if output_padding < stride && both_sides > dilation * (kernel - 1) {
                                assert_eq!(output(both_sides, kernel, stride, 0, dilation), cells);
                            }
                        }
                    }
                }
            }
        }
    }
}

fn check<N: Unsigned, Kernel: Unsigned, Stride: Unsigned, Pad: Unsigned, Dilation: Unsigned>()
where
    Window<Kernel, Stride, Pad, Dilation>: Rule<N>,
    CeilWindow<Kernel, Stride, Pad, Dilation>: Rule<N>,
    Transposed<Kernel, Stride, Pad, U1, Dilation>: Rule<N>,
{
    let found = <Window<Kernel, Stride, Pad, Dilation> as Rule<N>>::Output::USIZE;
    let numbers = [N::USIZE, Kernel::USIZE, Stride::USIZE, Pad::USIZE, Dilation::USIZE];
    let [cells, kernel, stride, padding, dilation] = numbers;
    assert_eq!(found, count(cells, kernel, stride, padding, dilation), "{numbers:?}");
    assert_eq!(found, output(cells, kernel, stride, padding, dilation), "{numbers:?}");
    let found = <CeilWindow<Kernel, Stride, Pad, Dilation> as Rule<N>>::Output::USIZE;
    assert_eq!(found, ceil_output(cells, kernel, stride, padding, dilation), "{numbers:?}");
    let found = <Transposed<Kernel, Stride, Pad, U1, Dilation> as Rule<N>>::Output::USIZE;
    assert_eq!(found, transposed_output(cells, kernel, stride, padding, 1, dilation), "{numbers:?}");
}

/// Every combination of the listed cells, kernels, strides, paddings and dilations, which must all fit.
macro_rules! grid {
    ([$($cells:ident)+] $kernels:tt $strides:tt $pads:tt $dilations:tt) => {
        $(grid!(@kernel $cells $kernels $strides $pads $dilations);)+
    };
    (@kernel $cells:ident [$($kernel:ident)+] $strides:tt $pads:tt $dilations:tt) => {
        $(grid!(@stride $cells $kernel $strides $pads $dilations);)+
    };
    (@stride $cells:ident $kernel:ident [$($stride:ident)+] $pads:tt $dilations:tt) => {
        $(grid!(@pad $cells $kernel $stride $pads $dilations);)+
    };
    (@pad $cells:ident $kernel:ident $stride:ident [$($pad:ident)+] $dilations:tt) => {
        $(grid!(@dilation $cells $kernel $stride $pad $dilations);)+
    };
    (@dilation $cells:ident $kernel:ident $stride:ident $pad:ident [$($dilation:ident)+]) => {
        $(check::<$cells, $kernel, $stride, $pad, $dilation>();)+
    };
}

#[test]
fn the_type_counts_positions() {
    grid!([U5 U6 U7 U8 U9 U10 U11 U12] [U1 U2 U3] [U1 U2 U3] [U0 U1 U2] [U1 U2]);
    // A window on exactly its span, and the one tap on the one cell.
    grid!([U1] [U1] [U1 U2] [U0 U1] [U1 U2 U3]);
    grid!([U13] [U5] [U1 U3] [U0] [U1 U2 U3]);
    // Only the padding makes the kernel fit.
    grid!([U1 U2] [U3 U4] [U1 U2] [U2] [U1]);
    // Strides that are halved before they divide, down to 1 or to an odd number.
    grid!([U28 U33] [U3] [U4 U5 U6 U7 U8 U12] [U0 U1] [U1 U2]);
    // LeNet-5, ResNet and MobileNet.
    grid!([U28 U32 U33] [U5] [U1 U2] [U0 U2] [U1]);
    grid!([U112 U224] [U3 U7] [U1 U2] [U1 U3] [U1]);
}

#[test]
fn the_worked_example_keeps_its_map() {
    assert_eq!(output(4, 3, 1, 1, 1), 4);
    check::<U4, U3, U1, U1, U1>();
}

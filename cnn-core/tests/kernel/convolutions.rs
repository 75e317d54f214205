//! Convolutions of every kind.

use cnn_core::kernel::geometry::{Conv2dAlgorithm, Conv2dGeometry, Layout, Padding};
use proptest::prelude::*;

/// Legal by construction: the input is what the window spans and a little more.
pub(crate) fn geometry(most_channels: usize) -> impl Strategy<Value = Conv2dGeometry> {
    let pair = |least: usize, most: usize| [least..=most, least..=most];
    let padding = (0..=2usize, 0..=2usize, 0..=2usize, 0..=2usize).prop_map(|(top, bottom, left, right)| Padding {
        top,
        bottom,
        left,
        right,
    });
    (
        (prop_oneof![3 => Just(1usize), 1 => 2..=3usize], 1..=most_channels, 1..=most_channels),
        (pair(1, 4), pair(1, 3), prop_oneof![pair(1, 1), pair(1, 3)], pair(0, 6), prop_oneof![pair(0, 0), pair(0, 4)]),
        prop_oneof![Just(Padding::symmetric([0, 0])), padding],
    )
        .prop_map(|((groups, ic, oc), (kernel_size, stride, dilation, extra, unread), padding)| {
            let around = [padding.top + padding.bottom, padding.left + padding.right];
            let in_size = [0, 1].map(|axis| {
                let span = (kernel_size[axis] - 1) * dilation[axis] + 1 + extra[axis];
                span.saturating_sub(around[axis]).max(1)
            });
            Conv2dGeometry {
                in_channels: groups * ic,
                in_size,
                out_channels: groups * oc,
                kernel_size,
                stride,
                padding,
                unread: [0, 1].map(|axis| unread[axis].min(extra[axis])),
                algorithm: Conv2dAlgorithm::Auto,
                dilation,
                groups,
                layout: Layout::DENSE,
            }
        })
}

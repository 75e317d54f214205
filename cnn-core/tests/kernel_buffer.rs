//! Memory: aligned, zero at first, cut into parts, grown and never shrunk.

use cnn_core::kernel::convolution::{self, Epilogue};
use cnn_core::kernel::geometry::{Conv2dAlgorithm, Conv2dGeometry, Layout, Padding};
use cnn_core::kernel::memory::buffer::{self, Buffer};
use cnn_core::kernel::memory::scratch::{Needs, Scratch};

#[test]
fn a_buffer_starts_on_a_cache_line_with_zeros() {
    for len in [0, 1, 15, 16, 17, 1000] {
        let buffer = Buffer::zeros(len);
        assert_eq!(buffer.len(), len);
        assert_eq!(buffer.as_ptr() as usize % 64, 0);
        assert!(buffer.iter().all(|&value| value == 0.0));
    }
}

#[test]
fn a_clone_is_another_buffer() {
    let mut buffer = Buffer::zeros(3);
    buffer[1] = 2.0;
    let clone = buffer.clone();
    buffer[1] = 3.0;
    assert_eq!(*clone, [0.0, 2.0, 0.0]);
    assert_eq!(format!("{clone:?}"), "[0.0, 2.0, 0.0]");
}

#[test]
fn parts_lie_one_behind_the_other() {
    let mut values = [1.0, 2.0, 3.0, 4.0];
    assert_eq!(buffer::split_ref(&values, [1, 0, 2]), [&[1.0][..], &[], &[2.0, 3.0]]);
    let [first, second] = buffer::split(&mut values, [2, 1]);
    first[0] = 9.0;
    second[0] = 8.0;
    assert_eq!(values, [9.0, 2.0, 8.0, 4.0]);
}

#[test]
fn needs_of_two_kernels_are_the_larger_ones() {
    let (a, b) = (Needs { shared: 1, per_thread: 20 }, Needs { shared: 10, per_thread: 2 });
    assert_eq!(a.max(b), Needs { shared: 10, per_thread: 20 });
}

#[test]
fn scratch_of_another_layer_is_as_good_as_new() {
    let small = Conv2dGeometry {
        in_channels: 2,
        in_size: [4, 4],
        out_channels: 3,
        kernel_size: [3, 3],
        stride: [1, 1],
        padding: Padding::symmetric([1, 1]),
        unread: [0, 0],
        algorithm: Conv2dAlgorithm::Auto,
        dilation: [1, 1],
        groups: 1,
        layout: Layout::DENSE,
    };
    let large = Conv2dGeometry { in_channels: 5, in_size: [9, 9], out_channels: 40, ..small };
    let forward = |geometry: &Conv2dGeometry, scratch: &mut Scratch| {
        let input = vec![1.0; geometry.in_len()];
        let weight = vec![0.5; geometry.weight_len()];
        let mut output = vec![f32::NAN; geometry.out_len()];
        convolution::forward(geometry, Epilogue::default(), &input, &weight, &mut output, scratch);
        output
    };
    let mut scratch = Scratch::new(small.needs(), 1);
    for geometry in [&small, &large, &small] {
        assert_eq!(forward(geometry, &mut scratch), forward(geometry, &mut Scratch::default()));
    }
}

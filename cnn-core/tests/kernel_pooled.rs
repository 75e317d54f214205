//! A convolution of few channels computed with the pooling behind it, against the reference of one after the other.

mod kernel;

use cnn_core::kernel::FusedActivation;
use cnn_core::kernel::convolution::pooled;
use cnn_core::kernel::geometry::{Activation, Conv2dAlgorithm, Conv2dGeometry, Layout, Padding, Pool2dGeometry};
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::reference;
use kernel::{Part, everywhere, whole_numbers, wide};
use proptest::prelude::*;

/// LeNet-5's first convolution.
const LENET: Conv2dGeometry = Conv2dGeometry {
    in_channels: 1,
    in_size: [28; 2],
    out_channels: 6,
    kernel_size: [5; 2],
    stride: [1; 2],
    padding: Padding::symmetric([2; 2]),
    unread: [0; 2],
    algorithm: Conv2dAlgorithm::Auto,
    dilation: [1; 2],
    groups: 1,
    layout: Layout::DENSE,
};

#[derive(Clone, Copy, Debug)]
struct Pooled {
    batch: usize,
    geometry: Conv2dGeometry,
    fused: FusedActivation,
    extra: [usize; 2],
}

impl Pooled {
    fn pool(&self) -> Pool2dGeometry {
        Pool2dGeometry {
            channels: self.geometry.out_channels,
            in_size: self.geometry.out_size(),
            kernel_size: [2; 2],
            stride: [2; 2],
            padding: [0; 2],
            dilation: [1; 2],
            ceil_mode: false,
            count_include_pad: true,
            divisor_override: None,
            layout: Layout::DENSE,
        }
    }

    /// Input, weight and bias.
    fn data(&self) -> [Vec<f32>; 3] {
        let Self { batch, geometry, .. } = self;
        [
            whole_numbers(batch * geometry.in_len(), 1),
            whole_numbers(geometry.weight_len(), 2),
            whole_numbers(geometry.out_channels, 3),
        ]
    }

    fn run(&self, [input, weight, bias]: &[Vec<f32>; 3]) -> Vec<f32> {
        let Self { batch, geometry, fused, extra } = *self;
        let [ic, oc] = [geometry.in_channels, geometry.out_channels];
        let (geometry, pool) = (geometry.strided(ic + extra[0], 0), self.pool().strided(0, oc + extra[1]));
        let input = Part::new(input, ic, extra[0]);
        let mut output = Part::new(&vec![f32::NAN; batch * pool.out_size()[0] * pool.out_size()[1] * oc], oc, extra[1]);
        let mut packed = vec![f32::NAN; pooled::packed_len(&geometry)];
        pooled::pack(&geometry, weight, Some(bias), &mut packed);
        let mut scratch = Scratch::default();
        pooled::forward(&geometry, &pool, fused, input.slice(), &packed, output.slice_mut(), &mut scratch);
        output.values()
    }

    fn check(&self, data: &[Vec<f32>; 3]) {
        assert!(pooled::applies(&self.geometry, &self.pool()), "{self:?}");
        let found = everywhere(true, || self.run(data).iter().map(told).collect());
        let [input, weight, bias] = data.each_ref().map(|values| wide(values));
        let mut map = reference::conv2d::forward(&self.geometry, &input, &weight, Some(&bias));
        match self.fused {
            FusedActivation::None | FusedActivation::Then(_) => {}
            FusedActivation::Relu => map = reference::relu::forward(&map),
            FusedActivation::Relu6 => map = reference::activation::forward(Activation::Relu6, &map),
        }
        let expected = reference::max_pool2d::forward(&self.pool(), &map);
        let expected: Vec<_> = expected.into_iter().map(|value| told(&(value as f32))).collect();
        assert_eq!(found, expected, "{self:?}");
    }
}

/// NaN as a number, which is equal to itself.
fn told(value: &f32) -> f32 {
    if value.is_nan() { 12_345.0 } else { *value }
}

fn cases() -> impl Strategy<Value = Pooled> {
    let channels = (1_usize..=4, 1_usize..=8);
    let sizes = (2_usize..=40, prop_oneof![24_usize..=32, 48_usize..=64, Just(97)]);
    let window = ([1_usize..=5, 1_usize..=5], [0_usize..=3, 0_usize..=3, 0_usize..=3, 0_usize..=3]);
    let fused = prop::sample::select(vec![FusedActivation::None, FusedActivation::Relu, FusedActivation::Relu6]);
    let extras = prop::sample::select(vec![[0, 0], [3, 5], [0, 17]]);
    (1_usize..=3, channels, sizes, window, fused, extras).prop_filter_map(
        "the padding is more than the map",
        |(batch, (in_channels, out_channels), (rows, columns), (kernel_size, sides), fused, extra)| {
            let [top, bottom, left, right] = sides;
            let in_size = [
                (rows + kernel_size[0] - 1).checked_sub(top + bottom)?,
                (columns + kernel_size[1] - 1).checked_sub(left + right)?,
            ];
            let padding = Padding { top, bottom, left, right };
            let geometry = Conv2dGeometry { in_channels, in_size, out_channels, kernel_size, padding, ..LENET };
            (in_size[0] > 0 && in_size[1] > 0).then_some(Pooled { batch, geometry, fused, extra })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn it_is_the_larger_of_four_cells(case in cases()) {
        case.check(&case.data());
    }

    /// NaN and infinity in the input and in the weights reach the cells whose windows have them, and no others.
    #[test]
    fn what_is_no_number_stays_in_its_window(case in cases(), place in 0_usize..10_000, which in 0_usize..2) {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let mut data = case.data();
            let values = &mut data[which];
            let place = place % values.len();
            values[place] = value;
            case.check(&data);
        }
    }
}

#[test]
fn what_is_not_computed_so_is_refused() {
    let case = Pooled { batch: 1, geometry: LENET, fused: FusedActivation::Relu, extra: [0; 2] };
    let (geometry, pool) = (case.geometry, case.pool());
    case.check(&case.data());
    for other in [
        Conv2dGeometry { out_channels: 9, ..geometry },
        Conv2dGeometry { in_channels: 5, ..geometry },
        Conv2dGeometry { stride: [2, 1], ..geometry },
        Conv2dGeometry { dilation: [1, 2], ..geometry },
        Conv2dGeometry { in_channels: 2, groups: 2, ..geometry },
        Conv2dGeometry { in_size: [28, 16], ..geometry },
        Conv2dGeometry { in_size: [1, 28], padding: Padding::symmetric([2; 2]), ..geometry },
        Conv2dGeometry { in_size: [usize::MAX >> 3; 2], ..geometry },
    ] {
        assert!(!pooled::applies(&other, &Pool2dGeometry { in_size: other.out_size(), ..pool }), "{other:?}");
    }
    for other in [
        Pool2dGeometry { kernel_size: [2, 3], ..pool },
        Pool2dGeometry { stride: [1, 2], ..pool },
        Pool2dGeometry { padding: [1, 0], ..pool },
        Pool2dGeometry { dilation: [2, 1], ..pool },
        Pool2dGeometry { ceil_mode: true, ..pool },
    ] {
        assert!(!pooled::applies(&geometry, &other), "{other:?}");
    }
}

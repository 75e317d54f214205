#[doc = " A network of 12 layers."]
#[doc = ""]
#[doc = "| step | output | kernel, stride, padding | parameters | multiply-adds |"]
#[doc = "|:--|--:|:--|--:|--:|"]
#[doc = "| input | 1x28x28 | | | |"]
#[doc = "| conv1 (`conv2d`) | 6x28x28 | 5x5, stride 1, padding 2 | 156 | 117,600 |"]
#[doc = "| 1 (`relu`) | 6x28x28 |  |  |  |"]
#[doc = "| 2 (`max_pool2d`) | 6x14x14 | 2x2, stride 2, padding 0 |  |  |"]
#[doc = "| conv2 (`conv2d`) | 16x10x10 | 5x5, stride 1, padding 0 | 2,416 | 240,000 |"]
#[doc = "| 4 (`relu`) | 16x10x10 |  |  |  |"]
#[doc = "| 5 (`max_pool2d`) | 16x5x5 | 2x2, stride 2, padding 0 |  |  |"]
#[doc = "| 6 (`flatten`) | 400 |  |  |  |"]
#[doc = "| fc1 (`linear`) | 120 |  | 48,120 | 48,000 |"]
#[doc = "| 8 (`relu`) | 120 |  |  |  |"]
#[doc = "| fc2 (`linear`) | 84 |  | 10,164 | 10,080 |"]
#[doc = "| 10 (`relu`) | 84 |  |  |  |"]
#[doc = "| fc3 (`linear`) | 10 |  | 850 | 840 |"]
#[doc = "| **total** | | | 61,706 | 416,520 |"]
struct LeNet5 {
    weights: ::cnn_core::network::Weights<Self>,
}
const _: () = {
    #[allow(unused_imports)]
    use ::cnn_core::{
        kernel as __kernel, kernel::geometry as __geometry, layer as __layer, network as __network, shape as __shape,
    };
    #[allow(unused_imports)]
    use ::core::option::Option as __Option;
    struct __Step0;
    impl __layer::conv2d::Conv2d for __Step0 {
        const GEOMETRY: __geometry::Conv2dGeometry = __geometry::Conv2dGeometry {
            in_channels: 1,
            in_size: [28, 28],
            out_channels: 6,
            kernel_size: [5, 5],
            stride: [1, 1],
            padding: __geometry::Padding::symmetric([2, 2]),
            unread: [0, 0],
            algorithm: __geometry::Conv2dAlgorithm::Auto,
            dilation: [1, 1],
            groups: 1,
            layout: __geometry::Layout::DENSE,
        };
        const BIAS: bool = true;
        const FUSED: __kernel::FusedActivation = __kernel::FusedActivation::Relu;
    }
    const _: __shape::Chw<
        6,
        {
            __shape::window::Window::<
                __shape::typenum::U5,
                __shape::typenum::U1,
                __shape::typenum::U2,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U28>()
        },
        {
            __shape::window::Window::<
                __shape::typenum::U5,
                __shape::typenum::U1,
                __shape::typenum::U2,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U28>()
        },
    > = __shape::Chw::<6, 28, 28>;
    struct __Step1;
    impl __layer::activation::Activation for __Step1 {
        const FUNCTION: __geometry::Activation = __geometry::Activation::Relu;
        const CHANNELS: usize = 6;
        const LAYOUT: __geometry::Layout = __geometry::Layout::DENSE;
    }
    struct __Step2;
    impl __layer::max_pool2d::MaxPool2d for __Step2 {
        const GEOMETRY: __geometry::Pool2dGeometry = __geometry::Pool2dGeometry {
            channels: 6,
            in_size: [28, 28],
            kernel_size: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
            dilation: [1, 1],
            ceil_mode: false,
            count_include_pad: true,
            divisor_override: __Option::None,
            layout: __geometry::Layout::DENSE,
        };
    }
    const _: __shape::Chw<
        6,
        {
            __shape::window::Window::<
                __shape::typenum::U2,
                __shape::typenum::U2,
                __shape::typenum::U0,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U28>()
        },
        {
            __shape::window::Window::<
                __shape::typenum::U2,
                __shape::typenum::U2,
                __shape::typenum::U0,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U28>()
        },
    > = __shape::Chw::<6, 14, 14>;
    struct __Step3;
    impl __layer::conv2d::Conv2d for __Step3 {
        const GEOMETRY: __geometry::Conv2dGeometry = __geometry::Conv2dGeometry {
            in_channels: 6,
            in_size: [14, 14],
            out_channels: 16,
            kernel_size: [5, 5],
            stride: [1, 1],
            padding: __geometry::Padding::symmetric([0, 0]),
            unread: [0, 0],
            algorithm: __geometry::Conv2dAlgorithm::Auto,
            dilation: [1, 1],
            groups: 1,
            layout: __geometry::Layout::DENSE,
        };
        const BIAS: bool = true;
        const FUSED: __kernel::FusedActivation = __kernel::FusedActivation::Relu;
    }
    const _: __shape::Chw<
        16,
        {
            __shape::window::Window::<
                __shape::typenum::U5,
                __shape::typenum::U1,
                __shape::typenum::U0,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U14>()
        },
        {
            __shape::window::Window::<
                __shape::typenum::U5,
                __shape::typenum::U1,
                __shape::typenum::U0,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U14>()
        },
    > = __shape::Chw::<16, 10, 10>;
    struct __Step4;
    impl __layer::activation::Activation for __Step4 {
        const FUNCTION: __geometry::Activation = __geometry::Activation::Relu;
        const CHANNELS: usize = 16;
        const LAYOUT: __geometry::Layout = __geometry::Layout::DENSE;
    }
    struct __Step5;
    impl __layer::max_pool2d::MaxPool2d for __Step5 {
        const GEOMETRY: __geometry::Pool2dGeometry = __geometry::Pool2dGeometry {
            channels: 16,
            in_size: [10, 10],
            kernel_size: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
            dilation: [1, 1],
            ceil_mode: false,
            count_include_pad: true,
            divisor_override: __Option::None,
            layout: __geometry::Layout::DENSE,
        };
    }
    const _: __shape::Chw<
        16,
        {
            __shape::window::Window::<
                __shape::typenum::U2,
                __shape::typenum::U2,
                __shape::typenum::U0,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U10>()
        },
        {
            __shape::window::Window::<
                __shape::typenum::U2,
                __shape::typenum::U2,
                __shape::typenum::U0,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U10>()
        },
    > = __shape::Chw::<16, 5, 5>;
    struct __Step6;
    impl __layer::flatten::Flatten for __Step6 {
        const CHANNELS: usize = 16;
        const POSITIONS: usize = 5 * 5;
    }
    struct __Step7;
    impl __layer::linear::Linear for __Step7 {
        const GEOMETRY: __geometry::LinearGeometry =
            __geometry::LinearGeometry { in_features: 400, out_features: 120, layout: __geometry::Layout::DENSE };
        const BIAS: bool = true;
        const FUSED: __kernel::FusedActivation = __kernel::FusedActivation::Relu;
        const CHANNELS: usize = 16;
    }
    struct __Step8;
    impl __layer::activation::Activation for __Step8 {
        const FUNCTION: __geometry::Activation = __geometry::Activation::Relu;
        const CHANNELS: usize = 120;
        const LAYOUT: __geometry::Layout = __geometry::Layout::DENSE;
    }
    struct __Step9;
    impl __layer::linear::Linear for __Step9 {
        const GEOMETRY: __geometry::LinearGeometry =
            __geometry::LinearGeometry { in_features: 120, out_features: 84, layout: __geometry::Layout::DENSE };
        const BIAS: bool = true;
        const FUSED: __kernel::FusedActivation = __kernel::FusedActivation::Relu;
        const CHANNELS: usize = 120;
    }
    struct __Step10;
    impl __layer::activation::Activation for __Step10 {
        const FUNCTION: __geometry::Activation = __geometry::Activation::Relu;
        const CHANNELS: usize = 84;
        const LAYOUT: __geometry::Layout = __geometry::Layout::DENSE;
    }
    struct __Step11;
    impl __layer::linear::Linear for __Step11 {
        const GEOMETRY: __geometry::LinearGeometry =
            __geometry::LinearGeometry { in_features: 84, out_features: 10, layout: __geometry::Layout::DENSE };
        const BIAS: bool = true;
        const FUSED: __kernel::FusedActivation = __kernel::FusedActivation::None;
        const CHANNELS: usize = 84;
    }
    impl __network::Network for LeNet5 {
        type Input = ::cnn_core::shape::Chw<1, 28, 28>;
        type Output = ::cnn_core::shape::Flat<10>;
        const NAME: &'static str = "LeNet5";
        const STEPS: &'static [__network::Step] = &[
            __network::Step {
                path: "conv1",
                layer: "conv2d",
                operation: <__Step0 as __layer::conv2d::Conv2d>::OPERATION,
                shares: __Option::None,
                inputs: &[0],
                input: __shape::Sizes::Map { channels: 1, height: 28, width: 28 },
                output: __shape::Sizes::Map { channels: 6, height: 28, width: 28 },
            },
            __network::Step {
                path: "1",
                layer: "relu",
                operation: <__Step1 as __layer::activation::Activation>::OPERATION,
                shares: __Option::None,
                inputs: &[1],
                input: __shape::Sizes::Map { channels: 6, height: 28, width: 28 },
                output: __shape::Sizes::Map { channels: 6, height: 28, width: 28 },
            },
            __network::Step {
                path: "2",
                layer: "max_pool2d",
                operation: <__Step2 as __layer::max_pool2d::MaxPool2d>::OPERATION,
                shares: __Option::None,
                inputs: &[2],
                input: __shape::Sizes::Map { channels: 6, height: 28, width: 28 },
                output: __shape::Sizes::Map { channels: 6, height: 14, width: 14 },
            },
            __network::Step {
                path: "conv2",
                layer: "conv2d",
                operation: <__Step3 as __layer::conv2d::Conv2d>::OPERATION,
                shares: __Option::None,
                inputs: &[3],
                input: __shape::Sizes::Map { channels: 6, height: 14, width: 14 },
                output: __shape::Sizes::Map { channels: 16, height: 10, width: 10 },
            },
            __network::Step {
                path: "4",
                layer: "relu",
                operation: <__Step4 as __layer::activation::Activation>::OPERATION,
                shares: __Option::None,
                inputs: &[4],
                input: __shape::Sizes::Map { channels: 16, height: 10, width: 10 },
                output: __shape::Sizes::Map { channels: 16, height: 10, width: 10 },
            },
            __network::Step {
                path: "5",
                layer: "max_pool2d",
                operation: <__Step5 as __layer::max_pool2d::MaxPool2d>::OPERATION,
                shares: __Option::None,
                inputs: &[5],
                input: __shape::Sizes::Map { channels: 16, height: 10, width: 10 },
                output: __shape::Sizes::Map { channels: 16, height: 5, width: 5 },
            },
            __network::Step {
                path: "6",
                layer: "flatten",
                operation: <__Step6 as __layer::flatten::Flatten>::OPERATION,
                shares: __Option::None,
                inputs: &[6],
                input: __shape::Sizes::Map { channels: 16, height: 5, width: 5 },
                output: __shape::Sizes::Flat { features: 400 },
            },
            __network::Step {
                path: "fc1",
                layer: "linear",
                operation: <__Step7 as __layer::linear::Linear>::OPERATION,
                shares: __Option::None,
                inputs: &[7],
                input: __shape::Sizes::Flat { features: 400 },
                output: __shape::Sizes::Flat { features: 120 },
            },
            __network::Step {
                path: "8",
                layer: "relu",
                operation: <__Step8 as __layer::activation::Activation>::OPERATION,
                shares: __Option::None,
                inputs: &[8],
                input: __shape::Sizes::Flat { features: 120 },
                output: __shape::Sizes::Flat { features: 120 },
            },
            __network::Step {
                path: "fc2",
                layer: "linear",
                operation: <__Step9 as __layer::linear::Linear>::OPERATION,
                shares: __Option::None,
                inputs: &[9],
                input: __shape::Sizes::Flat { features: 120 },
                output: __shape::Sizes::Flat { features: 84 },
            },
            __network::Step {
                path: "10",
                layer: "relu",
                operation: <__Step10 as __layer::activation::Activation>::OPERATION,
                shares: __Option::None,
                inputs: &[10],
                input: __shape::Sizes::Flat { features: 84 },
                output: __shape::Sizes::Flat { features: 84 },
            },
            __network::Step {
                path: "fc3",
                layer: "linear",
                operation: <__Step11 as __layer::linear::Linear>::OPERATION,
                shares: __Option::None,
                inputs: &[11],
                input: __shape::Sizes::Flat { features: 84 },
                output: __shape::Sizes::Flat { features: 10 },
            },
        ];
        const MEMORY: __network::Memory = __network::Memory { evaluation: 5888, prediction: 2784, training: 11776 };
        const CUTS: &'static [__network::Cut] = &[
            __network::Cut { step: 3, maps: &[[3, 4704, 9408, 1176]] },
            __network::Cut { step: 7, maps: &[[6, 1600, 7904, 400]] },
            __network::Cut { step: 9, maps: &[[8, 0, 6304, 120]] },
            __network::Cut { step: 11, maps: &[[10, 128, 6560, 84]] },
        ];
        const STEP_NEEDS: __network::Needs = {
            let needs = __network::Needs::NONE;
            let needs = needs.max(__layer::conv2d::needs::<__Step0>());
            let needs = needs.max(__layer::conv2d::needs::<__Step3>());
            let needs = needs.max(__layer::linear::needs::<__Step7>());
            let needs = needs.max(__layer::linear::needs::<__Step9>());
            let needs = needs.max(__layer::linear::needs::<__Step11>());
            needs
        };
        const STEP_PREPARED: __network::Prepared = {
            let prepared = __network::Prepared::NONE;
            let prepared = prepared.and(__layer::pooled::prepared::<__Step0, __Step2>());
            let prepared = prepared.and(__layer::conv2d::prepared::<__Step3>());
            let prepared = prepared.and(__layer::linear::prepared::<__Step7>());
            let prepared = prepared.and(__layer::linear::prepared::<__Step9>());
            let prepared = prepared.and(__layer::linear::prepared::<__Step11>());
            prepared
        };
        fn from_weights(weights: __network::Weights<Self>) -> Self {
            Self { weights }
        }
        fn weights(&self) -> &__network::Weights<Self> {
            &self.weights
        }
        fn weights_mut(&mut self) -> &mut __network::Weights<Self> {
            &mut self.weights
        }
        fn evaluate(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let [p0, p3, p7, p9, p11] =
                __kernel::memory::buffer::split_ref(owned.parameters, [156, 2416, 48120, 10164, 850]);
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(0, 4704)]);
                __layer::conv2d::forward::<__Step0>(pass.at(0), p0, input, &mut m0[..]);
                pass.show(0, 0, &m0[..]);
            }
            {
                let [m0, m1] = __network::cut(workspace, samples, [(0, 4704), (4704, 1176)]);
                __layer::max_pool2d::forward::<__Step2>(pass.at(2), &[], &m0[..], &mut m1[..]);
                pass.show(2, 0, &m1[..]);
            }
            if pass.ends_before(3) {
                return;
            }
            {
                let [m2, m1] = __network::cut(workspace, samples, [(0, 1600), (4704, 1176)]);
                __layer::conv2d::forward::<__Step3>(pass.at(3), p3, &m1[..], &mut m2[..]);
                pass.show(3, 0, &m2[..]);
            }
            {
                let [m2, m3] = __network::cut(workspace, samples, [(0, 1600), (1600, 400)]);
                __layer::max_pool2d::forward::<__Step5>(pass.at(5), &[], &m2[..], &mut m3[..]);
                pass.show(5, 0, &m3[..]);
            }
            if pass.ends_before(7) {
                return;
            }
            {
                let [m4, m3] = __network::cut(workspace, samples, [(0, 120), (1600, 400)]);
                __layer::linear::forward::<__Step7>(pass.at(7), p7, &m3[..], &mut m4[..]);
                pass.show(7, 0, &m4[..]);
            }
            if pass.ends_before(9) {
                return;
            }
            {
                let [m4, m5] = __network::cut(workspace, samples, [(0, 120), (128, 84)]);
                __layer::linear::forward::<__Step9>(pass.at(9), p9, &m4[..], &mut m5[..]);
                pass.show(9, 0, &m5[..]);
            }
            if pass.ends_before(11) {
                return;
            }
            {
                let [m5] = __network::cut(workspace, samples, [(128, 84)]);
                __layer::linear::forward::<__Step11>(pass.at(11), p11, &m5[..], output);
                pass.show(11, 0, output);
            }
        }
        fn forward_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let [p0, p3, p7, p9, p11] =
                __kernel::memory::buffer::split_ref(owned.parameters, [156, 2416, 48120, 10164, 850]);
            let workspace = owned.workspace;
            if pass.runs(0) {
                {
                    let [m0] = __network::cut(workspace, samples, [(0, 4704)]);
                    __layer::conv2d::forward::<__Step0>(pass.at(0), p0, input, &mut m0[..]);
                }
                {
                    let [m0, m1] = __network::cut(workspace, samples, [(0, 4704), (9408, 1176)]);
                    __layer::max_pool2d::forward::<__Step2>(pass.at(2), &[], &m0[..], &mut m1[..]);
                }
            }
            if pass.runs(3) {
                {
                    let [m2, m1] = __network::cut(workspace, samples, [(4704, 1600), (9408, 1176)]);
                    __layer::conv2d::forward::<__Step3>(pass.at(3), p3, &m1[..], &mut m2[..]);
                }
                {
                    let [m2, m3] = __network::cut(workspace, samples, [(4704, 1600), (7904, 400)]);
                    __layer::max_pool2d::forward::<__Step5>(pass.at(5), &[], &m2[..], &mut m3[..]);
                }
            }
            if pass.runs(7) {
                {
                    let [m4, m3] = __network::cut(workspace, samples, [(6304, 120), (7904, 400)]);
                    __layer::linear::forward::<__Step7>(pass.at(7), p7, &m3[..], &mut m4[..]);
                }
            }
            if pass.runs(9) {
                {
                    let [m4, m5] = __network::cut(workspace, samples, [(6304, 120), (6560, 84)]);
                    __layer::linear::forward::<__Step9>(pass.at(9), p9, &m4[..], &mut m5[..]);
                }
            }
            if pass.runs(11) {
                {
                    let [m5] = __network::cut(workspace, samples, [(6560, 84)]);
                    __layer::linear::forward::<__Step11>(pass.at(11), p11, &m5[..], output);
                }
            }
        }
        fn backward_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &[f32],
            grad_output: &mut [f32],
            grad_input: __Option<__layer::GradInput<'_>>,
            grad_parameters: &mut [f32],
        ) {
            let [p0, p3, p7, p9, p11] =
                __kernel::memory::buffer::split_ref(owned.parameters, [156, 2416, 48120, 10164, 850]);
            let workspace = owned.workspace;
            let [q0, q3, q7, q9, q11] =
                __kernel::memory::buffer::split(grad_parameters, [156, 2416, 48120, 10164, 850]);
            if pass.runs(11) {
                {
                    let [m5, m6] = __network::cut(workspace, samples, [(6560, 84), (6656, 84)]);
                    pass.show(11, 0, grad_output);
                    __layer::linear::backward::<__Step11>(
                        pass.at(11),
                        p11,
                        &m5[..],
                        &[],
                        grad_output,
                        __Option::Some(__layer::GradInput::store(&mut m6[..])),
                        q11,
                    );
                }
            }
            if pass.runs(9) {
                {
                    let [m4, m7, m5, m6] =
                        __network::cut(workspace, samples, [(6304, 120), (6432, 120), (6560, 84), (6656, 84)]);
                    pass.show(9, 0, &m6[..]);
                    __layer::linear::backward::<__Step9>(
                        pass.at(9),
                        p9,
                        &m4[..],
                        &m5[..],
                        &mut m6[..],
                        __Option::Some(__layer::GradInput::store(&mut m7[..])),
                        q9,
                    );
                }
            }
            if pass.runs(7) {
                {
                    let [m4, m7, m3, m8] =
                        __network::cut(workspace, samples, [(6304, 120), (6432, 120), (7904, 400), (8304, 400)]);
                    pass.show(7, 0, &m7[..]);
                    __layer::linear::backward::<__Step7>(
                        pass.at(7),
                        p7,
                        &m3[..],
                        &m4[..],
                        &mut m7[..],
                        __Option::Some(__layer::GradInput::store(&mut m8[..])),
                        q7,
                    );
                }
            }
            if pass.runs(3) {
                {
                    let [m2, m9, m3, m8] =
                        __network::cut(workspace, samples, [(4704, 1600), (6304, 1600), (7904, 400), (8304, 400)]);
                    pass.show(5, 0, &m8[..]);
                    __layer::max_pool2d::backward::<__Step5>(
                        pass.at(5),
                        &[],
                        &m2[..],
                        &m3[..],
                        &mut m8[..],
                        __Option::Some(__layer::GradInput::store(&mut m9[..])),
                        &mut [],
                    );
                }
                {
                    let [m2, m9, m1, m10] =
                        __network::cut(workspace, samples, [(4704, 1600), (6304, 1600), (9408, 1176), (10592, 1176)]);
                    pass.show(3, 0, &m9[..]);
                    __layer::conv2d::backward::<__Step3>(
                        pass.at(3),
                        p3,
                        &m1[..],
                        &m2[..],
                        &mut m9[..],
                        __Option::Some(__layer::GradInput::store(&mut m10[..])),
                        q3,
                    );
                }
            }
            if pass.runs(0) {
                {
                    let [m0, m11, m1, m10] =
                        __network::cut(workspace, samples, [(0, 4704), (4704, 4704), (9408, 1176), (10592, 1176)]);
                    pass.show(2, 0, &m10[..]);
                    __layer::max_pool2d::backward::<__Step2>(
                        pass.at(2),
                        &[],
                        &m0[..],
                        &m1[..],
                        &mut m10[..],
                        __Option::Some(__layer::GradInput::store(&mut m11[..])),
                        &mut [],
                    );
                }
                {
                    let [m0, m11] = __network::cut(workspace, samples, [(0, 4704), (4704, 4704)]);
                    pass.show(0, 0, &m11[..]);
                    __layer::conv2d::backward::<__Step0>(pass.at(0), p0, input, &m0[..], &mut m11[..], grad_input, q0);
                }
            }
        }
        fn prepare_steps(made_for: __network::MadeFor, parameters: &[f32], _state: &[f32], prepared: &mut [f32]) {
            let [p0, p3, p7, p9, p11] = __kernel::memory::buffer::split_ref(parameters, [156, 2416, 48120, 10164, 850]);
            let [f0, f3, f7, f9, f11] = __kernel::memory::buffer::split(
                prepared,
                [
                    const { __layer::pooled::prepared::<__Step0, __Step2>().values },
                    const { __layer::conv2d::prepared::<__Step3>().values },
                    const { __layer::linear::prepared::<__Step7>().values },
                    const { __layer::linear::prepared::<__Step9>().values },
                    const { __layer::linear::prepared::<__Step11>().values },
                ],
            );
            __layer::pooled::prepare::<__Step0>(made_for, p0, &[], f0);
            __layer::conv2d::prepare::<__Step3>(made_for, p3, &[], f3);
            __layer::linear::prepare::<__Step7>(made_for, p7, &[], f7);
            __layer::linear::prepare::<__Step9>(made_for, p9, &[], f9);
            __layer::linear::prepare::<__Step11>(made_for, p11, &[], f11);
        }
        fn predict_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let [f0, f3, f7, f9, f11] = __kernel::memory::buffer::split_ref(
                owned.parameters,
                [
                    const { __layer::pooled::prepared::<__Step0, __Step2>().values },
                    const { __layer::conv2d::prepared::<__Step3>().values },
                    const { __layer::linear::prepared::<__Step7>().values },
                    const { __layer::linear::prepared::<__Step9>().values },
                    const { __layer::linear::prepared::<__Step11>().values },
                ],
            );
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(1600, 1176)]);
                __layer::pooled::predict::<__Step0, __Step2>(pass.at(2), f0, input, &mut m0[..]);
            }
            {
                let [m1, m0] = __network::cut(workspace, samples, [(0, 1600), (1600, 1176)]);
                __layer::conv2d::predict::<__Step3>(pass.at(3), f3, &m0[..], &mut m1[..]);
            }
            {
                let [m1, m2] = __network::cut(workspace, samples, [(0, 1600), (1600, 400)]);
                __layer::max_pool2d::forward::<__Step5>(pass.at(5), &[], &m1[..], &mut m2[..]);
            }
            {
                let [m3, m2] = __network::cut(workspace, samples, [(0, 120), (1600, 400)]);
                __layer::linear::predict::<__Step7>(pass.at(7), f7, &m2[..], &mut m3[..]);
            }
            {
                let [m3, m4] = __network::cut(workspace, samples, [(0, 120), (128, 84)]);
                __layer::linear::predict::<__Step9>(pass.at(9), f9, &m3[..], &mut m4[..]);
            }
            {
                let [m4] = __network::cut(workspace, samples, [(128, 84)]);
                __layer::linear::predict::<__Step11>(pass.at(11), f11, &m4[..], output);
            }
        }
    }
    const _: () = ::cnn_core::network::check::check::<LeNet5>();
    impl ::core::clone::Clone for LeNet5 {
        fn clone(&self) -> Self {
            Self { weights: ::core::clone::Clone::clone(&self.weights) }
        }
    }
    impl ::core::fmt::Debug for LeNet5 {
        fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Debug::fmt(&self.weights, formatter)
        }
    }
};

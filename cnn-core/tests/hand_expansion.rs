//! What `network!` emits, written by hand: the contract between the two crates, and a place to read it.
//!
//! Two liberties are for readers: the macro writes absolute paths instead of `use`, because a user's own type may be
//! called `Step` or `Memory`, and puts the token's span on what can be wrong about it.
//!
//! ```text
//! pub LeNet5<1, 28, 28> {
//!     conv1: conv2d<6, 5>(padding = 2), relu, max_pool2d<2>,
//!     conv2: conv2d<16, 5>, relu, max_pool2d<2>,
//!     flatten, fc1: linear<120>, relu, fc2: linear<84>, relu, fc3: linear<10>,
//! }
//! pub Scaled<2, 4, 4> { relu, scale: Scale, dropout(p = 0.5), flatten }
//! ```

use cnn_core::layer::{Initial, Parameter, Pass};
use cnn_core::prelude::*;
use cnn_core::tensor::{Samples, SamplesMut};

/// LeNet-5.
pub struct LeNet5 {
    weights: ::cnn_core::network::Weights<Self>,
}

const _: () = {
    use ::cnn_core::kernel::buffer::{split, split_ref};
    use ::cnn_core::kernel::geometry::{Conv2dGeometry, Layout, LinearGeometry, Padding, Pool2dGeometry};
    use ::cnn_core::layer::{self, Operation, Pass};
    use ::cnn_core::network::{Memory, Network, Step, Weights, aligned};
    use ::cnn_core::shape::typenum::{U0, U1, U2, U5, U10, U14, U28, Unsigned};
    use ::cnn_core::shape::window::{Rule, Window};
    use ::cnn_core::shape::{Chw, Flat, Shape};

    // conv1: 1x28x28 -> 6x28x28
    struct S0;
    impl layer::conv2d::Conv2d for S0 {
        const GEOMETRY: Conv2dGeometry = Conv2dGeometry {
            in_channels: 1,
            in_size: [28, 28],
            out_channels: 6,
            kernel_size: [5, 5],
            stride: [1, 1],
            padding: Padding::symmetric([2, 2]),
            dilation: [1, 1],
            groups: 1,
            layout: Layout::DENSE,
        };
        const BIAS: bool = true;
        const RELU: bool = true;
    }
    const _: Chw<
        6,
        { <<Window<U5, U1, U2, U1> as Rule<U28>>::Output as Unsigned>::USIZE },
        { <<Window<U5, U1, U2, U1> as Rule<U28>>::Output as Unsigned>::USIZE },
    > = Chw::<6, 28, 28>;

    // 2 (max_pool2d): 6x28x28 -> 6x14x14
    struct S2;
    impl layer::max_pool2d::MaxPool2d for S2 {
        const GEOMETRY: Pool2dGeometry = Pool2dGeometry {
            channels: 6,
            in_size: [28, 28],
            kernel_size: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
            dilation: [1, 1],
            ceil_mode: false,
            count_include_pad: true,
            layout: Layout::DENSE,
        };
    }
    const _: Chw<
        6,
        { <<Window<U2, U2, U0, U1> as Rule<U28>>::Output as Unsigned>::USIZE },
        { <<Window<U2, U2, U0, U1> as Rule<U28>>::Output as Unsigned>::USIZE },
    > = Chw::<6, 14, 14>;

    // conv2: 6x14x14 -> 16x10x10
    struct S3;
    impl layer::conv2d::Conv2d for S3 {
        const GEOMETRY: Conv2dGeometry = Conv2dGeometry {
            in_channels: 6,
            in_size: [14, 14],
            out_channels: 16,
            kernel_size: [5, 5],
            stride: [1, 1],
            padding: Padding::symmetric([0, 0]),
            dilation: [1, 1],
            groups: 1,
            layout: Layout::DENSE,
        };
        const BIAS: bool = true;
        const RELU: bool = true;
    }
    const _: Chw<
        16,
        { <<Window<U5, U1, U0, U1> as Rule<U14>>::Output as Unsigned>::USIZE },
        { <<Window<U5, U1, U0, U1> as Rule<U14>>::Output as Unsigned>::USIZE },
    > = Chw::<16, 10, 10>;

    // 5 (max_pool2d): 16x10x10 -> 16x5x5
    struct S5;
    impl layer::max_pool2d::MaxPool2d for S5 {
        const GEOMETRY: Pool2dGeometry = Pool2dGeometry {
            channels: 16,
            in_size: [10, 10],
            kernel_size: [2, 2],
            stride: [2, 2],
            padding: [0, 0],
            dilation: [1, 1],
            ceil_mode: false,
            count_include_pad: true,
            layout: Layout::DENSE,
        };
    }
    const _: Chw<
        16,
        { <<Window<U2, U2, U0, U1> as Rule<U10>>::Output as Unsigned>::USIZE },
        { <<Window<U2, U2, U0, U1> as Rule<U10>>::Output as Unsigned>::USIZE },
    > = Chw::<16, 5, 5>;

    // fc1: 400 -> 120
    struct S7;
    impl layer::linear::Linear for S7 {
        const GEOMETRY: LinearGeometry = LinearGeometry { in_features: 400, out_features: 120, layout: Layout::DENSE };
        const BIAS: bool = true;
        const RELU: bool = true;
        const CHANNELS: usize = 16;
    }

    // fc2: 120 -> 84
    struct S9;
    impl layer::linear::Linear for S9 {
        const GEOMETRY: LinearGeometry = LinearGeometry { in_features: 120, out_features: 84, layout: Layout::DENSE };
        const BIAS: bool = true;
        const RELU: bool = true;
        const CHANNELS: usize = 120;
    }

    // fc3: 84 -> 10
    struct S11;
    impl layer::linear::Linear for S11 {
        const GEOMETRY: LinearGeometry = LinearGeometry { in_features: 84, out_features: 10, layout: Layout::DENSE };
        const BIAS: bool = true;
        const RELU: bool = false;
        const CHANNELS: usize = 84;
    }

    impl Network for LeNet5 {
        type Input = Chw<1, 28, 28>;
        type Output = Flat<10>;
        const NAME: &'static str = "LeNet5";
        const STEPS: &'static [Step] = &[
            Step {
                path: "conv1",
                layer: "conv2d",
                operation: <S0 as layer::conv2d::Conv2d>::OPERATION,
                input: <Chw<1, 28, 28> as Shape>::SIZES,
                output: <Chw<6, 28, 28> as Shape>::SIZES,
            },
            Step {
                path: "1",
                layer: "relu",
                operation: Operation::Relu,
                input: <Chw<6, 28, 28> as Shape>::SIZES,
                output: <Chw<6, 28, 28> as Shape>::SIZES,
            },
            Step {
                path: "2",
                layer: "max_pool2d",
                operation: <S2 as layer::max_pool2d::MaxPool2d>::OPERATION,
                input: <Chw<6, 28, 28> as Shape>::SIZES,
                output: <Chw<6, 14, 14> as Shape>::SIZES,
            },
            Step {
                path: "conv2",
                layer: "conv2d",
                operation: <S3 as layer::conv2d::Conv2d>::OPERATION,
                input: <Chw<6, 14, 14> as Shape>::SIZES,
                output: <Chw<16, 10, 10> as Shape>::SIZES,
            },
            Step {
                path: "4",
                layer: "relu",
                operation: Operation::Relu,
                input: <Chw<16, 10, 10> as Shape>::SIZES,
                output: <Chw<16, 10, 10> as Shape>::SIZES,
            },
            Step {
                path: "5",
                layer: "max_pool2d",
                operation: <S5 as layer::max_pool2d::MaxPool2d>::OPERATION,
                input: <Chw<16, 10, 10> as Shape>::SIZES,
                output: <Chw<16, 5, 5> as Shape>::SIZES,
            },
            Step {
                path: "6",
                layer: "flatten",
                operation: Operation::Flatten,
                input: <Chw<16, 5, 5> as Shape>::SIZES,
                output: <Flat<400> as Shape>::SIZES,
            },
            Step {
                path: "fc1",
                layer: "linear",
                operation: <S7 as layer::linear::Linear>::OPERATION,
                input: <Flat<400> as Shape>::SIZES,
                output: <Flat<120> as Shape>::SIZES,
            },
            Step {
                path: "8",
                layer: "relu",
                operation: Operation::Relu,
                input: <Flat<120> as Shape>::SIZES,
                output: <Flat<120> as Shape>::SIZES,
            },
            Step {
                path: "fc2",
                layer: "linear",
                operation: <S9 as layer::linear::Linear>::OPERATION,
                input: <Flat<120> as Shape>::SIZES,
                output: <Flat<84> as Shape>::SIZES,
            },
            Step {
                path: "10",
                layer: "relu",
                operation: Operation::Relu,
                input: <Flat<84> as Shape>::SIZES,
                output: <Flat<84> as Shape>::SIZES,
            },
            Step {
                path: "fc3",
                layer: "linear",
                operation: <S11 as layer::linear::Linear>::OPERATION,
                input: <Flat<84> as Shape>::SIZES,
                output: <Flat<10> as Shape>::SIZES,
            },
        ];
        // Two slots in evaluation; every map in training; two slots of gradients.
        const MEMORY: Memory = Memory {
            evaluation: aligned(4704) + aligned(1176),
            training: aligned(4704) + aligned(1176) + aligned(1600) + aligned(400) + aligned(120) + aligned(84),
            gradient: aligned(1600) + aligned(4704),
        };

        fn from_weights(weights: Weights<Self>) -> Self {
            Self { weights }
        }

        fn weights(&self) -> &Weights<Self> {
            &self.weights
        }

        fn weights_mut(&mut self) -> &mut Weights<Self> {
            &mut self.weights
        }

        fn evaluate(
            pass: &mut Pass<'_>,
            samples: usize,
            parameters: &[f32],
            input: &[f32],
            values: &mut [f32],
            output: &mut [f32],
        ) {
            let [p0, p3, p7, p9, p11] = split_ref(parameters, [156, 2416, 48120, 10164, 850]);
            let [v0, v1] = split(values, [samples * aligned(4704), samples * aligned(1176)]);
            layer::conv2d::forward::<S0>(pass.at(0), p0, input, &mut v0[..samples * 4704]);
            layer::max_pool2d::forward::<S2>(pass.at(2), &[], &v0[..samples * 4704], &mut v1[..samples * 1176]);
            layer::conv2d::forward::<S3>(pass.at(3), p3, &v1[..samples * 1176], &mut v0[..samples * 1600]);
            layer::max_pool2d::forward::<S5>(pass.at(5), &[], &v0[..samples * 1600], &mut v1[..samples * 400]);
            layer::linear::forward::<S7>(pass.at(7), p7, &v1[..samples * 400], &mut v0[..samples * 120]);
            layer::linear::forward::<S9>(pass.at(9), p9, &v0[..samples * 120], &mut v1[..samples * 84]);
            layer::linear::forward::<S11>(pass.at(11), p11, &v1[..samples * 84], output);
        }

        fn forward_steps(
            pass: &mut Pass<'_>,
            samples: usize,
            parameters: &[f32],
            input: &[f32],
            values: &mut [f32],
            output: &mut [f32],
        ) {
            let [p0, p3, p7, p9, p11] = split_ref(parameters, [156, 2416, 48120, 10164, 850]);
            let [v0, v1, v2, v3, v4, v5] = split(
                values,
                [
                    samples * aligned(4704),
                    samples * aligned(1176),
                    samples * aligned(1600),
                    samples * aligned(400),
                    samples * aligned(120),
                    samples * aligned(84),
                ],
            );
            layer::conv2d::forward::<S0>(pass.at(0), p0, input, &mut v0[..samples * 4704]);
            layer::max_pool2d::forward::<S2>(pass.at(2), &[], &v0[..samples * 4704], &mut v1[..samples * 1176]);
            layer::conv2d::forward::<S3>(pass.at(3), p3, &v1[..samples * 1176], &mut v2[..samples * 1600]);
            layer::max_pool2d::forward::<S5>(pass.at(5), &[], &v2[..samples * 1600], &mut v3[..samples * 400]);
            layer::linear::forward::<S7>(pass.at(7), p7, &v3[..samples * 400], &mut v4[..samples * 120]);
            layer::linear::forward::<S9>(pass.at(9), p9, &v4[..samples * 120], &mut v5[..samples * 84]);
            layer::linear::forward::<S11>(pass.at(11), p11, &v5[..samples * 84], output);
        }

        fn backward_steps(
            pass: &mut Pass<'_>,
            samples: usize,
            parameters: &[f32],
            input: &[f32],
            values: &mut [f32],
            output: &[f32],
            grad_output: &mut [f32],
            gradients: &mut [f32],
            grad_input: Option<&mut [f32]>,
            grad_parameters: &mut [f32],
        ) {
            let [p0, p3, p7, p9, p11] = split_ref(parameters, [156, 2416, 48120, 10164, 850]);
            let [q0, q3, q7, q9, q11] = split(grad_parameters, [156, 2416, 48120, 10164, 850]);
            let [v0, v1, v2, v3, v4, v5] = split(
                values,
                [
                    samples * aligned(4704),
                    samples * aligned(1176),
                    samples * aligned(1600),
                    samples * aligned(400),
                    samples * aligned(120),
                    samples * aligned(84),
                ],
            );
            let [g0, g1] = split(gradients, [samples * aligned(1600), samples * aligned(4704)]);
            layer::linear::backward::<S11>(
                pass.at(11),
                p11,
                &v5[..samples * 84],
                output,
                grad_output,
                Some(&mut g0[..samples * 84]),
                q11,
            );
            layer::linear::backward::<S9>(
                pass.at(9),
                p9,
                &v4[..samples * 120],
                &v5[..samples * 84],
                &mut g0[..samples * 84],
                Some(&mut g1[..samples * 120]),
                q9,
            );
            layer::linear::backward::<S7>(
                pass.at(7),
                p7,
                &v3[..samples * 400],
                &v4[..samples * 120],
                &mut g1[..samples * 120],
                Some(&mut g0[..samples * 400]),
                q7,
            );
            layer::max_pool2d::backward::<S5>(
                pass.at(5),
                &[],
                &v2[..samples * 1600],
                &v3[..samples * 400],
                &mut g0[..samples * 400],
                Some(&mut g1[..samples * 1600]),
                &mut [],
            );
            layer::conv2d::backward::<S3>(
                pass.at(3),
                p3,
                &v1[..samples * 1176],
                &v2[..samples * 1600],
                &mut g1[..samples * 1600],
                Some(&mut g0[..samples * 1176]),
                q3,
            );
            layer::max_pool2d::backward::<S2>(
                pass.at(2),
                &[],
                &v0[..samples * 4704],
                &v1[..samples * 1176],
                &mut g0[..samples * 1176],
                Some(&mut g1[..samples * 4704]),
                &mut [],
            );
            layer::conv2d::backward::<S0>(
                pass.at(0),
                p0,
                input,
                &v0[..samples * 4704],
                &mut g1[..samples * 4704],
                grad_input,
                q0,
            );
        }
    }

    impl Clone for LeNet5 {
        fn clone(&self) -> Self {
            Self { weights: self.weights.clone() }
        }
    }

    impl ::core::fmt::Debug for LeNet5 {
        fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Debug::fmt(&self.weights, formatter)
        }
    }
};

/// A user's layer: a trained factor per channel.
struct Scale;

impl<const C: usize, const H: usize, const W: usize> Layer<Chw<C, H, W>> for Scale {
    type Output = Chw<C, H, W>;
    const PARAMETERS: &'static [Parameter] = &[Parameter::vector("weight", C, Initial::Constant(1.0))];

    fn forward(
        _pass: &mut Pass<'_>,
        weight: &[f32],
        input: Samples<'_, Chw<C, H, W>>,
        mut output: SamplesMut<'_, Self::Output>,
        _workspace: &mut [f32],
    ) {
        for (from, to) in input.values().chunks_exact(C).zip(output.values().chunks_exact_mut(C)) {
            for channel in 0..C {
                to[channel] = weight[channel] * from[channel];
            }
        }
    }

    fn backward(
        _pass: &mut Pass<'_>,
        weight: &[f32],
        input: Samples<'_, Chw<C, H, W>>,
        _output: Samples<'_, Self::Output>,
        _workspace: &mut [f32],
        grad_output: Samples<'_, Self::Output>,
        grad_input: Option<SamplesMut<'_, Chw<C, H, W>>>,
        grad_weight: &mut [f32],
    ) {
        for (from, grad) in input.values().chunks_exact(C).zip(grad_output.values().chunks_exact(C)) {
            for channel in 0..C {
                grad_weight[channel] += grad[channel] * from[channel];
            }
        }
        if let Some(mut grad_input) = grad_input {
            for (grad, to) in grad_output.values().chunks_exact(C).zip(grad_input.values().chunks_exact_mut(C)) {
                for channel in 0..C {
                    to[channel] = weight[channel] * grad[channel];
                }
            }
        }
    }
}

/// A network with a user's layer, dropout in place, a first step that may not write to its input, and a last `flatten`
/// that moves values.
#[derive(Debug)]
pub struct Scaled {
    weights: ::cnn_core::network::Weights<Self>,
}

const _: () = {
    use ::cnn_core::kernel::buffer::{split, split_ref};
    use ::cnn_core::layer::{self, Operation, Pass};
    use ::cnn_core::network::{Memory, Network, Step, Weights, aligned};
    use ::cnn_core::shape::{Chw, Select, Selected, Shape, Sizes};

    struct S0;
    impl layer::relu::Relu for S0 {}

    type M1 = Chw<2, 4, 4>;
    // One named constant, with the token's span: the only place where the user's layer can fail to take its map.
    const CUSTOM1: layer::custom::Custom = layer::custom::Custom::of::<Scale, M1>();
    const SIZES1: Sizes = CUSTOM1.sizes;
    const OPERATION1: Operation = CUSTOM1.operation;
    type M2 = <Select<
        { SIZES1.is_flat() },
        { SIZES1.channels() },
        { SIZES1.height() },
        { SIZES1.width() },
    > as Selected>::Shape;
    const LEN1: usize = SIZES1.len();
    const PARAMETERS1: usize = OPERATION1.parameter_count();
    const WORKSPACE1: usize = CUSTOM1.workspace;

    struct S2;
    impl layer::dropout::Dropout for S2 {
        const P: f32 = 0.5;
        const LEN: usize = LEN1;
    }

    struct S3;
    impl layer::flatten::Flatten for S3 {
        const CHANNELS: usize = SIZES1.channels();
        const POSITIONS: usize = SIZES1.positions();
    }

    impl Network for Scaled {
        type Input = Chw<2, 4, 4>;
        type Output = ::cnn_core::shape::Flat<LEN1>;
        const NAME: &'static str = "Scaled";
        const STEPS: &'static [Step] = &[
            Step {
                path: "0",
                layer: "relu",
                operation: Operation::Relu,
                input: <Chw<2, 4, 4> as Shape>::SIZES,
                output: <Chw<2, 4, 4> as Shape>::SIZES,
            },
            Step { path: "scale", layer: "Scale", operation: OPERATION1, input: <M1 as Shape>::SIZES, output: SIZES1 },
            Step {
                path: "2",
                layer: "dropout",
                operation: <S2 as layer::dropout::Dropout>::OPERATION,
                input: <M2 as Shape>::SIZES,
                output: <M2 as Shape>::SIZES,
            },
            Step {
                path: "3",
                layer: "flatten",
                operation: Operation::Flatten,
                input: <M2 as Shape>::SIZES,
                output: Sizes::Flat { features: LEN1 },
            },
        ];
        const MEMORY: Memory = Memory {
            evaluation: aligned(32) + aligned(LEN1) + aligned(WORKSPACE1),
            training: aligned(32) + aligned(LEN1) + aligned(WORKSPACE1),
            gradient: aligned(LEN1) + aligned(32),
        };

        fn from_weights(weights: Weights<Self>) -> Self {
            Self { weights }
        }

        fn weights(&self) -> &Weights<Self> {
            &self.weights
        }

        fn weights_mut(&mut self) -> &mut Weights<Self> {
            &mut self.weights
        }

        fn evaluate(
            pass: &mut Pass<'_>,
            samples: usize,
            parameters: &[f32],
            input: &[f32],
            values: &mut [f32],
            output: &mut [f32],
        ) {
            let [p1] = split_ref(parameters, [PARAMETERS1]);
            let [v0, v1, w1] =
                split(values, [samples * aligned(32), samples * aligned(LEN1), samples * aligned(WORKSPACE1)]);
            layer::relu::forward::<S0>(pass.at(0), &[], input, &mut v0[..samples * 32]);
            (CUSTOM1.forward)(
                pass.at(1),
                p1,
                &v0[..samples * 32],
                &mut v1[..samples * LEN1],
                &mut w1[..samples * WORKSPACE1],
            );
            layer::dropout::forward_in_place::<S2>(pass.at(2), &mut v1[..samples * LEN1]);
            layer::flatten::forward::<S3>(pass.at(3), &[], &v1[..samples * LEN1], output);
        }

        fn forward_steps(
            pass: &mut Pass<'_>,
            samples: usize,
            parameters: &[f32],
            input: &[f32],
            values: &mut [f32],
            output: &mut [f32],
        ) {
            let [p1] = split_ref(parameters, [PARAMETERS1]);
            let [v0, v1, w1] =
                split(values, [samples * aligned(32), samples * aligned(LEN1), samples * aligned(WORKSPACE1)]);
            layer::relu::forward::<S0>(pass.at(0), &[], input, &mut v0[..samples * 32]);
            (CUSTOM1.forward)(
                pass.at(1),
                p1,
                &v0[..samples * 32],
                &mut v1[..samples * LEN1],
                &mut w1[..samples * WORKSPACE1],
            );
            // In place only where the step before does not look at its output again; a user's layer may, so that the macro
            // gives this map a slot of its own. Here it stands to show the call.
            layer::dropout::forward_in_place::<S2>(pass.at(2), &mut v1[..samples * LEN1]);
            layer::flatten::forward::<S3>(pass.at(3), &[], &v1[..samples * LEN1], output);
        }

        fn backward_steps(
            pass: &mut Pass<'_>,
            samples: usize,
            parameters: &[f32],
            input: &[f32],
            values: &mut [f32],
            output: &[f32],
            grad_output: &mut [f32],
            gradients: &mut [f32],
            grad_input: Option<&mut [f32]>,
            grad_parameters: &mut [f32],
        ) {
            let [p1] = split_ref(parameters, [PARAMETERS1]);
            let [q1] = split(grad_parameters, [PARAMETERS1]);
            let [v0, v1, w1] =
                split(values, [samples * aligned(32), samples * aligned(LEN1), samples * aligned(WORKSPACE1)]);
            let [g0, g1] = split(gradients, [samples * aligned(LEN1), samples * aligned(32)]);
            layer::flatten::backward::<S3>(
                pass.at(3),
                &[],
                &v1[..samples * LEN1],
                output,
                grad_output,
                Some(&mut g0[..samples * LEN1]),
                &mut [],
            );
            layer::dropout::backward_in_place::<S2>(pass.at(2), &v1[..samples * LEN1], &mut g0[..samples * LEN1]);
            (CUSTOM1.backward)(
                pass.at(1),
                p1,
                &v0[..samples * 32],
                &v1[..samples * LEN1],
                &mut w1[..samples * WORKSPACE1],
                &mut g0[..samples * LEN1],
                Some(&mut g1[..samples * 32]),
                q1,
            );
            layer::relu::backward::<S0>(
                pass.at(0),
                &[],
                input,
                &v0[..samples * 32],
                &mut g1[..samples * 32],
                grad_input,
                &mut [],
            );
        }
    }
};

#[test]
fn the_expansion_trains() -> Result<(), Error> {
    const { assert!(LeNet5::PARAMETERS == 61_706 && LeNet5::MULTIPLY_ADDS == 416_520) };
    let net = LeNet5::new(1);
    let images = Batch::from_nchw(&(0..3 * 784).map(|i| (i % 17) as f32 / 17.0).collect::<Vec<_>>())?;
    let mut training = Training::new(0);
    let labels = Labels::new(&[0, 1, 9])?;
    let loss = training.backward(Mode::Training, &net, &images, &CrossEntropy::new(&labels))?;
    assert!((loss - 10_f32.ln()).abs() < 0.5, "{loss}");
    assert_eq!(net.forward(&images), *training.output());
    println!("{}", LeNet5::summary());
    Ok(())
}

#[test]
fn the_last_flatten_moves_values_to_the_order_of_pytorch() -> Result<(), Error> {
    let values: Vec<f32> = (0..32).map(|i| i as f32).collect();
    assert_eq!(Scaled::new(0).forward(&Batch::from_nchw(&values)?).values(), values);
    Ok(())
}

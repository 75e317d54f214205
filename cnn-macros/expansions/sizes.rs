#[doc = " Two numbers at each place, at two sizes."]
#[doc = ""]
#[doc = "| step | output | kernel, stride, padding | parameters | multiply-adds |"]
#[doc = "|:--|--:|:--|--:|--:|"]
#[doc = "| input | 1x4x4 | | | |"]
#[doc = "| conv (`conv2d`) | 1x2x2 | 3x3, stride 1, padding 0 | 10 | 36 |"]
#[doc = "| 0 (`outputs`) | 20 |  |  |  |"]
#[doc = "| **total** | | | 10 | 36 |"]
#[doc = ""]
#[doc = " [`Heat::outputs`] makes [`HeatOutputs`] of its output: `heat`, `same`."]
#[doc = ""]
#[doc = " That is `Heat<4>`. All sizes have the same weights:"]
#[doc = ""]
#[doc = "| size | output | multiply-adds |"]
#[doc = "|:--|--:|--:|"]
#[doc = "| `Heat<4>` | 1x2x2, 1x4x4 | 36 |"]
#[doc = "| `Heat<6>` | 1x4x4, 1x6x6 | 144 |"]
pub struct Heat<const S: usize>
where
    Heat<{ S }>: HeatSize,
{
    weights: ::cnn_core::network::Weights<Self>,
}
#[doc = " [`Heat`] at one of its sizes: `Heat<4>`, `Heat<6>`."]
#[allow(dead_code)]
#[diagnostic::on_unimplemented(
    message = "`Heat` has no size `{Self}`",
    label = "not one of its sizes",
    note = "its sizes are `Heat<4>`, `Heat<6>`: those behind `for` in its declaration"
)]
pub trait HeatSize:
    ::cnn_core::network::Resize<First = Heat<4>>
    + ::cnn_core::network::Network<Output = ::cnn_core::network::Outputs<Self>>
    + ::cnn_core::network::Port<1usize>
    + ::cnn_core::network::Port<3usize>
{
}
#[doc = " The outputs of [`Heat`], by their names."]
#[derive(:: core :: clone :: Clone, :: core :: marker :: Copy, :: core :: fmt :: Debug)]
#[allow(dead_code)]
pub struct HeatOutputs<'a, const S: usize>
where
    Heat<{ S }>: HeatSize,
{
    #[doc = " The output `heat`."]
    pub heat: ::cnn_core::tensor::Part<'a, <Heat<{ S }> as ::cnn_core::network::Port<1usize>>::Shape>,
    #[doc = " The output `same`."]
    pub same: ::cnn_core::tensor::Part<'a, <Heat<{ S }> as ::cnn_core::network::Port<3usize>>::Shape>,
}
#[doc = " A loss of the outputs of [`Heat`]: the sum of a loss of each."]
#[derive(:: core :: clone :: Clone, :: core :: marker :: Copy, :: core :: fmt :: Debug)]
#[allow(dead_code)]
pub struct HeatLosses<L0, L1> {
    #[doc = " Of the output `heat`."]
    pub heat: L0,
    #[doc = " Of the output `same`."]
    pub same: L1,
}
const _: () = {
    impl<const S: usize> ::core::clone::Clone for Heat<{ S }>
    where
        Heat<{ S }>: HeatSize,
    {
        fn clone(&self) -> Self {
            Self { weights: ::core::clone::Clone::clone(&self.weights) }
        }
    }
    impl<const S: usize> ::core::fmt::Debug for Heat<{ S }>
    where
        Heat<{ S }>: HeatSize,
    {
        fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Debug::fmt(&self.weights, formatter)
        }
    }
    impl<const S: usize> ::cnn_core::network::Resize for Heat<{ S }>
    where
        Heat<{ S }>: HeatSize,
    {
        type First = Heat<4>;
    }
    impl<const S: usize> Heat<{ S }>
    where
        Heat<{ S }>: HeatSize,
    {
        #[doc = r" The network at another size, with the same weights: none is copied before one of the two is changed."]
        #[must_use]
        #[allow(dead_code)]
        pub fn at<const NEW_S: usize>(&self) -> Heat<{ NEW_S }>
        where
            Heat<{ NEW_S }>: HeatSize,
        {
            ::cnn_core::network::Resize::resized(::core::clone::Clone::clone(self))
        }
        #[doc = r" Makes it the network at another size, with the same weights, of which none is copied."]
        #[must_use]
        #[allow(dead_code)]
        pub fn resize<const NEW_S: usize>(self) -> Heat<{ NEW_S }>
        where
            Heat<{ NEW_S }>: HeatSize,
        {
            ::cnn_core::network::Resize::resized(self)
        }
    }
    impl<const S: usize> Heat<{ S }>
    where
        Heat<{ S }>: HeatSize,
    {
        #[doc = " The outputs by their names."]
        #[must_use]
        #[allow(dead_code)]
        pub fn outputs(
            output: ::cnn_core::tensor::Samples<'_, <Heat<{ S }> as ::cnn_core::network::Network>::Output>,
        ) -> HeatOutputs<'_, { S }> {
            HeatOutputs {
                heat: output.lying(<Heat<{ S }> as ::cnn_core::network::Port<1usize>>::FIRST),
                same: output.lying(<Heat<{ S }> as ::cnn_core::network::Port<3usize>>::FIRST),
            }
        }
    }
    impl<
        const S: usize,
        L0: ::cnn_core::loss::Loss<<Heat<{ S }> as ::cnn_core::network::Port<1usize>>::Shape>,
        L1: ::cnn_core::loss::Loss<<Heat<{ S }> as ::cnn_core::network::Port<3usize>>::Shape>,
    > ::cnn_core::loss::Loss<::cnn_core::network::Outputs<Heat<{ S }>>> for HeatLosses<L0, L1>
    where
        Heat<{ S }>: HeatSize,
    {
        fn divisors(&self, samples: usize) -> ::cnn_core::loss::Divisors {
            ::cnn_core::loss::Divisors::of_outputs(::std::vec![
                ::cnn_core::loss::Loss::<<Heat<{ S }> as ::cnn_core::network::Port<1usize>>::Shape>::divisors(
                    &self.heat, samples
                ),
                ::cnn_core::loss::Loss::<<Heat<{ S }> as ::cnn_core::network::Port<3usize>>::Shape>::divisors(
                    &self.same, samples
                )
            ])
        }
        fn evaluate(
            &self,
            output: ::cnn_core::tensor::Samples<'_, ::cnn_core::network::Outputs<Heat<{ S }>>>,
            grad_output: ::cnn_core::tensor::SamplesMut<'_, ::cnn_core::network::Outputs<Heat<{ S }>>>,
        ) -> ::core::result::Result<f32, ::cnn_core::Error> {
            ::cnn_core::loss::Loss::evaluate_in(self, output, grad_output, &mut ::core::default::Default::default())
        }
        fn evaluate_in(
            &self,
            output: ::cnn_core::tensor::Samples<'_, ::cnn_core::network::Outputs<Heat<{ S }>>>,
            mut grad_output: ::cnn_core::tensor::SamplesMut<'_, ::cnn_core::network::Outputs<Heat<{ S }>>>,
            memory: &mut ::cnn_core::loss::LossMemory,
        ) -> ::core::result::Result<f32, ::cnn_core::Error> {
            let mut sum = 0.0;
            sum += ::cnn_core::loss::output::of_output::<_, <Heat<{ S }> as ::cnn_core::network::Port<1usize>>::Shape>(
                &self.heat,
                output,
                <Heat<{ S }> as ::cnn_core::network::Port<1usize>>::FIRST,
                memory,
                0,
            )?;
            sum += ::cnn_core::loss::output::of_output::<_, <Heat<{ S }> as ::cnn_core::network::Port<3usize>>::Shape>(
                &self.same,
                output,
                <Heat<{ S }> as ::cnn_core::network::Port<3usize>>::FIRST,
                memory,
                1,
            )?;
            ::cnn_core::loss::output::write_gradient::<_, <Heat<{ S }> as ::cnn_core::network::Port<1usize>>::Shape>(
                memory,
                0,
                &mut grad_output,
                <Heat<{ S }> as ::cnn_core::network::Port<1usize>>::FIRST,
            );
            ::cnn_core::loss::output::write_gradient::<_, <Heat<{ S }> as ::cnn_core::network::Port<3usize>>::Shape>(
                memory,
                1,
                &mut grad_output,
                <Heat<{ S }> as ::cnn_core::network::Port<3usize>>::FIRST,
            );
            ::core::result::Result::Ok(sum)
        }
    }
};
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
            in_size: [4, 4],
            out_channels: 1,
            kernel_size: [3, 3],
            stride: [1, 1],
            padding: __geometry::Padding::symmetric([0, 0]),
            unread: [0, 0],
            algorithm: __geometry::Conv2dAlgorithm::Auto,
            dilation: [1, 1],
            groups: 1,
            layout: __geometry::Layout::DENSE,
        };
        const BIAS: bool = true;
        const FUSED: __kernel::FusedActivation = __kernel::FusedActivation::None;
    }
    const _: __shape::Chw<
        1,
        {
            __shape::window::Window::<
                __shape::typenum::U3,
                __shape::typenum::U1,
                __shape::typenum::U0,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U4>()
        },
        {
            __shape::window::Window::<
                __shape::typenum::U3,
                __shape::typenum::U1,
                __shape::typenum::U0,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U4>()
        },
    > = __shape::Chw::<1, 2, 2>;
    impl __network::Network for Heat<4> {
        type Input = ::cnn_core::shape::Chw<1, 4, 4>;
        type Output = ::cnn_core::network::Outputs<Heat<4>>;
        const OUTPUTS: &'static [__shape::Sizes] = &[
            __shape::Sizes::Map { channels: 1, height: 2, width: 2 },
            __shape::Sizes::Map { channels: 1, height: 4, width: 4 },
        ];
        const NAME: &'static str = "Heat<4>";
        const STEPS: &'static [__network::Step] = &[
            __network::Step {
                path: "conv",
                layer: "conv2d",
                operation: <__Step0 as __layer::conv2d::Conv2d>::OPERATION,
                shares: __Option::None,
                inputs: &[0],
                input: __shape::Sizes::Map { channels: 1, height: 4, width: 4 },
                output: __shape::Sizes::Map { channels: 1, height: 2, width: 2 },
            },
            __network::Step {
                path: "0",
                layer: "outputs",
                operation: __layer::Operation::Outputs,
                shares: __Option::None,
                inputs: &[1, 0],
                input: __shape::Sizes::Map { channels: 1, height: 2, width: 2 },
                output: __shape::Sizes::Flat { features: 20 },
            },
        ];
        const MEMORY: __network::Memory = __network::Memory { evaluation: 16, prediction: 16, training: 16 };
        const STEP_NEEDS: __network::Needs = {
            let needs = __network::Needs::NONE;
            let needs = needs.max(__layer::conv2d::needs::<__Step0>());
            needs
        };
        const STEP_PREPARED: __network::Prepared = {
            let prepared = __network::Prepared::NONE;
            let prepared = prepared.and(__layer::conv2d::prepared::<__Step0>());
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
            let [p0] = __kernel::memory::buffer::split_ref(owned.parameters, [10]);
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(0, 4)]);
                __layer::conv2d::forward::<__Step0>(pass.at(0), p0, input, &mut m0[..]);
                pass.show(0, 0, &m0[..]);
            }
            {
                let [m0] = __network::cut(workspace, samples, [(0, 4)]);
                __layer::concat::forward(
                    4,
                    __layer::Rows::dense(&m0[..]),
                    __layer::RowsMut::strided(&mut (output)[0..], 20),
                );
                __layer::concat::forward(
                    16,
                    __layer::Rows::dense(input),
                    __layer::RowsMut::strided(&mut (output)[4..], 20),
                );
                pass.show(1, 0, output);
            }
        }
        fn forward_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let [p0] = __kernel::memory::buffer::split_ref(owned.parameters, [10]);
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(0, 4)]);
                __layer::conv2d::forward::<__Step0>(pass.at(0), p0, input, &mut m0[..]);
            }
            {
                let [m0] = __network::cut(workspace, samples, [(0, 4)]);
                __layer::concat::forward(
                    4,
                    __layer::Rows::dense(&m0[..]),
                    __layer::RowsMut::strided(&mut (output)[0..], 20),
                );
                __layer::concat::forward(
                    16,
                    __layer::Rows::dense(input),
                    __layer::RowsMut::strided(&mut (output)[4..], 20),
                );
            }
        }
        fn backward_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &[f32],
            grad_output: &mut [f32],
            mut grad_input: __Option<__layer::GradInput<'_>>,
            grad_parameters: &mut [f32],
        ) {
            let [p0] = __kernel::memory::buffer::split_ref(owned.parameters, [10]);
            let workspace = owned.workspace;
            let [q0] = __kernel::memory::buffer::split(grad_parameters, [10]);
            {
                let [m1] = __network::cut(workspace, samples, [(0, 4)]);
                pass.show(1, 0, grad_output);
                __layer::concat::backward(
                    4,
                    __layer::Rows::strided(&(grad_output)[0..], 20),
                    __Option::Some(__layer::GradInput::store(&mut m1[..])),
                    0,
                );
                __layer::concat::backward(
                    16,
                    __layer::Rows::strided(&(grad_output)[4..], 20),
                    __layer::GradInput::lend(&mut grad_input),
                    0,
                );
            }
            {
                let [m1] = __network::cut(workspace, samples, [(0, 4)]);
                pass.show(0, 0, &m1[..]);
                __layer::conv2d::backward::<__Step0>(
                    pass.at(0),
                    p0,
                    input,
                    &[],
                    &mut m1[..],
                    __layer::GradInput::lend_to_add(&mut grad_input),
                    q0,
                );
            }
        }
        fn prepare_steps(made_for: __network::MadeFor, parameters: &[f32], _state: &[f32], prepared: &mut [f32]) {
            let [p0] = __kernel::memory::buffer::split_ref(parameters, [10]);
            let [f0] =
                __kernel::memory::buffer::split(prepared, [const { __layer::conv2d::prepared::<__Step0>().values }]);
            __layer::conv2d::prepare::<__Step0>(made_for, p0, &[], f0);
        }
        fn predict_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let [f0] = __kernel::memory::buffer::split_ref(
                owned.parameters,
                [const { __layer::conv2d::prepared::<__Step0>().values }],
            );
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(0, 4)]);
                __layer::conv2d::predict::<__Step0>(pass.at(0), f0, input, &mut m0[..]);
            }
            {
                let [m0] = __network::cut(workspace, samples, [(0, 4)]);
                __layer::concat::forward(
                    4,
                    __layer::Rows::dense(&m0[..]),
                    __layer::RowsMut::strided(&mut (output)[0..], 20),
                );
                __layer::concat::forward(
                    16,
                    __layer::Rows::dense(input),
                    __layer::RowsMut::strided(&mut (output)[4..], 20),
                );
            }
        }
    }
    const _: () = ::cnn_core::network::check::check::<Heat<4>>();
    impl ::cnn_core::network::Port<1usize> for Heat<4> {
        type Shape = ::cnn_core::shape::Chw<1, 2, 2>;
        const FIRST: usize = 0;
    }
    impl ::cnn_core::network::Port<3usize> for Heat<4> {
        type Shape = ::cnn_core::shape::Chw<1, 4, 4>;
        const FIRST: usize = 4;
    }
    impl HeatSize for Heat<4> {}
};
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
            in_size: [6, 6],
            out_channels: 1,
            kernel_size: [3, 3],
            stride: [1, 1],
            padding: __geometry::Padding::symmetric([0, 0]),
            unread: [0, 0],
            algorithm: __geometry::Conv2dAlgorithm::Auto,
            dilation: [1, 1],
            groups: 1,
            layout: __geometry::Layout::DENSE,
        };
        const BIAS: bool = true;
        const FUSED: __kernel::FusedActivation = __kernel::FusedActivation::None;
    }
    const _: __shape::Chw<
        1,
        {
            __shape::window::Window::<
                __shape::typenum::U3,
                __shape::typenum::U1,
                __shape::typenum::U0,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U6>()
        },
        {
            __shape::window::Window::<
                __shape::typenum::U3,
                __shape::typenum::U1,
                __shape::typenum::U0,
                __shape::typenum::U1,
            >::positions::<__shape::typenum::U6>()
        },
    > = __shape::Chw::<1, 4, 4>;
    impl __network::Network for Heat<6> {
        type Input = ::cnn_core::shape::Chw<1, 6, 6>;
        type Output = ::cnn_core::network::Outputs<Heat<6>>;
        const OUTPUTS: &'static [__shape::Sizes] = &[
            __shape::Sizes::Map { channels: 1, height: 4, width: 4 },
            __shape::Sizes::Map { channels: 1, height: 6, width: 6 },
        ];
        const NAME: &'static str = "Heat<6>";
        const STEPS: &'static [__network::Step] = &[
            __network::Step {
                path: "conv",
                layer: "conv2d",
                operation: <__Step0 as __layer::conv2d::Conv2d>::OPERATION,
                shares: __Option::None,
                inputs: &[0],
                input: __shape::Sizes::Map { channels: 1, height: 6, width: 6 },
                output: __shape::Sizes::Map { channels: 1, height: 4, width: 4 },
            },
            __network::Step {
                path: "0",
                layer: "outputs",
                operation: __layer::Operation::Outputs,
                shares: __Option::None,
                inputs: &[1, 0],
                input: __shape::Sizes::Map { channels: 1, height: 4, width: 4 },
                output: __shape::Sizes::Flat { features: 52 },
            },
        ];
        const MEMORY: __network::Memory = __network::Memory { evaluation: 16, prediction: 16, training: 16 };
        const STEP_NEEDS: __network::Needs = {
            let needs = __network::Needs::NONE;
            let needs = needs.max(__layer::conv2d::needs::<__Step0>());
            needs
        };
        const STEP_PREPARED: __network::Prepared = {
            let prepared = __network::Prepared::NONE;
            let prepared = prepared.and(__layer::conv2d::prepared::<__Step0>());
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
            let [p0] = __kernel::memory::buffer::split_ref(owned.parameters, [10]);
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(0, 16)]);
                __layer::conv2d::forward::<__Step0>(pass.at(0), p0, input, &mut m0[..]);
                pass.show(0, 0, &m0[..]);
            }
            {
                let [m0] = __network::cut(workspace, samples, [(0, 16)]);
                __layer::concat::forward(
                    16,
                    __layer::Rows::dense(&m0[..]),
                    __layer::RowsMut::strided(&mut (output)[0..], 52),
                );
                __layer::concat::forward(
                    36,
                    __layer::Rows::dense(input),
                    __layer::RowsMut::strided(&mut (output)[16..], 52),
                );
                pass.show(1, 0, output);
            }
        }
        fn forward_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let [p0] = __kernel::memory::buffer::split_ref(owned.parameters, [10]);
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(0, 16)]);
                __layer::conv2d::forward::<__Step0>(pass.at(0), p0, input, &mut m0[..]);
            }
            {
                let [m0] = __network::cut(workspace, samples, [(0, 16)]);
                __layer::concat::forward(
                    16,
                    __layer::Rows::dense(&m0[..]),
                    __layer::RowsMut::strided(&mut (output)[0..], 52),
                );
                __layer::concat::forward(
                    36,
                    __layer::Rows::dense(input),
                    __layer::RowsMut::strided(&mut (output)[16..], 52),
                );
            }
        }
        fn backward_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &[f32],
            grad_output: &mut [f32],
            mut grad_input: __Option<__layer::GradInput<'_>>,
            grad_parameters: &mut [f32],
        ) {
            let [p0] = __kernel::memory::buffer::split_ref(owned.parameters, [10]);
            let workspace = owned.workspace;
            let [q0] = __kernel::memory::buffer::split(grad_parameters, [10]);
            {
                let [m1] = __network::cut(workspace, samples, [(0, 16)]);
                pass.show(1, 0, grad_output);
                __layer::concat::backward(
                    16,
                    __layer::Rows::strided(&(grad_output)[0..], 52),
                    __Option::Some(__layer::GradInput::store(&mut m1[..])),
                    0,
                );
                __layer::concat::backward(
                    36,
                    __layer::Rows::strided(&(grad_output)[16..], 52),
                    __layer::GradInput::lend(&mut grad_input),
                    0,
                );
            }
            {
                let [m1] = __network::cut(workspace, samples, [(0, 16)]);
                pass.show(0, 0, &m1[..]);
                __layer::conv2d::backward::<__Step0>(
                    pass.at(0),
                    p0,
                    input,
                    &[],
                    &mut m1[..],
                    __layer::GradInput::lend_to_add(&mut grad_input),
                    q0,
                );
            }
        }
        fn prepare_steps(made_for: __network::MadeFor, parameters: &[f32], _state: &[f32], prepared: &mut [f32]) {
            let [p0] = __kernel::memory::buffer::split_ref(parameters, [10]);
            let [f0] =
                __kernel::memory::buffer::split(prepared, [const { __layer::conv2d::prepared::<__Step0>().values }]);
            __layer::conv2d::prepare::<__Step0>(made_for, p0, &[], f0);
        }
        fn predict_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let [f0] = __kernel::memory::buffer::split_ref(
                owned.parameters,
                [const { __layer::conv2d::prepared::<__Step0>().values }],
            );
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(0, 16)]);
                __layer::conv2d::predict::<__Step0>(pass.at(0), f0, input, &mut m0[..]);
            }
            {
                let [m0] = __network::cut(workspace, samples, [(0, 16)]);
                __layer::concat::forward(
                    16,
                    __layer::Rows::dense(&m0[..]),
                    __layer::RowsMut::strided(&mut (output)[0..], 52),
                );
                __layer::concat::forward(
                    36,
                    __layer::Rows::dense(input),
                    __layer::RowsMut::strided(&mut (output)[16..], 52),
                );
            }
        }
    }
    const _: () = ::cnn_core::network::check::check::<Heat<6>>();
    impl ::cnn_core::network::Port<1usize> for Heat<6> {
        type Shape = ::cnn_core::shape::Chw<1, 4, 4>;
        const FIRST: usize = 0;
    }
    impl ::cnn_core::network::Port<3usize> for Heat<6> {
        type Shape = ::cnn_core::shape::Chw<1, 6, 6>;
        const FIRST: usize = 16;
    }
    impl HeatSize for Heat<6> {}
    const _: () = ::cnn_core::network::check::same_weights::<Heat<4>, Heat<6>>();
};

#[doc = " `silu` as an expression."]
#[doc = ""]
#[doc = "| step | output | kernel, stride, padding | parameters | multiply-adds |"]
#[doc = "|:--|--:|:--|--:|--:|"]
#[doc = "| input | 4x8x8 | | | |"]
#[doc = "| 0 (`map`) | 4x8x8 |  |  |  |"]
#[doc = "| **total** | | | 0 | 0 |"]
pub struct Swish {
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
    impl __layer::map::Expression<1usize> for __Step0 {
        const COST: usize = 3;
        const READS: [bool; 1usize] = [true];
        const READS_VALUE: bool = false;
        #[inline(always)]
        fn value<V: __layer::map::Number>([x]: [V; 1]) -> V {
            x * x.sigmoid()
        }
        #[inline(always)]
        fn gradients<V: __layer::map::Number>([x]: [V; 1], _value: V, grad: V) -> [V; 1] {
            let v0 = x.sigmoid();
            [(grad * v0 + grad * x * (v0 * (grad.like(1.0) - v0)))]
        }
    }
    impl __layer::map::Map<1usize> for __Step0 {
        const TEXT: &'static str = "|x| x * sigmoid(x)";
        const GEOMETRY: __geometry::ExpressionGeometry<1usize> = __geometry::ExpressionGeometry {
            channels: 4,
            cells: 64,
            operands: [__layer::map::Operand::WHOLE],
            out_stride: 0,
        };
    }
    impl __network::Network for Swish {
        type Input = ::cnn_core::shape::Chw<4, 8, 8>;
        type Output = ::cnn_core::shape::Chw<4, 8, 8>;
        const NAME: &'static str = "Swish";
        const STEPS: &'static [__network::Step] = &[__network::Step {
            path: "0",
            layer: "map",
            operation: <__Step0 as __layer::map::Map<1>>::OPERATION,
            shares: __Option::None,
            inputs: &[0],
            input: __shape::Sizes::Map { channels: 4, height: 8, width: 8 },
            output: __shape::Sizes::Map { channels: 4, height: 8, width: 8 },
        }];
        const MEMORY: __network::Memory = __network::Memory { evaluation: 0, prediction: 0, training: 0 };
        const STEP_NEEDS: __network::Needs = {
            let needs = __network::Needs::NONE;
            needs
        };
        const STEP_PREPARED: __network::Prepared = {
            let prepared = __network::Prepared::NONE;
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
            _samples: usize,
            _owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            __layer::map::forward::<__Step0, 1>(pass.at(0), [input], output);
            pass.show(0, 0, output);
        }
        fn forward_steps(
            pass: &mut __layer::Pass<'_>,
            _samples: usize,
            _owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            __layer::map::forward::<__Step0, 1>(pass.at(0), [input], output);
        }
        fn backward_steps(
            pass: &mut __layer::Pass<'_>,
            _samples: usize,
            _owned: __layer::Owned<'_>,
            input: &[f32],
            output: &[f32],
            grad_output: &mut [f32],
            grad_input: __Option<__layer::GradInput<'_>>,
            _grad_parameters: &mut [f32],
        ) {
            pass.show(0, 0, grad_output);
            __layer::map::backward::<__Step0, 1>(
                pass.at(0),
                [input],
                &[],
                __layer::Rows::dense(grad_output),
                [(grad_input, 0)],
            );
        }
        fn prepare_steps(_made_for: __network::MadeFor, _parameters: &[f32], _state: &[f32], _prepared: &mut [f32]) {}
        fn predict_steps(
            pass: &mut __layer::Pass<'_>,
            _samples: usize,
            _owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            __layer::map::forward::<__Step0, 1>(pass.at(0), [input], output);
        }
    }
    const _: () = ::cnn_core::network::check::check::<Swish>();
    impl ::core::clone::Clone for Swish {
        fn clone(&self) -> Self {
            Self { weights: ::core::clone::Clone::clone(&self.weights) }
        }
    }
    impl ::core::fmt::Debug for Swish {
        fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Debug::fmt(&self.weights, formatter)
        }
    }
};
#[doc = " Of each value and what it should be."]
#[doc = ""]
#[doc = "| step | output | kernel, stride, padding | parameters | multiply-adds |"]
#[doc = "|:--|--:|:--|--:|--:|"]
#[doc = "| x (`input`) | 4x8x8 |  |  |  |"]
#[doc = "| target (`input`) | 4x8x8 |  |  |  |"]
#[doc = "| 0 (`map`) | 4x8x8 |  |  |  |"]
#[doc = "| **total** | | | 0 | 0 |"]
pub struct Entropy {
    weights: ::cnn_core::network::Weights<Self>,
}
#[doc = " The inputs of [`Entropy`], by their names."]
#[derive(:: core :: clone :: Clone, :: core :: marker :: Copy, :: core :: fmt :: Debug)]
#[allow(dead_code)]
pub struct EntropyInputs<'a> {
    #[doc = " The input `x`: 4x8x8."]
    pub x: &'a ::cnn_core::tensor::Batch<::cnn_core::shape::Chw<4, 8, 8>>,
    #[doc = " The input `target`: 4x8x8."]
    pub target: &'a ::cnn_core::tensor::Batch<::cnn_core::shape::Chw<4, 8, 8>>,
}
const _: () = {
    #[allow(unused_imports)]
    use ::cnn_core::{
        kernel as __kernel, kernel::geometry as __geometry, layer as __layer, network as __network, shape as __shape,
    };
    #[allow(unused_imports)]
    use ::core::option::Option as __Option;
    struct __Step2;
    impl __layer::map::Expression<2usize> for __Step2 {
        const COST: usize = 6;
        const READS: [bool; 2usize] = [true, true];
        const READS_VALUE: bool = false;
        #[inline(always)]
        fn value<V: __layer::map::Number>([x, target]: [V; 2]) -> V {
            x.max(x.like(0.0)) - x * target + (-x.abs()).exp().ln_1p()
        }
        #[inline(always)]
        fn gradients<V: __layer::map::Number>([x, target]: [V; 2], _value: V, grad: V) -> [V; 2] {
            let v0 = (-x.abs()).exp();
            let v1 = -grad;
            [
                (-(grad / (v0 + grad.like(1.0)) * v0) * x.sign()
                    + v1 * target
                    + x.if_less(
                        grad.like(0.0),
                        grad.like(0.0),
                        x.if_equal(grad.like(0.0), grad * grad.like(0.5), grad),
                    )),
                (v1 * x),
            ]
        }
    }
    impl __layer::map::Map<2usize> for __Step2 {
        const TEXT: &'static str = "|x, target| max(x, 0) - x * target + ln_1p(exp(-abs(x)))";
        const GEOMETRY: __geometry::ExpressionGeometry<2usize> = __geometry::ExpressionGeometry {
            channels: 4,
            cells: 64,
            operands: [__layer::map::Operand::WHOLE, __layer::map::Operand::WHOLE],
            out_stride: 0,
        };
    }
    impl __network::Network for Entropy {
        type Input = ::cnn_core::network::Inputs<Entropy>;
        type Output = ::cnn_core::shape::Chw<4, 8, 8>;
        const INPUTS: &'static [__shape::Sizes] = &[
            __shape::Sizes::Map { channels: 4, height: 8, width: 8 },
            __shape::Sizes::Map { channels: 4, height: 8, width: 8 },
        ];
        const NAME: &'static str = "Entropy";
        const STEPS: &'static [__network::Step] = &[
            __network::Step {
                path: "x",
                layer: "input",
                operation: __layer::Operation::Input { first: 0 },
                shares: __Option::None,
                inputs: &[0],
                input: __shape::Sizes::Flat { features: 512 },
                output: __shape::Sizes::Map { channels: 4, height: 8, width: 8 },
            },
            __network::Step {
                path: "target",
                layer: "input",
                operation: __layer::Operation::Input { first: 256 },
                shares: __Option::None,
                inputs: &[0],
                input: __shape::Sizes::Flat { features: 512 },
                output: __shape::Sizes::Map { channels: 4, height: 8, width: 8 },
            },
            __network::Step {
                path: "0",
                layer: "map",
                operation: <__Step2 as __layer::map::Map<2>>::OPERATION,
                shares: __Option::None,
                inputs: &[1, 2],
                input: __shape::Sizes::Map { channels: 4, height: 8, width: 8 },
                output: __shape::Sizes::Map { channels: 4, height: 8, width: 8 },
            },
        ];
        const MEMORY: __network::Memory = __network::Memory { evaluation: 512, prediction: 512, training: 1024 };
        const STEP_NEEDS: __network::Needs = {
            let needs = __network::Needs::NONE;
            needs
        };
        const STEP_PREPARED: __network::Prepared = {
            let prepared = __network::Prepared::NONE;
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
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(0, 256)]);
                __layer::concat::forward(
                    256,
                    __layer::Rows::strided(&(input)[0..], 512),
                    __layer::RowsMut::dense(&mut m0[..]),
                );
                pass.show(0, 0, &m0[..]);
            }
            {
                let [m1] = __network::cut(workspace, samples, [(256, 256)]);
                __layer::concat::forward(
                    256,
                    __layer::Rows::strided(&(input)[256..], 512),
                    __layer::RowsMut::dense(&mut m1[..]),
                );
                pass.show(1, 0, &m1[..]);
            }
            {
                let [m0, m1] = __network::cut(workspace, samples, [(0, 256), (256, 256)]);
                __layer::map::forward::<__Step2, 2>(pass.at(2), [&m0[..], &m1[..]], output);
                pass.show(2, 0, output);
            }
        }
        fn forward_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(0, 256)]);
                __layer::concat::forward(
                    256,
                    __layer::Rows::strided(&(input)[0..], 512),
                    __layer::RowsMut::dense(&mut m0[..]),
                );
            }
            {
                let [m1] = __network::cut(workspace, samples, [(256, 256)]);
                __layer::concat::forward(
                    256,
                    __layer::Rows::strided(&(input)[256..], 512),
                    __layer::RowsMut::dense(&mut m1[..]),
                );
            }
            {
                let [m0, m1] = __network::cut(workspace, samples, [(0, 256), (256, 256)]);
                __layer::map::forward::<__Step2, 2>(pass.at(2), [&m0[..], &m1[..]], output);
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
            _grad_parameters: &mut [f32],
        ) {
            let workspace = owned.workspace;
            {
                let [m0, m1, m2, m3] =
                    __network::cut(workspace, samples, [(0, 256), (256, 256), (512, 256), (768, 256)]);
                pass.show(2, 0, grad_output);
                __layer::map::backward::<__Step2, 2>(
                    pass.at(2),
                    [&m0[..], &m1[..]],
                    &[],
                    __layer::Rows::dense(grad_output),
                    [
                        (__Option::Some(__layer::GradInput::store(&mut m2[..])), 0),
                        (__Option::Some(__layer::GradInput::store(&mut m3[..])), 0),
                    ],
                );
            }
            {
                let [m3] = __network::cut(workspace, samples, [(768, 256)]);
                pass.show(1, 0, &m3[..]);
                __layer::concat::backward(
                    256,
                    __layer::Rows::dense(&mut m3[..]),
                    __layer::GradInput::lend_from(&mut grad_input, 256),
                    512,
                );
            }
            {
                let [m2] = __network::cut(workspace, samples, [(512, 256)]);
                pass.show(0, 0, &m2[..]);
                __layer::concat::backward(
                    256,
                    __layer::Rows::dense(&mut m2[..]),
                    __layer::GradInput::lend_from(&mut grad_input, 0),
                    512,
                );
            }
        }
        fn prepare_steps(_made_for: __network::MadeFor, _parameters: &[f32], _state: &[f32], _prepared: &mut [f32]) {}
        fn predict_steps(
            pass: &mut __layer::Pass<'_>,
            samples: usize,
            owned: __layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let workspace = owned.workspace;
            {
                let [m0] = __network::cut(workspace, samples, [(0, 256)]);
                __layer::concat::forward(
                    256,
                    __layer::Rows::strided(&(input)[0..], 512),
                    __layer::RowsMut::dense(&mut m0[..]),
                );
            }
            {
                let [m1] = __network::cut(workspace, samples, [(256, 256)]);
                __layer::concat::forward(
                    256,
                    __layer::Rows::strided(&(input)[256..], 512),
                    __layer::RowsMut::dense(&mut m1[..]),
                );
            }
            {
                let [m0, m1] = __network::cut(workspace, samples, [(0, 256), (256, 256)]);
                __layer::map::forward::<__Step2, 2>(pass.at(2), [&m0[..], &m1[..]], output);
            }
        }
    }
    const _: () = ::cnn_core::network::check::check::<Entropy>();
    impl ::core::clone::Clone for Entropy {
        fn clone(&self) -> Self {
            Self { weights: ::core::clone::Clone::clone(&self.weights) }
        }
    }
    impl ::core::fmt::Debug for Entropy {
        fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
            ::core::fmt::Debug::fmt(&self.weights, formatter)
        }
    }
    impl EntropyInputs<'_> {
        #[doc = r" One batch of all of them."]
        #[doc = r""]
        #[doc = r" # Errors"]
        #[doc = r""]
        #[doc = r" [`Error::Samples`](::cnn_core::Error::Samples) when they are not equally many."]
        #[allow(dead_code)]
        pub fn batch(
            &self,
        ) -> ::core::result::Result<::cnn_core::tensor::Batch<::cnn_core::network::Inputs<Entropy>>, ::cnn_core::Error>
        {
            let mut batch = ::cnn_core::tensor::Batch::zeros(0);
            self.write_to(&mut batch)?;
            ::core::result::Result::Ok(batch)
        }
        #[doc = r" Makes `batch` one of all of them; allocates only to grow beyond what it ever was."]
        #[doc = r""]
        #[doc = r" # Errors"]
        #[doc = r""]
        #[doc = r" [`Error::Samples`](::cnn_core::Error::Samples) when they are not equally many; `batch` is then as it was."]
        #[allow(dead_code)]
        pub fn write_to(
            &self,
            batch: &mut ::cnn_core::tensor::Batch<::cnn_core::network::Inputs<Entropy>>,
        ) -> ::core::result::Result<(), ::cnn_core::Error> {
            ::cnn_core::network::gather(
                &[::cnn_core::network::Given::of(self.x), ::cnn_core::network::Given::of(self.target)],
                batch,
            )
        }
    }
    impl Entropy {
        #[doc = r" One batch of all inputs, in their order."]
        #[doc = r""]
        #[doc = r" # Errors"]
        #[doc = r""]
        #[doc = r" [`Error::Samples`](::cnn_core::Error::Samples) when they are not equally many."]
        #[allow(dead_code)]
        pub fn inputs(
            x: &::cnn_core::tensor::Batch<::cnn_core::shape::Chw<4, 8, 8>>,
            target: &::cnn_core::tensor::Batch<::cnn_core::shape::Chw<4, 8, 8>>,
        ) -> ::core::result::Result<::cnn_core::tensor::Batch<::cnn_core::network::Inputs<Entropy>>, ::cnn_core::Error>
        {
            EntropyInputs { x, target }.batch()
        }
    }
};

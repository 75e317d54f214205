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
    struct __Step0;
    impl ::cnn_core::layer::map::Expression<1usize> for __Step0 {
        const COST: usize = 3;
        const READS: [bool; 1usize] = [true];
        const READS_VALUE: bool = false;
        #[inline(always)]
        fn value<V: ::cnn_core::layer::map::Number>([x]: [V; 1]) -> V {
            x * x.sigmoid()
        }
        #[inline(always)]
        fn gradients<V: ::cnn_core::layer::map::Number>([x]: [V; 1], _value: V, grad: V) -> [V; 1] {
            let v0 = x.sigmoid();
            [(grad * v0 + grad * x * (v0 * (grad.like(1.0) - v0)))]
        }
    }
    impl ::cnn_core::layer::map::Map<1usize> for __Step0 {
        const TEXT: &'static str = "|x| x * sigmoid(x)";
        const GEOMETRY: ::cnn_core::kernel::geometry::ExpressionGeometry<1usize> =
            ::cnn_core::kernel::geometry::ExpressionGeometry {
                channels: 4,
                cells: 64,
                operands: [::cnn_core::layer::map::Operand::WHOLE],
                out_stride: 0,
            };
    }
    impl ::cnn_core::network::Network for Swish {
        type Input = ::cnn_core::shape::Chw<4, 8, 8>;
        type Output = ::cnn_core::shape::Chw<4, 8, 8>;
        const NAME: &'static str = "Swish";
        const STEPS: &'static [::cnn_core::network::Step] = &[::cnn_core::network::Step {
            path: "0",
            layer: "map",
            operation: <__Step0 as ::cnn_core::layer::map::Map<1>>::OPERATION,
            shares: ::core::option::Option::None,
            inputs: &[0],
            input: ::cnn_core::shape::Sizes::Map { channels: 4, height: 8, width: 8 },
            output: ::cnn_core::shape::Sizes::Map { channels: 4, height: 8, width: 8 },
        }];
        const MEMORY: ::cnn_core::network::Memory =
            ::cnn_core::network::Memory { evaluation: 0, prediction: 0, training: 0 };
        const STEP_NEEDS: ::cnn_core::network::Needs = {
            let needs = ::cnn_core::network::Needs::NONE;
            needs
        };
        const STEP_PREPARED: ::cnn_core::network::Prepared = {
            let prepared = ::cnn_core::network::Prepared::NONE;
            prepared
        };
        fn from_weights(weights: ::cnn_core::network::Weights<Self>) -> Self {
            Self { weights }
        }
        fn weights(&self) -> &::cnn_core::network::Weights<Self> {
            &self.weights
        }
        fn weights_mut(&mut self) -> &mut ::cnn_core::network::Weights<Self> {
            &mut self.weights
        }
        fn evaluate(
            pass: &mut ::cnn_core::layer::Pass<'_>,
            _samples: usize,
            _owned: ::cnn_core::layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            ::cnn_core::layer::map::forward::<__Step0, 1>(pass.at(0), [input], output);
        }
        fn forward_steps(
            pass: &mut ::cnn_core::layer::Pass<'_>,
            _samples: usize,
            _owned: ::cnn_core::layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            ::cnn_core::layer::map::forward::<__Step0, 1>(pass.at(0), [input], output);
        }
        fn backward_steps(
            pass: &mut ::cnn_core::layer::Pass<'_>,
            _samples: usize,
            _owned: ::cnn_core::layer::Owned<'_>,
            input: &[f32],
            output: &[f32],
            grad_output: &mut [f32],
            grad_input: ::core::option::Option<::cnn_core::layer::GradInput<'_>>,
            _grad_parameters: &mut [f32],
        ) {
            ::cnn_core::layer::map::backward::<__Step0, 1>(
                pass.at(0),
                [input],
                &[],
                ::cnn_core::layer::Rows::dense(grad_output),
                [(grad_input, 0)],
            );
        }
        fn prepare_steps(
            _made_for: ::cnn_core::network::MadeFor,
            _parameters: &[f32],
            _state: &[f32],
            _prepared: &mut [f32],
        ) {
        }
        fn predict_steps(
            pass: &mut ::cnn_core::layer::Pass<'_>,
            _samples: usize,
            _owned: ::cnn_core::layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            ::cnn_core::layer::map::forward::<__Step0, 1>(pass.at(0), [input], output);
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
    struct __Step2;
    impl ::cnn_core::layer::map::Expression<2usize> for __Step2 {
        const COST: usize = 6;
        const READS: [bool; 2usize] = [true, true];
        const READS_VALUE: bool = false;
        #[inline(always)]
        fn value<V: ::cnn_core::layer::map::Number>([x, target]: [V; 2]) -> V {
            x.max(x.like(0.0)) - x * target + (-x.abs()).exp().ln_1p()
        }
        #[inline(always)]
        fn gradients<V: ::cnn_core::layer::map::Number>([x, target]: [V; 2], _value: V, grad: V) -> [V; 2] {
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
    impl ::cnn_core::layer::map::Map<2usize> for __Step2 {
        const TEXT: &'static str = "|x, target| max(x, 0) - x * target + ln_1p(exp(-abs(x)))";
        const GEOMETRY: ::cnn_core::kernel::geometry::ExpressionGeometry<2usize> =
            ::cnn_core::kernel::geometry::ExpressionGeometry {
                channels: 4,
                cells: 64,
                operands: [::cnn_core::layer::map::Operand::WHOLE, ::cnn_core::layer::map::Operand::WHOLE],
                out_stride: 0,
            };
    }
    impl ::cnn_core::network::Network for Entropy {
        type Input = ::cnn_core::network::Inputs<Entropy>;
        type Output = ::cnn_core::shape::Chw<4, 8, 8>;
        const INPUTS: &'static [::cnn_core::shape::Sizes] = &[
            ::cnn_core::shape::Sizes::Map { channels: 4, height: 8, width: 8 },
            ::cnn_core::shape::Sizes::Map { channels: 4, height: 8, width: 8 },
        ];
        const NAME: &'static str = "Entropy";
        const STEPS: &'static [::cnn_core::network::Step] = &[
            ::cnn_core::network::Step {
                path: "x",
                layer: "input",
                operation: ::cnn_core::layer::Operation::Input { first: 0 },
                shares: ::core::option::Option::None,
                inputs: &[0],
                input: ::cnn_core::shape::Sizes::Flat { features: 512 },
                output: ::cnn_core::shape::Sizes::Map { channels: 4, height: 8, width: 8 },
            },
            ::cnn_core::network::Step {
                path: "target",
                layer: "input",
                operation: ::cnn_core::layer::Operation::Input { first: 256 },
                shares: ::core::option::Option::None,
                inputs: &[0],
                input: ::cnn_core::shape::Sizes::Flat { features: 512 },
                output: ::cnn_core::shape::Sizes::Map { channels: 4, height: 8, width: 8 },
            },
            ::cnn_core::network::Step {
                path: "0",
                layer: "map",
                operation: <__Step2 as ::cnn_core::layer::map::Map<2>>::OPERATION,
                shares: ::core::option::Option::None,
                inputs: &[1, 2],
                input: ::cnn_core::shape::Sizes::Map { channels: 4, height: 8, width: 8 },
                output: ::cnn_core::shape::Sizes::Map { channels: 4, height: 8, width: 8 },
            },
        ];
        const MEMORY: ::cnn_core::network::Memory =
            ::cnn_core::network::Memory { evaluation: 512, prediction: 512, training: 1024 };
        const STEP_NEEDS: ::cnn_core::network::Needs = {
            let needs = ::cnn_core::network::Needs::NONE;
            needs
        };
        const STEP_PREPARED: ::cnn_core::network::Prepared = {
            let prepared = ::cnn_core::network::Prepared::NONE;
            prepared
        };
        fn from_weights(weights: ::cnn_core::network::Weights<Self>) -> Self {
            Self { weights }
        }
        fn weights(&self) -> &::cnn_core::network::Weights<Self> {
            &self.weights
        }
        fn weights_mut(&mut self) -> &mut ::cnn_core::network::Weights<Self> {
            &mut self.weights
        }
        fn evaluate(
            pass: &mut ::cnn_core::layer::Pass<'_>,
            samples: usize,
            owned: ::cnn_core::layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let workspace = owned.workspace;
            {
                let [m0] = ::cnn_core::network::cut(workspace, samples, [(0, 256)]);
                ::cnn_core::layer::concat::forward(
                    256,
                    ::cnn_core::layer::Rows::strided(&(input)[0..], 512),
                    ::cnn_core::layer::RowsMut::dense(&mut m0[..]),
                );
            }
            {
                let [m1] = ::cnn_core::network::cut(workspace, samples, [(256, 256)]);
                ::cnn_core::layer::concat::forward(
                    256,
                    ::cnn_core::layer::Rows::strided(&(input)[256..], 512),
                    ::cnn_core::layer::RowsMut::dense(&mut m1[..]),
                );
            }
            {
                let [m0, m1] = ::cnn_core::network::cut(workspace, samples, [(0, 256), (256, 256)]);
                ::cnn_core::layer::map::forward::<__Step2, 2>(pass.at(2), [&m0[..], &m1[..]], output);
            }
        }
        fn forward_steps(
            pass: &mut ::cnn_core::layer::Pass<'_>,
            samples: usize,
            owned: ::cnn_core::layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let workspace = owned.workspace;
            {
                let [m0] = ::cnn_core::network::cut(workspace, samples, [(0, 256)]);
                ::cnn_core::layer::concat::forward(
                    256,
                    ::cnn_core::layer::Rows::strided(&(input)[0..], 512),
                    ::cnn_core::layer::RowsMut::dense(&mut m0[..]),
                );
            }
            {
                let [m1] = ::cnn_core::network::cut(workspace, samples, [(256, 256)]);
                ::cnn_core::layer::concat::forward(
                    256,
                    ::cnn_core::layer::Rows::strided(&(input)[256..], 512),
                    ::cnn_core::layer::RowsMut::dense(&mut m1[..]),
                );
            }
            {
                let [m0, m1] = ::cnn_core::network::cut(workspace, samples, [(0, 256), (256, 256)]);
                ::cnn_core::layer::map::forward::<__Step2, 2>(pass.at(2), [&m0[..], &m1[..]], output);
            }
        }
        fn backward_steps(
            pass: &mut ::cnn_core::layer::Pass<'_>,
            samples: usize,
            owned: ::cnn_core::layer::Owned<'_>,
            input: &[f32],
            output: &[f32],
            grad_output: &mut [f32],
            mut grad_input: ::core::option::Option<::cnn_core::layer::GradInput<'_>>,
            _grad_parameters: &mut [f32],
        ) {
            let workspace = owned.workspace;
            {
                let [m0, m1, m2, m3] =
                    ::cnn_core::network::cut(workspace, samples, [(0, 256), (256, 256), (512, 256), (768, 256)]);
                ::cnn_core::layer::map::backward::<__Step2, 2>(
                    pass.at(2),
                    [&m0[..], &m1[..]],
                    &[],
                    ::cnn_core::layer::Rows::dense(grad_output),
                    [
                        (::core::option::Option::Some(::cnn_core::layer::GradInput::store(&mut m2[..])), 0),
                        (::core::option::Option::Some(::cnn_core::layer::GradInput::store(&mut m3[..])), 0),
                    ],
                );
            }
            {
                let [m3] = ::cnn_core::network::cut(workspace, samples, [(768, 256)]);
                ::cnn_core::layer::concat::backward(
                    256,
                    ::cnn_core::layer::Rows::dense(&mut m3[..]),
                    ::cnn_core::layer::GradInput::lend_from(&mut grad_input, 256),
                    512,
                );
            }
            {
                let [m2] = ::cnn_core::network::cut(workspace, samples, [(512, 256)]);
                ::cnn_core::layer::concat::backward(
                    256,
                    ::cnn_core::layer::Rows::dense(&mut m2[..]),
                    ::cnn_core::layer::GradInput::lend_from(&mut grad_input, 0),
                    512,
                );
            }
        }
        fn prepare_steps(
            _made_for: ::cnn_core::network::MadeFor,
            _parameters: &[f32],
            _state: &[f32],
            _prepared: &mut [f32],
        ) {
        }
        fn predict_steps(
            pass: &mut ::cnn_core::layer::Pass<'_>,
            samples: usize,
            owned: ::cnn_core::layer::Owned<'_>,
            input: &[f32],
            output: &mut [f32],
        ) {
            let workspace = owned.workspace;
            {
                let [m0] = ::cnn_core::network::cut(workspace, samples, [(0, 256)]);
                ::cnn_core::layer::concat::forward(
                    256,
                    ::cnn_core::layer::Rows::strided(&(input)[0..], 512),
                    ::cnn_core::layer::RowsMut::dense(&mut m0[..]),
                );
            }
            {
                let [m1] = ::cnn_core::network::cut(workspace, samples, [(256, 256)]);
                ::cnn_core::layer::concat::forward(
                    256,
                    ::cnn_core::layer::Rows::strided(&(input)[256..], 512),
                    ::cnn_core::layer::RowsMut::dense(&mut m1[..]),
                );
            }
            {
                let [m0, m1] = ::cnn_core::network::cut(workspace, samples, [(0, 256), (256, 256)]);
                ::cnn_core::layer::map::forward::<__Step2, 2>(pass.at(2), [&m0[..], &m1[..]], output);
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

//! Tiny networks beside what PyTorch makes of them: output, loss, every gradient and the running statistics, in both modes.
//! `fixtures/README.md` says where the numbers come from.

use std::fs;
use std::path::Path;

use cnn_core::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors};

const CLASSES: usize = 3;

network! {
    block basic<C> {
        add {
            [
                conv1: conv2d<C, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
                conv2: conv2d<C, 3>(padding = 1, bias = false), bn2: batch_norm2d,
            ],
            [],
        },
        relu,
    }

    block down<C> {
        add {
            [
                conv1: conv2d<C, 3>(stride = 2, padding = 1, bias = false), bn1: batch_norm2d, relu,
                conv2: conv2d<C, 3>(padding = 1, bias = false), bn2: batch_norm2d,
            ],
            downsample: [conv2d<C, 1>(stride = 2, bias = false), batch_norm2d],
        },
        relu,
    }

    /// Sums with the identity and with a projection, as in ResNet.
    pub Residual<2, 6, 6> {
        conv1: conv2d<4, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
        layer1: [basic<4>, down<6>],
        adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
    }

    block basic_conv2d<C, K> {
        conv: conv2d<C, K>(padding = K / 2, bias = false), bn: batch_norm2d(eps = 0.001), relu,
    }

    /// Four branches side by side, as in GoogLeNet.
    pub Inception<2, 7, 7> {
        stem: conv2d<4, 3>(bias = false),
        inception: concat {
            branch1: basic_conv2d<2, 1>,
            branch2: [basic_conv2d<2, 1>, basic_conv2d<3, 3>],
            branch3: [basic_conv2d<1, 1>, basic_conv2d<2, 3>],
            branch4: [max_pool2d<3>(stride = 1, padding = 1, ceil_mode = true), basic_conv2d<2, 1>],
        },
        adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
    }

    block dense_layer {
        concat {
            [],
            [
                norm1: batch_norm2d, relu, conv1: conv2d<6, 1>(bias = false),
                norm2: batch_norm2d, relu, conv2: conv2d<3, 3>(padding = 1, bias = false),
            ],
        },
    }

    /// Each layer sees what all before it made, as in DenseNet.
    pub Dense<2, 6, 6> {
        conv0: conv2d<4, 3>(bias = false),
        block: [denselayer1: dense_layer, denselayer2: dense_layer],
        transition: [norm: batch_norm2d, relu, conv: conv2d<{ channels / 2 }, 1>(bias = false), avg_pool2d<2>],
        adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
    }

    /// Channels weighed by what all of them are on average, as in MobileNetV3.
    pub SqueezeExcitation<2, 6, 6> {
        stem: conv2d<4, 3>,
        residual: add {
            block: [
                [conv2d<8, 1>(bias = false), batch_norm2d(eps = 0.001, momentum = 0.01), hardswish],
                [
                    conv2d<channels, 3>(padding = 1, groups = channels, bias = false),
                    batch_norm2d(eps = 0.001, momentum = 0.01),
                    hardswish,
                ],
                [multiply { [], [adaptive_avg_pool2d<1>, fc1: conv2d<8, 1>, relu, fc2: conv2d<8, 1>, hardsigmoid] }],
                [conv2d<4, 1>(bias = false), batch_norm2d(eps = 0.001, momentum = 0.01)],
            ],
            [],
        },
        adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
    }

    block double<C> {
        conv1: conv2d<C, 3>(padding = 1, bias = false), bn1: batch_norm2d, relu,
        conv2: conv2d<C, 3>(padding = 1, bias = false), bn2: batch_norm2d, relu,
    }

    /// Down and up again, beside what was there, as in U-Net.
    pub Hourglass<1, 6, 6> {
        encoder: double<3>,
        concat {
            [],
            [
                max_pool2d<2>,
                concat {
                    [bottom: double<4>, up: conv_transpose2d<2, 2>(stride = 2)],
                    [upsample(scale_factor = 2, mode = bilinear)],
                },
            ],
        },
        decoder: conv2d<3, 3>(padding = 1),
    }

    /// Every normalization of samples side by side, and those of features one behind the other.
    pub Normalizations<2, 5, 4> {
        conv: conv2d<6, 3>(padding = 1),
        branches: concat {
            layer_norm: layer_norm,
            without_bias: layer_norm(eps = 0.01, bias = false),
            of_channels: layer_norm(over = channels),
            group_norm: group_norm<3>,
            instance_norm2d: instance_norm2d,
            affine: instance_norm2d(eps = 0.1, affine = true),
            rms_norm: rms_norm,
            rms_of_channels: rms_norm(eps = 0.01, over = channels),
        },
        mix: conv2d<4, 1>, flatten, of_map: layer_norm, fc1: linear<8>,
        sum: add { [], batch_norm1d: batch_norm1d },
        group_norm: group_norm<2>, rms_norm: rms_norm, fc: linear<3>,
    }

    block cn_block {
        add {
            [
                block: [
                    conv2d<channels, 7>(padding = 3, groups = channels), [], layer_norm(over = channels, eps = 0.000001),
                    linear<{ 4 * channels }>(over = channels), gelu, linear<{ channels / 4 }>(over = channels),
                ],
                layer_scale: layer_scale, drop_path(p = 0),
            ],
            [],
        },
    }

    /// Linear layers of each position, and factors of a branch, as in ConvNeXt.
    pub ConvNext<2, 8, 6> {
        stem: conv2d<6, 2>(stride = 2), norm: layer_norm(over = channels, eps = 0.000001), blocks: [cn_block, cn_block],
        adaptive_avg_pool2d<1>, flatten, fc: linear<3>,
    }

    /// Every function of one value, side by side.
    pub Activations<2, 3, 4> {
        conv: conv2d<3, 1>,
        branches: concat {
            relu6: relu6,
            leaky_relu: leaky_relu(negative_slope = 0.2),
            prelu: prelu(num_parameters = 3),
            sigmoid: sigmoid,
            tanh: tanh,
            hardsigmoid: hardsigmoid,
            hardswish: hardswish,
            silu: silu,
            gelu: gelu,
            gelu_tanh: gelu(approximate = tanh),
            local_response_norm: local_response_norm<3>(alpha = 0.1),
            log_softmax: log_softmax,
        },
        head: conv2d<3, 1>,
    }

    /// Windows with every option, side by side.
    pub Windows<2, 9, 8> {
        branches: concat {
            valid: conv2d<2, 3>,
            groups: conv2d<4, 3>(groups = 2),
            dilation: conv2d<2, 3>(padding = 1, dilation = 2),
            same: [conv2d<2, (2, 4)>(padding = same), max_pool2d<3>(stride = 1)],
            sides: [zero_pad2d<(2, 1, 1, 0)>, conv2d<2, (6, 4)>],
            transposed: [
                max_pool2d<2>(ceil_mode = true),
                conv_transpose2d<4, 3>(stride = 2, padding = 2, groups = 2, output_padding = (0, 1)),
            ],
            average: avg_pool2d<3>(stride = 1),
            ceiling: [
                avg_pool2d<2>(padding = 1, ceil_mode = true, count_include_pad = false),
                upsample(size = (7, 6), mode = nearest),
            ],
            adaptive_average: adaptive_avg_pool2d<(7, 6)>,
            adaptive_maximum: adaptive_max_pool2d<(7, 6)>,
            dilated_maximum: max_pool2d<2>(stride = 1, dilation = 2),
        } => <26, 7, 6>,
        head: conv2d<3, 1>,
    }

    /// Options that few networks use, side by side.
    pub Rare<2, 9, 8> {
        branches: concat {
            transposed: [
                max_pool2d<3>(stride = 2),
                conv_transpose2d<2, 3>(stride = 2, dilation = 3, padding = (4, 3), output_padding = (2, 1)),
            ],
            average: avg_pool2d<3>(stride = 1, divisor_override = 4),
            normal: [conv2d<2, 3>(bias = false), batch_norm2d(momentum = none)],
            mirror: [conv2d<2, 3>, leaky_relu(negative_slope = -0.5)],
            nearest: [avg_pool2d<2>, upsample(scale_factor = (1.9, 1.6))],
            bilinear: [avg_pool2d<2>, upsample(scale_factor = (1.9, 1.6), mode = bilinear)],
        } => <12, 7, 6>,
        head: conv2d<3, 1>,
    }
}

/// Rounding in f32, relative to the greatest value of a tensor, some of which are sums that cancel. PyTorch's numbers are of
/// f64.
const TOLERANCE: f32 = 5e-5;

fn check<N: Network>(fixture: &str)
where
    for<'a> CrossEntropy<'a, CLASSES>: Loss<N::Output>,
{
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(fixture);
    let bytes = fs::read(folder.join("expected.safetensors")).unwrap();
    let expected = Expected(SafeTensors::deserialize(&bytes).unwrap());
    let input = Batch::from_nchw(&expected.values("input")).unwrap();
    let labels = expected.values("labels").into_iter().map(|label| label as usize).collect::<Vec<_>>();
    let labels = Labels::<CLASSES>::new(&labels).unwrap();
    for (mode, title) in [(Mode::Evaluation, "evaluation"), (Mode::Training, "training")] {
        let mut network = N::new(0);
        network.load_safetensors(folder.join("weights.safetensors")).unwrap();
        let mut training = Training::new(0);
        let loss = training.backward(mode, &mut network, &input, &CrossEntropy::new(&labels)).unwrap();

        let mut found = vec![("output".to_owned(), training.output().to_nchw()), ("loss".to_owned(), vec![loss])];
        let gradients = training.gradients().tensors();
        found.extend(gradients.map(|tensor| (format!("gradient.{}", tensor.name), tensor.to_pytorch())));
        if mode == Mode::Evaluation {
            // Where no backward pass is to come, the pass is another.
            expected.compare("evaluation.output", &network.forward(&input).to_nchw());
        } else {
            let trained: Vec<_> = training.gradients().tensors().map(|tensor| tensor.name).collect();
            let state = network.weights().tensors().filter(|tensor| !trained.contains(&tensor.name));
            found.extend(state.map(|tensor| (format!("state.{}", tensor.name), tensor.to_pytorch())));
        }
        for (name, values) in &found {
            expected.compare(&format!("{title}.{name}"), values);
        }
        assert_eq!(found.len(), expected.count(title), "{fixture}: as many tensors in {title} mode as PyTorch's");
    }
}

/// The file of what is expected.
struct Expected<'a>(SafeTensors<'a>);

impl Expected<'_> {
    /// Tensors of a mode.
    fn count(&self, title: &str) -> usize {
        self.0.names().into_iter().filter(|name| name.starts_with(title)).count()
    }

    fn values(&self, name: &str) -> Vec<f32> {
        let tensor = self.0.tensor(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        match tensor.dtype() {
            Dtype::F32 => tensor.data().as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect(),
            // Small whole numbers: labels and counts.
            Dtype::I64 => tensor.data().as_chunks().0.iter().map(|&bytes| i64::from_le_bytes(bytes) as f32).collect(),
            other => panic!("{name}: {other:?}"),
        }
    }

    fn compare(&self, name: &str, found: &[f32]) {
        let expected = self.values(name);
        assert_eq!(found.len(), expected.len(), "{name}");
        let greatest = expected.iter().fold(0.0_f32, |greatest, value| greatest.max(value.abs()));
        for (index, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let good = (found - expected).abs() <= TOLERANCE * greatest; // false for NaN
            assert!(good, "{name}[{index}]: expected {expected}, found {found}");
        }
    }
}

#[test]
fn sums_as_in_resnet() {
    check::<Residual>("residual");
}

#[test]
fn branches_as_in_googlenet() {
    check::<Inception>("inception");
}

#[test]
fn all_earlier_maps_as_in_densenet() {
    check::<Dense>("dense");
}

#[test]
fn weighed_channels_as_in_mobilenet() {
    check::<SqueezeExcitation>("squeeze_excitation");
}

#[test]
fn linear_layers_of_each_position_as_in_convnext() {
    check::<ConvNext>("convnext");
}

#[test]
fn down_and_up_as_in_unet() {
    check::<Hourglass>("hourglass");
}

#[test]
fn functions_of_one_value() {
    check::<Activations>("activations");
}

#[test]
fn windows_with_every_option() {
    check::<Windows>("windows");
}

#[test]
fn normalizations_of_samples_and_of_features() {
    check::<Normalizations>("normalizations");
}

#[test]
fn options_that_few_networks_use() {
    check::<Rare>("rare");
}

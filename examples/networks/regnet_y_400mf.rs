//! RegNetY-400MF (Radosavovic et al. 2020, "Designing network design spaces"), with torchvision's names and numbers.

use cnn_core::prelude::*;

network! {
    /// Weighs each of `C` channels by what all of them are on average over the map; between are `SQUEEZE`.
    block squeeze_excitation<C, SQUEEZE> {
        multiply {
            [],
            [avgpool: adaptive_avg_pool2d<1>, fc1: conv2d<SQUEEZE, 1>, relu, fc2: conv2d<C, 1>, sigmoid],
        },
    }

    /// 1 x 1, 3 x 3 and 1 x 1 convolutions, the middle one in groups of eight channels that are weighed behind it.
    block transform<C, STRIDE, SQUEEZE> {
        a: [conv2d<C, 1>(bias = false), batch_norm2d, relu],
        b: [conv2d<C, 3>(stride = STRIDE, padding = 1, groups = {C / 8}, bias = false), batch_norm2d, relu],
        se: squeeze_excitation<C, SQUEEZE>,
        c: [conv2d<C, 1>(bias = false), batch_norm2d],
    }

    /// It beside the identity.
    block residual { add { [], f: transform<channels, 1, {channels / 4}> }, relu }

    /// The same at half the resolution, beside a projection.
    block down<C> {
        add { proj: [conv2d<C, 1>(stride = 2, bias = false), batch_norm2d], f: transform<C, 2, {channels / 4}> },
        relu,
    }

    /// RegNetY-400MF for 224 x 224 colour images of 1000 classes.
    pub RegNetY400MF<3, 224, 224> {
        stem: [conv2d<32, 3>(stride = 2, padding = 1, bias = false), batch_norm2d, relu],
        trunk_output: [
            block1: ["block1-0": down<48>]                                          => <48, 56, 56>,
            block2: ["block2-0": down<104>, "block2-1": residual, "block2-2": residual],
            block3: [
                "block3-0": down<208>, "block3-1": residual, "block3-2": residual,
                "block3-3": residual, "block3-4": residual, "block3-5": residual,
            ]                                                                       => <208, 14, 14>,
            block4: [
                "block4-0": down<440>, "block4-1": residual, "block4-2": residual,
                "block4-3": residual, "block4-4": residual, "block4-5": residual,
            ],
        ]                                                                           => <440, 7, 7>,
        avgpool: adaptive_avg_pool2d<1>, flatten,
        fc: linear<1000>,
    }
}

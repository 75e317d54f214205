//! What a case asks of this library: a layer with its geometry and its values, maps channels-last. Whoever computes
//! layers, the reference or the fast loops, can be asked the same.

use cnn_core::kernel::geometry::{
    Activation, AdaptivePool2dGeometry, BatchNorm2dGeometry, Conv2dGeometry, ConvTranspose2dGeometry, LinearGeometry,
    LocalResponseNormGeometry, Pad2dGeometry, Pool2dGeometry, Upsample2dGeometry,
};

#[derive(Clone, Debug)]
pub(crate) enum Call {
    Conv2d {
        geometry: Conv2dGeometry,
        input: Vec<f64>,
        weight: Vec<f64>,
        bias: Option<Vec<f64>>,
    },
    ConvTranspose2d {
        geometry: ConvTranspose2dGeometry,
        input: Vec<f64>,
        weight: Vec<f64>,
        bias: Option<Vec<f64>>,
    },
    Linear {
        geometry: LinearGeometry,
        input: Vec<f64>,
        weight: Vec<f64>,
        bias: Option<Vec<f64>>,
    },
    MaxPool2d {
        geometry: Pool2dGeometry,
        input: Vec<f64>,
    },
    AvgPool2d {
        geometry: Pool2dGeometry,
        input: Vec<f64>,
    },
    AdaptiveMaxPool2d {
        geometry: AdaptivePool2dGeometry,
        input: Vec<f64>,
    },
    AdaptiveAvgPool2d {
        geometry: AdaptivePool2dGeometry,
        input: Vec<f64>,
    },
    Activation {
        activation: Activation,
        input: Vec<f64>,
    },
    Prelu {
        channels: usize,
        input: Vec<f64>,
        weight: Vec<f64>,
    },
    Softmax {
        channels: usize,
        input: Vec<f64>,
    },
    LogSoftmax {
        channels: usize,
        input: Vec<f64>,
    },
    BatchNorm {
        geometry: BatchNorm2dGeometry,
        training: bool,
        input: Vec<f64>,
        tensors: BatchNormTensors,
    },
    LocalResponseNorm {
        geometry: LocalResponseNormGeometry,
        input: Vec<f64>,
    },
    Add {
        branches: Vec<Vec<f64>>,
    },
    /// Branches with the positions of their maps.
    Multiply {
        channels: usize,
        branches: Vec<(usize, Vec<f64>)>,
    },
    Concat {
        channels: Vec<usize>,
        branches: Vec<Vec<f64>>,
    },
    Upsample {
        geometry: Upsample2dGeometry,
        input: Vec<f64>,
    },
    Pad2d {
        geometry: Pad2dGeometry,
        input: Vec<f64>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct BatchNormTensors {
    pub(crate) weight: Vec<f64>,
    pub(crate) bias: Vec<f64>,
    pub(crate) running_mean: Vec<f64>,
    pub(crate) running_variance: Vec<f64>,
}

/// A call and what it must give: its output, behind that of a batch normalization in training the running statistics
/// after it, behind that of a max pooling, if the case tells it, the flat index of each winner.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) call: Call,
    pub(crate) answers: Vec<Vec<f64>>,
}

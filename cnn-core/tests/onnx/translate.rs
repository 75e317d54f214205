//! ONNX's operators in this library's words: maps become channels-last, 1-d maps maps of height 1, attributes geometries.
//! <https://github.com/onnx/onnx/blob/v1.17.0/docs/Operators.md>

use cnn_core::kernel::geometry::{
    Activation, AdaptivePool2dGeometry, BatchNorm2dGeometry, Conv2dAlgorithm, Conv2dGeometry, ConvTranspose2dGeometry,
    GeluApproximation, Interpolation, Layout, LinearGeometry, LocalResponseNormGeometry, Pad2dGeometry, Padding,
    PaddingMode, Pool2dGeometry, Upsample2dGeometry,
};
use cnn_core::reference::flatten::chw_to_hwc;

use crate::call::{BatchNormTensors, Call, Question};
use crate::case::{Case, Tensor};
use crate::proto::Node;

/// Panics where an operator or an option has no counterpart here: such a case does not belong among the files.
pub(crate) fn question(case: &Case) -> Question {
    let operators: Vec<&str> = case.nodes.iter().map(Node::op_type).collect();
    let node = &case.nodes[0];
    let call = match operators[..] {
        ["Conv"] => convolution(case, node),
        ["ConvTranspose"] => transposed_convolution(case, node),
        ["MaxPool"] => Call::MaxPool2d { geometry: pooling(case, node), input: map(case, node, 0).values },
        ["AveragePool"] => Call::AvgPool2d { geometry: pooling(case, node), input: map(case, node, 0).values },
        ["GlobalMaxPool" | "GlobalAveragePool"] => {
            let Map { channels, size, values, .. } = map(case, node, 0);
            let geometry = AdaptivePool2dGeometry { channels, in_size: size, out_size: [1, 1], layout: Layout::DENSE };
            if operators[0] == "GlobalMaxPool" {
                Call::AdaptiveMaxPool2d { geometry, input: values }
            } else {
                Call::AdaptiveAvgPool2d { geometry, input: values }
            }
        }
        ["Gemm"] | ["Transpose", "MatMul"] | ["Transpose", "Gemm"] => linear(case),
        ["PRelu"] => return prelu(case, node),
        ["Softmax" | "LogSoftmax"] => return softmax(case, node),
        ["BatchNormalization"] => return batch_norm(case, node),
        ["LRN"] => local_response_norm(case, node),
        ["Add" | "Sum"] => {
            let branches: Vec<Tensor> = (0..node.input.len()).map(|index| tensor(case, node, index).clone()).collect();
            assert!(branches.iter().all(|branch| branch.dims == branches[0].dims), "`add` does not broadcast");
            return as_they_lie(
                case,
                Call::Add { branches: branches.into_iter().map(|branch| branch.values).collect() },
            );
        }
        ["Mul"] => return as_they_lie(case, multiply(case, node)),
        ["Concat"] => return as_they_lie(case, concat(case, node)),
        ["Upsample" | "Resize"] => upsample(case, node),
        ["Pad"] => zero_pad(case, node),
        [_] => {
            let input = tensor(case, node, 0).values.clone();
            return as_they_lie(case, Call::Activation { activation: activation(node), input });
        }
        _ => panic!("a graph of {operators:?}"),
    };
    let mut answers = vec![channels_last(&case.outputs[0]).values];
    if let [_, indices] = &case.outputs[..] {
        answers.push(winners(case, node, indices));
    }
    Question { call, answers }
}

/// For layers to which the order of the values does not matter.
fn as_they_lie(case: &Case, call: Call) -> Question {
    Question { call, answers: case.outputs.iter().map(|output| output.values.clone()).collect() }
}

fn tensor<'a>(case: &'a Case, node: &Node, index: usize) -> &'a Tensor {
    &case.tensors[&node.input[index]]
}

fn optional<'a>(case: &'a Case, node: &Node, index: usize) -> Option<&'a Tensor> {
    let name = node.input.get(index).filter(|name| !name.is_empty())?;
    Some(&case.tensors[name])
}

struct Map {
    channels: usize,
    size: [usize; 2],
    /// `[n, h, w, c]`
    values: Vec<f64>,
}

/// From `[n, c]`, `[n, c, w]` or `[n, c, h, w]`.
fn channels_last(tensor: &Tensor) -> Map {
    let (channels, size) = match tensor.dims[..] {
        [_, channels] => (channels, [1, 1]),
        [_, channels, width] => (channels, [1, width]),
        [_, channels, height, width] => (channels, [height, width]),
        _ => panic!("no map: {:?}", tensor.dims),
    };
    Map { channels, size, values: chw_to_hwc(channels, size, &tensor.values) }
}

fn map(case: &Case, node: &Node, index: usize) -> Map {
    channels_last(tensor(case, node, index))
}

/// An attribute with a number for each axis, 1-d ones with `missing` for the rows.
fn pair(node: &Node, name: &str, missing: usize) -> [usize; 2] {
    match node.sizes(name).unwrap_or_default()[..] {
        [] => [missing, missing],
        [horizontal] => [missing, horizontal],
        [vertical, horizontal] => [vertical, horizontal],
        _ => panic!("{name} of three axes"),
    }
}

/// The attribute `pads`, or what `auto_pad` makes of it, for which a window spans `total` more than there is.
fn padding(node: &Node, total: impl Fn(usize) -> usize) -> Padding {
    let [[top, bottom], [left, right]] = match &*node.text("auto_pad", "NOTSET") {
        "NOTSET" => match node.sizes("pads").unwrap_or_default()[..] {
            [] => [[0, 0], [0, 0]],
            [left, right] => [[0, 0], [left, right]],
            [top, left, bottom, right] => [[top, bottom], [left, right]],
            _ => panic!("pads of three axes"),
        },
        "VALID" => [[0, 0], [0, 0]],
        "SAME_UPPER" => [0, 1].map(|axis| [total(axis) / 2, total(axis).div_ceil(2)]),
        "SAME_LOWER" => [0, 1].map(|axis| [total(axis).div_ceil(2), total(axis) / 2]),
        other => panic!("auto_pad {other}"),
    };
    Padding { top, bottom, left, right }
}

/// What the window of a node lacks to have a position for each `stride` of the map.
fn lacking(node: &Node, in_size: [usize; 2], kernel_size: [usize; 2]) -> impl Fn(usize) -> usize {
    let (stride, dilation) = (pair(node, "strides", 1), pair(node, "dilations", 1));
    move |axis| {
        let last = (in_size[axis].div_ceil(stride[axis]) - 1) * stride[axis];
        (last + dilation[axis] * (kernel_size[axis] - 1) + 1).saturating_sub(in_size[axis])
    }
}

/// `[out, in / groups, kernel..]` to `[groups, kernel.., in / groups, out / groups]`, and the kernel's size.
fn convolution_weight(weight: &Tensor, groups: usize) -> (Vec<f64>, [usize; 2]) {
    let kernel_size = match weight.dims[2..] {
        [width] => [1, width],
        [height, width] => [height, width],
        _ => panic!("a kernel of {:?}", weight.dims),
    };
    let (oc, ic, taps) = (weight.dims[0] / groups, weight.dims[1], kernel_size[0] * kernel_size[1]);
    let mut permuted = Vec::with_capacity(weight.values.len());
    for g in 0..groups {
        for tap in 0..taps {
            for i in 0..ic {
                permuted.extend((0..oc).map(|o| weight.values[((g * oc + o) * ic + i) * taps + tap]));
            }
        }
    }
    (permuted, kernel_size)
}

fn convolution(case: &Case, node: &Node) -> Call {
    let (map, weight) = (map(case, node, 0), tensor(case, node, 1));
    let groups = node.size("group", 1);
    let out_channels = weight.dims[0];
    let (weight, kernel_size) = convolution_weight(weight, groups);
    let geometry = Conv2dGeometry {
        in_channels: map.channels,
        in_size: map.size,
        out_channels,
        kernel_size,
        stride: pair(node, "strides", 1),
        padding: padding(node, lacking(node, map.size, kernel_size)),
        unread: [0, 0],
        algorithm: Conv2dAlgorithm::Auto,
        dilation: pair(node, "dilations", 1),
        groups,
        layout: Layout::DENSE,
    };
    Call::Conv2d { geometry, input: map.values, weight, bias: optional(case, node, 2).map(|bias| bias.values.clone()) }
}

fn transposed_convolution(case: &Case, node: &Node) -> Call {
    let (map, weight) = (map(case, node, 0), tensor(case, node, 1));
    let groups = node.size("group", 1);
    let out_channels = weight.dims[1] * groups;
    // That of the convolution backwards.
    let (weight, kernel_size) = convolution_weight(weight, groups);
    let (stride, dilation) = (pair(node, "strides", 1), pair(node, "dilations", 1));
    let mut geometry = ConvTranspose2dGeometry {
        in_channels: map.channels,
        in_size: map.size,
        out_channels,
        kernel_size,
        stride,
        padding: Padding::symmetric([0, 0]),
        output_padding: pair(node, "output_padding", 0),
        dilation,
        groups,
        layout: Layout::DENSE,
    };
    let whole = geometry.out_size();
    let wanted = match node.sizes("output_shape") {
        Some(_) => pair(node, "output_shape", 1),
        None => [0, 1].map(|axis| map.size[axis] * stride[axis]),
    };
    if node.sizes("output_shape").is_some() {
        for axis in [0, 1] {
            // Nothing is taken away where more is wanted than there is.
            geometry.output_padding[axis] += wanted[axis].saturating_sub(whole[axis]);
            assert!(wanted[axis] >= whole[axis]);
        }
    } else {
        geometry.padding = padding(node, |axis| whole[axis] - wanted[axis]);
    }
    Call::ConvTranspose2d {
        geometry,
        input: map.values,
        weight,
        bias: optional(case, node, 2).map(|bias| bias.values.clone()),
    }
}

fn pooling(case: &Case, node: &Node) -> Pool2dGeometry {
    let map = map(case, node, 0);
    let kernel_size = pair(node, "kernel_shape", 1);
    let Padding { top, bottom, left, right } = padding(node, lacking(node, map.size, kernel_size));
    assert!(top == bottom && left == right, "a pooling pads both sides alike");
    let dilation = pair(node, "dilations", 1);
    assert!(node.op_type() == "MaxPool" || dilation == [1, 1], "an average has no dilation");
    Pool2dGeometry {
        channels: map.channels,
        in_size: map.size,
        kernel_size,
        stride: pair(node, "strides", 1),
        padding: [top, left],
        dilation,
        ceil_mode: node.int("ceil_mode", 0) == 1,
        count_include_pad: node.int("count_include_pad", 0) == 1,
        divisor_override: None,
        layout: Layout::DENSE,
    }
}

/// ONNX's indices count `[n, c, h, w]`, or `[n, c, w, h]` where `storage_order` is 1.
fn winners(case: &Case, node: &Node, indices: &Tensor) -> Vec<f64> {
    let Map { channels, size: [height, width], .. } = map(case, node, 0);
    let by_columns = node.int("storage_order", 0) == 1;
    let channels_last_index = |index: f64| {
        let (plane, pixel) = (index as usize / (height * width), index as usize % (height * width));
        let (n, c) = (plane / channels, plane % channels);
        let [h, w] = if by_columns { [pixel % height, pixel / height] } else { [pixel / width, pixel % width] };
        (((n * height + h) * width + w) * channels + c) as f64
    };
    channels_last(indices).values.into_iter().map(channels_last_index).collect()
}

fn linear(case: &Case) -> Call {
    let node = case.nodes.last().expect("a node");
    // A `Transpose` before it has turned the weight.
    let turned = case.nodes.len() == 2;
    let weight = tensor(case, if turned { &case.nodes[0] } else { node }, usize::from(!turned));
    let by_output = turned || node.int("transB", 0) == 1;
    assert!(node.float("alpha", 1.0) == 1.0 && node.float("beta", 1.0) == 1.0 && node.int("transA", 0) == 0);
    let [rows, columns] = [weight.dims[0], weight.dims[1]];
    let (in_features, out_features) = if by_output { (columns, rows) } else { (rows, columns) };
    let mut values = weight.values.clone();
    if by_output {
        values = chw_to_hwc(out_features, [1, in_features], &values);
    }
    Call::Linear {
        geometry: LinearGeometry { in_features, out_features, layout: Layout::DENSE },
        input: tensor(case, node, 0).values.clone(),
        weight: values,
        bias: optional(case, node, 2).map(|bias| bias.values.clone()),
    }
}

fn activation(node: &Node) -> Activation {
    match node.op_type() {
        "Relu" => Activation::Relu,
        "LeakyRelu" => Activation::LeakyRelu { negative_slope: node.float("alpha", 0.01) },
        "Sigmoid" => Activation::Sigmoid,
        "Tanh" => Activation::Tanh,
        "HardSwish" => Activation::Hardswish,
        "Gelu" if node.text("approximate", "none") == "tanh" => {
            Activation::Gelu { approximate: GeluApproximation::Tanh }
        }
        "Gelu" => Activation::Gelu { approximate: GeluApproximation::None },
        other => panic!("no layer for {other}"),
    }
}

/// A weight for each channel, which since version 7 are the last axis.
fn prelu(case: &Case, node: &Node) -> Question {
    let (input, weight) = (tensor(case, node, 0), tensor(case, node, 1));
    let size = if case.opset < 7 { input.dims[2..].iter().product() } else { 1 };
    let channels = if case.opset < 7 { input.dims[1] } else { input.dims[input.dims.len() - 1] };
    let rows = |tensor: &Tensor| chw_to_hwc(channels, [1, size], &tensor.values);
    let answers = vec![rows(&case.outputs[0])];
    Question { call: Call::Prelu { channels, input: rows(input), weight: weight.values.clone() }, answers }
}

/// Along one axis, and before version 13 along all from it on; that axis becomes the channels.
fn softmax(case: &Case, node: &Node) -> Question {
    let input = tensor(case, node, 0);
    let axis = if case.opset < 13 { node.int("axis", 1) } else { node.int("axis", -1) };
    let axis = if axis < 0 { input.dims.len() - axis.unsigned_abs() as usize } else { axis as usize };
    let end = if case.opset < 13 { input.dims.len() } else { axis + 1 };
    let channels = input.dims[axis..end].iter().product();
    let inner = [1, input.dims[end..].iter().product()];
    let rows = |tensor: &Tensor| chw_to_hwc(channels, inner, &tensor.values);
    let answers = vec![rows(&case.outputs[0])];
    let input = rows(input);
    let call = match node.op_type() {
        "Softmax" => Call::Softmax { channels, input },
        _ => Call::LogSoftmax { channels, input },
    };
    Question { call, answers }
}

fn batch_norm(case: &Case, node: &Node) -> Question {
    let Map { channels, values: input, .. } = map(case, node, 0);
    let training = node.int("training_mode", 0) == 1;
    // ONNX's momentum is the share that is kept.
    let momentum = 1.0 - node.float("momentum", 0.9);
    let geometry = BatchNorm2dGeometry {
        channels,
        eps: node.float("epsilon", 1e-5),
        momentum: Some(momentum),
        layout: Layout::DENSE,
    };
    let [weight, bias, running_mean, running_variance] =
        [1, 2, 3, 4].map(|index| tensor(case, node, index).values.clone());
    let mut answers: Vec<Vec<f64>> = vec![channels_last(&case.outputs[0]).values];
    if training {
        answers.push(case.outputs[1].values.clone());
        // ONNX's running variance takes the biased one of the batch, PyTorch's the unbiased one.
        let rows = (input.len() / channels) as f64;
        let unbiased = |(&after, &before): (&f64, &f64)| {
            let kept = (1.0 - momentum) * before;
            kept + (after - kept) * rows / (rows - 1.0)
        };
        answers.push(case.outputs[2].values.iter().zip(&running_variance).map(unbiased).collect());
    }
    let tensors = BatchNormTensors { weight, bias, running_mean, running_variance };
    Question { call: Call::BatchNorm { geometry, training, input, tensors }, answers }
}

fn local_response_norm(case: &Case, node: &Node) -> Call {
    let Map { channels, values, .. } = map(case, node, 0);
    let size = node.size("size", 0);
    assert_eq!(size % 2, 1, "of an even size ONNX has one more channel behind, PyTorch before");
    let geometry = LocalResponseNormGeometry {
        channels,
        size,
        alpha: node.float("alpha", 1e-4),
        beta: node.float("beta", 0.75),
        k: node.float("bias", 1.0),
        layout: Layout::DENSE,
    };
    Call::LocalResponseNorm { geometry, input: values }
}

/// The last axis is the channels: a factor for each of them is a 1 x 1 map.
fn multiply(case: &Case, node: &Node) -> Call {
    let (left, right) = (tensor(case, node, 0), tensor(case, node, 1));
    let channels = *left.dims.last().expect("an axis");
    let positions = |tensor: &Tensor| tensor.values.len() / channels;
    assert!(right.dims == left.dims || right.dims == [channels], "{:?} * {:?}", left.dims, right.dims);
    Call::Multiply { channels, branches: [left, right].map(|tensor| (positions(tensor), tensor.values.clone())).into() }
}

/// All axes from that of the concatenation on are channels.
fn concat(case: &Case, node: &Node) -> Call {
    let branches: Vec<&Tensor> = (0..node.input.len()).map(|index| tensor(case, node, index)).collect();
    let axis = node.int("axis", 0);
    let axis = if axis < 0 { branches[0].dims.len() - axis.unsigned_abs() as usize } else { axis as usize };
    Call::Concat {
        channels: branches.iter().map(|branch| branch.dims[axis..].iter().product()).collect(),
        branches: branches.into_iter().map(|branch| branch.values.clone()).collect(),
    }
}

fn upsample(case: &Case, node: &Node) -> Call {
    let Map { channels, size: in_size, values } = map(case, node, 0);
    let out_size = channels_last(&case.outputs[0]).size;
    let whole = [0, 1].iter().all(|&axis| out_size[axis].is_multiple_of(in_size[axis]));
    // `Upsample` has no such attribute, and is what `asymmetric` is of `Resize`.
    let default = if node.op_type() == "Resize" { "half_pixel" } else { "asymmetric" };
    let transformation = node.text("coordinate_transformation_mode", default);
    let default = if node.op_type() == "Resize" { "round_prefer_floor" } else { "floor" };
    let nearest_mode = node.text("nearest_mode", default);
    let interpolation = match (&*node.text("mode", "nearest"), &*transformation, &*nearest_mode) {
        // Where each cell is repeated, all ways of counting find the same.
        ("nearest", "half_pixel", "round_prefer_floor") | ("nearest", "asymmetric", "floor") if whole => {
            Interpolation::Nearest
        }
        ("linear", "half_pixel", _) if whole => Interpolation::Bilinear { align_corners: false },
        ("linear", "align_corners", _) => Interpolation::Bilinear { align_corners: true },
        other => panic!("{in_size:?} to {out_size:?} by {other:?}"),
    };
    Call::Upsample {
        geometry: Upsample2dGeometry {
            channels,
            in_size,
            out_size,
            scale_factor: None,
            interpolation,
            layout: Layout::DENSE,
        },
        input: values,
    }
}

fn zero_pad(case: &Case, node: &Node) -> Call {
    let Map { channels, size: in_size, values } = map(case, node, 0);
    assert!(node.text("mode", "constant") == "constant" && node.float("value", 0.0) == 0.0);
    let [0, 0, top, left, 0, 0, bottom, right] = node.sizes("pads").expect("pads")[..] else {
        panic!("channels padded")
    };
    let padding = Padding { top, bottom, left, right };
    Call::Pad2d {
        geometry: Pad2dGeometry { channels, in_size, padding, mode: PaddingMode::ZEROS, layout: Layout::DENSE },
        input: values,
    }
}

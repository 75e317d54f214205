//! Stand-in until the engine's room is merged.
use super::geometry::Conv2dGeometry;
use super::scratch::Scratch;
use crate::reference::conv2d;
/// epilogue
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// bias
    pub bias: Option<&'a [f32]>,
    /// relu
    pub relu: bool,
}
/// write
#[derive(Clone, Copy, Debug)]
pub enum Write {
    /// store
    Store,
    /// add
    Add,
}
pub(super) fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|&v| f64::from(v)).collect()
}
pub(super) fn narrow(from: &[f64], to: &mut [f32]) {
    for (a, b) in from.iter().zip(to) {
        *b = *a as f32;
    }
}
/// forward
pub fn forward(
    g: &Conv2dGeometry,
    e: Epilogue<'_>,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    _s: &mut Scratch,
) {
    narrow(&conv2d::forward(g, &wide(input), &wide(weight), e.bias.map(wide).as_deref()), output);
    if e.relu {
        super::elementwise::relu(output);
    }
}
/// backward
pub fn backward_weight(
    g: &Conv2dGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    grad_bias: Option<&mut [f32]>,
    _s: &mut Scratch,
) {
    let r = conv2d::backward(g, &wide(input), &vec![0.0; g.weight_len()], &wide(grad_output));
    narrow(&r.weight, grad_weight);
    if let Some(b) = grad_bias {
        narrow(&r.bias, b);
    }
}
/// backward
pub fn backward_input(
    g: &Conv2dGeometry,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    _w: Write,
    _s: &mut Scratch,
) {
    let r = conv2d::backward(g, &vec![0.0; grad_input.len()], &wide(weight), &wide(grad_output));
    narrow(&r.input, grad_input);
}

//! Stand-in until the engine's room is merged.
use super::direct::{Epilogue, Write, narrow, wide};
use super::geometry::LinearGeometry;
use super::scratch::Scratch;
use crate::reference::linear;
/// forward
pub fn forward(
    g: &LinearGeometry,
    e: Epilogue<'_>,
    input: &[f32],
    weight: &[f32],
    output: &mut [f32],
    _s: &mut Scratch,
) {
    narrow(&linear::forward(g, &wide(input), &wide(weight), e.bias.map(wide).as_deref()), output);
    if e.relu {
        super::elementwise::relu(output);
    }
}
/// backward
pub fn backward_weight(
    g: &LinearGeometry,
    input: &[f32],
    grad_output: &[f32],
    grad_weight: &mut [f32],
    grad_bias: Option<&mut [f32]>,
    _s: &mut Scratch,
) {
    let r = linear::backward(g, &wide(input), &vec![0.0; g.weight_len()], &wide(grad_output));
    narrow(&r.weight, grad_weight);
    if let Some(b) = grad_bias {
        narrow(&r.bias, b);
    }
}
/// backward
pub fn backward_input(
    g: &LinearGeometry,
    weight: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    _w: Write,
    _s: &mut Scratch,
) {
    let r = linear::backward(g, &vec![0.0; grad_input.len()], &wide(weight), &wide(grad_output));
    narrow(&r.input, grad_input);
}

//! Stand-in until the engine's room is merged.
use super::direct::{Write, narrow, wide};
/// relu
pub fn relu(map: &mut [f32]) {
    map.iter_mut().for_each(|v| *v = v.max(0.0));
}
/// relu
pub fn relu_from(input: &[f32], output: &mut [f32]) {
    output.copy_from_slice(input);
    relu(output);
}
/// relu
pub fn relu_backward_in_place(output: &[f32], grad: &mut [f32]) {
    output.iter().zip(grad).for_each(|(o, g)| {
        if *o <= 0.0 {
            *g = 0.0;
        }
    });
}
/// relu
pub fn relu_backward(output: &[f32], grad_output: &[f32], grad_input: &mut [f32], _w: Write) {
    grad_input.copy_from_slice(grad_output);
    relu_backward_in_place(output, grad_input);
}
/// softmax
pub fn softmax_rows(channels: usize, input: &[f32], output: &mut [f32]) {
    narrow(&crate::reference::softmax::forward(channels, &wide(input)), output);
}
/// softmax
pub fn softmax_rows_backward(channels: usize, output: &[f32], grad_output: &[f32], grad_input: &mut [f32], _w: Write) {
    narrow(&crate::reference::softmax::backward(channels, &wide(output), &wide(grad_output)), grad_input);
}

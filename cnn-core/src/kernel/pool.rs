//! Stand-in until the engine's room is merged.
use super::direct::{Write, narrow, wide};
use super::geometry::{AdaptivePool2dGeometry, Pool2dGeometry};
use crate::reference::{adaptive_avg_pool2d, avg_pool2d, max_pool2d};
/// forward
pub fn max_forward(g: &Pool2dGeometry, input: &[f32], output: &mut [f32]) {
    narrow(&max_pool2d::forward(g, &wide(input)), output);
}
/// backward
pub fn max_backward(
    g: &Pool2dGeometry,
    input: &[f32],
    _o: &[f32],
    grad_output: &[f32],
    grad_input: &mut [f32],
    _w: Write,
) {
    narrow(&max_pool2d::backward(g, &wide(input), &wide(grad_output)), grad_input);
}
/// forward
pub fn average_forward(g: &Pool2dGeometry, input: &[f32], output: &mut [f32]) {
    narrow(&avg_pool2d::forward(g, &wide(input)), output);
}
/// backward
pub fn average_backward(g: &Pool2dGeometry, grad_output: &[f32], grad_input: &mut [f32], _w: Write) {
    narrow(&avg_pool2d::backward(g, &wide(grad_output)), grad_input);
}
/// forward
pub fn adaptive_average_forward(g: &AdaptivePool2dGeometry, input: &[f32], output: &mut [f32]) {
    narrow(&adaptive_avg_pool2d::forward(g, &wide(input)), output);
}
/// backward
pub fn adaptive_average_backward(g: &AdaptivePool2dGeometry, grad_output: &[f32], grad_input: &mut [f32], _w: Write) {
    narrow(&adaptive_avg_pool2d::backward(g, &wide(grad_output)), grad_input);
}

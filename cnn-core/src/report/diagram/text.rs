//! Numbers and windows as the boxes say them, and how wide text is.

use crate::layer::Operation;
use crate::layer::geometry::Padding;

/// Kernel and what is not as usual, of those that have one: `7x7, stride 2`.
pub(super) fn window(operation: &Operation) -> String {
    let (kernel, stride, padding, dilation, groups) = match operation {
        Operation::Conv2d { geometry, .. } => {
            (geometry.kernel_size, geometry.stride, geometry.padding, geometry.dilation, geometry.groups)
        }
        Operation::ConvTranspose2d { geometry, .. } => {
            (geometry.kernel_size, geometry.stride, geometry.padding, geometry.dilation, geometry.groups)
        }
        Operation::MaxPool2d(geometry) | Operation::AvgPool2d(geometry) => {
            (geometry.kernel_size, geometry.stride, Padding::symmetric(geometry.padding), geometry.dilation, 1)
        }
        _ => return String::new(),
    };
    let pair = |[vertical, horizontal]: [usize; 2]| match vertical == horizontal {
        true => vertical.to_string(),
        false => format!("{vertical}x{horizontal}"),
    };
    let mut text = format!("{}x{}", kernel[0], kernel[1]);
    for (name, value) in [("stride", stride), ("dilation", dilation)] {
        if value != [1, 1] {
            text += &format!(", {name} {}", pair(value));
        }
    }
    if padding != Padding::symmetric([0, 0]) {
        text += ", padded";
    }
    if groups > 1 {
        text += &format!(", {groups} groups");
    }
    text
}

/// How wide a line of text is, in pixels, in a font of this size: at most, as the reader's font is not known.
pub(super) fn width(text: &str, size: f64, bold: bool) -> f64 {
    let units: f64 = text.chars().map(of_char).sum();
    units * size * if bold { 1.1 } else { 1.0 }
}

/// In parts of the size, about those of DejaVu Sans, one of the widest.
fn of_char(character: char) -> f64 {
    match character {
        'i' | 'j' | 'l' | '.' | ',' | ' ' | '|' | '\'' => 0.32,
        'f' | 't' | 'r' | '(' | ')' | '-' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.98,
        'A'..='Z' | '+' | '=' => 0.74,
        character if character.is_ascii() => 0.635,
        _ => 1.0,
    }
}

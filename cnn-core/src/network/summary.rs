//! The table of a network's steps.

use core::fmt;

use super::{Memory, Network};
use crate::kernel::geometry::Padding;
use crate::layer::{Operation, Step, step};
use crate::shape::{Shape, Sizes};

/// A network's steps, with sizes, costs and totals; it displays as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    name: &'static str,
    input: Sizes,
    steps: &'static [Step],
    memory: Memory,
}

impl Summary {
    /// Of a network.
    pub fn of<N: Network>() -> Self {
        Self { name: N::NAME, input: N::Input::SIZES, steps: N::STEPS, memory: N::MEMORY }
    }
}

const TITLES: [&str; 6] = ["layer", "output", "kernel", "parameters", "multiply-adds", "bytes"];

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let input = [
            format!("{} (input)", self.name),
            self.input.to_string(),
            String::new(),
            String::new(),
            String::new(),
            grouped(4 * self.input.len()),
        ];
        let mut rows: Vec<[String; 6]> = vec![TITLES.map(String::from), input];
        rows.extend(self.steps.iter().map(row));
        let widths: [usize; 6] =
            core::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
        let rule = "-".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1));
        for (index, [layer, output, kernel, parameters, multiply_adds, bytes]) in rows.iter().enumerate() {
            let [w0, w1, w2, w3, w4, w5] = widths;
            let line = format!(
                "{layer:w0$}  {output:>w1$}  {kernel:w2$}  {parameters:>w3$}  {multiply_adds:>w4$}  {bytes:>w5$}"
            );
            writeln!(formatter, "{}", line.trim_end())?;
            if index == 0 {
                writeln!(formatter, "{rule}")?;
            }
        }
        writeln!(formatter, "{rule}")?;
        let parameters = step::parameters(self.steps);
        writeln!(formatter, "parameters: {} ({} bytes)", grouped(parameters), grouped(4 * parameters))?;
        writeln!(formatter, "multiply-adds per sample: {}", grouped(step::multiply_adds(self.steps)))?;
        write!(
            formatter,
            "workspace per sample: {} bytes in training, {} in evaluation",
            grouped(4 * self.memory.training),
            grouped(4 * self.memory.evaluation),
        )
    }
}

fn row(step: &Step) -> [String; 6] {
    let or_blank = |number: usize| if number == 0 { String::new() } else { grouped(number) };
    [
        if step.path.is_empty() { step.layer.to_string() } else { format!("{} ({})", step.path, step.layer) },
        step.output.to_string(),
        window(&step.operation, step.layer.ends_with("1d")),
        if step.shares.is_some() { "shared".to_owned() } else { or_blank(step.operation.parameter_count()) },
        or_blank(step.operation.multiply_adds()),
        grouped(4 * step.output.len()),
    ]
}

/// Kernel, stride, padding, and what is not as usual; along a sequence.
fn window(operation: &Operation, is_1d: bool) -> String {
    let pair = |[vertical, horizontal]: [usize; 2]| {
        if is_1d {
            horizontal.to_string()
        } else if vertical == horizontal {
            vertical.to_string()
        } else {
            format!("({vertical}, {horizontal})")
        }
    };
    let (kernel, stride, padding, dilation, rest) = match operation {
        Operation::Conv2d { rank: 2, .. } => return String::new(),
        Operation::Conv2d { geometry, .. } => {
            let groups = if geometry.groups == 1 { String::new() } else { format!(", {} groups", geometry.groups) };
            (geometry.kernel_size, geometry.stride, geometry.padding, geometry.dilation, groups)
        }
        Operation::ConvTranspose2d { geometry, .. } => {
            let groups = if geometry.groups == 1 { String::new() } else { format!(", {} groups", geometry.groups) };
            let output_padding = match geometry.output_padding {
                [0, 0] => String::new(),
                padding => format!(", output_padding {}", pair(padding)),
            };
            (geometry.kernel_size, geometry.stride, geometry.padding, geometry.dilation, output_padding + &groups)
        }
        Operation::MaxPool2d(geometry) | Operation::AvgPool2d(geometry) => {
            let padding = Padding::symmetric(geometry.padding);
            let ceil_mode = if geometry.ceil_mode { ", ceil_mode" } else { "" };
            (geometry.kernel_size, geometry.stride, padding, geometry.dilation, ceil_mode.to_owned())
        }
        Operation::Dropout { p } | Operation::Dropout2d { p } | Operation::DropPath { p } => return format!("p {p}"),
        _ => return String::new(),
    };
    let Padding { top, bottom, left, right } = padding;
    let padding = if is_1d && left != right {
        format!("({left}, {right})")
    } else if top == bottom && left == right {
        pair([top, left])
    } else {
        format!("({top}, {bottom}, {left}, {right})")
    };
    let across = if is_1d { String::new() } else { format!("{}x", kernel[0]) };
    let mut text = format!("{across}{}, stride {}, padding {padding}", kernel[1], pair(stride));
    if dilation != [1, 1] {
        text += &format!(", dilation {}", pair(dilation));
    }
    text + &rest
}

/// `1,234,567`
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_told_apart() {
        assert_eq!([0, 999, 1000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }
}

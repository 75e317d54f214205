//! Layers whose window moves over the map, in the macro's words. What it works with is wider than any size, so that nothing
//! overflows before it is found too large.

use super::text::Text;
use super::{MOST_VALUES, Made, flat, is_1d};
use crate::shape::{Sizes, window as rule};

/// A layer's window, as it is written.
#[derive(Clone, Copy, Debug)]
pub struct Window {
    /// How messages call the step.
    pub name: &'static str,
    /// The layer.
    pub layer: &'static str,
    /// Rows and columns of the window.
    pub kernel_size: [usize; 2],
    /// Its steps.
    pub stride: [usize; 2],
    /// Rows and columns around the map: top, bottom, left, right.
    pub padding: [usize; 4],
    /// Distance of its taps.
    pub dilation: [usize; 2],
    /// Groups that the channels are split into.
    pub groups: usize,
    /// Whether a remainder is a mistake.
    pub strict: bool,
    /// Whether a remainder gets a window of its own.
    pub ceil_mode: bool,
    /// Whether it is a pooling's: half of it is the most padding, and it has no weights.
    pub pools: bool,
}

/// Ways out are looked for so far, as the macro does.
const FEW: u128 = 64;

/// The map that a window makes of `input`, with so many channels.
#[inline]
pub const fn window(layer: Window, input: Sizes, sound: bool, channels: usize) -> Made {
    let cells = [input.height(), input.width()];
    let axes = [Axis::of(&layer, cells[0], 0), Axis::of(&layer, cells[1], 1)];
    let mut mistake = flat(layer.name, layer.layer, input);
    if mistake.is_none() {
        mistake = ungrouped(&layer, input.channels() as u128, channels as u128);
    }
    if mistake.is_none() {
        mistake = misfit(&layer, &axes, 0, channels);
    }
    if mistake.is_none() {
        mistake = misfit(&layer, &axes, 1, channels);
    }
    let (mut height, mut width) = (1, 1);
    if mistake.is_none() {
        (height, width) = (axes[0].positions(), axes[1].positions());
        if !layer.pools {
            let made = Sizes::Map { channels, height, width };
            mistake = too_much(&layer, input.channels(), made, [height, width]);
        }
    }
    Made::new(layer.name, Sizes::Map { channels, height, width }, sound, mistake)
}

/// The map that a window makes of `input` backwards, with so many channels.
#[inline]
pub const fn transposed(layer: Window, output_padding: [usize; 2], input: Sizes, sound: bool, channels: usize) -> Made {
    let cells = [input.height(), input.width()];
    let (height, vertical) = Axis::of(&layer, cells[0], 0).spread(layer.name, output_padding[0] as u128);
    let (width, horizontal) = Axis::of(&layer, cells[1], 1).spread(layer.name, output_padding[1] as u128);
    let mut mistake = flat(layer.name, layer.layer, input);
    if mistake.is_none() {
        mistake = ungrouped(&layer, input.channels() as u128, channels as u128);
    }
    if mistake.is_none() {
        mistake = vertical;
    }
    if mistake.is_none() {
        mistake = horizontal;
    }
    if mistake.is_none() {
        mistake = too_much(&layer, input.channels(), Sizes::Map { channels, height, width }, cells);
    }
    Made::new(layer.name, Sizes::Map { channels, height, width }, sound, mistake)
}

/// One axis of a window that moves over a map.
#[derive(Clone, Copy, Debug)]
struct Axis {
    cells: u128,
    kernel: u128,
    stride: u128,
    /// Before the map and behind it.
    padding: [u128; 2],
    dilation: u128,
    ceil: bool,
}

impl Axis {
    #[inline]
    const fn of(layer: &Window, cells: usize, side: usize) -> Self {
        Self {
            cells: cells as u128,
            kernel: layer.kernel_size[side] as u128,
            stride: layer.stride[side] as u128,
            padding: [layer.padding[2 * side] as u128, layer.padding[2 * side + 1] as u128],
            dilation: layer.dilation[side] as u128,
            ceil: layer.ceil_mode,
        }
    }

    /// Cells and padding.
    #[inline]
    const fn padded(&self) -> u128 {
        self.cells + self.padding[0] + self.padding[1]
    }

    /// Cells from the first tap to the last one.
    #[inline]
    const fn reach(&self) -> u128 {
        self.dilation * (self.kernel - 1) + 1
    }

    /// Cells that the first window may lie on.
    #[inline]
    const fn room(&self) -> u128 {
        if self.ceil { self.padded() + self.stride - 1 } else { self.padded() }
    }

    /// Of a window that fits.
    #[inline]
    const fn positions(&self) -> usize {
        let (kernel, stride, dilation) = (self.kernel as usize, self.stride as usize, self.dilation as usize);
        if self.ceil {
            rule::ceil_output(self.cells as usize, kernel, stride, self.padding[0] as usize, dilation)
        } else {
            rule::output(self.padded() as usize, kernel, stride, 0, dilation)
        }
    }

    /// Cells behind the last position that no window reaches.
    #[inline]
    const fn remainder(&self) -> u128 {
        self.padded().saturating_sub(self.reach()) % self.stride
    }

    /// The rule with the numbers put in.
    #[inline]
    const fn rule(&self, text: Text) -> Text {
        let text = text.str("(").number(self.cells).str(" - ");
        let text = if self.dilation == 1 {
            text.number(self.kernel)
        } else {
            text.number(self.dilation).str("*(").number(self.kernel).str(" - 1) - 1")
        };
        let [before, behind] = self.padding;
        let text = if before == behind {
            text.str(" + 2*").number(before)
        } else {
            text.str(" + ").number(before).str(" + ").number(behind)
        };
        let text = text.str(")/").number(self.stride);
        if self.ceil { text.str(", rounded up, + 1") } else { text.str(" + 1") }
    }

    #[inline]
    const fn reads_as(&self, other: &Self) -> bool {
        self.cells == other.cells
            && self.kernel == other.kernel
            && self.stride == other.stride
            && self.padding[0] == other.padding[0]
            && self.padding[1] == other.padding[1]
            && self.dilation == other.dilation
    }

    /// Cells that it makes backwards, or why there are none.
    #[inline]
    const fn spread(&self, name: &str, output_padding: u128) -> (usize, Option<Text>) {
        let Self { cells, stride, dilation, padding: [before, behind], .. } = *self;
        let text = Text::new(name);
        let most = if stride > dilation { stride } else { dilation } - 1;
        if output_padding > most {
            let text = text.str("output_padding ").number(output_padding);
            let text = text.str(" is more than the remainder that a stride can leave\nrule: output_padding < stride ");
            let text = text.number(stride);
            let text = if dilation > 1 { text.str(" or dilation ").number(dilation) } else { text };
            let text = text.str("\nhelp: output_padding <= ").number(most);
            // A way out must not be refused in turn.
            let left = (cells - 1) * stride + self.reach() + most;
            let refused = before + behind >= left;
            return (1, Some(if refused { text.str(", and padding <= ").number((left - 1) / 2) } else { text }));
        }
        let spread = (cells - 1) * stride + self.reach() + output_padding;
        if before + behind >= spread {
            let text = text.str("the padding takes all that the kernel makes\nrule: (").number(cells).str(" - 1)*");
            let text = text.number(stride).str(" + ").number(self.reach()).str(" + ").number(output_padding);
            let text = if before == behind {
                text.str(" - 2*").number(before)
            } else {
                text.str(" - ").number(before).str(" - ").number(behind)
            };
            return (1, Some(text.str(" < 1\nhelp: padding <= ").number((spread - 1) / 2)));
        }
        let cells = spread - before - behind;
        // What is larger than that is too large for memory, and reported as such.
        (if cells > usize::MAX as u128 { usize::MAX } else { cells as usize }, None)
    }
}

/// What is wrong with the height (`side` 0) or the width of what a window makes.
#[inline]
const fn misfit(layer: &Window, axes: &[Axis; 2], side: usize, channels: usize) -> Option<Text> {
    let axis = &axes[side];
    let text = Text::new(layer.name);
    let half = axis.kernel / 2;
    let [padding, _] = axis.padding;
    if layer.pools && padding > half {
        let text = text.str("padding ").number(padding).str(" is more than half of kernel_size ").number(axis.kernel);
        let text = text.str("\nrule: a pooling's window must not lie in the padding: padding <= ").number(half);
        let text = text.str("\nhelp: padding <= ").number(half).str(", or kernel_size >= ").number(2 * padding);
        return Some(text);
    }
    if axis.reach() > axis.room() {
        return Some(no_room(layer, axes, side, channels));
    }
    if layer.strict && axis.remainder() != 0 {
        return Some(remainder(layer, axes, side));
    }
    None
}

#[inline]
const fn no_room(layer: &Window, axes: &[Axis; 2], side: usize, channels: usize) -> Text {
    let axis = &axes[side];
    let [before, behind] = axis.padding;
    let missing = (axis.reach() - axis.room()).div_ceil(2) + if before > behind { before } else { behind };
    let text = Text::new(layer.name).str("kernel_size ").number(axis.kernel);
    let text = if axis.dilation == 1 { text } else { text.str(" with dilation ").number(axis.dilation) };
    let text = rule_of(map(text.str(" does not fit the "), layer, axes), layer, axes, side).str(" < 1\nhelp: ");
    let fits = (axis.room() - 1) / axis.dilation + 1;
    // A way out must not be refused in turn.
    let most = if layer.pools { axis.kernel / 2 } else { MOST_VALUES as u128 };
    let padded = missing <= most && missing <= MOST_VALUES as u128;
    let largest = if before > behind { before } else { behind };
    let smaller = !layer.pools || largest <= fits / 2;
    let line = is_line(axes, side);
    let text = if line {
        let [height, width] = if side == 0 { [1, axes[1].kernel] } else { [axes[0].kernel, 1] };
        let text = text.str("`").str(layer.layer).str("<");
        let text = if layer.pools { text } else { text.number(channels as u128).str(", ") };
        let text = text.str("(").number(height).str(", ").number(width);
        text.str(")>`, as the map has one ").str(["row", "column"][side])
    } else {
        text
    };
    let text = if line && padded { text.str(", or ") } else { text };
    let text = if padded { text.str("padding >= ").number(missing) } else { text };
    let text = if padded && smaller && !line { text.str(", or ") } else { text };
    match (padded || line, smaller && !line) {
        (_, true) => text.str("kernel_size <= ").number(fits),
        (true, false) => text,
        (false, false) => text.str("a smaller dilation"),
    }
}

/// Whether the map is a line of cells, which no padding widens, and a kernel that lies along it fits.
#[inline]
const fn is_line(axes: &[Axis; 2], side: usize) -> bool {
    let (across, along) = (&axes[side], &axes[1 - side]);
    let bare = across.padding[0] == 0 && across.padding[1] == 0;
    across.cells == 1 && along.cells > 1 && bare && along.reach() <= along.room()
}

#[inline]
const fn remainder(layer: &Window, axes: &[Axis; 2], side: usize) -> Text {
    let axis = &axes[side];
    let (stride, left, steps) = (axis.stride, axis.remainder(), axis.padded() - axis.reach());
    let text = Text::new(layer.name).str("stride ").number(stride).str(" does not divide the ");
    let text = map(text, layer, axes).str(", ").number(left).str(if left == 1 { " cell" } else { " cells" });
    let text = rule_of(text.str(" left over, and `strict` forbids it"), layer, axes, side);
    let mut text = text.str(" leaves ").number(left).str(" of ").number(stride).str(" over\nhelp: ");
    let (mut more, mut found) = (1, axis.padding[0] != axis.padding[1]);
    while !found && more <= FEW && more <= stride {
        let allowed = !layer.pools || axis.padding[0] + more <= axis.kernel / 2;
        if allowed && (steps + 2 * more).is_multiple_of(stride) {
            text = text.str("padding = ").number(axis.padding[0] + more).str(", ");
            found = true;
        }
        more += 1;
    }
    let (mut divisor, mut tried) = (stride, 0);
    while tried < FEW && divisor > 1 && !steps.is_multiple_of(divisor) {
        divisor -= 1;
        tried += 1;
    }
    let divisor = if steps.is_multiple_of(divisor) && tried < FEW { divisor } else { 1 };
    text.str("stride = ").number(divisor).str(", or leave `strict` out to round down")
}

#[inline]
const fn map(text: Text, layer: &Window, axes: &[Axis; 2]) -> Text {
    if is_1d(layer.layer) {
        return text.str("sequence of length ").number(axes[1].cells);
    }
    text.number(axes[0].cells).str("x").number(axes[1].cells).str(" feature map")
}

/// On a square map with a square window both axes read the same; a sequence has one.
#[inline]
const fn rule_of(text: Text, layer: &Window, axes: &[Axis; 2], side: usize) -> Text {
    let which = if is_1d(layer.layer) || axes[0].reads_as(&axes[1]) {
        "rule: "
    } else {
        ["rule (height): ", "rule (width): "][side]
    };
    axes[side].rule(text.str("\n").str(which))
}

/// What is wrong with the groups of a convolution.
#[inline]
const fn ungrouped(layer: &Window, inputs: u128, outputs: u128) -> Option<Text> {
    let groups = layer.groups as u128;
    let text = Text::new(layer.name);
    if !inputs.is_multiple_of(groups) {
        let text = text.str("groups ").number(groups).str(" does not divide the ").number(inputs);
        let text = text.str(" input channels\nrule: each of ").number(groups).str(" groups gets as many of them");
        let text = text.str("\nhelp: groups = ").number(common_divisor(inputs, outputs, groups));
        let text = text.str(", or a map with ").number(inputs.next_multiple_of(groups)).str(" channels before `");
        return Some(text.str(layer.layer).str("`"));
    }
    if groups == inputs && outputs < groups {
        let text = text.number(groups).str(" groups of one input channel each make at least ").number(groups);
        let text = text.str(" output channels, not ").number(outputs);
        return Some(text.str("\nhelp: out_channels = ").number(groups).str(", or a multiple of it"));
    }
    if !outputs.is_multiple_of(groups) {
        let text = text.str("groups ").number(groups).str(" does not divide the ").number(outputs);
        let text = text.str(" output channels\nrule: each of ").number(groups).str(" groups makes as many of them");
        let (below, text) = (outputs / groups * groups, text.str("\nhelp: out_channels = "));
        let text = if below == 0 { text } else { text.number(below).str(" or ") };
        return Some(text.number(outputs.next_multiple_of(groups)));
    }
    None
}

/// The largest number up to `most` that divides both; if it is far below, just one that does.
#[inline]
pub(super) const fn common_divisor(a: u128, b: u128, most: u128) -> u128 {
    let common = gcd(a, b);
    if common <= most {
        return common;
    }
    let (mut divisor, mut tried) = (most, 0);
    while tried < FEW {
        if common.is_multiple_of(divisor) {
            return divisor;
        }
        divisor -= 1;
        tried += 1;
    }
    1
}

#[inline]
const fn gcd(a: u128, b: u128) -> u128 {
    if b == 0 { a } else { gcd(b, a % b) }
}

/// Why the weights of a convolution, or what is computed with them at so many positions, are more than a number can be.
#[inline]
const fn too_much(layer: &Window, inputs: usize, made: Sizes, positions: [usize; 2]) -> Option<Text> {
    let [kernel_height, kernel_width] = layer.kernel_size;
    let filters = [inputs / layer.groups, made.channels(), kernel_height, kernel_width];
    super::too_much(layer.name, made, filters, positions)
}

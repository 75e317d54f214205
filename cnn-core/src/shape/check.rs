//! What the `network!` macro checks itself where it knows the numbers, for sizes that only rustc knows. Expanded code
//! calls this; nobody else needs to.
//!
//! A check never panics: it says what is wrong, and makes sizes to go on with. `report` panics, in a constant that nothing
//! but types depend on: one error, with the numbers put in, on the token that the call has its span from, and no note for
//! each thing that is computed of a wrong size.
//!
//! All is `inline`: only constants call it, and no machine code is made of what nobody else calls.

use super::Sizes;
use super::window;

/// Lines that a const function may write.
#[derive(Clone, Copy, Debug)]
struct Text {
    bytes: [u8; 512],
    len: usize,
}

/// A size that was written.
#[derive(Clone, Copy, Debug)]
pub struct Given {
    /// It, or the least that it may be.
    pub size: usize,
    mistake: Option<Text>,
}

/// A map that a step makes.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// Its sizes.
    pub sizes: Sizes,
    /// Whether nothing was wrong on the way here: after a mistake a map is unknown, and not worth a complaint.
    pub sound: bool,
    mistake: Option<Text>,
}

impl Given {
    /// Panics with what is wrong with it.
    #[track_caller]
    #[inline]
    pub const fn report(&self) {
        report(&self.mistake);
    }
}

impl Made {
    #[inline]
    const fn new(sizes: Sizes, sound: bool, mistake: Option<Text>) -> Self {
        let mistake = if sound { mistake } else { None };
        Self { sizes, sound: sound && mistake.is_none(), mistake }
    }

    /// Panics with what is wrong with the step that makes it.
    #[track_caller]
    #[inline]
    pub const fn report(&self) {
        report(&self.mistake);
    }
}

#[track_caller]
#[inline]
const fn report(mistake: &Option<Text>) {
    if let Some(text) = mistake {
        match core::str::from_utf8(text.bytes.split_at(text.len).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("a wrong size, of a name that does not fit into a message"),
        }
    }
}

/// A number for a type, that is none if one of the reports is an error.
#[inline]
pub const fn after(_reports: &[()], number: usize) -> usize {
    number
}

impl Text {
    #[inline]
    const fn new(name: &str) -> Self {
        Self { bytes: [0; 512], len: 0 }.str(name).str(": ")
    }

    #[inline]
    const fn str(mut self, text: &str) -> Self {
        let mut index = 0;
        while index < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text.as_bytes()[index];
            self.len += 1;
            index += 1;
        }
        self
    }

    #[inline]
    const fn number(self, number: usize) -> Self {
        let text = if number >= 10 { self.number(number / 10) } else { self };
        text.str(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"][number % 10])
    }

    /// `6x28x28`, or `120`.
    #[inline]
    const fn sizes(self, sizes: Sizes) -> Self {
        match sizes {
            Sizes::Map { channels, height, width } => {
                self.number(channels).str("x").number(height).str("x").number(width)
            }
            Sizes::Flat { features } => self.number(features),
        }
    }
}

/// A size that must be so large.
#[inline]
pub const fn size(name: &str, what: &str, least: usize, size: usize) -> Given {
    if size >= least {
        return Given { size, mistake: None };
    }
    let text = Text::new(name).str(what).str(" is ").number(size);
    Given { size: least, mistake: Some(text.str("\nhelp: ").str(what).str(" >= ").number(least)) }
}

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
    /// Whether half the window is the most padding.
    pub half_padding: bool,
}

/// The map that a window makes of `input`, with so many channels.
#[inline]
pub const fn window(layer: Window, input: Sizes, sound: bool, channels: usize) -> Made {
    let cells = [input.height(), input.width()];
    let (height, width) = (positions(&layer, cells[0], 0), positions(&layer, cells[1], 1));
    let mut mistake = flat(layer.name, layer.layer, input);
    if mistake.is_none() {
        mistake = ungrouped(&layer, input.channels(), channels);
    }
    if mistake.is_none() {
        mistake = misfit(&layer, cells, 0);
    }
    if mistake.is_none() {
        mistake = misfit(&layer, cells, 1);
    }
    Made::new(Sizes::Map { channels, height, width }, sound, mistake)
}

/// The map that a window makes of `input` backwards, with so many channels.
#[inline]
pub const fn transposed(layer: Window, output_padding: [usize; 2], input: Sizes, sound: bool, channels: usize) -> Made {
    let (height, vertical) = spread(&layer, output_padding[0], input.height(), 0);
    let (width, horizontal) = spread(&layer, output_padding[1], input.width(), 1);
    let mut mistake = flat(layer.name, layer.layer, input);
    if mistake.is_none() {
        mistake = ungrouped(&layer, input.channels(), channels);
    }
    if mistake.is_none() {
        mistake = vertical;
    }
    if mistake.is_none() {
        mistake = horizontal;
    }
    Made::new(Sizes::Map { channels, height, width }, sound, mistake)
}

#[inline]
const fn spread(layer: &Window, output_padding: usize, cells: usize, side: usize) -> (usize, Option<Text>) {
    let (kernel, stride, dilation) = (layer.kernel_size[side], layer.stride[side], layer.dilation[side]);
    let padding = layer.padding[2 * side] + layer.padding[2 * side + 1];
    let text = Text::new(layer.name);
    if output_padding >= stride && output_padding >= dilation {
        let text = text.str("output_padding ").number(output_padding).str(" is not less than stride ").number(stride);
        return (1, Some(text.str("\nhelp: output_padding < stride")));
    }
    let behind = layer.padding[2 * side + 1];
    if output_padding >= stride + behind {
        let text =
            text.str("output_padding ").number(output_padding).str(" adds a stride or more behind all that the kernel");
        let text =
            text.str(" makes, which comes with a later version\nhelp: output_padding < ").number(stride + behind);
        return (1, Some(text));
    }
    if padding >= window::transposed_output(cells, kernel, stride, 0, output_padding, dilation) {
        return (1, Some(text.str("the padding takes all that the kernel makes\nhelp: less padding")));
    }
    (window::transposed_output(cells, kernel, stride, padding, output_padding, dilation), None)
}

#[inline]
const fn positions(layer: &Window, cells: usize, side: usize) -> usize {
    let (kernel, stride, dilation) = (layer.kernel_size[side], layer.stride[side], layer.dilation[side]);
    let [before, behind] = [layer.padding[2 * side], layer.padding[2 * side + 1]];
    if layer.ceil_mode {
        window::ceil_output(cells, kernel, stride, before, dilation)
    } else {
        window::output(cells + before + behind, kernel, stride, 0, dilation)
    }
}

#[inline]
const fn ungrouped(layer: &Window, inputs: usize, outputs: usize) -> Option<Text> {
    let groups = layer.groups;
    let text = Text::new(layer.name);
    if !inputs.is_multiple_of(groups) {
        let text = text.str("groups ").number(groups).str(" does not divide the ").number(inputs);
        return Some(text.str(" input channels\nhelp: each group gets as many of them"));
    }
    if groups == inputs && outputs < groups {
        let text = text.number(groups).str(" groups of one input channel each make at least ").number(groups);
        let text = text.str(" output channels, not ").number(outputs);
        return Some(text.str("\nhelp: out_channels = ").number(groups).str(", or a multiple of it"));
    }
    if !outputs.is_multiple_of(groups) {
        let text = text.str("groups ").number(groups).str(" does not divide the ").number(outputs);
        return Some(text.str(" output channels\nhelp: each group makes as many of them"));
    }
    None
}

#[inline]
const fn misfit(layer: &Window, cells: [usize; 2], side: usize) -> Option<Text> {
    let (kernel, stride) = (layer.kernel_size[side], layer.stride[side]);
    let [padding, behind] = [layer.padding[2 * side], layer.padding[2 * side + 1]];
    let dilation = layer.dilation[side];
    let text = Text::new(layer.name);
    let reach = dilation * (kernel - 1) + 1;
    if layer.half_padding && padding > reach / 2 {
        let text = text.str("padding ").number(padding).str(" is more than half of kernel_size ").number(kernel);
        return Some(text.str("\nhelp: padding <= ").number(reach / 2));
    }
    let padded = cells[side] + padding + behind;
    let room = if layer.ceil_mode { padded + stride - 1 } else { padded };
    if reach > room {
        let text = text.str("kernel_size ").number(kernel).str(" does not fit the ");
        let text = rule(text.number(cells[0]).str("x").number(cells[1]).str(" feature map"), layer, cells[side], side);
        let text = text.str(" < 1\nhelp: more padding, or kernel_size <= ");
        return Some(text.number((room - 1) / dilation + 1));
    }
    if layer.strict && !(padded - reach).is_multiple_of(stride) {
        let text = text.str("stride ").number(stride).str(" does not divide the ");
        let text = rule(text.number(cells[0]).str("x").number(cells[1]).str(" feature map"), layer, cells[side], side);
        let text = text.str(" leaves ").number((padded - reach) % stride).str(" of ").number(stride).str(" over");
        return Some(text.str("\nhelp: another stride, or leave `strict` out to round down"));
    }
    None
}

#[inline]
const fn rule(text: Text, layer: &Window, cells: usize, side: usize) -> Text {
    let (kernel, dilation) = (layer.kernel_size[side], layer.dilation[side]);
    let [before, behind] = [layer.padding[2 * side], layer.padding[2 * side + 1]];
    let text = text.str("\nrule: (").number(cells).str(" - ");
    let text = if dilation == 1 {
        text.number(kernel)
    } else {
        text.number(dilation).str("*(").number(kernel).str(" - 1) - 1")
    };
    let text = if before == behind {
        text.str(" + 2*").number(before)
    } else {
        text.str(" + ").number(before).str(" + ").number(behind)
    };
    let text = text.str(")/").number(layer.stride[side]);
    if layer.ceil_mode { text.str(", rounded up, + 1") } else { text.str(" + 1") }
}

/// What is wrong with features where a map must have rows and columns.
#[inline]
const fn flat(name: &str, layer: &str, input: Sizes) -> Option<Text> {
    match input {
        Sizes::Map { .. } => None,
        Sizes::Flat { features } => {
            let text = Text::new(name).str("`").str(layer).str("` takes a map with height and width, and gets ");
            Some(text.number(features).str(" flat features\nhelp: put it before `flatten`"))
        }
    }
}

/// The map that an adaptive pooling makes.
#[inline]
pub const fn adaptive(name: &str, layer: &str, input: Sizes, sound: bool, [height, width]: [usize; 2]) -> Made {
    Made::new(Sizes::Map { channels: input.channels(), height, width }, sound, flat(name, layer, input))
}

/// The map that a linear layer makes.
#[inline]
pub const fn linear(name: &str, input: Sizes, sound: bool, out_features: usize) -> Made {
    let mistake = if input.is_flat() {
        None
    } else {
        let text = Text::new(name).str("`linear` takes a flat map, and gets the ").sizes(input);
        Some(text.str(" feature map\nhelp: put `flatten` before it"))
    };
    Made::new(Sizes::Flat { features: out_features }, sound, mistake)
}

/// The map that flattening makes.
#[inline]
pub const fn flatten(features: usize, sound: bool) -> Made {
    Made::new(Sizes::Flat { features }, sound, None)
}

/// What a reader was promised with `=>`.
#[inline]
pub const fn claim(name: &str, found: Sizes, sound: bool, claimed: Sizes) -> Made {
    let mistake = if same(found, claimed) {
        None
    } else {
        let text = Text::new(name).str("the map is ").sizes(found).str(", not ").sizes(claimed);
        Some(text.str("\nhelp: state this one, or change the steps before it"))
    };
    Made::new(claimed, sound, mistake)
}

/// The map of a sum.
#[inline]
pub const fn add(name: &str, maps: &[Sizes], sound: bool) -> Made {
    let (first, mut mistake, mut index) = (maps[0], None, 1);
    while index < maps.len() {
        if mistake.is_none() && !same(first, maps[index]) {
            mistake = Some(unlike(name, "add", first, maps[index]).str("branches of `add` make the same map"));
        }
        index += 1;
    }
    Made::new(first, sound, mistake)
}

/// The map of a product.
#[inline]
pub const fn multiply(name: &str, maps: &[Sizes], sound: bool) -> Made {
    let (mut whole, mut mistake, mut index) = (maps[0], None, 1);
    while index < maps.len() {
        let map = maps[index];
        if !same(whole, map) {
            let alike = whole.channels() == map.channels() && whole.is_flat() == map.is_flat();
            if alike && whole.positions() == 1 {
                whole = map;
            } else if mistake.is_none() && !(alike && map.positions() == 1) {
                let text = unlike(name, "multiply", whole, map);
                mistake = Some(text.str("the same map, or a 1x1 map of as many channels"));
            }
        }
        index += 1;
    }
    Made::new(whole, sound, mistake)
}

/// The map of a concatenation.
#[inline]
pub const fn concat(name: &str, maps: &[Sizes], sound: bool) -> Made {
    let (first, mut channels, mut mistake, mut index) = (maps[0], maps[0].channels(), None, 1);
    while index < maps.len() {
        let map = maps[index];
        let alike = first.height() == map.height() && first.width() == map.width() && first.is_flat() == map.is_flat();
        if mistake.is_none() && !alike {
            let text = unlike(name, "concat", first, map);
            mistake = Some(text.str("branches of `concat` make maps of the same height and width"));
        }
        channels += map.channels();
        index += 1;
    }
    let sizes = match first {
        Sizes::Map { height, width, .. } => Sizes::Map { channels, height, width },
        Sizes::Flat { .. } => Sizes::Flat { features: channels },
    };
    Made::new(sizes, sound, mistake)
}

#[inline]
const fn unlike(name: &str, layer: &str, one: Sizes, other: Sizes) -> Text {
    let text = Text::new(name).str("the branches of `").str(layer).str("` do not fit: ").sizes(one).str(" and ");
    text.sizes(other).str("\nhelp: ")
}

#[inline]
const fn same(one: Sizes, other: Sizes) -> bool {
    one.is_flat() == other.is_flat()
        && one.channels() == other.channels()
        && one.height() == other.height()
        && one.width() == other.width()
}

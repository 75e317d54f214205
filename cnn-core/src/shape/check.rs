//! What the `network!` macro checks itself where it knows the numbers, for sizes that only rustc knows: const functions
//! whose panic is the error, with the numbers put in. `#[track_caller]` puts it on the token that the call has its span
//! from. Expanded code calls them; nobody else needs to.

use super::Sizes;
use super::window;

/// A line that a const function may write.
struct Text {
    bytes: [u8; 1024],
    len: usize,
}

impl Text {
    const fn new(name: &str) -> Self {
        Self { bytes: [0; 1024], len: 0 }.str(name).str(": ")
    }

    const fn str(mut self, text: &str) -> Self {
        let mut index = 0;
        while index < text.len() && self.len < self.bytes.len() {
            self.bytes[self.len] = text.as_bytes()[index];
            self.len += 1;
            index += 1;
        }
        self
    }

    const fn number(self, number: usize) -> Self {
        let text = if number >= 10 { self.number(number / 10) } else { self };
        text.str(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"][number % 10])
    }

    /// `6x28x28`, or `120`.
    const fn sizes(self, sizes: Sizes) -> Self {
        match sizes {
            Sizes::Map { channels, height, width } => {
                self.number(channels).str("x").number(height).str("x").number(width)
            }
            Sizes::Flat { features } => self.number(features),
        }
    }

    #[track_caller]
    const fn panic(&self) -> ! {
        match core::str::from_utf8(self.bytes.split_at(self.len).0) {
            Ok(text) => panic!("{}", text),
            Err(_) => panic!("a wrong size, of a name that does not fit into a message"),
        }
    }
}

/// A size that must not be zero.
#[track_caller]
pub const fn size(name: &str, what: &str, least: usize, size: usize) -> usize {
    if size < least {
        Text::new(name).str(what).str(" is ").number(size).str("\nhelp: ").str(what).str(" >= ").number(least).panic();
    }
    size
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
    /// Rows and columns around the map.
    pub padding: [usize; 2],
    /// Distance of its taps.
    pub dilation: [usize; 2],
    /// Whether a remainder is a mistake.
    pub strict: bool,
    /// Whether half the window is the most padding.
    pub half_padding: bool,
}

/// The map that a window makes of `input`, with so many channels.
#[track_caller]
pub const fn window(layer: Window, input: Sizes, channels: usize) -> Sizes {
    let cells = spatial(layer.name, layer.layer, input);
    let mut made = [0; 2];
    let mut side = 0;
    while side < 2 {
        made[side] = axis(&layer, cells, side);
        side += 1;
    }
    Sizes::Map { channels, height: made[0], width: made[1] }
}

#[track_caller]
const fn axis(layer: &Window, cells: [usize; 2], side: usize) -> usize {
    let (kernel, stride, padding) = (layer.kernel_size[side], layer.stride[side], layer.padding[side]);
    let dilation = layer.dilation[side];
    let text = Text::new(layer.name);
    let reach = dilation * (kernel - 1) + 1;
    if layer.half_padding && padding > reach / 2 {
        let text = text.str("padding ").number(padding).str(" is more than half of kernel_size ").number(kernel);
        text.str("\nhelp: padding <= ").number(reach / 2).panic();
    }
    let padded = cells[side] + 2 * padding;
    if reach > padded {
        let text = text.str("kernel_size ").number(kernel).str(" does not fit the ");
        let text = rule(text.number(cells[0]).str("x").number(cells[1]).str(" feature map"), layer, cells[side], side);
        text.str(" < 1\nhelp: more padding, or kernel_size <= ").number((padded - 1) / dilation + 1).panic();
    }
    if layer.strict && !(padded - reach).is_multiple_of(stride) {
        let text = text.str("stride ").number(stride).str(" does not divide the ");
        let text = rule(text.number(cells[0]).str("x").number(cells[1]).str(" feature map"), layer, cells[side], side);
        let text = text.str(" leaves ").number((padded - reach) % stride).str(" of ").number(stride).str(" over");
        text.str("\nhelp: another stride, or leave `strict` out to round down").panic();
    }
    window::output(cells[side], kernel, stride, padding, dilation)
}

const fn rule(text: Text, layer: &Window, cells: usize, side: usize) -> Text {
    let (kernel, dilation) = (layer.kernel_size[side], layer.dilation[side]);
    let text = text.str("\nrule: (").number(cells).str(" - ");
    let text = if dilation == 1 {
        text.number(kernel)
    } else {
        text.number(dilation).str("*(").number(kernel).str(" - 1) - 1")
    };
    text.str(" + 2*").number(layer.padding[side]).str(")/").number(layer.stride[side]).str(" + 1")
}

/// Rows and columns of a map that must have them.
#[track_caller]
const fn spatial(name: &str, layer: &str, input: Sizes) -> [usize; 2] {
    match input {
        Sizes::Map { height, width, .. } => [height, width],
        Sizes::Flat { features } => {
            let text = Text::new(name).str("`").str(layer).str("` takes a map with height and width, and gets ");
            text.number(features).str(" flat features\nhelp: put it before `flatten`").panic()
        }
    }
}

/// The map that an adaptive pooling makes.
#[track_caller]
pub const fn adaptive(name: &str, layer: &str, input: Sizes, [height, width]: [usize; 2]) -> Sizes {
    spatial(name, layer, input);
    Sizes::Map { channels: input.channels(), height, width }
}

/// The map that a linear layer makes.
#[track_caller]
pub const fn linear(name: &str, input: Sizes, out_features: usize) -> Sizes {
    if !input.is_flat() {
        let text = Text::new(name).str("`linear` takes a flat map, and gets the ").sizes(input);
        text.str(" feature map\nhelp: put `flatten` before it").panic();
    }
    Sizes::Flat { features: out_features }
}

/// The map that flattening makes.
pub const fn flatten(features: usize) -> Sizes {
    Sizes::Flat { features }
}

/// What a reader was promised with `=>`.
#[track_caller]
pub const fn claim(name: &str, found: Sizes, claimed: Sizes) -> Sizes {
    let same = found.is_flat() == claimed.is_flat()
        && found.channels() == claimed.channels()
        && found.height() == claimed.height()
        && found.width() == claimed.width();
    if !same {
        let text = Text::new(name).str("the map is ").sizes(found).str(", not ").sizes(claimed);
        text.str("\nhelp: state this one, or change the steps before it").panic();
    }
    claimed
}

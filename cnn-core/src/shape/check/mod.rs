//! What the `network!` macro checks itself where it knows the numbers, for sizes that only rustc knows. Expanded code
//! calls this; nobody else needs to.
//!
//! A check never panics: it says what is wrong, and makes sizes to go on with. `report` panics, in a constant that nothing
//! but types depend on: one error, with the numbers put in, on the token that the call has its span from, and no note for
//! each thing that is computed of a wrong size.
//!
//! All is `inline`: only constants call it, and no machine code is made of what nobody else calls.

mod join;
mod real;
mod text;
mod window;

pub use join::{Branch, add, concat, matmul, multiply};
pub use real::{Range, Real, factors, known, real, scaled};
pub(crate) use text::Text;
pub use window::{Window, transposed, window};

use super::Sizes;

/// f32 values that a map or the weights of a layer may have: memory has `isize::MAX` bytes.
pub(crate) const MOST_VALUES: usize = isize::MAX as usize / 4;

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

    /// What is wrong with it.
    #[inline]
    pub const fn mistake(&self) -> Option<&str> {
        text_of(&self.mistake)
    }
}

impl Made {
    #[inline]
    const fn new(name: &str, sizes: Sizes, sound: bool, mistake: Option<Text>) -> Self {
        let mistake = match mistake {
            _ if !sound => None,
            None if sizes.len() > MOST_VALUES => {
                let text = Text::new(name).str("the map that it makes overflows: ").sizes(sizes);
                Some(text.str(" values are more than memory can have\nhelp: a smaller map"))
            }
            mistake => mistake,
        };
        // Nothing overflows on the way from a map that is too large.
        let sizes = match sizes {
            Sizes::Map { .. } if sizes.len() > MOST_VALUES => Sizes::Map { channels: 1, height: 1, width: 1 },
            Sizes::Flat { .. } if sizes.len() > MOST_VALUES => Sizes::Flat { features: 1 },
            sizes => sizes,
        };
        Self { sizes, sound: sound && mistake.is_none(), mistake }
    }

    /// Panics with what is wrong with the step that makes it.
    #[track_caller]
    #[inline]
    pub const fn report(&self) {
        report(&self.mistake);
    }

    /// What is wrong with the step that makes it.
    #[inline]
    pub const fn mistake(&self) -> Option<&str> {
        text_of(&self.mistake)
    }
}

#[inline]
const fn text_of(mistake: &Option<Text>) -> Option<&str> {
    match mistake {
        Some(text) => Some(text.as_str()),
        None => None,
    }
}

#[track_caller]
#[inline]
const fn report(mistake: &Option<Text>) {
    if let Some(text) = mistake {
        panic!("{}", text.as_str());
    }
}

/// A number for a type, that is none if one of the reports is an error.
#[inline]
pub const fn after(_reports: &[()], number: usize) -> usize {
    number
}

/// A size that must be so large, and not more than memory can have.
#[inline]
pub const fn size(name: &str, what: &str, least: usize, size: usize) -> Given {
    let text = Text::new(name).str(what);
    if size < least {
        let text = text.str(" is ").number(size as u128).str("\nhelp: ").str(what).str(" >= ").number(least as u128);
        return Given { size: least, mistake: Some(text) };
    }
    if size > MOST_VALUES {
        let text = text.str(" overflows: ").number(size as u128).str(" values are more than memory can have");
        return Given { size: least, mistake: Some(text) };
    }
    Given { size, mistake: None }
}

/// Why the weights of a layer, which have these sizes, or what is computed with them at so many positions, are more than a
/// number can be; of a map that is too large itself, that comes first.
#[inline]
const fn too_much(name: &str, made: Sizes, weights: [usize; 4], positions: [usize; 2]) -> Option<Text> {
    if made.len() > MOST_VALUES {
        return None;
    }
    let [a, b, c, d] = weights;
    let weights = (a as u128).saturating_mul(b as u128).saturating_mul(c as u128).saturating_mul(d as u128);
    if weights > MOST_VALUES as u128 {
        let text = Text::new(name).str("the number of its parameters overflows\nhelp: ");
        return Some(text.str("fewer channels or a smaller kernel"));
    }
    let products = weights.saturating_mul(positions[0] as u128).saturating_mul(positions[1] as u128);
    if products > usize::MAX as u128 {
        return Some(Text::new(name).str("the number of its multiply-adds overflows\nhelp: a smaller map"));
    }
    None
}

/// Whether a layer is of sequences: the names of those end so.
#[inline]
const fn is_1d(layer: &str) -> bool {
    matches!(layer.as_bytes(), [.., b'1', b'd'])
}

/// What is wrong with features where a map must have rows and columns, or with those where it must be a sequence.
#[inline]
const fn flat(name: &str, layer: &str, input: Sizes) -> Option<Text> {
    match input {
        Sizes::Map { height: 1, .. } => None,
        Sizes::Map { .. } if is_1d(layer) => {
            let text = Text::new(name).str("`").str(layer).str("` takes a sequence, a map of height 1, and gets the ");
            let text = text.sizes(input).str(" feature map\nhelp: `").str(layer.split_at(layer.len() - 2).0);
            Some(text.str("2d`"))
        }
        Sizes::Map { .. } => None,
        Sizes::Flat { features } if is_1d(layer) => {
            let text = Text::new(name).str("`").str(layer).str("` takes a sequence, a map of height 1, and gets ");
            let text = text.number(features as u128).str(" flat features\nhelp: `unflatten<C, 1, L>` before it, such ");
            Some(text.str("as `unflatten<1, 1, ").number(features as u128).str(">`"))
        }
        Sizes::Flat { features } => {
            let text = Text::new(name).str("`").str(layer).str("` takes a map with height and width, and gets ");
            let [channels, side, _] = factors_of(features);
            let text =
                text.number(features as u128).str(" flat features\nhelp: `unflatten<C, H, W>` before it, such as ");
            let text = text.str("`unflatten<").number(channels as u128).str(", ").number(side as u128).str(", ");
            Some(text.number(side as u128).str(">`"))
        }
    }
}

/// A map of so many values: as large a square as divides them, looked for among sides that maps have.
#[inline]
const fn factors_of(features: usize) -> [usize; 3] {
    let (mut side, mut found) = (1, 1);
    while side <= LARGEST_SIDE && side * side <= features {
        if features.is_multiple_of(side * side) {
            found = side;
        }
        side += 1;
    }
    [features / (found * found), found, found]
}

/// Larger maps are no way out for features; the macro looks as far.
const LARGEST_SIDE: usize = 256;

/// The map that an adaptive pooling makes.
#[inline]
pub const fn adaptive(name: &str, layer: &str, input: Sizes, sound: bool, [height, width]: [usize; 2]) -> Made {
    Made::new(name, Sizes::Map { channels: input.channels(), height, width }, sound, flat(name, layer, input))
}

/// The map that a padding makes which shows rows and columns of the map once at most; one that reflects does not show the one at
/// the edge. Sides are top, bottom, left, right.
#[inline]
pub const fn pad2d(name: &str, layer: &str, input: Sizes, sound: bool, padding: [usize; 4], reflects: bool) -> Made {
    let mut mistake = flat(name, layer, input);
    let sizes = [input.height(), input.width()];
    let mut side = 0;
    while side < 4 {
        let (cells, padding) = (sizes[side / 2], padding[side]);
        let most = if reflects { cells.saturating_sub(1) } else { cells };
        if mistake.is_none() && padding > most {
            let text = Text::new(name).str("padding ").number(padding as u128).str(" wants more than the ");
            let text = text.number(cells as u128).str(if side < 2 { " row" } else { " column" });
            let text = text.str(if cells == 1 { "" } else { "s" }).str(" of the ").sizes(input);
            let text = text.str(" feature map\nrule: ");
            let text = text.str(if reflects {
                "the one at the edge is not shown again: padding <= "
            } else {
                "each is shown again once at most: padding <= "
            });
            let text = text.number(most as u128).str("\nhelp: padding <= ").number(most as u128).str(", or ");
            let convolves = matches!(layer.as_bytes(), [b'c', b'o', b'n', b'v', ..]);
            mistake = Some(text.str(if convolves { "padding_mode = replicate" } else { "`replication_pad2d`" }));
        }
        side += 1;
    }
    let [top, bottom, left, right] = padding;
    let height = input.height().saturating_add(top).saturating_add(bottom);
    let width = input.width().saturating_add(left).saturating_add(right);
    Made::new(name, Sizes::Map { channels: input.channels(), height, width }, sound, mistake)
}

/// The map that an upsampling makes.
#[inline]
pub const fn upsample(name: &str, layer: &str, input: Sizes, sound: bool, [height, width]: [usize; 2]) -> Made {
    if height > 0 && width > 0 {
        return adaptive(name, layer, input, sound, [height, width]);
    }
    let text = Text::new(name).str("scale_factor leaves nothing of the ").sizes(input);
    let text = text.str(" feature map\nhelp: a larger one, or `size = (height, width)`");
    Made::new(name, Sizes::Map { channels: input.channels(), height: 1, width: 1 }, sound, Some(text))
}

/// The map that a linear layer makes.
#[inline]
pub const fn linear(name: &str, input: Sizes, sound: bool, out_features: usize) -> Made {
    let mistake = if input.is_flat() {
        too_much(name, Sizes::Flat { features: out_features }, [input.channels(), out_features, 1, 1], [1, 1])
    } else {
        let text = Text::new(name).str("`linear` takes a flat map, and gets the ").sizes(input);
        let text = text.str(" feature map\nhelp: put `flatten` before it, or say `over = channels`, ");
        Some(text.str("for those of each position"))
    };
    Made::new(name, Sizes::Flat { features: out_features }, sound, mistake)
}

/// The map that a linear layer of the channels of each position makes.
#[inline]
pub const fn linear_over_channels(name: &str, input: Sizes, sound: bool, out_features: usize) -> Made {
    let (height, width) = (input.height(), input.width());
    let made = Sizes::Map { channels: out_features, height, width };
    let mistake = if input.is_flat() {
        let text = Text::new(name).str("flat features have no channels to go over, but themselves\n");
        Some(text.str("help: `linear` alone: all of them"))
    } else {
        too_much(name, made, [input.channels(), out_features, 1, 1], [height, width])
    };
    Made::new(name, made, sound, mistake)
}

/// The map that flattening makes.
#[inline]
pub const fn flatten(features: usize, sound: bool) -> Made {
    Made::new("flatten", Sizes::Flat { features }, sound, None)
}

/// The slopes of a `prelu`, which keeps its map.
#[inline]
pub const fn prelu(name: &str, input: Sizes, sound: bool, num_parameters: usize) -> Made {
    let channels = input.channels();
    let mistake = if num_parameters == 1 || num_parameters == channels {
        None
    } else {
        let text = Text::new(name).str("num_parameters ").number(num_parameters as u128);
        let text = text.str(" is neither 1 nor the number of channels\nhelp: 1, or `num_parameters = ");
        Some(text.number(channels as u128).str("`"))
    };
    Made::new(name, input, sound, mistake)
}

/// The map of a normalization over the batch that takes maps, or one that takes features.
#[inline]
pub const fn batch_norm(name: &str, layer: &str, input: Sizes, sound: bool, of_features: bool) -> Made {
    let mistake = match input {
        Sizes::Map { height, .. } if of_features && height != 1 => {
            let text = Text::new(name)
                .str("`")
                .str(layer)
                .str("` takes flat features or a sequence, and gets the ")
                .sizes(input);
            Some(text.str(" feature map\nhelp: `batch_norm2d`, or put it behind `flatten`"))
        }
        Sizes::Flat { features } if !of_features => {
            let text = Text::new(name).str("`").str(layer).str("` takes a map with height and width, and gets ");
            let text = text.number(features as u128).str(" flat features");
            Some(text.str("\nhelp: `batch_norm1d`"))
        }
        _ => None,
    };
    Made::new(name, input, sound, mistake)
}

/// The groups of a `group_norm`, which keeps its map.
#[inline]
pub const fn group_norm(name: &str, input: Sizes, sound: bool, num_groups: usize) -> Made {
    let (channels, groups) = (input.channels() as u128, num_groups as u128);
    let mistake = if channels.is_multiple_of(groups) {
        None
    } else {
        let what = if input.is_flat() { " features" } else { " channels" };
        let text = Text::new(name).str("num_groups ").number(groups).str(" does not divide the ").number(channels);
        let text = text.str(what).str("\nrule: each of ").number(groups).str(" groups gets as many of them");
        let text = text.str("\nhelp: num_groups = ").number(window::common_divisor(channels, channels, groups));
        let text = text.str(", or a map with ").number(channels.next_multiple_of(groups)).str(what);
        Some(text.str(" before `group_norm`"))
    };
    Made::new(name, input, sound, mistake)
}

/// The map of an `instance_norm2d`, which it keeps.
#[inline]
pub const fn instance_norm2d(name: &str, input: Sizes, sound: bool) -> Made {
    let mistake = match input {
        Sizes::Map { height: 1, width: 1, .. } => {
            let text = Text::new(name).str("`instance_norm2d` gets the ").sizes(input).str(" feature map\n");
            let text =
                text.str("rule: a channel has a deviation over its positions, and one has none: PyTorch expects ");
            Some(text.str("more than 1\nhelp: put it before what makes the map so small, or `layer_norm`"))
        }
        _ => flat(name, "instance_norm2d", input),
    };
    Made::new(name, input, sound, mistake)
}

/// A map that is written out: what a network takes.
#[inline]
pub const fn input(what: &str, sizes: Sizes) -> Made {
    let mistake = if sizes.len() > MOST_VALUES {
        let (network, what) = (Text::new(what), "the input overflows: ");
        Some(network.str(what).sizes(sizes).str(" values are more than memory can have"))
    } else {
        None
    };
    Made::new(what, sizes, true, mistake)
}

/// What a reader was promised with `=>`.
#[inline]
pub const fn claim(name: &str, found: Sizes, sound: bool, claimed: Sizes) -> Made {
    let mistake = if same(found, claimed) {
        None
    } else {
        let text = Text::new(name).str("the map is ").sizes(found).str(", not ").sizes(claimed);
        let text = text.str("\nhelp: write `=> <").between(found, ", ");
        Some(text.str(">`, or change the steps before it"))
    };
    Made::new(name, claimed, sound, mistake)
}

/// Whether two maps are the same.
#[inline]
const fn same(one: Sizes, other: Sizes) -> bool {
    one.is_flat() == other.is_flat()
        && one.channels() == other.channels()
        && one.height() == other.height()
        && one.width() == other.width()
}

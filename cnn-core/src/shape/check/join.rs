//! Joins of maps, in the macro's words.

use super::text::Text;
use super::{Made, same};
use crate::shape::Sizes;

/// A branch of a join.
#[derive(Clone, Copy, Debug)]
pub struct Branch {
    /// How messages call it.
    pub name: &'static str,
    /// The map that it makes.
    pub map: Sizes,
}

/// The map of a sum.
#[inline]
pub const fn add(name: &str, branches: &[Branch], sound: bool) -> Made {
    let (first, mut mistake, mut index) = (branches[0], None, 1);
    while index < branches.len() {
        let other = branches[index];
        if mistake.is_none() && !same(first.map, other.map) {
            let text = unlike(name, "add", first, other).str("branches of `add` make the same map\nhelp: ");
            mistake = Some(way_out(text, first, other));
        }
        index += 1;
    }
    Made::new(name, first.map, sound, mistake)
}

/// The map of a product.
#[inline]
pub const fn multiply(name: &str, branches: &[Branch], sound: bool) -> Made {
    let (mut whole, mut mistake, mut index) = (branches[0], None, 1);
    while index < branches.len() {
        let other = branches[index];
        if !same(whole.map, other.map) {
            let alike = whole.map.channels() == other.map.channels() && whole.map.is_flat() == other.map.is_flat();
            if alike && whole.map.positions() == 1 {
                whole = other;
            } else if mistake.is_none() && !(alike && other.map.positions() == 1) {
                let text = unlike(name, "multiply", whole, other);
                let text =
                    text.str("branches of `multiply` make the same map, or 1x1 maps of as many channels\nhelp: ");
                mistake = Some(gate(text, whole, other));
            }
        }
        index += 1;
    }
    Made::new(name, whole.map, sound, mistake)
}

/// The map of a product of matrices.
#[inline]
pub const fn matmul(name: &str, branches: &[Branch], sound: bool) -> Made {
    let [one, other] = [branches[0].map, branches[1].map];
    let flat = if one.is_flat() { Some(branches[0]) } else { None };
    let flat = if other.is_flat() && flat.is_none() { Some(branches[1]) } else { flat };
    let fits = one.channels() == other.channels() && one.width() == other.height();
    let mistake = if flat.is_none() && fits {
        None
    } else {
        let text = Text::new(name).str("the factors of `matmul` do not fit: ").sizes(one).str(" in ");
        let text = text.str(branches[0].name).str(", ").sizes(other).str(" in ").str(branches[1].name);
        let text = text.str("\nrule: as many channels, and the first's columns are the second's rows\nhelp: ");
        Some(match flat {
            Some(flat) => {
                let text = text.str("`unflatten<1, 1, ").number(flat.map.channels() as u128);
                text.str(">` at the end of ").str(flat.name).str(" makes a row of them")
            }
            None if one.channels() != other.channels() => {
                text.str("`reshape` or `conv2d` makes as many channels; with one, a map is one matrix")
            }
            None if one.width() == other.width() => {
                text.str("`transpose` at the end of ").str(branches[1].name).str(" makes it fit")
            }
            None if one.height() == other.height() => {
                text.str("`transpose` at the end of ").str(branches[0].name).str(" makes it fit")
            }
            None => text.str("`reshape` makes matrices of a map"),
        })
    };
    let (channels, height, width) = (one.channels(), one.height(), other.width());
    Made::new(name, Sizes::Map { channels, height, width }, sound, mistake)
}

/// The map of a concatenation.
#[inline]
pub const fn concat(name: &str, branches: &[Branch], sound: bool) -> Made {
    let (first, mut channels, mut mistake, mut index) = (branches[0], branches[0].map.channels(), None, 1);
    while index < branches.len() {
        let other = branches[index];
        let (one, map) = (first.map, other.map);
        let alike = one.height() == map.height() && one.width() == map.width() && one.is_flat() == map.is_flat();
        if mistake.is_none() && !alike {
            let text = unlike(name, "concat", first, other);
            let text = text.str("branches of `concat` make maps of the same height and width\nhelp: ");
            mistake = Some(if one.is_flat() == map.is_flat() {
                text.str("the same stride and padding in both branches")
            } else {
                way_out(text, first, other)
            });
        }
        channels = channels.saturating_add(map.channels());
        index += 1;
    }
    let sizes = match first.map {
        Sizes::Map { height, width, .. } => Sizes::Map { channels, height, width },
        Sizes::Flat { .. } => Sizes::Flat { features: channels },
    };
    Made::new(name, sizes, sound, mistake)
}

#[inline]
const fn unlike(name: &str, layer: &str, one: Branch, other: Branch) -> Text {
    let text = Text::new(name).str("the branches of `").str(layer).str("` do not fit: ").sizes(one.map).str(" in ");
    text.str(one.name).str(", ").sizes(other.map).str(" in ").str(other.name).str("\nrule: ")
}

#[inline]
const fn way_out(text: Text, first: Branch, second: Branch) -> Text {
    let (one, other) = (first.map, second.map);
    if one.is_flat() != other.is_flat() {
        return text.str("`flatten` in both branches, or in neither");
    }
    let channels = one.channels() as u128;
    match (one.channels() == other.channels(), one.height() == other.height() && one.width() == other.width()) {
        (false, true) => {
            let text = if one.is_flat() {
                text.str("`linear<").number(channels).str(">`")
            } else {
                text.str("`conv2d<").number(channels).str(", 1>`")
            };
            text.str(" at the end of ").str(second.name).str(" makes it fit")
        }
        (false, false) => text.str("the same channels, stride and padding in both branches"),
        (true, _) => text.str("the same stride and padding in both branches"),
    }
}

/// The way out of a product.
#[inline]
const fn gate(text: Text, first: Branch, second: Branch) -> Text {
    let (one, other) = (first.map, second.map);
    if one.is_flat() != other.is_flat() {
        return text.str("leave `flatten` out: a 1x1 map of as many channels meets every cell of the other");
    }
    if one.channels() != other.channels() {
        // Of one cell it need not be of the other's height and width.
        let broadcasts = one.positions() == 1 || other.positions() == 1;
        let second = Branch { map: if broadcasts { with_cells_of(other, one) } else { other }, ..second };
        return way_out(text, first, second);
    }
    let gate = if smaller(one) < smaller(other) { first } else { second };
    let text = text.str("`adaptive_avg_pool2d<1>` in ").str(gate.name);
    text.str(" makes a 1x1 map, which meets every cell of the other")
}

#[inline]
const fn smaller(map: Sizes) -> usize {
    if map.height() < map.width() { map.height() } else { map.width() }
}

#[inline]
const fn with_cells_of(map: Sizes, of: Sizes) -> Sizes {
    match (map, of) {
        (Sizes::Map { channels, .. }, Sizes::Map { height, width, .. }) => Sizes::Map { channels, height, width },
        (map, _) => map,
    }
}

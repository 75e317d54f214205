//! Layers that put values elsewhere: the maps that they make, and what their types say.

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, format_ident, quote};

use super::maps::{factors_of, spatial};
use super::{Arguments, Outcome, Settled, Site};
use crate::size::{Shape, Size};

/// The map that a layer gets, whose sizes the macro knows.
fn known(site: &Site<'_>) -> syn::Result<[u64; 3]> {
    let sizes = site.input.sizes().map(|size| size.known());
    match (site.input, sizes) {
        (Shape::Sizes(_), _) => Err(untold(site)),
        (_, [Some(channels), Some(height), Some(width)]) => Ok([channels, height, width]),
        _ => Err(untold(site)),
    }
}

fn untold(site: &Site<'_>) -> syn::Error {
    let text = format!(
        "`{}` wants numbers, and only rustc knows some of these sizes\nhelp: write them as numbers",
        site.layer
    );
    site.mistake(&text)
}

fn number(site: &Site<'_>, name: &str) -> syn::Result<u64> {
    site.arguments.count(name).known().ok_or_else(|| untold(site))
}

fn map(sizes: [u64; 3]) -> Outcome {
    Outcome::Known(Shape::Chw(sizes.map(Size::Known)))
}

pub(super) fn unflatten(site: &Site<'_>) -> syn::Result<Outcome> {
    let [features, ..] = known(site)?;
    let sizes = [number(site, "channels")?, number(site, "height")?, number(site, "width")?];
    let [channels, height, width] = sizes;
    let product = channels.saturating_mul(height).saturating_mul(width);
    match site.input {
        Shape::Flat(_) if product == features => Ok(map(sizes)),
        Shape::Flat(_) => {
            let cells = height.saturating_mul(width);
            let help = if features.is_multiple_of(cells) {
                format!("`unflatten<{}, {height}, {width}>`", features / cells)
            } else {
                let [c, h, w] = factors_of(features);
                format!("`unflatten<{c}, {h}, {w}>`")
            };
            Err(site.mistake(&format!(
                "{channels} x {height} x {width} are {product} values, and the {features} features are not as many\nhelp: {help}"
            )))
        }
        _ => Err(site.mistake(&format!(
            "`unflatten` takes flat features, and gets the {} feature map\nhelp: leave it out, or put it behind `linear`",
            site.input
        ))),
    }
}

pub(super) fn reshape(site: &Site<'_>) -> syn::Result<Outcome> {
    if matches!(site.input, Shape::Flat(_)) {
        return unflatten(site);
    }
    let [in_channels, in_height, in_width] = known(site)?;
    let sizes = [number(site, "channels")?, number(site, "height")?, number(site, "width")?];
    let [channels, height, width] = sizes;
    let product = channels.saturating_mul(height).saturating_mul(width);
    let values = in_channels.saturating_mul(in_height).saturating_mul(in_width);
    if product != values {
        let cells = height.saturating_mul(width);
        let help = if values.is_multiple_of(cells) {
            format!("`reshape<{}, {height}, {width}>`", values / cells)
        } else if values.is_multiple_of(channels) {
            format!("`reshape<{channels}, 1, {}>`", values / channels)
        } else {
            format!("sizes whose product is {values}")
        };
        return Err(site.mistake(&format!(
            "{channels} x {height} x {width} are {product} values, and {in_channels} x {in_height} x {in_width} are {values}\n\
             help: {help}"
        )));
    }
    Ok(map(sizes))
}

/// Whether the values of a map are those of what `reshape` makes of it by one loop: by the rule of
/// `RearrangementGeometry::is_one_loop`. What is not known is told elsewhere.
pub(super) fn is_one_loop(input: &Shape, arguments: &Arguments) -> bool {
    let ends = |[channels, height, width]: [Option<u64>; 3]| {
        let map = height?.checked_mul(width?)?;
        Some([width?, map, map.checked_mul(channels?)?])
    };
    let to = ["channels", "height", "width"].map(|name| arguments.count(name).known());
    let (Shape::Chw(from), Some([out_row, out_map, out])) = (input, ends(to)) else { return true };
    let Some([row, map, all]) = ends(from.each_ref().map(Size::known)) else { return true };
    let mut cuts = [1, row, map, out_row, out_map, all];
    cuts.sort_unstable();
    all != out || cuts.windows(2).all(|pair| pair[1].is_multiple_of(pair[0]))
}

/// A map that no other is looked at for.
pub(super) fn parameter(site: &Site<'_>) -> syn::Result<Outcome> {
    Ok(map([number(site, "channels")?, number(site, "height")?, number(site, "width")?]))
}

pub(super) fn permute(site: &Site<'_>) -> syn::Result<Outcome> {
    spatial(site)?;
    let sizes = known(site)?;
    let dims = dims(site.arguments).ok_or_else(|| untold(site))?;
    let mut sorted = dims;
    sorted.sort_unstable();
    if sorted != [0, 1, 2, 3] || dims[0] != 0 {
        let [a, b, c, d] = dims;
        return Err(site.mistake(&format!(
            "({a}, {b}, {c}, {d}) is no order of the dimensions behind the batch\n\
             rule: 0 is the batch, which stays the first, 1 channels, 2 height, 3 width\nhelp: `permute<0, 2, 3, 1>`, as PyTorch's"
        )));
    }
    Ok(map([1, 2, 3].map(|dim| sizes[dims[dim] as usize - 1])))
}

/// The order of the dimensions, the batch's as the first.
fn dims(arguments: &Arguments) -> Option<[u64; 4]> {
    let [batch, channels, height, width] =
        ["batch", "channels", "height", "width"].map(|name| arguments.count(name).known());
    Some([batch?, channels?, height?, width?])
}

pub(super) fn channel_slice(site: &Site<'_>) -> syn::Result<Outcome> {
    let [channels, height, width] = known(site)?;
    let (from, to) = (number(site, "from")?, number(site, "to")?);
    let what = if matches!(site.input, Shape::Flat(_)) { "features" } else { "channels" };
    if from >= to {
        let text = format!(
            "{what} {from} to {to} are none\nhelp: `channel_slice<from, to>` has those from `from` on and before `to`"
        );
        return Err(site.mistake(&text));
    }
    if to > channels {
        return Err(site.mistake(&format!(
            "{what} {from} to {to} are not there: the map ({}) has {channels}\nhelp: `channel_slice<{}, {channels}>`",
            site.input,
            from.min(channels - 1)
        )));
    }
    Ok(match site.input {
        Shape::Flat(_) => Outcome::Known(Shape::Flat(Size::Known(to - from))),
        _ => map([to - from, height, width]),
    })
}

pub(super) fn crop(site: &Site<'_>) -> syn::Result<Outcome> {
    spatial(site)?;
    let [channels, height, width] = known(site)?;
    let mut sides = [0; 4];
    for (side, size) in sides.iter_mut().zip(site.arguments.sides("sides")) {
        *side = size.known().ok_or_else(|| untold(site))?;
    }
    let [top, bottom, left, right] = sides;
    for (what, cells, [one, other]) in [("rows", height, [top, bottom]), ("columns", width, [left, right])] {
        if one.saturating_add(other) >= cells {
            return Err(site.mistake(&format!(
                "nothing is left of the {} feature map: {one} + {other} of {cells} {what} are cut off\n\
                 help: sides are `(top, bottom, left, right)`",
                site.input
            )));
        }
    }
    Ok(map([channels, height - top - bottom, width - left - right]))
}

pub(super) fn channel_shuffle(site: &Site<'_>) -> syn::Result<Outcome> {
    spatial(site)?;
    let [channels, height, width] = known(site)?;
    let groups = number(site, "groups")?;
    if !channels.is_multiple_of(groups) {
        let text = format!("groups {groups} do not divide the {channels} channels\nhelp: {}", divisors(channels));
        return Err(site.mistake(&text));
    }
    Ok(map([channels, height, width]))
}

fn divisors(number: u64) -> String {
    let divisors: Vec<_> =
        (2..=number.min(64)).filter(|divisor| number.is_multiple_of(*divisor)).map(|d| d.to_string()).collect();
    format!("one of {}", divisors.join(", "))
}

pub(super) fn pixel_shuffle(site: &Site<'_>) -> syn::Result<Outcome> {
    spatial(site)?;
    let [channels, height, width] = known(site)?;
    let factor = number(site, "upscale_factor")?;
    let square = factor.saturating_mul(factor);
    if !channels.is_multiple_of(square) {
        let more = channels.next_multiple_of(square);
        return Err(site.mistake(&format!(
            "{channels} channels are no squares of {factor} x {factor} cells\n\
             rule: channels are a multiple of {square}\nhelp: {more} channels before it: `conv2d<{more}, ..>`"
        )));
    }
    Ok(map([channels / square, height.saturating_mul(factor), width.saturating_mul(factor)]))
}

pub(super) fn pixel_unshuffle(site: &Site<'_>) -> syn::Result<Outcome> {
    spatial(site)?;
    let [channels, height, width] = known(site)?;
    let factor = number(site, "downscale_factor")?;
    if !height.is_multiple_of(factor) || !width.is_multiple_of(factor) {
        return Err(site.mistake(&format!(
            "the {} feature map is no squares of {factor} x {factor} cells\nrule: height and width are multiples of {factor}\n\
             help: `crop` or `zero_pad2d` before it",
            site.input
        )));
    }
    Ok(map([channels.saturating_mul(factor.saturating_mul(factor)), height / factor, width / factor]))
}

pub(super) fn transpose(site: &Site<'_>) -> syn::Result<Outcome> {
    spatial(site)?;
    let [channels, height, width] = known(site)?;
    Ok(map([channels, width, height]))
}

/// The geometry by its name.
pub(super) fn constants(layer: &Settled<'_>, name: &str) -> TokenStream {
    let count = |name: &str| layer.arguments.count(name).to_token_stream();
    let name = match (name, layer.input) {
        ("reshape", Shape::Flat(_)) => "unflatten",
        _ => name,
    };
    let map = match name {
        "unflatten" => ["channels", "height", "width"].map(count),
        _ => layer.input.sizes().map(|size| size.to_token_stream()),
    };
    let rest = match name {
        "channel_slice" => vec![count("from"), count("to")],
        "crop" => {
            let sides = layer.arguments.sides("sides");
            vec![quote!([#(#sides),*])]
        }
        "reshape" => {
            let to = ["channels", "height", "width"].map(count);
            vec![quote!([#(#to),*])]
        }
        "permute" => {
            let dims = dims(layer.arguments).unwrap_or([0, 1, 2, 3]).map(|dim| dim.saturating_sub(1));
            let dims = dims[1..].iter().map(|dim| Literal::u64_unsuffixed(*dim));
            vec![quote!([#(#dims),*])]
        }
        "channel_shuffle" => vec![count("groups")],
        "pixel_shuffle" => vec![count("upscale_factor")],
        "pixel_unshuffle" => vec![count("downscale_factor")],
        _ => Vec::new(),
    };
    let name = format_ident!("{name}");
    quote! {
        const GEOMETRY: __geometry::RearrangementGeometry =
            __geometry::RearrangementGeometry::#name([#(#map),*] #(, #rest)*);
    }
}

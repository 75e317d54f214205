//! Rules of layers that keep a map, or give it a size of its own, and what they cost.

use proc_macro2::TokenStream;
use quote::quote;

use super::{Arguments, CheckedSizes, Cost, FlatBy, Outcome, Site};
use crate::size::{Shape, Size, sizes_expression};
use crate::window;

pub(super) fn same_map(site: &Site<'_>) -> syn::Result<Outcome> {
    Ok(Outcome::Known(site.input.clone()))
}

pub(super) fn flatten(site: &Site<'_>) -> syn::Result<Outcome> {
    Ok(match site.input.known_len() {
        Some(len) => Outcome::Known(Shape::Flat(Size::Known(len))),
        None => {
            let (len, sound) = (site.input.len(), &site.sound);
            Outcome::Checked {
                sizes: CheckedSizes::Flat(None),
                check: quote!(::cnn_core::shape::check::flatten(#len, #sound)),
            }
        }
    })
}

pub(super) fn linear(site: &Site<'_>) -> syn::Result<Outcome> {
    let out_features = site.arguments.count("out_features");
    match site.input {
        Shape::Chw(_) => Err(site.mistake(&format!(
            "`linear` takes a flat map, and gets the {} feature map\n\
             help: put `flatten` before it, or say `over = channels`, for those of each position",
            site.input
        ))),
        Shape::Flat(_) if out_features.known().is_some() => Ok(Outcome::Known(Shape::Flat(out_features.clone()))),
        _ => {
            let (name, input, sound) = (site.name, sizes_expression(site.input), &site.sound);
            let check = quote!(::cnn_core::shape::check::linear(#name, #input, #sound, #out_features));
            Ok(Outcome::Checked { sizes: CheckedSizes::Flat(out_features.known()), check })
        }
    }
}

/// Of the channels of each position.
pub(super) fn linear_over_channels(site: &Site<'_>) -> syn::Result<Outcome> {
    if let Shape::Flat(_) = site.input {
        return Err(no_channels(site));
    }
    let ([_, height, width], channels) = (site.input.sizes(), site.arguments.count("out_features"));
    let sizes = [channels, &height, &width];
    if matches!(site.input, Shape::Chw(_)) && sizes.iter().all(|size| size.known().is_some()) {
        return Ok(Outcome::Known(Shape::Chw(sizes.map(Size::clone))));
    }
    let (name, input, sound) = (site.name, sizes_expression(site.input), &site.sound);
    Ok(Outcome::Checked {
        sizes: CheckedSizes::Chw(sizes.map(Size::known)),
        check: quote!(::cnn_core::shape::check::linear_over_channels(#name, #input, #sound, #channels)),
    })
}

/// Of features, where a layer is told to go over channels.
fn no_channels(site: &Site<'_>) -> syn::Error {
    let (layer, over) = (site.layer, site.arguments.word("over"));
    let text = format!(
        "{}: flat features have no {over} to go over, but themselves\nhelp: `{layer}` alone: all of them",
        site.name
    );
    site.mistake_at("over", &text)
}

/// Channels, height and width of the input of a layer that needs all three.
pub(super) fn spatial(site: &Site<'_>) -> syn::Result<[Size; 3]> {
    let sizes = site.input.sizes();
    match site.input {
        Shape::Flat(features) => Err(site.mistake(&flat_text(site, features))),
        Shape::Chw([_, height, _]) if site.is_1d() && height.known().is_some_and(|height| height != 1) => {
            let layer = site.layer.to_string();
            Err(site.mistake(&format!(
                "`{layer}` takes a sequence, a map of height 1, and gets the {} feature map\nhelp: `{}2d`",
                site.input,
                layer.trim_end_matches("1d")
            )))
        }
        _ => Ok(sizes),
    }
}

/// Why features are no map, and how they become one: where a `flatten` alone is between, by its place.
fn flat_text(site: &Site<'_>, features: &Size) -> String {
    let made = match &site.flat_by {
        FlatBy::Step(step) => format!(", made by {step}"),
        FlatBy::Flatten | FlatBy::Input => String::new(),
    };
    let (what, map) = match site.is_1d() {
        true => ("a sequence, a map of height 1", "C, 1, L"),
        false => ("a map with height and width", "C, H, W"),
    };
    let help = match (&site.flat_by, site.layer.to_string().as_str()) {
        (FlatBy::Flatten, _) => "put it before `flatten`".to_owned(),
        (_, "dropout2d") => "`dropout`, which drops features".to_owned(),
        _ => match features.known() {
            Some(features) => {
                let [c, h, w] = if site.is_1d() { [1, 1, features] } else { factors_of(features) };
                format!("`unflatten<{map}>` before it, such as `unflatten<{c}, {h}, {w}>`")
            }
            None => format!("`unflatten<{map}>` before it"),
        },
    };
    format!("`{}` takes {what}, and gets {} flat features{made}\nhelp: {help}", site.layer, site.input)
}

/// A map of so many values: as large a square as divides them, looked for among sides that maps have.
pub(super) fn factors_of(features: u64) -> [u64; 3] {
    let square = |side: &u64| features.is_multiple_of(side * side);
    let side = (1..=LARGEST_SIDE).rev().find(|side| side * side <= features && square(side)).unwrap_or(1);
    [features / (side * side), side, side]
}

/// Larger maps are no way out for features.
const LARGEST_SIDE: u64 = 256;

/// The map stays as it is, and must be one.
pub(super) fn same_spatial_map(site: &Site<'_>) -> syn::Result<Outcome> {
    let [_, height, width] = spatial(site)?;
    resized(site, [height, width])
}

pub(super) fn adaptive_pool2d(site: &Site<'_>) -> syn::Result<Outcome> {
    spatial(site)?;
    resized(site, site.arguments.pair("output_size").clone())
}

pub(super) fn upsample(site: &Site<'_>) -> syn::Result<Outcome> {
    let [_, height, width] = spatial(site)?;
    let arguments = site.arguments;
    match (arguments.get("size"), arguments.get("scale_factor")) {
        (None, None) => {
            let text = "the new size is missing\nhelp: `scale_factor = 2`, or `size = (height, width)`";
            return Err(site.mistake(text));
        }
        (Some(_), Some(_)) => {
            let text = format!("{}: size and scale_factor are two ways to say one thing\nhelp: keep one", site.name);
            return Err(site.mistake_at("scale_factor", &text));
        }
        _ => {}
    }
    if arguments.truth("align_corners") && arguments.word("mode") != "bilinear" {
        let text = format!(
            "{}: nearest cells have no corners to align\nhelp: `mode = bilinear` with align_corners",
            site.name
        );
        return Err(site.mistake_at("align_corners", &text));
    }
    let sizes = upsampled(arguments, [&height, &width]);
    if sizes.iter().any(|size| size.known() == Some(0)) {
        let text = format!(
            "{}: scale_factor leaves nothing of the {} feature map\nhelp: a larger one, or `size = (height, width)`",
            site.name, site.input
        );
        return Err(site.mistake_at("scale_factor", &text));
    }
    resized_by(site, sizes, &quote!(upsample))
}

/// Height and width that an upsampling makes.
pub(super) fn upsampled(arguments: &Arguments, cells: [&Size; 2]) -> [Size; 2] {
    if arguments.get("size").is_some() {
        return arguments.pair("size").clone();
    }
    if let Some(factors) = arguments.fractions("scale_factor") {
        return [0, 1].map(|side| match (cells[side].known(), factors[side].known()) {
            // `as` rounds down, as PyTorch does.
            (Some(cells), Some(factor)) => Size::Known((cells as f64 * factor) as u64),
            _ => {
                let (cells, factor) = (cells[side], factors[side].checked());
                Size::Const(quote!(::cnn_core::shape::check::scaled(#cells, #factor)))
            }
        });
    }
    let factors = arguments.pair("scale_factor");
    [0, 1].map(|side| match (cells[side].known(), factors[side].known()) {
        (Some(cells), Some(factor)) => Size::Known(cells.saturating_mul(factor)),
        _ => {
            let (cells, factor) = (cells[side], &factors[side]);
            Size::Const(quote!(::core::primitive::usize::saturating_mul(#cells, #factor)))
        }
    })
}

pub(super) fn pad2d(site: &Site<'_>) -> syn::Result<Outcome> {
    let [_, height, width] = spatial(site)?;
    resized(site, padded(site, height, width))
}

/// Height and width with what is around them.
fn padded(site: &Site<'_>, height: Size, width: Size) -> [Size; 2] {
    let [top, bottom, left, right] = site.arguments.padding();
    let padded = |cells: Size, before: Size, behind: Size| match (cells.known(), before.known(), behind.known()) {
        (Some(cells), Some(before), Some(behind)) => Size::Known(cells.saturating_add(before).saturating_add(behind)),
        _ => {
            let padded = quote!(::core::primitive::usize::saturating_add(#cells, #before));
            Size::Const(quote!(::core::primitive::usize::saturating_add(#padded, #behind)))
        }
    };
    [padded(height, top, bottom), padded(width, left, right)]
}

pub(super) fn reflection_pad2d(site: &Site<'_>) -> syn::Result<Outcome> {
    pad2d_of_cells(site, true)
}

pub(super) fn circular_pad2d(site: &Site<'_>) -> syn::Result<Outcome> {
    pad2d_of_cells(site, false)
}

/// A padding that shows a row or column once at most; one that reflects does not show the one at the edge.
fn pad2d_of_cells(site: &Site<'_>, reflects: bool) -> syn::Result<Outcome> {
    let [_, height, width] = spatial(site)?;
    let sides = site.arguments.padding();
    for (side, padding) in sides.iter().enumerate() {
        let (cells, line) = [(&height, "row"), (&width, "column")][side / 2];
        let (Some(cells), Some(padding)) = (cells.known(), padding.known()) else { continue };
        let most = cells.saturating_sub(u64::from(reflects));
        if padding > most {
            let one = if cells == 1 { line.to_owned() } else { format!("{line}s") };
            let rule =
                if reflects { "the one at the edge is not shown again" } else { "each is shown again once at most" };
            let convolves = site.layer.to_string().starts_with("conv");
            let replicates = if convolves { "padding_mode = replicate" } else { "`replication_pad2d`" };
            let text = format!(
                "{}: padding {padding} wants more than the {cells} {one} of the {} feature map\n\
                 rule: {rule}: padding <= {most}\nhelp: padding <= {most}, or {replicates}",
                site.name, site.input
            );
            return Err(site.mistake_at("padding", &text));
        }
    }
    let [channels, ..] = site.input.sizes();
    let known =
        matches!(site.input, Shape::Chw(_)) && [&channels, &height, &width].iter().all(|size| size.known().is_some());
    if known && sides.iter().all(|side| side.known().is_some()) {
        return pad2d(site);
    }
    let [made_height, made_width] = padded(site, height, width);
    let (name, layer, sound) = (site.name, site.layer.to_string(), &site.sound);
    let input = sizes_expression(site.input);
    Ok(Outcome::Checked {
        sizes: CheckedSizes::Chw([channels.known(), made_height.known(), made_width.known()]),
        check: quote!(::cnn_core::shape::check::pad2d(#name, #layer, #input, #sound, [#(#sides),*], #reflects)),
    })
}

/// A map of the same channels and this height and width.
pub(super) fn resized(site: &Site<'_>, sizes: [Size; 2]) -> syn::Result<Outcome> {
    resized_by(site, sizes, &quote!(adaptive))
}

fn resized_by(site: &Site<'_>, [height, width]: [Size; 2], check: &TokenStream) -> syn::Result<Outcome> {
    let [channels, ..] = site.input.sizes();
    let sizes = [&channels, &height, &width];
    let [_, before, _] = site.input.sizes();
    let is_sound = !site.is_1d() || before.known().is_some();
    if is_sound && !matches!(site.input, Shape::Sizes(_)) && sizes.iter().all(|size| size.known().is_some()) {
        return Ok(Outcome::Known(Shape::Chw([channels, height, width])));
    }
    let (name, layer, sound) = (site.name, site.layer.to_string(), &site.sound);
    let input = sizes_expression(site.input);
    Ok(Outcome::Checked {
        sizes: CheckedSizes::Chw([channels.known(), height.known(), width.known()]),
        check: quote!(::cnn_core::shape::check::#check(#name, #layer, #input, #sound, [#height, #width])),
    })
}

pub(super) fn reduction(site: &Site<'_>) -> syn::Result<Outcome> {
    let over = site.arguments.word("over");
    if over == "all" {
        return Ok(Outcome::Known(Shape::Flat(Size::Known(1))));
    }
    if let Shape::Flat(_) = site.input {
        return Err(no_channels(site));
    }
    let [channels, height, width] = spatial(site)?;
    if let Shape::Sizes(_) = site.input {
        // Whether it is a map only rustc knows.
        return match over {
            "space" => resized(site, [Size::Known(1), Size::Known(1)]),
            _ => {
                Err(site
                    .mistake("only rustc knows the map that it gets\nhelp: `=> <C, H, W>` behind the step before it"))
            }
        };
    }
    let one = || Size::Known(1);
    Ok(Outcome::Known(Shape::Chw(match over {
        "channels" => [one(), height, width],
        _ => [channels, one(), one()],
    })))
}

pub(super) fn prelu(site: &Site<'_>) -> syn::Result<Outcome> {
    let ([channels, ..], slopes) = (site.input.sizes(), site.arguments.count("num_parameters"));
    if let (Some(channels), Some(slopes)) = (channels.known(), slopes.known())
        && slopes != 1
        && slopes != channels
    {
        let text = format!(
            "{}: num_parameters {slopes} is neither 1 nor the number of channels\n\
             help: 1, or `num_parameters = {channels}`",
            site.name
        );
        return Err(site.mistake_at("num_parameters", &text));
    }
    if slopes.known() == Some(1) || channels.known().is_some() && slopes.known().is_some() {
        return same_map(site);
    }
    let (name, input, sound) = (site.name, sizes_expression(site.input), &site.sound);
    Ok(kept(site, quote!(::cnn_core::shape::check::prelu(#name, #input, #sound, #slopes))))
}

/// The map as it is, once rustc has found it sound.
fn kept(site: &Site<'_>, check: TokenStream) -> Outcome {
    let sizes = site.input.sizes().map(|size| size.known());
    let sizes = match site.input {
        Shape::Chw(_) => CheckedSizes::Chw(sizes),
        Shape::Flat(_) => CheckedSizes::Flat(sizes[0]),
        Shape::Sizes(_) => CheckedSizes::Unknown,
    };
    Outcome::Checked { sizes, check }
}

pub(super) fn batch_norm2d(site: &Site<'_>) -> syn::Result<Outcome> {
    if let Shape::Flat(_) = site.input {
        return Err(site.mistake(&format!(
            "`{}` takes a map with height and width, and gets {} flat features\n\
             help: `batch_norm1d`",
            site.layer, site.input
        )));
    }
    batch_norm(site, false)
}

pub(super) fn batch_norm1d(site: &Site<'_>) -> syn::Result<Outcome> {
    if let Shape::Chw([_, height, _]) = site.input
        && height.known().is_some_and(|height| height != 1)
    {
        return Err(site.mistake(&format!(
            "`{}` takes flat features or a sequence, and gets the {} feature map\nhelp: `batch_norm2d`, or put it behind `flatten`",
            site.layer, site.input
        )));
    }
    batch_norm(site, true)
}

fn batch_norm(site: &Site<'_>, of_features: bool) -> syn::Result<Outcome> {
    let [_, height, _] = site.input.sizes();
    if !matches!(site.input, Shape::Sizes(_)) && (!of_features || height.known().is_some()) {
        return same_map(site);
    }
    let (name, layer, sound) = (site.name, site.layer.to_string(), &site.sound);
    let input = sizes_expression(site.input);
    Ok(kept(site, quote!(::cnn_core::shape::check::batch_norm(#name, #layer, #input, #sound, #of_features))))
}

pub(super) fn group_norm(site: &Site<'_>) -> syn::Result<Outcome> {
    let ([channels, ..], groups) = (site.input.sizes(), site.arguments.count("num_groups"));
    if groups.known() == Some(1) {
        return same_map(site);
    }
    let (Some(channels), Some(groups)) = (channels.known(), groups.known()) else {
        let (name, input, sound) = (site.name, sizes_expression(site.input), &site.sound);
        return Ok(kept(site, quote!(::cnn_core::shape::check::group_norm(#name, #input, #sound, #groups))));
    };
    if !channels.is_multiple_of(groups) {
        let what = if matches!(site.input, Shape::Flat(_)) { "features" } else { "channels" };
        let text = format!(
            "{}: num_groups {groups} does not divide the {channels} {what}\n\
             rule: each of {groups} groups gets as many of them\n\
             help: num_groups = {}, or a map with {} {what} before `{}`",
            site.name,
            window::common_divisor(channels, channels, groups),
            channels.next_multiple_of(groups),
            site.layer
        );
        return Err(site.mistake_at("num_groups", &text));
    }
    same_map(site)
}

pub(super) fn instance_norm2d(site: &Site<'_>) -> syn::Result<Outcome> {
    let [_, height, width] = spatial(site)?;
    if (height.known(), width.known()) == (Some(1), Some(1)) {
        return Err(site.mistake(&format!(
            "`{}` gets the {} feature map\n\
             rule: a channel has a deviation over its positions, and one has none: PyTorch expects more than 1\n\
             help: put it before what makes the map so small, or `layer_norm`",
            site.layer, site.input
        )));
    }
    // A side of two or more is enough.
    let spatial = matches!(site.input, Shape::Chw(_));
    if spatial && [height, width].iter().any(|size| size.known().is_some_and(|size| size > 1)) {
        return same_map(site);
    }
    let (name, input, sound) = (site.name, sizes_expression(site.input), &site.sound);
    Ok(kept(site, quote!(::cnn_core::shape::check::instance_norm2d(#name, #input, #sound))))
}

pub(super) fn prelu_cost(arguments: &Arguments, _: &Shape, _: &Shape) -> Option<Cost> {
    let parameters = product(&[arguments.count("num_parameters")])?;
    Some(Cost { parameters, ..Cost::default() })
}

/// A factor for each channel.
pub(super) fn layer_scale_cost(_: &Arguments, input: &Shape, _: &Shape) -> Option<Cost> {
    let [channels, ..] = input.sizes();
    Some(Cost { parameters: product(&[&channels])?, ..Cost::default() })
}

pub(super) fn parameter_cost(arguments: &Arguments, _: &Shape, _: &Shape) -> Option<Cost> {
    let sizes = ["channels", "height", "width"].map(|name| arguments.count(name));
    Some(Cost { parameters: product(&sizes)?, ..Cost::default() })
}

pub(super) fn free(_: &Arguments, _: &Shape, _: &Shape) -> Option<Cost> {
    Some(Cost::default())
}

pub(super) fn linear_cost(arguments: &Arguments, input: &Shape, output: &Shape) -> Option<Cost> {
    let [[in_features, ..], [out_features, height, width]] = [input.sizes(), output.sizes()];
    let weight = product(&[&in_features, &out_features])?;
    Some(Cost {
        parameters: weight.saturating_add(bias(arguments, &out_features)?),
        multiply_adds: weight.saturating_mul(product(&[&height, &width])?),
    })
}

pub(super) fn batch_norm2d_cost(arguments: &Arguments, input: &Shape, _: &Shape) -> Option<Cost> {
    let [channels, ..] = input.sizes();
    let parameters = if arguments.truth("affine") { product(&[&Size::Known(2), &channels])? } else { 0 };
    Some(Cost { parameters, ..Cost::default() })
}

pub(super) fn layer_norm_cost(arguments: &Arguments, input: &Shape, _: &Shape) -> Option<Cost> {
    over_cost(arguments, input, if arguments.truth("bias") { 2 } else { 1 })
}

pub(super) fn rms_norm_cost(arguments: &Arguments, input: &Shape, _: &Shape) -> Option<Cost> {
    over_cost(arguments, input, 1)
}

/// Of so many tensors with a number for each value that one mean is over.
fn over_cost(arguments: &Arguments, input: &Shape, tensors: u64) -> Option<Cost> {
    if !arguments.truth("elementwise_affine") {
        return Some(Cost::default());
    }
    let [channels, ..] = input.sizes();
    let weights = if arguments.word("over") == "all" { input.len() } else { channels };
    let parameters = product(&[&Size::Known(tensors), &weights])?;
    Some(Cost { parameters, ..Cost::default() })
}

pub(super) fn group_norm_cost(arguments: &Arguments, input: &Shape, output: &Shape) -> Option<Cost> {
    if arguments.truth("affine") { batch_norm2d_cost(arguments, input, output) } else { Some(Cost::default()) }
}

pub(super) fn product(sizes: &[&Size]) -> Option<u128> {
    sizes.iter().try_fold(1_u128, |product, size| Some(product.saturating_mul(u128::from(size.known()?))))
}

pub(super) fn bias(arguments: &Arguments, values: &Size) -> Option<u128> {
    if arguments.truth("bias") { values.known().map(u128::from) } else { Some(0) }
}

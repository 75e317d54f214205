//! Rules of layers that keep a map, or give it a size of its own, and what they cost.

use quote::quote;

use super::{Arguments, CheckedSizes, Cost, Outcome, Site, sizes_expression};
use crate::plan::{Shape, Size};

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
            "`linear` takes a flat map, and gets the {} feature map\nhelp: put `flatten` before it",
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

/// Channels, height and width of the input of a layer that needs all three.
pub(super) fn spatial(site: &Site<'_>) -> syn::Result<[Size; 3]> {
    match site.input {
        Shape::Flat(_) => Err(site.mistake(&format!(
            "`{}` takes a map with height and width, and gets {} flat features\nhelp: put it before `flatten`",
            site.layer, site.input
        ))),
        other => Ok(other.sizes()),
    }
}

/// Kernel, stride, padding and dilation of both axes.
/// The map stays as it is, and must be one.
pub(super) fn same_spatial_map(site: &Site<'_>) -> syn::Result<Outcome> {
    let [_, height, width] = spatial(site)?;
    if !matches!(site.input, Shape::Sizes(_)) {
        return same_map(site);
    }
    let (name, layer, sound) = (site.name, site.layer.to_string(), &site.sound);
    let input = sizes_expression(site.input);
    Ok(Outcome::Checked {
        sizes: CheckedSizes::Chw([None; 3]),
        check: quote!(::cnn_core::shape::check::adaptive(#name, #layer, #input, #sound, [#height, #width])),
    })
}

pub(super) fn adaptive_pool2d(site: &Site<'_>) -> syn::Result<Outcome> {
    let [channels, ..] = spatial(site)?;
    let [height, width] = site.arguments.pair("output_size");
    if height.known().is_some() && width.known().is_some() && !matches!(site.input, Shape::Sizes(_)) {
        return Ok(Outcome::Known(Shape::Chw([channels, height.clone(), width.clone()])));
    }
    let (name, layer, sound) = (site.name, site.layer.to_string(), &site.sound);
    let input = sizes_expression(site.input);
    Ok(Outcome::Checked {
        sizes: CheckedSizes::Chw([channels.known(), height.known(), width.known()]),
        check: quote!(::cnn_core::shape::check::adaptive(#name, #layer, #input, #sound, [#height, #width])),
    })
}

pub(super) fn free(_: &Arguments, _: &Shape, _: &Shape) -> Option<Cost> {
    Some(Cost::default())
}

pub(super) fn linear_cost(arguments: &Arguments, input: &Shape, output: &Shape) -> Option<Cost> {
    let [[in_features, ..], [out_features, ..]] = [input.sizes(), output.sizes()];
    let weight = product(&[&in_features, &out_features])?;
    Some(Cost { parameters: weight.saturating_add(bias(arguments, &out_features)?), multiply_adds: weight })
}

pub(super) fn batch_norm2d_cost(arguments: &Arguments, input: &Shape, _: &Shape) -> Option<Cost> {
    let [channels, ..] = input.sizes();
    let parameters = if arguments.truth("affine") { product(&[&Size::Known(2), &channels])? } else { 0 };
    Some(Cost { parameters, ..Cost::default() })
}

pub(super) fn product(sizes: &[&Size]) -> Option<u128> {
    sizes.iter().try_fold(1_u128, |product, size| Some(product.saturating_mul(u128::from(size.known()?))))
}

pub(super) fn bias(arguments: &Arguments, values: &Size) -> Option<u128> {
    if arguments.truth("bias") { values.known().map(u128::from) } else { Some(0) }
}

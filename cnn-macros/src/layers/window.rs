//! Rules of layers whose window moves over the map, and what they cost.

use proc_macro2::TokenStream;
use quote::quote;

use super::maps::{product, spatial};
use super::{Arguments, CheckedSizes, Cost, Outcome, Setting, Site, Value};
use crate::size::{Shape, Size, sizes_expression};
use crate::window::{self, Axis, Limits};

/// Kernel, stride and dilation of both axes.
fn numbers(arguments: &Arguments) -> [[Size; 2]; 3] {
    ["kernel_size", "stride", "dilation"].map(|name| arguments.pair_or_ones(name))
}

/// Height and width that a window makes, if all numbers are known.
fn windowed(site: &Site<'_>, cells: [&Size; 2], pools: bool) -> syn::Result<Option<[u64; 2]>> {
    let (numbers, padding) = (numbers(site.arguments), site.arguments.padding());
    let axis = |side: usize| {
        let [kernel, stride, dilation] = numbers.each_ref().map(|pair| pair[side].known());
        Some(Axis {
            cells: cells[side].known()?,
            kernel: kernel?,
            stride: stride?,
            padding: [padding[2 * side].known()?, padding[2 * side + 1].known()?],
            dilation: dilation?,
            ceil: site.arguments.truth("ceil_mode"),
        })
    };
    let (Some(vertical), Some(horizontal)) = (axis(0), axis(1)) else { return Ok(None) };
    let limits = Limits { strict: site.arguments.truth("strict"), pools, is_1d: site.is_1d() };
    let layer = site.layer;
    let written = match site.arguments.get("out_channels") {
        Some(Setting { value: Value::Count(Size::Known(channels)), .. }) => format!("{layer}<{channels}, "),
        Some(channels) => format!("{layer}<{}, ", channels.tokens),
        None => format!("{layer}<"),
    };
    window::output(site.name, &written, [vertical, horizontal], limits)
        .map(Some)
        .map_err(|misfit| site.mistake_at(misfit.argument, &misfit.text))
}

fn check(site: &Site<'_>, channels: &Size, pools: bool) -> TokenStream {
    let (name, layer, sound) = (site.name, site.layer.to_string(), &site.sound);
    let input = sizes_expression(site.input);
    let [kernel_size, stride, dilation] = numbers(site.arguments).map(|[a, b]| quote!([#a, #b]));
    let padding = site.arguments.padding();
    let (strict, ceil_mode) = (site.arguments.truth("strict"), site.arguments.truth("ceil_mode"));
    let groups = match site.arguments.get("groups") {
        Some(_) => site.arguments.count("groups").clone(),
        None => Size::Known(1),
    };
    let window = quote!(::cnn_core::shape::check::Window {
        name: #name, layer: #layer, kernel_size: #kernel_size, stride: #stride, padding: [#(#padding),*],
        dilation: #dilation, groups: #groups, strict: #strict, ceil_mode: #ceil_mode, pools: #pools,
    });
    quote!(::cnn_core::shape::check::window(#window, #input, #sound, #channels))
}

pub(super) fn conv2d(site: &Site<'_>) -> syn::Result<Outcome> {
    let [in_channels, height, width] = spatial(site)?;
    let out_channels = site.arguments.count("out_channels");
    same_wants_stride_1(site)?;
    winograd_wants_3x3(site)?;
    let grouped = grouped(site, &in_channels, out_channels)?;
    let sizes = windowed(site, [&height, &width], false)?;
    Ok(match (sizes, out_channels.known()) {
        (Some([height, width]), Some(channels)) if grouped => {
            Outcome::Known(Shape::Chw([channels, height, width].map(Size::Known)))
        }
        (sizes, channels) => Outcome::Checked {
            sizes: CheckedSizes::Chw([channels, sizes.map(|sizes| sizes[0]), sizes.map(|sizes| sizes[1])]),
            check: check(site, out_channels, false),
        },
    })
}

fn same_wants_stride_1(site: &Site<'_>) -> syn::Result<()> {
    let stride = site.arguments.pair("stride");
    if site.arguments.is_same_padding() && stride.iter().any(|stride| stride.known() != Some(1)) {
        let text = format!(
            "{}: padding = same keeps the map's size, and a stride does not\nhelp: padding in numbers, or stride = 1",
            site.name
        );
        return Err(site.mistake_at("padding", &text));
    }
    Ok(())
}

/// Sizes that only rustc knows are not 3 or 1 for the macro: who chooses an algorithm has written them.
fn winograd_wants_3x3(site: &Site<'_>) -> syn::Result<()> {
    let is = |name: &str, number: u64| site.arguments.pair(name).iter().all(|size| size.known() == Some(number));
    let fits = is("kernel_size", 3) && is("stride", 1) && is("dilation", 1);
    let is_winograd = site.arguments.get("algorithm").is_some() && site.arguments.word("algorithm") == "winograd";
    if is_winograd && !(fits && site.arguments.count("groups").known() == Some(1)) {
        let text = format!(
            "{}: algorithm = winograd is for a 3x3 kernel, stride 1, dilation 1 and one group\n\
             help: algorithm = direct, or none, which takes the fastest",
            site.name
        );
        return Err(site.mistake_at("algorithm", &text));
    }
    Ok(())
}

/// Whether groups divide channels as they must; `false` if that is for rustc to tell.
fn grouped(site: &Site<'_>, in_channels: &Size, out_channels: &Size) -> syn::Result<bool> {
    let groups = site.arguments.count("groups");
    if groups.known() == Some(1) {
        return Ok(true);
    }
    let (Some(groups), Some(inputs), Some(outputs)) = (groups.known(), in_channels.known(), out_channels.known())
    else {
        return Ok(false);
    };
    let (name, layer) = (site.name, site.layer);
    let mistake = |text: String| Err(site.mistake_at("groups", &text));
    if inputs % groups != 0 {
        let fits = window::common_divisor(inputs, outputs, groups);
        return mistake(format!(
            "{name}: groups {groups} does not divide the {inputs} input channels\n\
             rule: each of {groups} groups gets as many of them\n\
             help: groups = {fits}, or a map with {} channels before `{layer}`",
            inputs.next_multiple_of(groups)
        ));
    }
    if groups == inputs && outputs < groups {
        return mistake(format!(
            "{name}: {groups} groups of one input channel each make at least {groups} output channels, not {outputs}\n\
             help: out_channels = {groups}, or a multiple of it"
        ));
    }
    if outputs % groups != 0 {
        let (below, above) = (outputs / groups * groups, outputs.next_multiple_of(groups));
        let below = if below == 0 { String::new() } else { format!("{below} or ") };
        return mistake(format!(
            "{name}: groups {groups} does not divide the {outputs} output channels\n\
             rule: each of {groups} groups makes as many of them\n\
             help: out_channels = {below}{above}"
        ));
    }
    Ok(true)
}

pub(super) fn conv_transpose2d(site: &Site<'_>) -> syn::Result<Outcome> {
    let [in_channels, height, width] = spatial(site)?;
    let out_channels = site.arguments.count("out_channels");
    let grouped = grouped(site, &in_channels, out_channels)?;
    let sizes = [transposed(site, &height, 0)?, transposed(site, &width, 1)?];
    Ok(match (sizes, out_channels.known()) {
        ([Some(height), Some(width)], Some(channels)) if grouped => {
            Outcome::Known(Shape::Chw([channels, height, width].map(Size::Known)))
        }
        ([height, width], channels) => Outcome::Checked {
            sizes: CheckedSizes::Chw([channels, height, width]),
            check: transposed_check(site, out_channels),
        },
    })
}

/// Height (`side` 0) or width (1) that a transposed window makes, if all numbers are known.
fn transposed(site: &Site<'_>, cells: &Size, side: usize) -> syn::Result<Option<u64>> {
    let arguments = site.arguments;
    let [kernel, stride, dilation] = numbers(arguments).map(|pair| pair[side].known());
    let padding = arguments.padding();
    let (before, behind) = (padding[2 * side].known(), padding[2 * side + 1].known());
    let output_padding = arguments.pair("output_padding")[side].known();
    let (Some(cells), Some(kernel), Some(stride), Some(dilation)) = (cells.known(), kernel, stride, dilation) else {
        return Ok(None);
    };
    let (Some(before), Some(behind), Some(output_padding)) = (before, behind, output_padding) else { return Ok(None) };
    let axis = Axis { cells, kernel, stride, padding: [before, behind], dilation, ceil: false };
    window::transposed(site.name, axis, output_padding)
        .map(Some)
        .map_err(|misfit| site.mistake_at(misfit.argument, &misfit.text))
}

fn transposed_check(site: &Site<'_>, channels: &Size) -> TokenStream {
    let (name, layer, sound) = (site.name, site.layer.to_string(), &site.sound);
    let (input, groups) = (sizes_expression(site.input), site.arguments.count("groups"));
    let [kernel_size, stride, dilation] = numbers(site.arguments).map(|[a, b]| quote!([#a, #b]));
    let (padding, [vertical, horizontal]) = (site.arguments.padding(), site.arguments.pair("output_padding"));
    let window = quote!(::cnn_core::shape::check::Window {
        name: #name, layer: #layer, kernel_size: #kernel_size, stride: #stride, padding: [#(#padding),*],
        dilation: #dilation, groups: #groups, strict: false, ceil_mode: false, pools: false,
    });
    quote!(::cnn_core::shape::check::transposed(#window, [#vertical, #horizontal], #input, #sound, #channels))
}

pub(super) fn pool2d(site: &Site<'_>) -> syn::Result<Outcome> {
    let [channels, height, width] = spatial(site)?;
    Ok(match windowed(site, [&height, &width], true)? {
        Some([height, width]) => Outcome::Known(Shape::Chw([channels, Size::Known(height), Size::Known(width)])),
        None => Outcome::Checked {
            sizes: CheckedSizes::Chw([channels.known(), None, None]),
            check: check(site, &channels, true),
        },
    })
}

pub(super) fn conv2d_cost(arguments: &Arguments, input: &Shape, output: &Shape) -> Option<Cost> {
    let [_, height, width] = output.sizes();
    convolution_cost(arguments, input, output, [&height, &width])
}

pub(super) fn conv_transpose2d_cost(arguments: &Arguments, input: &Shape, output: &Shape) -> Option<Cost> {
    let [_, height, width] = input.sizes();
    convolution_cost(arguments, input, output, [&height, &width])
}

/// Of a convolution whose filters are applied at so many positions.
fn convolution_cost(arguments: &Arguments, input: &Shape, output: &Shape, positions: [&Size; 2]) -> Option<Cost> {
    let ([in_channels, ..], [out_channels, ..]) = (input.sizes(), output.sizes());
    let [kernel_height, kernel_width] = arguments.pair("kernel_size");
    let groups = u128::from(arguments.count("groups").known()?.max(1));
    let weight = product(&[&in_channels, &out_channels, kernel_height, kernel_width])? / groups;
    Some(Cost {
        parameters: weight.saturating_add(super::maps::bias(arguments, &out_channels)?),
        multiply_adds: weight.saturating_mul(product(&positions)?),
    })
}

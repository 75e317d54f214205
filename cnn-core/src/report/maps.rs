//! Maps of steps and filters as grids of small pictures.

use core::fmt::Write;

use super::html::escape;
use super::picture::{Picture, Scale, viridis};
use crate::layer::Step;
use crate::network::{FeatureMap, Network};
use crate::tensor::Tensor;

/// Of a step, or of filters, at most.
const SHOWN: usize = 32;
const COLUMNS: usize = 8;
/// What a small picture is to have at least, in pixels of the file.
const LEAST: usize = 64;
/// What one has at most: of larger maps each pixel is the mean of some cells, as a page of all their cells would be large.
const MOST: usize = 80;

/// Every map in the order in which they are made.
pub(super) fn section<N: Network>(html: &mut String, network: &N, input: &Tensor<N::Input>) {
    html.push_str("<p>Each channel in its own range, from dark to light.</p><div class=\"maps\">");
    for map in crate::network::feature_maps(network, input) {
        of_map(html, &map, N::STEPS);
    }
    html.push_str("</div>");
}

fn of_map(html: &mut String, map: &FeatureMap, steps: &'static [Step]) {
    let mut names = map.steps[..1].iter().map(|step| name(&steps[*step])).collect::<String>();
    map.steps[1..].iter().for_each(|step| names += &format!(", {}", steps[*step].layer));
    let (channels, positions) = (map.sizes.channels(), map.sizes.positions());
    let (picture, said) = if positions == 1 {
        (features(&map.values), map.sizes.to_string())
    } else {
        let shown = channels.min(SHOWN);
        let of_channel = |channel| {
            let (values, width) = smaller(map.channel(channel).collect(), map.sizes.width());
            let scale = Scale::of(values.iter().copied());
            Picture::from_fn(width, values.len() / width, |x, y| viridis(scale.of_value(values[y * width + x])))
        };
        let pictures: Vec<Picture> = (0..shown).map(of_channel).collect();
        let said = if shown < channels {
            format!("{}, {shown} of {channels} channels", map.sizes)
        } else {
            map.sizes.to_string()
        };
        (grid(&pictures), said)
    };
    let Some(picture) = picture else { return };
    html.push_str("<figure>");
    picture.write_img(html, &format!("Maps of {names}"));
    // Writing to a string cannot fail.
    let _ = write!(html, "<figcaption><b>{}</b> {said}</figcaption></figure>", escape(&names));
}

/// The map `[height, width]` with at most as many rows and columns as a small picture has, and its new width.
fn smaller(values: Vec<f32>, width: usize) -> (Vec<f32>, usize) {
    let height = values.len() / width;
    let side = width.max(height).div_ceil(MOST);
    if side == 1 {
        return (values, width);
    }
    let [columns, rows] = [width, height].map(|size| size.div_ceil(side));
    let mean = |cell: usize| {
        let cells = |at: usize, size: usize| at * side..size.min((at + 1) * side);
        let (across, down) = (cells(cell % columns, width), cells(cell / columns, height));
        let count = (across.len() * down.len()) as f32;
        down.flat_map(|y| across.clone().map(move |x| y * width + x)).map(|cell| values[cell]).sum::<f32>() / count
    };
    ((0..rows * columns).map(mean).collect(), columns)
}

/// PyTorch's name, and what the step is where that is only a number.
fn name(step: &Step) -> String {
    let is_number = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    match step.path.rsplit('.').next() {
        Some(last) if !is_number(last) => step.path.to_owned(),
        _ if step.path.split('.').all(is_number) => step.layer.to_owned(),
        _ => format!("{} ({})", step.path, step.layer),
    }
}

/// Features have no place: they stand in rows.
fn features(values: &[f32]) -> Option<Picture> {
    const OF_ROW: usize = 40;
    let columns = values.len().clamp(1, OF_ROW);
    let rows = values.len().div_ceil(columns).min(OF_ROW);
    let scale = Scale::of(values.iter().copied());
    let pixel =
        |x: usize, y: usize| values.get(y * columns + x).map_or([0; 4], |value| viridis(scale.of_value(*value)));
    (!values.is_empty()).then(|| Picture::from_fn(columns, rows, pixel).enlarged(12))
}

fn grid(pictures: &[Picture]) -> Option<Picture> {
    let side = pictures.first().map_or(1, |picture| picture.width().max(picture.height()).max(1));
    Picture::grid(pictures, COLUMNS, LEAST.div_ceil(side))
}

/// The filters of the first convolution: of three channels in colour, otherwise of the first channel in grey, which is zero.
pub(super) fn filters<N: Network>(html: &mut String, network: &N) {
    let weight = network.weights().tensors().find(|tensor| tensor.parameter.rank == 4);
    let Some(weight) = weight else {
        html.push_str("<p class=\"none\">The network has no convolution.</p>");
        return;
    };
    let [filters, channels, height, width] = weight.parameter.sizes;
    let values = weight.to_pytorch();
    let scale = Scale::around_zero(values.iter().copied());
    let shown = filters.min(2 * SHOWN);
    let of_filter = |filter: usize| {
        Picture::from_fn(width, height, |x, y| {
            let value = |channel: usize| {
                let value = values[((filter * channels + channel) * height + y) * width + x];
                (255.0 * scale.of_value(value).unwrap_or(0.0)).round() as u8
            };
            if channels == 3 { [value(0), value(1), value(2), 255] } else { [value(0), value(0), value(0), 255] }
        })
    };
    let pictures: Vec<Picture> = (0..shown).map(of_filter).collect();
    let Some(picture) = grid(&pictures) else { return };
    html.push_str("<figure class=\"filters\">");
    picture.write_img(html, &format!("Filters of {}", weight.name));
    let of = if channels == 3 || channels == 1 { "" } else { ", the first channel of each" };
    let some = if shown < filters { format!("{shown} of {filters}") } else { filters.to_string() };
    let grey = if channels == 3 { "" } else { "; zero is the middle grey" };
    let name = escape(&weight.name);
    let _ =
        write!(html, "<figcaption><b>{name}</b> {some} filters of {height}x{width}{of}{grey}</figcaption></figure>");
}

#[cfg(test)]
mod tests {
    use super::smaller;

    #[test]
    fn large_maps_are_means_of_cells() {
        let values: Vec<f32> = (0..6).map(|value| value as f32).collect();
        assert_eq!(smaller(values.clone(), 3), (values, 3));
        // 161 columns of three rows: three cells each, the last two.
        let values: Vec<f32> = (0..161 * 3).map(|cell| (cell % 161) as f32).collect();
        let (means, width) = smaller(values, 161);
        assert_eq!((width, means.len()), (54, 54));
        assert_eq!((means[0], means[1], means[53]), (1.0, 4.0, 159.5));
        assert_eq!(smaller(vec![1.0; 1000], 1), (vec![1.0; 77], 1));
    }
}

//! Brightness, contrast, saturation and hue, as torchvision changes them in a PIL image; and other numbers of channels.

use super::view::View;

/// The luma of ITU-R 601-2 in whole numbers, PIL's `convert("L")`.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    ((u32::from(red) * 19595 + u32::from(green) * 38470 + u32::from(blue) * 7471 + 0x8000) >> 16) as u8
}

/// From `[h, w, c]` to `[h, w, channels]` as PIL's `convert("RGB")` and `convert("L")` do: an alpha channel is left out.
///
/// Takes numbers of channels that [`converts`] allows.
pub(super) fn convert(from: View<'_>, channels: usize, to: &mut [u8]) {
    for (from_row, to_row) in from.rows().zip(to.chunks_exact_mut(from.width * channels)) {
        for (pixel, to) in from_row.chunks_exact(from.channels).zip(to_row.chunks_exact_mut(channels)) {
            match *pixel {
                [grey] | [grey, _] => to.fill(grey),
                [red, green, blue] | [red, green, blue, _] if channels == 1 => to[0] = luma([red, green, blue]),
                [red, green, blue, _] => to.copy_from_slice(&[red, green, blue]),
                _ => to.copy_from_slice(pixel),
            }
        }
    }
}

/// Whether pixels of so many channels can become pixels of so many.
pub(in crate::data) fn converts(from: usize, to: usize) -> bool {
    from == to || (matches!(from, 1..=4) && matches!(to, 1 | 3))
}

/// PIL's `Image.blend(other, picture, factor)` of a byte: in single precision, cut off towards zero.
fn blend(other: u8, byte: u8, factor: f32) -> u8 {
    let (other, byte) = (i32::from(other), i32::from(byte));
    // A cast clips, as PIL does where the factor is above 1.
    (other as f32 + factor * (byte - other) as f32) as u8
}

/// A byte for each: what `blend` makes of it with one other byte.
fn blended(pixels: &mut [u8], other: u8, factor: f32) {
    let table: [u8; 256] = std::array::from_fn(|byte| blend(other, byte as u8, factor));
    for byte in pixels {
        *byte = table[usize::from(*byte)];
    }
}

/// `ImageEnhance.Brightness`: 0 is black, 1 as it is.
pub(super) fn brightness(pixels: &mut [u8], factor: f32) {
    blended(pixels, 0, factor);
}

/// `ImageEnhance.Contrast`: 0 is the mean grey everywhere, 1 as it is.
pub(super) fn contrast(pixels: &mut [u8], channels: usize, factor: f32) {
    let sum: u64 = match channels {
        3 => pixels.as_chunks::<3>().0.iter().map(|&pixel| u64::from(luma(pixel))).sum(),
        _ => pixels.iter().map(|&grey| u64::from(grey)).sum(),
    };
    let mean = sum as f64 / (pixels.len() / channels) as f64;
    blended(pixels, (mean + 0.5) as u8, factor);
}

/// `ImageEnhance.Color` of RGB: 0 is grey, 1 as it is.
pub(super) fn saturation(pixels: &mut [u8], factor: f32) {
    for pixel in pixels.as_chunks_mut::<3>().0 {
        let grey = luma(*pixel);
        *pixel = pixel.map(|byte| blend(grey, byte, factor));
    }
}

/// torchvision's `adjust_hue` of RGB: a turn of the hue by this share of a circle, through PIL's HSV, whose hue is a byte.
pub(super) fn hue(pixels: &mut [u8], factor: f64) {
    let turn = (factor * 255.0) as i32 as u8;
    for pixel in pixels.as_chunks_mut::<3>().0 {
        let [hue, saturation, value] = hsv(*pixel);
        *pixel = rgb([hue.wrapping_add(turn), saturation, value]);
    }
}

/// <https://github.com/python-pillow/Pillow/blob/main/src/libImaging/Convert.c>, `rgb2hsv_row`: single precision, with some
/// sums in double as C has them.
fn hsv([red, green, blue]: [u8; 3]) -> [u8; 3] {
    let (max, min) = (red.max(green).max(blue), red.min(green).min(blue));
    if max == min {
        return [0, 0, max];
    }
    let range = f32::from(max - min);
    let saturation = range / f32::from(max);
    let [red_part, green_part, blue_part] = [red, green, blue].map(|byte| f32::from(max - byte) / range);
    let hue = if red == max {
        blue_part - green_part
    } else if green == max {
        (2.0 + f64::from(red_part) - f64::from(blue_part)) as f32
    } else {
        (4.0 + f64::from(green_part) - f64::from(red_part)) as f32
    };
    // From 5/6 to 11/6, so that C's `fmod(.., 1.0)` is at most one less.
    let turned = f64::from(hue) / 6.0 + 1.0;
    let hue = if turned >= 1.0 { turned - 1.0 } else { turned } as f32;
    [(f64::from(hue) * 255.0) as u8, (f64::from(saturation) * 255.0) as u8, max]
}

/// `hsv2rgb` of the same file.
fn rgb([hue, saturation, value]: [u8; 3]) -> [u8; 3] {
    if saturation == 0 {
        return [value; 3];
    }
    let sixths = f64::from(hue) * 6.0 / 255.0;
    let sector = sixths as u8;
    let fraction = f64::from((sixths - f64::from(sector)) as f32);
    let saturation = f64::from((f64::from(saturation) / 255.0) as f32);
    // To the nearest, without a call: all are from 0 to 255.
    let part = |share: f64| {
        let exact = f64::from(value) * (1.0 - share);
        let whole = exact as u8;
        whole + u8::from(exact - f64::from(whole) >= 0.5)
    };
    let (p, q, t) = (part(saturation), part(saturation * fraction), part(saturation * (1.0 - fraction)));
    match sector % 6 {
        0 => [value, t, p],
        1 => [q, value, p],
        2 => [p, value, t],
        3 => [p, q, value],
        4 => [t, p, value],
        _ => [value, p, q],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_converted_or_not() {
        let converted = |pixels: &[u8], from, to| {
            let mut result = vec![0; pixels.len() / from * to];
            convert(View::new(pixels, [1, pixels.len() / from], from), to, &mut result);
            result
        };
        assert_eq!(converted(&[1, 2], 1, 3), [1, 1, 1, 2, 2, 2]);
        assert_eq!(converted(&[1, 255, 2, 0], 2, 3), [1, 1, 1, 2, 2, 2]);
        assert_eq!(converted(&[1, 255, 2, 0], 2, 1), [1, 2]);
        assert_eq!(converted(&[1, 2, 3, 0], 4, 3), [1, 2, 3]);
        assert_eq!(converted(&[255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255], 3, 1), [76, 150, 29, 255]);
        assert!(converts(7, 7) && !converts(7, 3) && !converts(3, 4));
    }
}

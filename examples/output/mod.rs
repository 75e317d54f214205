//! Files that come at the end of a long run.

use std::path::Path;

use anyhow::Context;
use cnn_core::io::{check_replaceable, replace_file};

/// Finds out before a long run that its result could not be written. What is in the file stays.
pub fn check(path: &Path) -> anyhow::Result<()> {
    check_replaceable(path).with_context(|| format!("{}: cannot be written", path.display()))
}

/// Writes a picture of eight bits a value, row by row.
pub fn write_png(
    path: &Path,
    [width, height]: [usize; 2],
    colours: png::ColorType,
    pixels: &[u8],
) -> anyhow::Result<()> {
    let (width, height) = (width.try_into()?, height.try_into()?);
    replace_file(path, |file| {
        let mut encoder = png::Encoder::new(file, width, height);
        encoder.set_color(colours);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header()?;
        writer.write_image_data(pixels)?;
        Ok(writer.finish()?)
    })?;
    Ok(())
}

//! Files of images and labels, raw and in gzip: any bytes, and good files with some of their bytes replaced. No file makes a
//! reader panic, and images that are read are whole.
#![no_main]

use std::io::Write;
use std::sync::LazyLock;

use cnn_core::data::{Images, LabelledImages};
use cnn_fuzz::Edits;
use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;

/// Three images of 2 x 4, and their labels.
const IMAGES: [u8; 40] = {
    let mut bytes = [7; 40];
    let header = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 4];
    let mut place = 0;
    while place < header.len() {
        bytes[place] = header[place];
        place += 1;
    }
    bytes
};
const LABELS: [u8; 11] = [0, 0, 8, 1, 0, 0, 0, 3, 0, 1, 2];

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes all");
    encoder.finish().expect("memory takes all")
}

static PACKED: LazyLock<Vec<u8>> = LazyLock::new(|| gzip(&IMAGES));

fuzz_target!(|bytes: &[u8]| {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    let file = match how % 5 {
        0 => bytes.to_vec(),
        1 => Edits::new(bytes).of(&IMAGES),
        2 => gzip(&Edits::new(bytes).of(&IMAGES)),
        3 => Edits::new(bytes).of(&PACKED),
        _ => Edits::new(bytes).of(&LABELS),
    };
    if let Ok(images) = Images::from_idx(&file) {
        let size = images.height() * images.width();
        assert!(images.len() > 0 && size > 0);
        assert!(images.iter().all(|image| image.len() == size));
        assert_eq!(images[images.len() - 1].len(), size);
    }
    for (images, labels) in [(&file[..], &LABELS[..]), (&IMAGES[..], &file[..])] {
        if let Ok(dataset) = LabelledImages::<3>::from_idx(images, labels) {
            assert!(dataset.labels().iter().all(|&label| label < 3));
            assert_eq!(dataset.labels().len(), dataset.images().len());
        }
    }
});

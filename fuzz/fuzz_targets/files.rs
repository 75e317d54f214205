//! Pictures, masks and tables: any bytes, and good files with some of their bytes replaced. No file makes a reader panic, and what
//! is read is whole.
#![no_main]

use std::path::Path;

use cnn_core::data::{Canvas, Csv, Decoding, Npy, NpyValues};
use cnn_core::prelude::Flat;
use cnn_fuzz::Edits;
use libfuzzer_sys::fuzz_target;

const FILES: [&[u8]; 7] = [
    include_bytes!("../../cnn-core/tests/fixtures/pictures/rgb.png"),
    include_bytes!("../../cnn-core/tests/fixtures/pictures/palette4.png"),
    include_bytes!("../../cnn-core/tests/fixtures/pictures/grey16.png"),
    include_bytes!("../../cnn-core/tests/fixtures/pictures/turned6.jpg"),
    include_bytes!("../../cnn-core/tests/fixtures/pictures/progressive.jpg"),
    include_bytes!("../../cnn-core/tests/fixtures/pictures/cmyk.jpg"),
    include_bytes!("../../cnn-core/tests/fixtures/pictures/mask_palette.png"),
];
const NPY: &[u8] = b"\x93NUMPY\x01\0\x3a\0{'descr': '<i2', 'fortran_order': True, 'shape': (3, 1), }\n\x01\x02\x03\x04\x05\x06";
const CSV: &[u8] = b"a, \"b\",c\n1,2e3,-4\n\"5\",6,7\n";

fuzz_target!(|bytes: &[u8]| {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    let path = Path::new("file");
    let kind = usize::from(how) % (2 * (FILES.len() + 2));
    let of = |good: &[u8]| if kind % 2 == 0 { bytes.to_vec() } else { Edits::new(bytes).of(good) };
    match kind / 2 {
        7 => {
            if let Ok(array) = Npy::parse(path, &of(NPY)) {
                let len = match array.values() {
                    NpyValues::Bytes(values) => values.len(),
                    NpyValues::Integers(values) => values.len(),
                    NpyValues::Floats(values) => values.len(),
                };
                assert_eq!(len, array.shape().iter().product::<usize>());
                let _ = (array.clone().into_images(), array.clone().into_labels(), array.into_batch::<Flat<1>>());
            }
        }
        8 => {
            if let Ok(table) = Csv::parse(path, String::from_utf8_lossy(&of(CSV))) {
                let name = table.names()[0].clone();
                if let Ok(set) = table.values::<Flat<2>, 1>([&name]) {
                    assert_eq!(set.inputs().len(), set.targets().len());
                }
            }
        }
        file => {
            let (few, file) = (Decoding::new().max_pixels(1 << 16), of(FILES[file]));
            let mut canvas = Canvas::default();
            if few.decode(path, &file, &mut canvas).is_ok() {
                let [height, width] = canvas.size();
                assert_eq!(canvas.pixels().len(), height * width * canvas.channels());
                assert!(canvas.convert(3) && canvas.convert(1));
            }
            canvas.borrow_picture([9, 13], 1, &[0; 9 * 13]);
            if few.decode_mask(path, &file, path, &mut canvas).is_ok() {
                assert_eq!(canvas.mask().map(<[u8]>::len), Some(9 * 13));
            }
        }
    }
});

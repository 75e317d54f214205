//! Files of `torch.save`: programs for the machine that pickles are for, and good files with some of their bytes replaced. No
//! file makes a reader panic, take long or take much memory, and one that is refused changes nothing.
#![no_main]

use cnn_core::io::Loading;
use cnn_core::prelude::*;
use cnn_fuzz::Edits;
use libfuzzer_sys::fuzz_target;

network! {
    /// The network of the files.
    pub Net<2, 4, 4> { conv: conv2d<3, 3>, bn: batch_norm2d, relu, flatten, fc: linear<2> }
}

const GOOD: [&[u8]; 6] = [
    include_bytes!("../../tests/fixtures/pth/zip2.pth"),
    include_bytes!("../../tests/fixtures/pth/zip4.pth"),
    include_bytes!("../../tests/fixtures/pth/zip64.pth"),
    include_bytes!("../../tests/fixtures/pth/legacy2.pth"),
    include_bytes!("../../tests/fixtures/pth/strided_legacy.pth"),
    include_bytes!("../../tests/fixtures/pth/checkpoint.pth"),
];

/// The pickles before that of the values.
const START: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.M\xe9\x03.}.";
/// What a program may begin with: a storage, and most of a tensor, remembered.
const TENSOR: &[u8] = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000NK\x04NtQq\x010ctorch._utils\n_rebuild_tensor_v2\nq\x020ccollections\nOrderedDict\nq\x030X\x07\0\0\0fc.biasq\x040";
/// A list of the storage's key, and the storage.
const END: &[u8] = b"]X\x01\0\0\x000a.\x04\0\0\0\0\0\0\0abcdefghijklmnop";

fuzz_target!(|bytes: &[u8]| {
    let Some((&how, bytes)) = bytes.split_first() else { return };
    let file = match usize::from(how) % 8 {
        good @ 0..6 => Edits::new(bytes).of(GOOD[good]),
        6 => [START, bytes, END].concat(),
        _ => [START, TENSOR, bytes, b".", END].concat(),
    };
    let loadings = [Loading::new(), Loading::new().strict(false), Loading::new().strict(false).under("model")];
    let mut net = Net::new(2);
    match net.load_from_bytes(&file, &loadings[usize::from(how / 8) % 3]) {
        Ok(report) => assert!(report.to_string().len() < 1 << 16),
        Err(error) => {
            assert_eq!(net.weights(), Net::new(2).weights(), "{error}");
            assert!(error.to_string().len() < 1 << 16);
        }
    }
});

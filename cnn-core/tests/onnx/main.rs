//! ONNX's own test cases, whose answers nobody here has computed: those of its operators that are layers here.
//! `README.md` says where they are from, and which are left out and why.

mod call;
mod case;
mod fast;
mod proto;
mod reference;
mod translate;

use std::fs;
use std::path::{Path, PathBuf};

use call::Call;
use case::Case;
use cnn_core::kernel::geometry::{Layout, Pool2dGeometry};
use cnn_core::reference::flatten::chw_to_hwc;

/// All folders of cases.
fn folders() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/onnx");
    let below = |folder: PathBuf| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let kinds = below(root).filter(|path| path.is_dir());
    let mut folders: Vec<PathBuf> = kinds.flat_map(below).collect();
    folders.sort();
    folders
}

/// Asks `answer` all questions; of several answers, it may give the first ones.
fn check(answer: impl Fn(&Call) -> Vec<Vec<f64>>) {
    for folder in folders() {
        let question = translate::question(&Case::read(&folder));
        for (found, expected) in answer(&question.call).iter().zip(&question.answers) {
            assert_eq!(found.len(), expected.len(), "{}", folder.display());
            for (index, (found, expected)) in found.iter().zip(expected).enumerate() {
                // ONNX's own runner allows a relative 1e-3; its answers are rounded to `f32` and no worse.
                let close = (found - expected).abs() <= 1e-6 * (1.0 + expected.abs());
                assert!(close, "{}, {index}: {found}, expected {expected}", folder.display());
            }
        }
    }
}

#[test]
fn the_reference_gives_onnxs_answers() {
    check(reference::answer);
}

#[test]
fn the_fast_loops_give_onnxs_answers() {
    check(fast::answer);
}

#[test]
fn no_case_got_lost() {
    assert_eq!(folders().len(), 140);
}

/// From the generator of ONNX 1.23, which has no files of it any more:
/// <https://github.com/onnx/onnx/blob/main/onnx/backend/test/case/node/averagepool.py>
#[test]
fn averagepool_2d_ceil_last_window_starts_on_pad() {
    let geometry = Pool2dGeometry {
        channels: 3,
        in_size: [2, 2],
        kernel_size: [3, 3],
        stride: [3, 3],
        padding: [1, 1],
        dilation: [1, 1],
        ceil_mode: true,
        count_include_pad: true,
        divisor_override: None,
        layout: Layout::DENSE,
    };
    let input = [0.8580, 0.0786, 0.2692, 0.1537, 0.8816, 0.4353, 0.5772, 0.6623, 0.9067, 0.9483, 0.5970, 0.7630];
    let input = chw_to_hwc(3, [2, 2], &input);
    let answers = reference::answer(&Call::AvgPool2d { geometry, input });
    assert_eq!(answers[0].len(), 3);
    // Told to four digits, of which the last is not always the nearest.
    for (found, expected) in answers[0].iter().zip([0.1511, 0.2841, 0.3572]) {
        assert!((found - expected).abs() < 1e-4, "{found}, expected {expected}");
    }
}

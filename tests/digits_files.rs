//! The real digits that the examples read.

use std::path::{Path, PathBuf};

use cnn_core::data::{LabelledImages, Part, stratified_split};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name)
}

#[test]
fn there_are_500_of_each_and_a_split_keeps_the_proportion() {
    let digits =
        LabelledImages::<10>::read_idx(file("digits-images-idx3-ubyte.gz"), file("digits-labels-idx1-ubyte.gz"))
            .unwrap();
    assert_eq!((digits.len(), digits.images().height(), digits.images().width()), (5000, 28, 28));
    let [train, test] = stratified_split(digits.labels(), [Part::Rest, Part::Count(1000)], 1).unwrap();
    for class in 0..10 {
        let count = |part: &[usize]| part.iter().filter(|&&index| digits.label(index) == class).count();
        assert_eq!((count(&train), count(&test)), (400, 100));
    }
}

#[test]
fn files_in_the_wrong_place_are_named() {
    let (images, labels) = (file("digits-images-idx3-ubyte.gz"), file("digits-labels-idx1-ubyte.gz"));
    let error = LabelledImages::<10>::read_idx(&labels, &images).unwrap_err().to_string();
    assert!(
        error.ends_with("digits-labels-idx1-ubyte.gz: expected images (3 dimensions), found 1 dimension"),
        "{error}"
    );
    let error = LabelledImages::<9>::read_idx(&images, &labels).unwrap_err().to_string();
    assert!(error.ends_with("digits-labels-idx1-ubyte.gz: label 4500: expected a class below 9, found 9"), "{error}");
}

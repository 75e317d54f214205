//! Names of weights: steps without labels, labels of branches, and names that are lent.

use cnn_core::prelude::*;

fn names<N: Network>() -> Vec<String> {
    N::new(0).weights().tensors().map(|tensor| tensor.name).filter(|name| !name.ends_with("bias")).collect()
}

#[test]
fn steps_without_labels_never_meet() {
    network! {
        block b<C> { conv2d<C, 3>(padding = 1), add { [conv2d<C, 1>], [] } }
        block two<C> { conv2d<C, 1>, relu, conv2d<C, 1> }

        /// Sums in sums, and more.
        pub Net<3, 8, 8> {
            b<3>,
            conv2d<4, 1>,
            add { conv2d<4, 1>, [], two<4>, repeat<2> [conv2d<4, 1>] },
            add { [add { [conv2d<4, 1>], [conv2d<4, 1>] }, conv2d<4, 1>], [inner: add { [conv2d<4, 1>], [] }] },
            named: concat { [conv2d<2, 1>], one: [conv2d<2, 1>], two: conv2d<2, 1> },
        }
    }
    let expected = [
        "0.0",
        "0.1.0.0",
        "1",
        "2.0",
        "2.2.0",
        "2.2.2",
        "2.3.0",
        "2.3.1",
        "3.0.0.0.0",
        "3.0.0.1.0",
        "3.0.1",
        "inner.0.0",
        "named.0.0",
        "named.one.0",
        "named.two",
    ];
    assert_eq!(names::<Net>(), expected.map(|name| format!("{name}.weight")));
}

#[test]
fn a_branch_without_a_label_lends_its_labels() {
    network! {
        /// As ResNet's blocks.
        pub Block<4, 8, 8> {
            layer: [
                add {
                    [conv1: conv2d<4, 3>(padding = 1), relu, conv2: conv2d<4, 3>(padding = 1), conv2d<4, 1>],
                    downsample: [conv2d<4, 1>],
                },
            ],
        }
    }
    let expected = ["layer.conv1", "layer.conv2", "layer.0.0.3", "layer.downsample.0"];
    assert_eq!(names::<Block>(), expected.map(|name| format!("{name}.weight")));
}

network! {
    block head<CLASSES> { adaptive_avg_pool2d<1>, flatten, fc: linear<CLASSES> }

    /// Its weights have torchvision's names.
    pub Backbone<3, 8, 8> { conv1: conv2d<4, 3>, bn1: batch_norm2d, relu, layer1: [conv2d<4, 3>] }

    /// The same names, and a head.
    pub Classifier<3, 8, 8> { _: Backbone, _: head<5> }

    /// In a module.
    pub Deep<3, 8, 8> { model: [_: Backbone, head: [_: [_: head<5>]]], linear<2> }
}

#[test]
fn a_step_lends_its_names() -> Result<(), Error> {
    let [conv1, layer1] = ["conv1.weight", "layer1.0.weight"];
    let norm = ["bn1.weight", "bn1.running_mean", "bn1.running_var", "bn1.num_batches_tracked"];
    let of_backbone = [&[conv1][..], &norm, &[layer1]].concat();
    assert_eq!(names::<Backbone>(), of_backbone);
    assert_eq!(names::<Classifier>(), [&of_backbone[..], &["fc.weight"]].concat());
    let deep: Vec<_> = of_backbone.iter().map(|name| format!("model.{name}")).collect();
    assert_eq!(names::<Deep>(), [&deep[..], &["model.head.fc.weight".to_owned(), "1.weight".to_owned()]].concat());

    // A file of the one is read by the other, as far as its names go.
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("names_backbone.safetensors");
    let backbone = Backbone::new(3);
    backbone.save_safetensors(&path)?;
    let mut read = Backbone::new(4);
    read.load_safetensors(&path)?;
    assert_eq!(read.weights(), backbone.weights());
    let problems = Classifier::new(4).load_safetensors(&path).unwrap_err().to_string();
    assert!(problems.contains("fc.weight") && !problems.contains("conv1"), "{problems}");
    Ok(())
}

#[test]
fn a_label_between_quotation_marks_is_any_name_of_weights() {
    network! {
        /// As RegNet's and others' blocks.
        pub Net<4, 8, 8> {
            block1: ["block1-0": conv2d<4, 1>, "0": conv2d<4, 1>, relu, conv2d<4, 1>],
            "two-times": [conv2d<4, 1>, "type": conv2d<4, 1>], share<two_times>,
            concat { "a-b": conv2d<4, 1>, "9": conv2d<2, 1> },
        }
    }
    let expected = ["block1.block1-0", "block1.0", "block1.3", "two-times.0", "two-times.type", "a-b", "9"];
    assert_eq!(names::<Net>(), expected.map(|name| format!("{name}.weight")));
    let output = Net::new(0).forward(&Batch::zeros(1));
    let NetHeads { a_b, _9 } = Net::heads(output.samples());
    assert_eq!((a_b.channels(), _9.channels()), (0..4, 4..6));
}

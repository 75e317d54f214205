use cnn_core::prelude::*;

network! {
    /// LeNet-5 for 28 x 28 grey images.
    pub LeNet5<1, 28, 28> {
        conv1: conv2d<6, 5>(padding = 2),
        relu,
        max_pool2d<2>,
        conv2: conv2d<16, 5>,
        relu,
        max_pool2d<2>,
        flatten,
        fc1: linear<120>,
        relu,
        fc2: linear<84>,
        relu,
        fc3: linear<10>,
    }
}

#[test]
fn lenet() {
    const { assert!(LeNet5::PARAMETERS == 61_706 && LeNet5::MULTIPLY_ADDS == 416_520) };
    let net = LeNet5::new(1);
    let images = Batch::from_nchw(&(0..3 * 784).map(|i| (i % 17) as f32 / 17.0).collect::<Vec<_>>()).unwrap();
    let mut training = Training::new(0);
    let labels = Labels::new(&[0, 1, 9]).unwrap();
    let loss = training.backward(Mode::Training, &net, &images, &CrossEntropy::new(&labels)).unwrap();
    assert!((loss - 10_f32.ln()).abs() < 0.5, "{loss}");
    assert_eq!(net.forward(&images), *training.output());
}

use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> {
        conv1: conv2d<6, 29>,
        relu,
        max_pool2d<2>,
        flatten,
        fc: linear<10>,
    }
}

const _: () = assert!(Net::PARAMETERS < 1_000_000);

fn train(net: &mut Net, images: &Batch<Chw<1, 28, 28>>, labels: &Labels<10>) -> Result<f32, Error> {
    let mut training = Training::new(0);
    training.backward(Mode::Training, net, images, &CrossEntropy::new(labels))
}

fn main() -> Result<(), Error> {
    Net::summary();
    let mut net = Net::new(0).clone();
    let images = Batch::from_nchw(&[0.0; 784])?;
    let scores: Batch<Flat<10>> = net.forward(&images);
    println!("{net:?} {:?}", scores.argmax());
    train(&mut net, &images, &Labels::new(&[3])?)?;
    Ok(())
}

use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> { conv2d<6, 5>, relu, flatten, fc: linear<10> }
}

network! {
    Other<1, 28, 28> { conv2d<6, 5>, relu, flatten, fc: linear<10> }
}

fn main() -> Result<(), Error> {
    let mut net = Net::new(0);
    let training = Training::<Net>::new(0);
    let mut optimizer = cnn_core::train::Adam::<Other>::new(Default::default())?;
    optimizer.step(&mut net, training.gradients());
    Ok(())
}

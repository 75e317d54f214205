use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> { conv2d<6, 5>, relu, flatten, fc: linear<10> }
}

network! {
    Other<1, 28, 28> { conv2d<6, 5>, relu, flatten, fc: linear<10> }
}

fn main() -> Result<(), Error> {
    let mut other = Other::new(0);
    let mut training = Training::new(0);
    let labels = Labels::new(&[3])?;
    training.backward(Mode::Training, &mut Net::new(0), &Batch::zeros(1), &CrossEntropy::new(&labels))?;
    cnn_core::train::Sgd::new(Default::default())?.step(&mut other, training.gradients());
    Ok(())
}

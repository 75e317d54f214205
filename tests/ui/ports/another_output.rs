use cnn_core::prelude::*;

network! {
    Net<3, 8, 8> { conv2d<8, 3>, outputs { boxes: conv2d<2, 1>, scores: [flatten, linear<3>] } }
}

fn main() -> Result<(), Error> {
    let output: Batch<Flat<3>> = Net::new(0).forward(&Batch::zeros(2));
    let labels = Labels::<4>::new(&[0, 1])?;
    let targets = Batch::<Chw<2, 6, 6>>::zeros(2);
    let loss = NetLosses { boxes: MeanSquaredError::new(&targets), scores: CrossEntropy::new(&labels) };
    let _ = Training::new(0).backward(Mode::Training, &mut Net::new(0), &Batch::zeros(2), &loss)?;
    Ok(())
}

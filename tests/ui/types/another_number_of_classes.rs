use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> { conv2d<6, 5>, relu, flatten, fc: linear<10> }
}

fn main() -> Result<(), Error> {
    let labels: Labels<12> = Labels::new(&[11])?;
    Training::new(0).backward(Mode::Training, &mut Net::new(0), &Batch::zeros(1), &CrossEntropy::new(&labels))?;
    Ok(())
}

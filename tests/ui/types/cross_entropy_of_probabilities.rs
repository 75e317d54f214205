use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> { flatten, fc: linear<10>, softmax }
}

fn main() -> Result<(), Error> {
    let labels = Labels::new(&[3])?;
    Training::new(0).backward(Mode::Training, &mut Net::new(0), &Batch::zeros(1), &CrossEntropy::new(&labels))?;
    Ok(())
}

use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> { flatten, fc: linear<10> }
}

fn main() -> Result<(), Error> {
    let labels: Labels<10> = Labels::new(&[3])?;
    let loss = NegativeLogLikelihood::new(&labels);
    Training::new(0).backward(Mode::Training, &mut Net::new(0), &Batch::zeros(1), &loss)?;
    Ok(())
}

use cnn_core::prelude::*;

network! {
    Net<1, 28, 28> { conv2d<6, 5>, relu, flatten, fc: linear<10> }
}

fn main() -> Result<(), Error> {
    let pictures: Batch<Chw<3, 32, 32>> = Batch::from_nchw(&[0.0; 3072])?;
    Net::new(0).forward(&pictures);
    Ok(())
}

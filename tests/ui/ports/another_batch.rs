use cnn_core::prelude::*;

network! {
    Net<image: <3, 8, 8>, features: <10>> { flatten, concat { [], features }, linear<2> }
}

fn main() -> Result<(), Error> {
    let images = Batch::<Chw<3, 8, 8>>::zeros(2);
    let _ = Net::new(0).forward(&images);
    let _ = Net::inputs(&images, &images)?;
    let _ = NetInputs { image: &images }.batch()?;
    Ok(())
}

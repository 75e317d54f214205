use cnn_core::prelude::*;

network! {
    Net<3, 8, 8> { conv2d<8, 3>, outputs { boxes: [conv2d<2, 9>], scores: [flatten, linear<3>] } }
}

fn main() -> Result<(), Error> {
    // One mistake is one error, whatever is done with the network.
    let output = Net::new(0).forward(&Batch::zeros(2));
    let NetOutputs { boxes, scores } = Net::outputs(output.samples());
    let (targets, labels) = (Batch::zeros(2), Labels::new(&[0, 1])?);
    let loss = NetLosses { boxes: MeanSquaredError::new(&targets), scores: CrossEntropy::new(&labels) };
    let _ = Training::new(0).backward(Mode::Training, &mut Net::new(0), &Batch::zeros(2), &loss)?;
    let _ = (boxes.to_batch(), scores.to_batch());
    Ok(())
}

//! Two pictures through the same weights: alike or not. The tower's batch normalization takes the statistics of each pass, and its
//! running ones are those of both.

use cnn_core::prelude::*;

use crate::pictures::stream;

network! {
    block cell<C> { conv2d<C, 3>(padding = 1, bias = false), batch_norm2d, relu, max_pool2d<2> }

    /// How far apart two pictures are.
    pub Twins<left: <1, 16, 16>, right: <1, 16, 16>> {
        left, tower: [cell<8>, cell<16>, adaptive_avg_pool2d<1>, flatten, linear<4>] as a,
        right, share<tower>,
        map(|b, a| b - a), norm,
    }

    /// Near, if they are alike; or else at least 1 apart. <https://yann.lecun.com/exdb/publis/pdf/hadsell-chopra-lecun-06.pdf>
    pub Contrastive<distance: <1>, alike: <1>> {
        map(|d, alike| alike * d * d + (1 - alike) * pow(relu(1 - d), 2)),
    }
}

type Pictures = Batch<Chw<1, 16, 16>>;

/// Pictures of a bar that lies or stands, anywhere.
fn bars(lies: &[bool], seed: u64) -> Result<Pictures, Error> {
    let mut stream = stream(seed);
    let mut values = Vec::new();
    for &lies in lies {
        let [along, across] = [stream.below(9), stream.below(15)];
        values.extend((0..256).map(|place| {
            let (row, column) = (place / 16, place % 16);
            let (long, wide) = if lies { (column, row) } else { (row, column) };
            f32::from(u8::from((along..along + 8).contains(&long) && (across..across + 2).contains(&wide)))
        }));
    }
    Batch::from_nchw(&values)
}

/// Pairs, and whether they are alike.
fn pairs(samples: usize, seed: u64) -> Result<([Pictures; 2], Batch<Flat<1>>), Error> {
    let mut stream = stream(1_000_000 + seed);
    let lies: Vec<bool> = (0..2 * samples).map(|_| stream.below(2) == 0).collect();
    let (left, right) = lies.split_at(samples);
    let alike: Vec<f32> = left.iter().zip(right).map(|(left, right)| f32::from(u8::from(left == right))).collect();
    Ok(([bars(left, 2 * seed)?, bars(right, 2 * seed + 1)?], Batch::from_nchw(&alike)?))
}

#[test]
fn twins_tell_what_is_alike() -> Result<(), Error> {
    let (mut net, mut training) = (Twins::new(0), Training::new(0));
    let mut optimizer = Adam::new(AdamOptions::new(0.005))?;
    for step in 0..80 {
        let ([left, right], alike) = pairs(16, step)?;
        let input = Twins::inputs(&left, &right)?;
        training.backward(Mode::Training, &mut net, &input, &Contrastive::loss(&alike))?;
        optimizer.step(&mut net, training.gradients());
    }
    // Both passes of a step count.
    assert_eq!(net.weights().counts(), [160, 160]);
    let ([left, right], alike) = pairs(128, 9000)?;
    let distances = net.forward(&Twins::inputs(&left, &right)?);
    let is_right = |(distance, alike): (&f32, &f32)| (*distance < 0.5) == (*alike > 0.5);
    let count = distances.values().iter().zip(alike.values()).filter(|pair| is_right(*pair)).count();
    assert!(count > 120, "{count} of 128");
    // A distance is the same from either side, whatever the statistics.
    let swapped = net.forward(&Twins::inputs(&right, &left)?);
    let same = |(a, b): (&f32, &f32)| (a - b).abs() <= 1e-5 * a.abs().max(1.0);
    assert!(distances.values().iter().zip(swapped.values()).all(same));
    Ok(())
}

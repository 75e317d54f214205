//! Losses that are declared: beside formulas in f64, the library's own losses, and central differences.

mod common;

use cnn_core::loss::{Loss, OwnLoss};
use cnn_core::prelude::*;
use cnn_core::shape::Shape;

const GAMMA: f32 = 2.0;
const ALPHA: f64 = 0.25;

network! {
    /// Binary cross-entropy of logits, with a weight of what is there.
    pub Entropy<logits: <6>, target: <6>> {
        map(|x, target| (1 - target) * x + (1 + 2 * target) * softplus(-x)), mean,
    }

    /// <https://arxiv.org/abs/1708.02002>
    pub Focal<logits: <6>, target: <6>> {
        map(|x, target| {
            let miss = target * sigmoid(-x) + (1 - target) * sigmoid(x);
            let share = ALPHA * target + (1 - ALPHA) * (1 - target);
            share * pow(miss, GAMMA) * (softplus(x) - x * target)
        }),
        sum,
    }

    /// How little two masks overlap.
    pub Dice<logits: <2, 4, 5>, target: <2, 4, 5>> {
        map(|x, target| sigmoid(x) * target), sum(over = space) as both,
        logits, map(|x, target| sigmoid(x) + target), sum(over = space),
        map(|all, both| 1 - (2 * both + 1) / (all + 1)), mean,
    }

    /// Of what is read last, whose weights are one for each channel, one for each cell and one for all: one loop.
    pub Met<target: <3, 4, 5>, channel: <3, 1, 1>, cell: <1, 4, 5>, all: <1, 1, 1>> {
        channel, map(|channel, cell, all, target| exp(target) * channel + all * cell * target), sum,
    }

    /// Targets that are probabilities.
    pub Soft<logits: <6>, target: <6>> { log_softmax, map(|x, target| -x * target), sum }

    /// The same where classes have weights: the mean is that of the weights too.
    pub Weighted<logits: <6>, target: <6>, weight: <6>> {
        target, map(|target, weight| target * weight), sum as all,
        logits, log_softmax, map(|x, target, weight| -x * target * weight), sum as entropy,
        outputs { loss: entropy, weight: all },
    }

    /// Huber's loss, and how far apart two vectors point.
    pub Apart<a: <6>, b: <6>> {
        a, map(|a, b| if abs(a - b) < 0.5 { 0.5 * pow(a - b, 2) } else { 0.5 * (abs(a - b) - 0.25) }), mean as huber,
        a, norm as length, b, norm as other, a, map(|a, b| a * b), sum,
        map(|product, length, other| 1 - product / max(length * other, 1e-8)) as cosine,
        map(|cosine, huber| cosine + huber),
    }

    /// An autoencoder that draws: its loss is part of it.
    pub Vae<image: <12>, noise: <3>> {
        image, encode: [linear<8>, tanh] as seen,
        seen, mu: linear<3> as center, seen, logvar: linear<3> as spread,
        map(|spread, center, noise| center + noise * exp(spread / 2)),
        decode: [linear<8>, tanh, linear<12>], map(|x, image| softplus(x) - x * image), sum as rebuilt,
        spread, map(|spread, center| -0.5 * (1 + spread - center * center - exp(spread))), sum,
        map(|kl, rebuilt| kl + rebuilt),
    }
}

/// The loss and its gradient against central differences.
fn check<S: Shape>(loss: &impl Loss<S>, output: &Batch<S>) -> Result<f32, Error> {
    let mut gradient = Batch::zeros(output.len());
    let value = loss.evaluate(output.samples(), gradient.samples_mut())?;
    let mut scratch = Batch::zeros(output.len());
    let (mut moved, step) = (output.clone(), 1e-2);
    for index in 0..output.values().len() {
        let mut at = |x: f32| -> Result<f64, Error> {
            moved.values_mut()[index] = x;
            Ok(f64::from(loss.evaluate(moved.samples(), scratch.samples_mut())?))
        };
        let x = output.values()[index];
        let difference = (at(x + step)? - at(x - step)?) / f64::from(2.0 * step);
        moved.values_mut()[index] = x;
        let found = f64::from(gradient.values()[index]);
        // f32 over a step of a hundredth.
        assert!((found - difference).abs() < 2e-3 * (1.0 + found.abs()), "{index}: {found} {difference}");
    }
    Ok(value)
}

fn batch<S: Shape>(samples: usize, seed: u64) -> Batch<S> {
    Batch::from_nhwc(&common::values(samples * S::LEN, seed)).expect("as many as it takes")
}

/// Zeros and ones.
fn bits<S: Shape>(samples: usize, seed: u64) -> Batch<S> {
    batch::<S>(samples, seed).map(|x| if x > 0.0 { 1.0 } else { 0.0 })
}

fn near(found: f32, expected: f64) {
    assert!((f64::from(found) - expected).abs() < 1e-5 * expected.abs().max(1.0), "{found} {expected}");
}

fn pairs<'a, S: Shape>(a: &'a Batch<S>, b: &'a Batch<S>) -> impl Iterator<Item = (f64, f64)> + 'a {
    a.values().iter().zip(b.values()).map(|(a, b)| (f64::from(*a), f64::from(*b)))
}

#[test]
fn binary_cross_entropies() -> Result<(), Error> {
    let (logits, targets) = (batch::<Flat<6>>(5, 1).map(|x| 6.0 * x), bits(5, 2));
    let log_sigmoid = |x: f64| -(-x).exp().ln_1p();
    let entropy = |(x, t): (f64, f64)| -(3.0 * t * log_sigmoid(x) + (1.0 - t) * log_sigmoid(-x));
    let expected = pairs(&logits, &targets).map(entropy).sum::<f64>();
    near(check(&Entropy::loss(&targets), &logits)?, expected / 30.0);
    near(check(&Entropy::loss(&targets).sum(), &logits)?, expected / 6.0);
    let focal = |(x, t): (f64, f64)| {
        let p = if t > 0.5 { 1.0 / (1.0 + (-x).exp()) } else { 1.0 / (1.0 + x.exp()) };
        -(if t > 0.5 { 0.25 } else { 0.75 }) * (1.0 - p).powi(2) * p.ln()
    };
    near(check(&Focal::loss(&targets), &logits)?, pairs(&logits, &targets).map(focal).sum::<f64>() / 5.0);
    Ok(())
}

/// A loss that is one loop, beside the same network's own steps.
#[test]
fn one_loop_is_all_steps() -> Result<(), Error> {
    let (target, channel) = (batch::<Chw<3, 4, 5>>(7, 1), batch::<Chw<3, 1, 1>>(7, 2));
    let (cell, all) = (batch::<Chw<1, 4, 5>>(7, 3), batch::<Chw<1, 1, 1>>(7, 4));
    let mut gradient = Batch::zeros(7);
    let loss = Met::loss(&channel, &cell, &all).sum();
    let found = loss.evaluate(target.samples(), gradient.samples_mut())?;
    let (net, inputs) = (Met::new(0), Met::inputs(&target, &channel, &cell, &all)?);
    near(found, net.forward(&inputs).values().iter().copied().map(f64::from).sum());
    let mut expected = Vec::new();
    for (n, p, c) in (0..7).flat_map(|n| (0..20).flat_map(move |p| (0..3).map(move |c| (n, p, c)))) {
        let (x, factor) = (target.values()[n * 60 + p * 3 + c], all.values()[n] * cell.values()[n * 20 + p]);
        expected.push(x.exp() * channel.values()[n * 3 + c] + factor);
    }
    for (found, expected) in gradient.values().iter().zip(&expected) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    check(&Met::loss(&channel, &cell, &all), &target)?;
    Ok(())
}

#[test]
fn overlaps() -> Result<(), Error> {
    let (logits, targets) = (batch::<Chw<2, 4, 5>>(3, 1).map(|x| 4.0 * x), bits(3, 2));
    let found = check(&Dice::loss(&targets), &logits)?;
    let mut expected = 0.0;
    for (logits, targets) in logits.to_nchw().chunks(20).zip(targets.to_nchw().chunks(20)) {
        let p: Vec<f64> = logits.iter().map(|x| 1.0 / (1.0 + f64::from(-x).exp())).collect();
        let both: f64 = p.iter().zip(targets).map(|(p, t)| p * f64::from(*t)).sum();
        let all: f64 = p.iter().sum::<f64>() + targets.iter().copied().map(f64::from).sum::<f64>();
        expected += (1.0 - (2.0 * both + 1.0) / (all + 1.0)) / 6.0;
    }
    near(found, expected);
    Ok(())
}

#[test]
fn cross_entropies() -> Result<(), Error> {
    let logits = batch::<Flat<6>>(4, 1).map(|x| 5.0 * x);
    let classes = [2_usize, 0, 5, 2];
    let labels = Labels::<6>::new(&classes)?;
    let mut one_hot = Batch::<Flat<6>>::zeros(4);
    classes.iter().enumerate().for_each(|(n, class)| one_hot[(n, *class)] = 1.0);
    let mut gradients = [Batch::zeros(4), Batch::zeros(4)];
    let [own, declared] = &mut gradients;
    let expected = CrossEntropy::new(&labels).evaluate(logits.samples(), own.samples_mut())?;
    near(Soft::loss(&one_hot).evaluate(logits.samples(), declared.samples_mut())?, f64::from(expected));
    for (own, declared) in own.values().iter().zip(declared.values()) {
        assert!((own - declared).abs() < 1e-6, "{own} {declared}");
    }
    // As `torch.nn.CrossEntropyLoss(weight = ..)`: divided by the weights of the labels.
    let weights: Batch<Flat<6>> = (0..4)
        .map(|_| Tensor::from_nchw(&[1.0, 2.0, 0.5, 1.0, 1.0, 3.0]))
        .collect::<Result<Vec<_>, _>>()?
        .into_iter()
        .collect();
    let found = check(&Weighted::loss(&one_hot, &weights), &logits)?;
    let (mut sum, mut all) = (0.0, 0.0);
    for (n, class) in classes.iter().enumerate() {
        let row: Vec<f64> = (0..6).map(|c| f64::from(logits[(n, c)])).collect();
        let entropy = row.iter().map(|x| x.exp()).sum::<f64>().ln() - row[*class];
        sum += f64::from(weights[(n, *class)]) * entropy;
        all += f64::from(weights[(n, *class)]);
    }
    near(found, sum / all);
    near(Weighted::loss(&one_hot, &weights).sum().evaluate(logits.samples(), Batch::zeros(4).samples_mut())?, sum);
    Ok(())
}

#[test]
fn distances() -> Result<(), Error> {
    let (a, b) = (batch::<Flat<6>>(4, 1).map(|x| 2.0 * x), batch(4, 2));
    check(&Apart::loss(&b), &a)?;
    Ok(())
}

#[test]
fn a_batch_of_another_length_is_an_error() -> Result<(), Error> {
    let (logits, mut gradient) = (batch::<Flat<6>>(4, 1), Batch::zeros(4));
    let three = batch(3, 2);
    let error = Entropy::loss(&three).evaluate(logits.samples(), gradient.samples_mut()).unwrap_err();
    assert!(matches!(error, Error::Samples { expected: 4, found: 3 }), "{error}");
    let none = Batch::zeros(0);
    let error = Entropy::loss(&none).evaluate(none.samples(), Batch::zeros(0).samples_mut()).unwrap_err();
    assert!(matches!(error, Error::EmptyBatch { .. }), "{error}");
    Ok(())
}

#[test]
fn a_network_with_its_loss_learns() -> Result<(), Error> {
    common::check_both::<Vae>(3, 1000)?;
    let (images, mut net, mut training) = (bits::<Flat<12>>(8, 3), Vae::new(0), Training::new(0));
    let mut optimizer = Adam::new(AdamOptions::new(0.02))?;
    let mut losses = Vec::new();
    for step in 0..150 {
        let noise = batch(8, 100 + step);
        losses.push(training.backward(Mode::Training, &mut net, &Vae::inputs(&images, &noise)?, &OwnLoss)?);
        optimizer.step(&mut net, training.gradients());
    }
    assert!(losses[149] < 0.6 * losses[0], "{} {}", losses[0], losses[149]);
    Ok(())
}

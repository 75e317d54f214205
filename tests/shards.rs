//! A step in several parts is one of the whole batch.

mod common;

use cnn_core::loss::{Reduction, SmoothL1};
use cnn_core::network::Network;
use cnn_core::prelude::*;
use cnn_core::tensor::{Samples, SamplesMut};
use common::values;

network! {
    /// No layer looks at the batch, and some draw.
    pub Drawing<2, 6, 6> {
        conv: conv2d<4, 3>, gelu, dropout2d(p = 0.25), norm: group_norm<2>, flatten, dropout, fc: linear<4>,
    }

    /// It ends in probabilities.
    pub Sure<2, 6, 6> { conv: conv2d<4, 3>, relu, flatten, fc: linear<4>, softmax }

    /// Labels of pixels.
    pub Pixels<2, 6, 6> { conv: conv2d<4, 3>(padding = 1), relu, head: conv2d<3, 1> }

    /// Two outputs, of which one counts some pixels and the other all samples.
    pub Both<2, 6, 6> {
        conv: conv2d<4, 3>(padding = 1), relu as seen,
        outputs { mask: [seen, conv2d<3, 1>], size: [seen, flatten, linear<2>] },
    }

    /// It looks at the batch, at one value of each sample in the end.
    pub Deep<2, 6, 6> {
        conv1: conv2d<8, 3>, bn1: batch_norm2d, relu,
        add { [conv2: conv2d<8, 3>(padding = 1), bn2: batch_norm2d(momentum = none), gelu], [] }, dropout2d,
        conv3: conv2d<40, 4>, bn3: batch_norm2d(affine = false), flatten,
        bn4: batch_norm1d(track_running_stats = false), fc: linear<4>,
    }

    /// The same within another.
    pub Within<2, 6, 6> { deep: Deep, bn: batch_norm1d }

    /// It looks at the batch.
    pub Normal<2, 6, 6> { conv: conv2d<4, 3>, bn: batch_norm2d, relu, flatten, fc: linear<4> }
}

const SAMPLES: usize = 8;
const CUTS: [&[usize]; 5] = [&[8], &[4, 4], &[2, 2, 2, 2], &[1, 3, 2, 2], &[1, 1, 1, 1, 1, 1, 1, 1]];

/// The loss and the gradient of a batch in one part and in several, which `loss` makes for samples of some of the batch.
fn whole_and_parts<N: Network<Input = Chw<2, 6, 6>>, L: Loss<N::Output>>(loss: impl Fn(core::ops::Range<usize>) -> L) {
    let values = values(SAMPLES * 72, 1);
    let input = |samples: core::ops::Range<usize>| {
        Batch::<Chw<2, 6, 6>>::from_nchw(&values[samples.start * 72..samples.end * 72]).unwrap()
    };
    let (mut net, mut training) = (N::new(3), Training::new(5));
    let expected = training.backward(Mode::Training, &mut net, &input(0..SAMPLES), &loss(0..SAMPLES)).unwrap();
    let gradients = training.gradients().values().to_vec();
    for cut in CUTS {
        let mut first = 0;
        let parts: Vec<_> = cut
            .iter()
            .map(|len| {
                first += len;
                first - len..first
            })
            .collect();
        let inputs: Vec<_> = parts.iter().cloned().map(input).collect();
        let shards: Vec<_> = inputs.iter().zip(parts.iter().cloned().map(&loss)).collect();
        let (mut net, mut training) = (N::new(3), Training::new(5));
        let found = training.backward_shards(Mode::Training, &mut net, &shards).unwrap();
        assert!((found - expected).abs() <= 1e-6 * expected.abs().max(1.0), "{cut:?}: {found} and {expected}");
        let largest = gradients.iter().fold(0.0, |max: f32, value| max.max(value.abs()));
        for (found, expected) in training.gradients().values().iter().zip(&gradients) {
            assert!((found - expected).abs() <= 1e-5 * largest, "{cut:?}: {found} and {expected}");
        }
        if cut.len() == 1 {
            assert_eq!((found, training.gradients().values()), (expected, &gradients[..]), "one part is the whole");
        }
        assert_eq!(training.step(), 1);
    }
}

/// Labels that live as long as the test.
fn kept<const CLASSES: usize>(labels: Labels<CLASSES>) -> &'static Labels<CLASSES> {
    Box::leak(Box::new(labels))
}

#[test]
fn classes_in_parts_are_classes_of_the_whole() {
    let of = |samples: core::ops::Range<usize>| {
        kept(Labels::<4>::new(&samples.map(|sample| sample * 3 % 4).collect::<Vec<_>>()).unwrap())
    };
    whole_and_parts::<Drawing, _>(|samples| CrossEntropy::new(of(samples)));
    whole_and_parts::<Drawing, _>(|samples| CrossEntropy::new(of(samples)).weights(&[0.0, 2.0, 1.0, 0.5]).unwrap());
    whole_and_parts::<Drawing, _>(|samples| CrossEntropy::new(of(samples)).reduction(Reduction::Sum));
    whole_and_parts::<Sure, _>(|samples| NegativeLogLikelihood::new(of(samples)));
}

#[test]
fn pixels_that_do_not_count_count_in_no_part() {
    // The first sample has none that counts, the second one.
    let of = |samples: core::ops::Range<usize>| {
        let label = |sample: usize, pixel: usize| match (sample, pixel) {
            (0, _) => 255,
            (1, pixel) if pixel != 7 => 255,
            _ if (sample + pixel).is_multiple_of(3) => 255,
            _ => (sample + pixel) % 3,
        };
        let labels: Vec<_> = samples.flat_map(|sample| (0..36).map(move |pixel| label(sample, pixel))).collect();
        kept(Labels::<3>::ignoring(255, &labels).unwrap())
    };
    whole_and_parts::<Pixels, _>(|samples| CrossEntropy::new(of(samples)));
    whole_and_parts::<Both, _>(|samples| {
        let sizes: &'static Batch<Flat<2>> = Box::leak(Box::new(
            Batch::from_nchw(&samples.clone().flat_map(|sample| [sample as f32, 1.0]).collect::<Vec<_>>()).unwrap(),
        ));
        BothLosses { mask: CrossEntropy::new(of(samples)), size: SmoothL1::new(sizes) }
    });
}

#[test]
fn where_nothing_counts_the_loss_is_no_number_and_the_step_none() {
    let labels = Labels::<3>::ignoring(255, &[255; 36]).unwrap();
    let (mut net, mut training) = (Pixels::new(3), Training::new(5));
    let input = Batch::zeros(1);
    let shards = [(&input, CrossEntropy::new(&labels)), (&input, CrossEntropy::new(&labels))];
    let error = training.backward_shards(Mode::Training, &mut net, &shards).unwrap_err();
    assert!(matches!(error, Error::NonFiniteLoss { .. }), "{error}");
    assert_eq!(training.step(), 0);
    let none: [(&Batch<_>, CrossEntropy<'_, 3>); 0] = [];
    assert!(matches!(training.backward_shards(Mode::Training, &mut net, &none).unwrap_err(), Error::EmptyBatch { .. }));
}

#[test]
fn running_statistics_move_once_by_the_mean_of_the_shards() {
    let inputs: Vec<Batch<Chw<2, 6, 6>>> =
        (0..4).map(|seed| Batch::from_nchw(&values(2 * 72, seed)).unwrap()).collect();
    let labels = Labels::<4>::new(&[1, 2]).unwrap();
    let mut sum = vec![0.0; 8];
    for input in &inputs {
        let (mut net, mut training) = (Normal::new(3), Training::new(5));
        training.backward(Mode::Training, &mut net, input, &CrossEntropy::new(&labels)).unwrap();
        sum.iter_mut().zip(net.weights().state()).for_each(|(sum, value)| *sum += value / 4.0);
    }
    let shards: Vec<_> = inputs.iter().map(|input| (input, CrossEntropy::new(&labels))).collect();
    let (mut net, mut training) = (Normal::new(3), Training::new(5));
    training.backward_shards(Mode::Training, &mut net, &shards).unwrap();
    for (found, expected) in net.weights().state().iter().zip(&sum) {
        assert!((found - expected).abs() < 1e-6);
    }
    assert_eq!(net.weights().counts(), [1]);
}

/// The same bits whatever came before in the memory, frozen weights included.
#[test]
fn a_step_in_parts_is_the_same_the_second_time() {
    let inputs: Vec<Batch<Chw<2, 6, 6>>> =
        (0..5).map(|seed| Batch::from_nchw(&values(2 * 72, seed)).unwrap()).collect();
    let labels = Labels::<4>::new(&[1, 2]).unwrap();
    let shards: Vec<_> = inputs.iter().map(|input| (input, CrossEntropy::new(&labels))).collect();
    let mut net = Normal::new(3);
    let mut training = Training::new(5);
    training.backward_shards(Mode::Training, &mut net, &shards).unwrap();
    net.freeze_weights("conv").unwrap();
    training.backward_shards(Mode::Training, &mut net, &shards).unwrap();
    let second = training.gradients().values().to_vec();
    let conv = 4 * 2 * 9 + 4;
    assert!(second[..conv].iter().all(|value| *value == 0.0) && second[conv..].iter().any(|value| *value != 0.0));
    let mut again = Training::resumed(5, 1);
    again.backward_shards(Mode::Training, &mut net, &shards).unwrap();
    assert_eq!(again.gradients().values(), second);
}

/// The loss, gradients and statistics of a network that looks at the batch, whole and in parts of which each looks at all.
fn synchronized<N: Clone + Network<Input = Chw<2, 6, 6>, Output = Flat<4>>>() {
    let values = values(SAMPLES * 72, 1);
    let classes: Vec<_> = (0..SAMPLES).map(|sample| sample * 3 % 4).collect();
    let data = |samples: core::ops::Range<usize>| {
        let input = Batch::<Chw<2, 6, 6>>::from_nchw(&values[samples.start * 72..samples.end * 72]).unwrap();
        (input, Labels::<4>::new(&classes[samples]).unwrap())
    };
    let (mut net, mut training) = (N::new(3), Training::new(5));
    let (input, labels) = data(0..SAMPLES);
    let loss = training.backward(Mode::Training, &mut net, &input, &CrossEntropy::new(&labels)).unwrap();
    let largest = training.gradients().values().iter().fold(0.0, |max: f32, value| max.max(value.abs()));
    for cut in CUTS {
        let mut first = 0;
        let parts: Vec<_> = cut
            .iter()
            .map(|len| {
                first += len;
                data(first - len..first)
            })
            .collect();
        let shards: Vec<_> = parts.iter().map(|(input, labels)| (input, CrossEntropy::new(labels))).collect();
        let mut bits: Option<(f32, Vec<f32>, N)> = None;
        for threads in [1, 2, 7, 20] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let (mut other, mut parts) = (N::new(3), Training::new(5));
            parts.set_sync_batch_norm(true);
            let found = pool.install(|| parts.backward_shards(Mode::Training, &mut other, &shards).unwrap());
            assert!((found - loss).abs() <= 1e-5 * loss.abs(), "{cut:?}: {found} and {loss}");
            for (found, expected) in parts.gradients().values().iter().zip(training.gradients().values()) {
                assert!((found - expected).abs() <= 2e-5 * largest, "{cut:?}: {found} and {expected}");
            }
            for (found, expected) in other.weights().state().iter().zip(net.weights().state()) {
                assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{cut:?}: {found}, {expected}");
            }
            assert_eq!(other.weights().counts(), net.weights().counts());
            assert_eq!(parts.step(), 1);
            let made = (found, parts.gradients().values().to_vec(), other.clone());
            // The same bits in memory that holds another step.
            let [mut second, mut fresh] = [other.clone(), other];
            let mut resumed = Training::resumed(5, 1);
            resumed.set_sync_batch_norm(true);
            pool.install(|| {
                parts.backward_shards(Mode::Training, &mut second, &shards).unwrap();
                resumed.backward_shards(Mode::Training, &mut fresh, &shards).unwrap();
            });
            assert_eq!(second.weights(), fresh.weights());
            assert_eq!(parts.gradients().values(), resumed.gradients().values());
            match &bits {
                None => bits = Some(made),
                Some(bits) => {
                    assert_eq!((bits.0, &bits.1), (made.0, &made.1), "{threads} threads");
                    assert_eq!(bits.2.weights(), made.2.weights());
                }
            }
        }
    }
}

#[test]
fn synchronized_statistics_are_those_of_the_whole() {
    synchronized::<Deep>();
    synchronized::<Within>();
    synchronized::<Normal>();
}

/// What is told to run as in evaluation looks at nothing, and a frozen beginning is not differentiated.
#[test]
fn a_part_in_evaluation_is_not_synchronized() {
    let inputs: Vec<Batch<Chw<2, 6, 6>>> = (0..3).map(|seed| Batch::from_nchw(&values(72, seed)).unwrap()).collect();
    let labels = Labels::<4>::new(&[1]).unwrap();
    let shards: Vec<_> = inputs.iter().map(|input| (input, CrossEntropy::new(&labels))).collect();
    let run = |sync: bool| {
        let (mut net, mut training) = (Normal::new(3), Training::new(5));
        net.freeze_weights("conv").unwrap();
        training.set_mode("bn", Mode::Evaluation).unwrap();
        training.set_sync_batch_norm(sync);
        let loss = training.backward_shards(Mode::Training, &mut net, &shards).unwrap();
        (loss, training.gradients().values().to_vec(), net)
    };
    let [(loss, gradients, net), (synchronized, of_synchronized, other)] = [false, true].map(run);
    assert_eq!((loss, gradients), (synchronized, of_synchronized));
    assert_eq!(net.weights(), other.weights());
}

#[test]
fn a_shard_that_fails_lets_the_others_go() {
    let input = Batch::<Chw<2, 6, 6>>::from_nchw(&values(72, 1)).unwrap();
    let [labels, wrong] = [Labels::<4>::new(&[1]).unwrap(), Labels::<4>::new(&[1, 2]).unwrap()];
    let (mut net, mut training) = (Deep::new(3), Training::new(5));
    training.set_sync_batch_norm(true);
    let before = net.clone();
    for failing in 0..3 {
        let mut shards = [&labels; 3].map(|labels| (&input, CrossEntropy::new(labels)));
        shards[failing].1 = CrossEntropy::new(&wrong);
        let error = training.backward_shards(Mode::Training, &mut net, &shards).unwrap_err();
        assert!(matches!(error, Error::Labels { .. } | Error::Samples { .. }), "{error}");
        assert_eq!((net.weights(), training.step()), (before.weights(), 0));
    }
    let one = [(&input, CrossEntropy::new(&labels))];
    let error = training.backward_shards(Mode::Training, &mut net, &one).unwrap_err();
    assert!(matches!(error, Error::OneValue { .. }), "{error}");
    let two = [one[0], one[0]];
    training.backward_shards(Mode::Training, &mut net, &two).unwrap();
}

/// A loss that panics for some samples.
struct Panics(bool);

impl Loss<Flat<4>> for Panics {
    fn evaluate(&self, output: Samples<'_, Flat<4>>, mut grad_output: SamplesMut<'_, Flat<4>>) -> Result<f32, Error> {
        assert!(!self.0, "a loss of the user's own");
        grad_output.values().fill(1.0);
        Ok(output.values().iter().sum())
    }
}

#[test]
fn a_shard_that_panics_lets_the_others_go() {
    let input = Batch::<Chw<2, 6, 6>>::from_nchw(&values(72, 1)).unwrap();
    let (mut net, mut training) = (Deep::new(3), Training::new(5));
    training.set_sync_batch_norm(true);
    let shards = [(&input, Panics(false)), (&input, Panics(true)), (&input, Panics(false))];
    let work = core::panic::AssertUnwindSafe(|| training.backward_shards(Mode::Training, &mut net, &shards));
    let panic = std::panic::catch_unwind(work).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"a loss of the user's own"));
}

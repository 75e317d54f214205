//! The loader: the same batches on any number of threads, errors and panics in their place, memory that does not grow.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cnn_core::data::*;
use cnn_core::prelude::*;
use cnn_core::tensor::SampleMut;

type Image = Chw<3, 8, 8>;

/// Pictures that are transformed at random in every way.
fn pictures() -> Pictures<LabelledImages<4>, Image> {
    let pixels = (0..50 * 3 * 100).map(|place| (place * 7 % 251) as u8).collect();
    let images = Images::new(3, [10, 10], pixels).unwrap();
    let images = LabelledImages::new(images, (0..50).map(|index| index % 4).collect()).unwrap();
    let transforms = Transforms::new()
        .then(RandomAffine::new(10.0).translate(0.1, 0.1).interpolation(Interpolation::Bilinear))
        .then(RandomResizedCrop::new(8))
        .then(RandomHorizontalFlip::new(0.5))
        .then(ColorJitter::new().brightness(0.4).contrast(0.4).saturation(0.4).hue(0.1))
        .normalize(Normalize::imagenet())
        .erase(RandomErasing::new(0.5));
    Pictures::new(images, transforms).unwrap()
}

/// Inputs, targets and indices of batches.
type Seen = Vec<(Vec<f32>, Vec<f32>, Vec<usize>)>;

fn mixed(options: LoaderOptions, from: usize) -> Seen {
    let mut loader = Loader::with(pictures(), options, Mix::either(0.4, 1.0).unwrap()).unwrap();
    let mut seen = Vec::new();
    for epoch in 0..2 {
        for batch in loader.epoch_from(epoch, if epoch == 0 { from } else { 0 }).unwrap() {
            let batch = batch.unwrap();
            seen.push((batch.input.values().to_vec(), batch.targets.values().to_vec(), batch.indices.clone()));
        }
    }
    seen
}

/// Processes that each take their shards of a step take what one takes that has all, whoever makes them and from any step on.
#[test]
fn shards_of_steps_are_the_batches_of_the_epoch() {
    let options = LoaderOptions::new(3).shuffled().seed(5);
    let loader = |workers| Loader::new(pictures(), options.clone().workers(workers)).unwrap();
    let indices = |batch: Result<Loaded<_, _>, DataError>| batch.unwrap().indices.clone();
    let all: Vec<_> = loader(0).epoch(7).map(indices).collect();
    for (of, each) in [(1, 1), (4, 4), (4, 2), (4, 1), (5, 2), (17, 17)] {
        let steps = all.len() / of;
        for first in (0..of).step_by(each) {
            let own = first..of.min(first + each);
            for (workers, from) in [(0, 0), (2, 0), (3, 1), (1, steps)] {
                let mut loader = loader(workers);
                let epoch = loader.epoch_shards(7, from, own.clone(), of).unwrap();
                assert_eq!(epoch.len(), (steps - from) * own.len());
                let found: Vec<_> = epoch.map(indices).collect();
                let expected = (from..steps).flat_map(|step| own.clone().map(move |shard| step * of + shard));
                assert_eq!(found, expected.map(|batch| all[batch].clone()).collect::<Vec<_>>(), "{own:?} of {of}");
            }
        }
    }
    let mut loader = loader(1);
    for (own, of) in [(0..0, 4), (0..1, 0), (3..5, 4), (0..18, 18), (5..5, 7)] {
        let error = loader.epoch_shards(0, 0, own, of).map(drop).unwrap_err();
        assert!(matches!(error, DataError::NoSuchShards { batches: 17, .. }), "{error}");
    }
    let error = loader.epoch_shards(0, 5, 0..1, 4).map(drop).unwrap_err();
    assert!(matches!(error, DataError::NoSuchBatch { batches: 17, found: 20 }), "{error}");
}

#[test]
fn neither_order_nor_bits_depend_on_the_workers() {
    let weighted = Sampling::Weighted { weights: (0..50).map(f64::from).collect(), samples: 77 };
    for sampling in [Sampling::Sequential, Sampling::Shuffled, weighted] {
        let options = LoaderOptions::new(8).sampling(sampling).seed(5);
        let alone = mixed(options.clone(), 0);
        assert_ne!(alone[0], alone[alone.len() / 2], "the second epoch is another one");
        for (workers, prefetch) in [(1, 1), (2, 3), (3, 1), (5, 20)] {
            assert!(mixed(options.clone().workers(workers).prefetch(prefetch), 0) == alone, "{workers} workers");
        }
        assert!(mixed(options.clone().seed(6).workers(2), 0) != alone);
    }
}

#[test]
fn a_training_goes_on_in_the_middle_of_an_epoch() {
    let options = LoaderOptions::new(8).shuffled().seed(5);
    let whole = mixed(options.clone(), 0);
    for workers in [0, 2] {
        assert!(mixed(options.clone().workers(workers), 4) == whole[4..], "{workers} workers");
    }
}

#[test]
fn the_last_batch_is_kept_or_dropped() {
    let sizes = |options: LoaderOptions| {
        let mut loader = Loader::new(pictures(), options).unwrap();
        let batches = loader.batches_per_epoch();
        let epoch = loader.epoch(0);
        assert_eq!(epoch.len(), batches);
        epoch.map(|batch| batch.unwrap().input.len()).collect::<Vec<_>>()
    };
    for workers in [0, 2] {
        assert_eq!(sizes(LoaderOptions::new(20).workers(workers)), [20, 20, 10]);
        assert_eq!(sizes(LoaderOptions::new(20).workers(workers).drop_last()), [20, 20]);
    }
}

#[test]
fn a_sample_that_is_drawn_again_is_transformed_otherwise() {
    let sampling = Sampling::Weighted { weights: (0..50).map(|index| f64::from(index == 3)).collect(), samples: 6 };
    let mut loader = Loader::new(pictures(), LoaderOptions::new(6).sampling(sampling)).unwrap();
    let batch = loader.epoch(0).next().unwrap().unwrap();
    assert_eq!(batch.indices, [3; 6]);
    let samples: Vec<&[f32]> = batch.input.iter().map(|sample| sample.values()).collect();
    assert!((1..6).all(|sample| !samples[..sample].contains(&samples[sample])));
}

/// Numbers; some samples are wrong.
struct Numbers {
    samples: usize,
    wrong: fn(usize) -> Result<(), DataError>,
    asked: AtomicUsize,
}

impl Numbers {
    fn new(samples: usize, wrong: fn(usize) -> Result<(), DataError>) -> Arc<Self> {
        Arc::new(Self { samples, wrong, asked: AtomicUsize::new(0) })
    }
}

impl Dataset for Numbers {
    type Input = Flat<1>;
    type Target = [f32; 1];

    fn len(&self) -> usize {
        self.samples
    }

    fn sample(&self, index: usize, _: &mut Draw, mut input: SampleMut<'_, Flat<1>>) -> Result<[f32; 1], DataError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        (self.wrong)(index)?;
        input[0] = index as f32;
        Ok([-(index as f32)])
    }
}

#[test]
fn errors_come_in_their_place_and_hold_nothing_up() {
    let wrong = |index| if index == 7 { Err(DataError::other("number 7 is wrong")) } else { Ok(()) };
    for workers in [0, 1, 3] {
        let options = LoaderOptions::new(3).workers(workers);
        let mut loader = Loader::new(Numbers::new(12, wrong), options).unwrap();
        for epoch in 0..2 {
            let batches: Vec<Result<Vec<f32>, String>> = loader
                .epoch(epoch)
                .map(|batch| batch.map(|batch| batch.targets.values().to_vec()).map_err(|error| error.to_string()))
                .collect();
            assert_eq!(batches[0], Ok(vec![-0.0, -1.0, -2.0]));
            assert_eq!(batches[2], Err("number 7 is wrong".to_owned()));
            assert_eq!((batches.len(), &batches[3]), (4, &Ok(vec![-9.0, -10.0, -11.0])));
        }
    }
}

#[test]
fn a_panic_goes_on_where_the_batch_is_taken() {
    let wrong = |index| {
        assert_ne!(index, 7, "the data set's own");
        Ok(())
    };
    for workers in [0, 1, 3] {
        let options = LoaderOptions::new(3).workers(workers);
        let mut loader = Loader::new(Numbers::new(12, wrong), options).unwrap();
        for epoch in 0..2 {
            let mut batches = loader.epoch(epoch);
            assert!(batches.next().unwrap().is_ok() && batches.next().unwrap().is_ok());
            let panic = catch_unwind(AssertUnwindSafe(|| batches.next().map(drop))).unwrap_err();
            assert!(panic.downcast_ref::<String>().unwrap().contains("the data set's own"));
            assert_eq!(batches.next().unwrap().unwrap().input.values(), [9.0, 10.0, 11.0]);
        }
    }
}

#[test]
fn what_is_dropped_ends() {
    let slow = |_| {
        std::thread::sleep(Duration::from_millis(1));
        Ok(())
    };
    for workers in [0, 1, 4] {
        let set = Numbers::new(100_000, slow);
        let start = Instant::now();
        for _ in 0..3 {
            let options = LoaderOptions::new(10_000).workers(workers).prefetch(9);
            let mut loader = Loader::new(Arc::clone(&set), options).unwrap();
            drop(loader.epoch(0));
            // One that is given up and never dropped.
            std::mem::forget(loader.epoch(1));
            drop(loader.epoch(2));
        }
        let options = LoaderOptions::new(2).workers(workers);
        let mut loader = Loader::new(Arc::clone(&set), options).unwrap();
        for epoch in 0..20 {
            let batch = loader.epoch(epoch).next().unwrap().unwrap();
            assert_eq!(batch.input.values(), [0.0, 1.0]);
        }
        drop(loader);
        // A whole batch of ten thousand takes ten seconds.
        assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
        // Its threads have let it go.
        assert_eq!(Arc::strong_count(&set), 1);
    }
}

#[test]
fn no_more_is_made_ahead_than_is_asked_for() {
    let set = Numbers::new(1000, |_| Ok(()));
    let mut loader = Loader::new(Arc::clone(&set), LoaderOptions::new(10).workers(2).prefetch(3)).unwrap();
    let mut batches = loader.epoch(0);
    let _first = batches.next();
    std::thread::sleep(Duration::from_millis(50));
    assert!(set.asked.load(Ordering::Relaxed) <= 40);
    assert_eq!(batches.count(), 99);
}

#[test]
fn memory_is_used_again() {
    for workers in [0, 2] {
        let options = LoaderOptions::new(10).workers(workers).prefetch(4).shuffled();
        let mut loader = Loader::new(Numbers::new(95, |_| Ok(())), options).unwrap();
        let mut places = HashSet::new();
        for epoch in 0..50 {
            for batch in loader.epoch(epoch) {
                places.insert(batch.unwrap().input.values().as_ptr());
            }
        }
        // Those that are ready or in the making, and the one that is looked at; in a short batch they start out smaller.
        assert!(places.len() <= 2 * (4 + 1 + workers), "{} places", places.len());
    }
}

#[test]
fn batches_may_be_kept() {
    let options = LoaderOptions::new(2).workers(2);
    let mut loader = Loader::new(Numbers::new(40, |_| Ok(())), options).unwrap();
    let kept: Vec<_> = loader.epoch(0).map(Result::unwrap).collect();
    assert!(kept.iter().enumerate().all(|(batch, kept)| kept.input.values()[0] == 2.0 * batch as f32));
    drop(loader);
    assert_eq!(kept[19].targets.values(), [-38.0, -39.0]);
}

#[test]
fn a_mask_goes_where_its_picture_goes() {
    /// A picture whose bytes are its mask's classes.
    struct Same(Vec<u8>);

    impl PictureSource for Same {
        type Target = Mask<256>;

        fn len(&self) -> usize {
            40
        }

        fn path(&self, _: usize) -> std::path::PathBuf {
            "same".into()
        }

        fn read<'a>(&'a self, _: usize, canvas: &mut Canvas<'a>) -> Result<(), DataError> {
            canvas.borrow_picture([9, 12], 1, &self.0);
            canvas.borrow_mask(&self.0);
            Ok(())
        }

        fn target(&self, _: usize, canvas: &Canvas<'_>) -> Result<Mask<256>, DataError> {
            Ok(Mask { classes: canvas.mask().unwrap().to_vec(), ignored: None })
        }
    }

    let transforms = Transforms::new()
        .then(RandomCrop::of(9, 12).padding(2))
        .then(RandomHorizontalFlip::new(0.5))
        .then(RandomVerticalFlip::new(0.5))
        .then(RandomRotation::new(40.0))
        .then(RandomAffine::new(0.0).translate(0.2, 0.2).scale(0.8, 1.2).shear(5.0))
        .then(CenterCrop::new(8));
    let set = Pictures::<_, Chw<1, 8, 8>>::new(Same((1..=108).collect()), transforms).unwrap();
    let mut loader = Loader::new(set, LoaderOptions::new(40)).unwrap();
    let batch = loader.epoch(0).next().unwrap().unwrap();
    let bytes: Vec<usize> = batch.input.values().iter().map(|value| (value * 255.0).round() as usize).collect();
    assert_eq!(bytes, batch.targets.as_slice());
    assert!(bytes.contains(&0) && bytes.iter().any(|&byte| byte > 50));
}

#[test]
fn transforms_that_miss_the_networks_size_are_errors() {
    let images = || LabelledImages::<1>::new(Images::new(1, [4, 6], vec![0; 24]).unwrap(), vec![0]).unwrap();
    let error = |transforms| Pictures::<_, Chw<1, 4, 4>>::new(images(), transforms).unwrap_err().to_string();
    assert_eq!(error(Transforms::new()), "the transforms make pictures of 4 x 6, and the network takes 4 x 4");
    let resized = Transforms::new().then(Resize::shorter(2));
    assert_eq!(error(resized), "the transforms make pictures of 2 x 3, and the network takes 4 x 4");
    assert!(error(Transforms::new().then(CenterCrop::new(0))).starts_with("size = 0 x 0"));

    /// A step whose size is not known before.
    #[derive(Debug)]
    struct Cut;

    impl Transform for Cut {
        fn output_size(&self, _: Option<[usize; 2]>) -> Option<[usize; 2]> {
            None
        }

        fn apply(&self, canvas: &mut Canvas<'_>, draw: &mut Draw) -> Result<(), DataError> {
            canvas.crop([0, 0], [4, 3 + draw.below(1)]);
            Ok(())
        }
    }

    let loaded = |transforms| {
        let set = Pictures::<_, Chw<1, 4, 4>>::new(images(), transforms).unwrap();
        Loader::new(set, LoaderOptions::new(1)).unwrap().epoch(0).next().unwrap().unwrap_err().to_string()
    };
    assert_eq!(
        loaded(Transforms::new().then(Cut)),
        "images: expected 1x4x4 behind the transforms, found 1x4x3; end them with a resize or a crop to the network's size"
    );
    assert_eq!(
        loaded(Transforms::new().then(Cut).then(RandomCrop::new(4))),
        "images: a crop of 4 x 4 pixels of a picture of 4 x 3; pad_if_needed pads it"
    );
    let odd = LabelledImages::<1>::new(Images::new(5, [2, 2], vec![0; 20]).unwrap(), vec![0]).unwrap();
    assert_eq!(
        Pictures::<_, Chw<3, 2, 2>>::new(odd, Transforms::new()).unwrap_err().to_string(),
        "images: expected pictures of 3 channels, or that can be made so, found 5"
    );
    let set = Pictures::<_, Chw<1, 4, 4>>::new(images(), Transforms::new().then(CenterCrop::new(4))).unwrap();
    let missing = Loader::new(Subset::new(set, vec![0, 9]), LoaderOptions::new(1)).unwrap().epoch(0).nth(1);
    assert_eq!(missing.unwrap().unwrap_err().to_string(), "there is no sample 9 of 1");
}

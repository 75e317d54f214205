//! Pictures from a folder, in whichever of three ways they lie there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use cnn_core::data::{
    CenterCrop, Class, ColorJitter, ImageFolder, LabelledImages, Loader, LoaderOptions, Normalize, Part, PictureSource,
    Pictures, RandomCrop, RandomErasing, RandomHorizontalFlip, RandomResizedCrop, Resize, Subset, Transforms,
    stratified_split,
};
use cnn_core::prelude::*;
use cnn_core::shape::Shape;

use super::{Arguments, Augment};

/// Batches to learn from, to choose by, and, if there are others, to report on.
pub(crate) struct Batches<S: PictureSource + Send + 'static, I: Shape>
where
    Pictures<S, I>: cnn_core::data::Dataset,
{
    pub(crate) training: Loader<Pictures<S, I>>,
    pub(crate) validation: Loader<Pictures<S, I>>,
    pub(crate) test: Option<Loader<Pictures<S, I>>>,
    pub(crate) names: Vec<String>,
}

/// What lies in a folder.
pub(crate) enum Found<const CLASSES: usize> {
    /// Four IDX files, as MNIST's.
    Idx([Subset<Arc<LabelledImages<CLASSES>>>; 3]),
    /// A folder for each class.
    Folders([Subset<Arc<ImageFolder<CLASSES>>>; 2], Vec<String>),
}

/// A share of the training pictures that choices are made by, of each class.
const VALIDATION: f64 = 0.1;

pub(crate) fn find<const CLASSES: usize>(folder: &Path, seed: u64) -> anyhow::Result<Found<CLASSES>> {
    ensure!(folder.is_dir(), "{}: no such folder", folder.display());
    if let Some(images) = idx(folder, "train", "images-idx3") {
        let read = |images: PathBuf, part: &str| {
            let labels = idx(folder, part, "labels-idx1")
                .with_context(|| format!("{}: no {part}-labels-idx1-ubyte beside the images", folder.display()))?;
            Ok::<_, anyhow::Error>(Arc::new(LabelledImages::<CLASSES>::read_idx(images, labels)?))
        };
        let train = read(images, "train")?;
        let test = idx(folder, "t10k", "images-idx3")
            .with_context(|| format!("{}: no t10k-images-idx3-ubyte to report on", folder.display()))?;
        let test = read(test, "t10k")?;
        let [training, validation] = stratified_split(train.labels(), [Part::Rest, Part::Fraction(VALIDATION)], seed)?;
        let all = (0..test.len()).collect();
        return Ok(Found::Idx([
            Subset::new(Arc::clone(&train), training),
            Subset::new(train, validation),
            Subset::new(test, all),
        ]));
    }
    let open = |folder: &Path| -> anyhow::Result<_> { Ok(Arc::new(ImageFolder::<CLASSES>::open_some(folder)?)) };
    let (train, val) = (folder.join("train"), ["val", "validation", "test"].map(|name| folder.join(name)));
    if train.is_dir() {
        let Some(val) = val.iter().find(|folder| folder.is_dir()) else {
            bail!("{}: a folder `train`, and none called `val`", folder.display());
        };
        let (train, val) = (open(&train)?, open(val)?);
        ensure!(
            train.names() == val.names(),
            "{}: other classes than in `train`: expected {:?}, found {:?}",
            folder.display(),
            train.names(),
            val.names()
        );
        let names = train.names().to_vec();
        let all = |folder: Arc<ImageFolder<CLASSES>>| {
            let indices = (0..folder.labels().len()).collect();
            Subset::new(folder, indices)
        };
        return Ok(Found::Folders([all(train), all(val)], names));
    }
    let pictures = open(folder)?;
    let names = pictures.names().to_vec();
    let [training, validation] = stratified_split(pictures.labels(), [Part::Rest, Part::Fraction(0.2)], seed)?;
    Ok(Found::Folders([Subset::new(Arc::clone(&pictures), training), Subset::new(pictures, validation)], names))
}

fn idx(folder: &Path, part: &str, content: &str) -> Option<PathBuf> {
    ["", ".gz"]
        .map(|ending| folder.join(format!("{part}-{content}-ubyte{ending}")))
        .into_iter()
        .find(|file| file.exists())
}

/// The batches of parts of the data, as a network of this input takes them.
pub(crate) fn batches<S, const C: usize, const H: usize, const W: usize, const CLASSES: usize>(
    arguments: &Arguments,
    [training, validation]: [S; 2],
    test: Option<S>,
    names: Vec<String>,
    is_small: bool,
) -> anyhow::Result<Batches<S, Chw<C, H, W>>>
where
    S: PictureSource<Target = Class<CLASSES>> + Send + 'static,
    Chw<C, H, W>: Shape,
    Pictures<S, Chw<C, H, W>>: cnn_core::data::Dataset<Input = Chw<C, H, W>, Target = Class<CLASSES>>,
{
    // Small pictures have their own brightness; of photographs ImageNet's is as good, and what pretrained weights expect.
    let normalize = if is_small { Normalize::of(&training, C)? } else { Normalize::imagenet() };
    let plain = || {
        let transforms = match is_small {
            true => Transforms::new().then(Resize::new(H, W)),
            false => Transforms::new().then(Resize::shorter(H.max(W) * 8 / 7)).then(CenterCrop::of(H, W)),
        };
        transforms.normalize(normalize.clone())
    };
    let augmented = match (arguments.augment, is_small) {
        (Augment::None, _) => plain(),
        (augment, is_small) => {
            let mut transforms = match is_small {
                true => Transforms::new().then(Resize::new(H, W)).then(RandomCrop::of(H, W).padding(H / 12)),
                false => Transforms::new().then(RandomResizedCrop::of(H, W).scale(0.25, 1.0)),
            };
            if augment != Augment::Shift {
                transforms = transforms.then(RandomHorizontalFlip::new(0.5));
            }
            if augment == Augment::Strong {
                transforms = transforms.then(ColorJitter::new().brightness(0.2).contrast(0.2));
                transforms = transforms.erase(RandomErasing::new(0.25).scale(0.02, 0.15));
            }
            transforms.normalize(normalize.clone())
        }
    };
    let of = |source: S, transforms: Transforms, options: LoaderOptions| -> anyhow::Result<_> {
        Ok(Loader::new(Pictures::<S, Chw<C, H, W>>::new(source, transforms)?, options)?)
    };
    let (batch, workers) = (arguments.batch.get(), arguments.workers);
    let training_options = LoaderOptions::new(batch).shuffled().seed(arguments.seed).workers(workers).drop_last();
    let others = || LoaderOptions::new(batch).workers(workers);
    Ok(Batches {
        training: of(training, augmented, training_options)?,
        validation: of(validation, plain(), others())?,
        test: test.map(|test| of(test, plain(), others())).transpose()?,
        names,
    })
}

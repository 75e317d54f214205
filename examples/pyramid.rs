//! Finds discs of any size in a picture with one network that looks at it at six sizes: P-Net of MTCNN, trained here on windows
//! of 12 x 12 pixels. All sizes have the same weights, of which none is copied.
//!
//! ```text
//! cargo run --release --example pyramid
//! ```

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Parser;
use cnn_core::prelude::*;
use cnn_core::random::{Key, Purpose, Stream};
use cnn_core::shape::Shape;
use cnn_core::tensor::{Part, Samples, SamplesMut};

pub mod boxes;
pub mod discs;
pub mod networks;
pub mod output;

use boxes::{Bounds, Found, suppress};
use discs::{HEIGHT, Picture, WIDTH};
use networks::mtcnn::{PNet, PNetLosses, PNetOutputs, PNetSize};

/// Pixels of a side of what P-Net looks at for one answer, and from one answer to the next.
const WINDOW: usize = 12;
const STRIDE: usize = 2;

/// The numbers of the pictures to report on, which no training has.
const TEST_PICTURES: u64 = 1 << 32;

/// Trains P-Net to find discs, and looks for them at six sizes of pictures that it has never seen.
#[derive(Clone, Debug, Parser)]
pub struct Arguments {
    /// Training steps
    #[arg(long, default_value_t = 1500)]
    pub steps: u32,
    /// Windows of a training step
    #[arg(long, default_value_t = 96, value_parser = clap::value_parser!(u16).range(3..))]
    pub batch: u16,
    /// The learning rate at first; it falls to nothing in a straight line
    #[arg(long, default_value_t = 0.004)]
    pub learning_rate: f64,
    /// Pictures to train with
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..))]
    pub pictures: u16,
    /// Pictures to report on
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..))]
    pub test: u16,
    /// Decides all that is random in the training
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Where a test picture goes, with what was found in it
    #[arg(long, default_value = "pyramid.png")]
    pub picture: PathBuf,
}

fn main() {
    if let Err(error) = run(&Arguments::parse()) {
        eprintln!("error: {error:#}");
        std::process::exit(1);
    }
}

fn run(arguments: &Arguments) -> anyhow::Result<()> {
    output::check(&arguments.picture)?;
    let network = train(arguments)?;
    let mut score = Score::default();
    for number in 0..u64::from(arguments.test) {
        let (picture, discs) = Picture::paint(TEST_PICTURES + number);
        let found = find(&network, &picture);
        score.count(&discs, &found);
        if number == 0 {
            write_picture(&arguments.picture, &picture, &found)
                .with_context(|| arguments.picture.display().to_string())?;
        }
    }
    println!("{} pictures: {score}", arguments.test);
    println!("the first of them, with what was found: {}", arguments.picture.display());
    Ok(())
}

/// How much of what is there was found, and how much is there of what was found.
#[derive(Clone, Copy, Debug, Default)]
pub struct Score {
    there: usize,
    found: usize,
    right: usize,
}

impl Score {
    /// One more picture. Found is what lies on a disc by half of what they cover together.
    pub fn count(&mut self, discs: &[Bounds], found: &[Found]) {
        let is_found = |disc: &&Bounds| found.iter().any(|one| one.bounds.intersection_over_union(disc) >= 0.5);
        self.there += discs.len();
        self.found += found.len();
        self.right += discs.iter().filter(is_found).count();
    }

    /// The share of the discs that were found.
    pub fn recall(&self) -> f64 {
        self.right as f64 / self.there.max(1) as f64
    }

    /// The share of discs in what was found.
    pub fn precision(&self) -> f64 {
        self.right as f64 / self.found.max(1) as f64
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { there, found, right } = self;
        let (recall, precision) = (100.0 * self.recall(), 100.0 * self.precision());
        write!(formatter, "{right} of {there} discs found ({recall:.1} %), {found} boxes ({precision:.1} % are right)")
    }
}

/// Rows and columns of a picture and of its smaller copies, each by a factor of 0.709.
const SIZES: [[usize; 2]; 6] = [[HEIGHT, WIDTH], [69, 91], [49, 65], [35, 46], [25, 33], [18, 23]];

/// A picture at all sizes.
fn pyramid(picture: &Picture) -> [Picture; 6] {
    SIZES.map(|[height, width]| picture.resized(height, width))
}

/// The discs in a picture, surest first: what the network says at every size, without what says the same.
pub fn find(network: &PNet<12, 12>, picture: &Picture) -> Vec<Found> {
    const LEAST_PROBABILITY: f32 = 0.9;
    let mut found = Vec::new();
    look(network, &pyramid(picture), |Answer { window, probability, offsets, .. }| {
        if probability >= LEAST_PROBABILITY {
            found.push(Found { bounds: moved(window, offsets), probability });
        }
    });
    suppress(found, 0.3)
}

/// What the network says of one window.
struct Answer<'a> {
    /// The copy of the picture, and the window's first row and column there.
    copy: usize,
    place: [usize; 2],
    /// It in the picture's pixels.
    window: Bounds,
    probability: f32,
    offsets: &'a [f32],
}

/// Every window of a picture, at all sizes.
fn look(network: &PNet<12, 12>, pyramid: &[Picture; 6], mut visit: impl FnMut(Answer<'_>)) {
    look_at::<96, 128>(network, pyramid, 0, &mut visit);
    look_at::<69, 91>(network, pyramid, 1, &mut visit);
    look_at::<49, 65>(network, pyramid, 2, &mut visit);
    look_at::<35, 46>(network, pyramid, 3, &mut visit);
    look_at::<25, 33>(network, pyramid, 4, &mut visit);
    look_at::<18, 23>(network, pyramid, 5, &mut visit);
}

/// Every window at one size.
fn look_at<const H: usize, const W: usize>(
    network: &PNet<12, 12>,
    pyramid: &[Picture; 6],
    copy: usize,
    visit: &mut impl FnMut(Answer<'_>),
) where
    PNet<H, W>: PNetSize,
{
    let mut input = Batch::zeros(1);
    input.values_mut().iter_mut().zip(&pyramid[copy].pixels).for_each(|(input, pixel)| *input = normalized(*pixel));
    // The same weights, where they are.
    let output = network.at::<H, W>().forward(&input);
    let PNetOutputs { probability, boxes } = PNet::<H, W>::outputs(output.samples());
    for ((place, probability), offsets) in places(probability).zip(boxes.rows()) {
        let place = place.map(|place| place * STRIDE);
        visit(Answer { copy, place, window: window(place, copy), probability: probability[1], offsets });
    }
}

/// Row and column of each cell of a map of one sample, and its channels.
fn places<S: Shape>(map: Part<'_, S>) -> impl Iterator<Item = ([usize; 2], &[f32])> {
    let width = S::SIZES.width();
    map.rows().enumerate().map(move |(place, channels)| ([place / width, place % width], channels))
}

/// The pixels of a picture that a window of one of its copies shows, from this row and column on.
fn window([row, column]: [usize; 2], copy: usize) -> Bounds {
    let [vertical, horizontal] = scale(copy);
    Bounds {
        left: column as f32 * horizontal,
        top: row as f32 * vertical,
        right: (column + WINDOW) as f32 * horizontal,
        bottom: (row + WINDOW) as f32 * vertical,
    }
}

/// Pixels of a picture for one of a copy, down and across.
fn scale(copy: usize) -> [f32; 2] {
    let [height, width] = SIZES[copy];
    [HEIGHT as f32 / height as f32, WIDTH as f32 / width as f32]
}

/// A window whose sides are moved by shares of its own: left, top, right, bottom.
fn moved(window: Bounds, offsets: &[f32]) -> Bounds {
    let (width, height) = (window.right - window.left, window.bottom - window.top);
    Bounds {
        left: window.left + offsets[0] * width,
        top: window.top + offsets[1] * height,
        right: window.right + offsets[2] * width,
        bottom: window.bottom + offsets[3] * height,
    }
}

/// How far the sides of a window would have to move: what [`moved`] undoes.
fn offsets(window: Bounds, disc: Bounds) -> [f32; 4] {
    let (width, height) = (window.right - window.left, window.bottom - window.top);
    [
        (disc.left - window.left) / width,
        (disc.top - window.top) / height,
        (disc.right - window.right) / width,
        (disc.bottom - window.bottom) / height,
    ]
}

/// From 0..1 to what the network takes.
fn normalized(pixel: f32) -> f32 {
    (255.0 * pixel - 127.5) / 128.0
}

/// P-Net after so many steps on windows of pictures.
pub fn train(arguments: &Arguments) -> Result<PNet<12, 12>, Error> {
    /// What the network takes for discs is looked for so often.
    const ROUNDS: u32 = 5;
    let seed = arguments.seed;
    let mut network = PNet::<12, 12>::new(seed);
    let mut training = Training::new(seed);
    let mut optimizer = Adam::new(AdamOptions::new(arguments.learning_rate))?;
    let mut windows = Windows::new(arguments);
    let (mut input, mut offsets) = (Batch::zeros(arguments.batch.into()), Batch::zeros(arguments.batch.into()));
    let mut mean = 0.0;
    let round = arguments.steps.div_ceil(ROUNDS).max(1);
    for step in 0..arguments.steps {
        windows.fill(&mut input, &mut offsets);
        let labels = Labels::new(&windows.shows_disc.iter().map(|disc| u8::from(*disc)).collect::<Vec<_>>())?;
        let loss = PNetLosses {
            probability: NegativeLogLikelihood::new(&labels),
            boxes: OfDiscs { offsets: &offsets, shows_disc: &windows.shows_disc },
        };
        optimizer.set_lr(arguments.learning_rate * (1.0 - f64::from(step) / f64::from(arguments.steps)))?;
        mean += training.backward(Mode::Training, &mut network, &input, &loss)? / round as f32;
        optimizer.step(&mut network, training.gradients());
        if (step + 1) % round == 0 {
            windows.find_hard(&network);
            println!("step {}: mean loss {mean:.4}, {} windows taken for discs", step + 1, windows.hard.len());
            mean = 0.0;
        }
    }
    Ok(network)
}

/// The squares of how far boxes are from discs, where there is one.
struct OfDiscs<'a> {
    offsets: &'a Batch<Chw<4, 1, 1>>,
    shows_disc: &'a [bool],
}

impl Loss<Chw<4, 1, 1>> for OfDiscs<'_> {
    fn evaluate(
        &self,
        output: Samples<'_, Chw<4, 1, 1>>,
        mut grad_output: SamplesMut<'_, Chw<4, 1, 1>>,
    ) -> Result<f32, Error> {
        let discs = self.shows_disc.iter().filter(|disc| **disc).count();
        let (mut sum, scale) = (0.0, 1.0 / discs.max(1) as f32);
        let samples = output.iter().zip(self.offsets.iter()).zip(self.shows_disc);
        for (((found, expected), disc), mut gradient) in samples.zip(grad_output.iter_mut()) {
            for ((found, expected), gradient) in found.values().iter().zip(expected.values()).zip(gradient.values()) {
                let error = if *disc { found - expected } else { 0.0 };
                sum += scale * error * error;
                *gradient = 2.0 * scale * error;
            }
        }
        Ok(sum)
    }
}

/// Windows of pictures at all their sizes, a third of which show a disc.
struct Windows {
    /// Each picture at all sizes, and its discs.
    pictures: Vec<([Picture; 6], Vec<Bounds>)>,
    /// Windows that show none, and that the network took for discs.
    hard: Vec<Place>,
    random: Stream,
    /// Whether each of the last batch shows a disc.
    shows_disc: Vec<bool>,
}

/// A window: its picture, which copy of it, its first row and column.
#[derive(Clone, Copy)]
struct Place {
    picture: usize,
    copy: usize,
    first: [usize; 2],
}

impl Windows {
    fn new(arguments: &Arguments) -> Self {
        let painted = |number: u64| {
            let (picture, discs) = Picture::paint(number);
            (pyramid(&picture), discs)
        };
        let key = Key { purpose: Purpose::Augmentation, seed: arguments.seed, step: 1, layer: 0, sample: 0 };
        let pictures = (0..arguments.pictures.into()).map(painted).collect();
        Self { pictures, hard: Vec::new(), random: key.stream(), shows_disc: Vec::new() }
    }

    /// Fills a batch, and says how far each window's sides are from its disc's.
    fn fill(&mut self, input: &mut Batch<Chw<3, 12, 12>>, targets: &mut Batch<Chw<4, 1, 1>>) {
        self.shows_disc.clear();
        for (index, (mut sample, mut target)) in input.iter_mut().zip(targets.iter_mut()).enumerate() {
            let shows_disc = index % 3 == 0;
            let (place, disc) = loop {
                let place = self.draw(shows_disc, index % 3 == 1);
                if let Some((shown, disc)) = shown(window(place.first, place.copy), &self.pictures[place.picture].1)
                    && shown == shows_disc
                {
                    break (place, disc);
                }
            };
            let pixels = self.pictures[place.picture].0[place.copy].window(place.first[0], place.first[1], WINDOW);
            sample.values().iter_mut().zip(pixels).for_each(|(input, pixel)| *input = normalized(pixel));
            let offsets = disc.map_or([0.0; 4], |disc| offsets(window(place.first, place.copy), disc));
            target.values().copy_from_slice(&offsets);
            self.shows_disc.push(shows_disc);
        }
    }

    /// A window near a disc, one that is hard, or any.
    fn draw(&mut self, near: bool, hard: bool) -> Place {
        let Self { pictures, hard: of_these, random, .. } = self;
        if hard && !of_these.is_empty() {
            return of_these[random.below(of_these.len())];
        }
        let (picture, copy) = (random.below(pictures.len()), random.below(SIZES.len()));
        let most = SIZES[copy].map(|size| size - WINDOW);
        let discs = &pictures[picture].1;
        let mut first = most.map(|most| random.below(most + 1));
        if near && !discs.is_empty() {
            let Bounds { left, top, right, bottom } = discs[random.below(discs.len())];
            let middle = [(top + bottom) / 2.0, (left + right) / 2.0];
            for axis in 0..2 {
                let start = middle[axis] / scale(copy)[axis] - WINDOW as f32 / 2.0 + random.symmetric(3.0);
                first[axis] = (start.round().max(0.0) as usize).min(most[axis]);
            }
        }
        Place { picture, copy, first }
    }

    /// Looks for windows that show no disc, and of which the network says that they do.
    fn find_hard(&mut self, network: &PNet<12, 12>) {
        self.hard.clear();
        for (picture, (pyramid, discs)) in self.pictures.iter().enumerate() {
            look(network, pyramid, |Answer { copy, place, window, probability, .. }| {
                if probability > 0.5 && matches!(shown(window, discs), Some((false, _))) {
                    // The last ones of a row or a column may stick out, as `ceil_mode` lets them.
                    let most = SIZES[copy].map(|size| size - WINDOW);
                    self.hard.push(Place { picture, copy, first: [place[0].min(most[0]), place[1].min(most[1])] });
                }
            });
        }
    }
}

/// Whether a window shows a disc, and which one is nearest; neither of one that shows half a disc, or a small one.
fn shown(window: Bounds, discs: &[Bounds]) -> Option<(bool, Option<Bounds>)> {
    /// What a window and its disc have in common from here on, and what they have at most if it is none.
    const DISC: f32 = 0.6;
    const OTHER: f32 = 0.3;
    let overlap = |disc: &&Bounds| window.intersection_over_union(disc);
    let best = discs.iter().max_by(|one, other| overlap(one).total_cmp(&overlap(other)));
    let most = best.as_ref().map_or(0.0, overlap);
    (most >= DISC || most <= OTHER).then(|| (most >= DISC, best.copied()))
}

/// A picture with a white frame around all that was found.
fn write_picture(path: &Path, picture: &Picture, found: &[Found]) -> anyhow::Result<()> {
    /// Pixels of the file for one of the picture.
    const ZOOM: usize = 4;
    let on_frame = |bounds: &Bounds, y: f32, x: f32| {
        let [top, bottom] = [bounds.top, bounds.bottom].map(|side| (y - side * ZOOM as f32).abs() < 1.0);
        let [left, right] = [bounds.left, bounds.right].map(|side| (x - side * ZOOM as f32).abs() < 1.0);
        let within = |at: f32, from: f32, to: f32| at > from * ZOOM as f32 - 1.0 && at < to * ZOOM as f32 + 1.0;
        (top || bottom) && within(x, bounds.left, bounds.right)
            || (left || right) && within(y, bounds.top, bounds.bottom)
    };
    let mut pixels = Vec::with_capacity(ZOOM * ZOOM * picture.pixels.len());
    for y in 0..ZOOM * picture.height {
        for x in 0..ZOOM * picture.width {
            let of_picture = &picture.pixels[(y / ZOOM * picture.width + x / ZOOM) * 3..][..3];
            let framed = found.iter().any(|one| on_frame(&one.bounds, y as f32 + 0.5, x as f32 + 0.5));
            pixels.extend(of_picture.iter().map(|value| if framed { 255 } else { (255.0 * value).round() as u8 }));
        }
    }
    output::write_png(path, [ZOOM * picture.width, ZOOM * picture.height], png::ColorType::Rgb, &pixels)
}

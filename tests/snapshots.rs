//! Runs that are interrupted, and go on with the bits of one that is not.
//!
//! `SNAPSHOT_KILLS=100 cargo test --release --test snapshots -- --nocapture` kills more often than the 20 times that it takes
//! otherwise, with each optimizer, and says how far the runs were.

#[path = "common/folder.rs"]
mod folder;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use cnn_core::data::{Class, Loader, LoaderOptions, Tensors};
use cnn_core::io::{Loading, SavedSnapshot, Snapshot, Snapshots};
use cnn_core::optim::schedule::{CosineAnnealingLr, ReduceLrOnPlateau};
use cnn_core::optim::{AdagradOptions, LambOptions, RmsPropOptions};
use cnn_core::prelude::*;
use cnn_core::snapshot::State;
use cnn_core::train::{Adagrad, Averaged, Averaging, Lamb, Optimizer, RmsProp, is_vector};
use folder::Folder;

network! {
    /// Of layers that draw, layers that count, and weights of several kinds.
    pub Net<2, 6, 6> {
        conv: conv2d<4, 3>(bias = false), bn: batch_norm2d, relu, drop: dropout2d(p = 0.25),
        mixed: conv2d<6, 2>, gelu, flatten, norm: layer_norm, dropout, fc: linear<3>,
    }

    /// Another one, of other weights.
    pub Other<2, 6, 6> { conv: conv2d<4, 3>(bias = false), flatten, fc: linear<3> }
}

const SAMPLES: usize = 22;
const BATCH: usize = 4;
const STEPS: u64 = 30;

/// What the runs see.
fn samples() -> Tensors<Chw<2, 6, 6>, Class<3>> {
    let value = |index: usize| ((index / 72 * 31 + index % 72 * 7) % 13) as f32 / 6.0 - 1.0;
    let values: Vec<f32> = (0..SAMPLES * 72).map(value).collect();
    Tensors::new(Batch::from_nchw(&values).unwrap(), (0..SAMPLES).map(|sample| Class(sample % 3)).collect()).unwrap()
}

/// All of a run that changes.
struct Run<O> {
    net: Net,
    training: Training<Net>,
    optimizer: O,
    average: Averaged<Net>,
    plateau: ReduceLrOnPlateau,
    losses: Vec<f64>,
    next: Vec<u64>,
}

impl<O: Optimizer<Net> + State> Run<O> {
    fn new(optimizer: O) -> Self {
        let net = Net::new(5);
        let average = Averaged::new(&net, Averaging::Exponential { decay: 0.9 }).unwrap();
        let plateau = ReduceLrOnPlateau { patience: 0, ..ReduceLrOnPlateau::new(0.02) };
        Self { net, training: Training::new(9), optimizer, average, plateau, losses: Vec::new(), next: vec![0, 0] }
    }

    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::new()
            .with("model", &self.net)
            .with("training", &self.training)
            .with("optimizer", &self.optimizer)
            .with("average", &self.average)
            .with("plateau", &self.plateau)
            .with("losses", &self.losses)
            .with("next", &self.next)
    }

    fn restore(&mut self, saved: &SavedSnapshot) -> Result<(), Error> {
        saved.restore(&mut [
            ("model", &mut self.net),
            ("training", &mut self.training),
            ("optimizer", &mut self.optimizer),
            ("average", &mut self.average),
            ("plateau", &mut self.plateau),
            ("losses", &mut self.losses),
            ("next", &mut self.next),
        ])
    }

    /// The next step: some weights are frozen for a while, the rate follows a wave and falls on a plateau.
    fn step(&mut self) {
        let [epoch, batch] = self.next[..] else { unreachable!("two numbers") };
        let mut loader = Loader::new(samples(), LoaderOptions::new(BATCH).shuffled().seed(3)).unwrap();
        let per_epoch = loader.batches_per_epoch() as u64;
        let loaded = loader.epoch_from(epoch, batch as usize).unwrap().next().unwrap().unwrap();
        match self.training.step() {
            6 => self.net.freeze_weights("conv").unwrap(),
            9 => self.training.set_mode("bn", Mode::Evaluation).unwrap(),
            15 => self.net.unfreeze_weights("").unwrap(),
            _ => {}
        }
        let wave = CosineAnnealingLr { lr: self.plateau.lr, t_max: STEPS, eta_min: 0.0 };
        self.optimizer.set_lr(wave.lr(self.training.step()).unwrap()).unwrap();
        let loss = CrossEntropy::new(&loaded.targets);
        let loss = self.training.backward(Mode::Training, &mut self.net, &loaded.input, &loss).unwrap();
        self.optimizer.step(&mut self.net, self.training.gradients());
        self.average.update(&self.net);
        self.losses.push(loss.into());
        self.next = if batch + 1 == per_epoch { vec![epoch + 1, 0] } else { vec![epoch, batch + 1] };
        if self.next[1] == 0 {
            self.plateau.next(loss.into()).unwrap();
        }
    }

    /// Steps until there are so many, with a snapshot behind each.
    fn go_on(&mut self, folder: &Path) -> Vec<u8> {
        let snapshots = Snapshots::in_folder(folder).unwrap().keep_last(2);
        if let Some(saved) = snapshots.read_latest().unwrap() {
            self.restore(&saved).unwrap();
        }
        while self.training.step() < STEPS {
            self.step();
            snapshots.save(self.training.step(), &self.snapshot()).unwrap();
        }
        let last = folder.join("last.safetensors");
        self.snapshot().save(&last).unwrap();
        fs::read(last).unwrap()
    }
}

fn sgd() -> Sgd<Net> {
    let options = SgdOptions::new(0.02).momentum(0.9).nesterov(true).weight_decay(0.01);
    Sgd::new(options).unwrap().group(is_vector, |options| options.weight_decay(0.0)).unwrap()
}

fn adam() -> Adam<Net> {
    let adam = Adam::new(AdamOptions::adamw(0.02).amsgrad(true)).unwrap();
    adam.group(|name, _| name.starts_with("fc."), |options| options.lr(0.05)).unwrap()
}

/// In another process, which is killed if it does not end in time; whether it has.
fn go_on_elsewhere(optimizer: &str, folder: &Path, time: Duration) -> bool {
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_run_in_another_process"])
        .env("SNAPSHOT_FOLDER", folder)
        .env("SNAPSHOT_OPTIMIZER", optimizer)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    thread::sleep(time);
    let ended = child.try_wait().unwrap();
    if let Some(status) = ended {
        assert!(status.success(), "it went on, and came to its end");
        return true;
    }
    child.kill().unwrap();
    // It may have ended in between.
    child.wait().unwrap().success()
}

/// The other process.
#[test]
fn a_run_in_another_process() {
    let Some(folder) = env::var_os("SNAPSHOT_FOLDER").map(PathBuf::from) else { return };
    match env::var("SNAPSHOT_OPTIMIZER").unwrap().as_str() {
        "sgd" => Run::new(sgd()).go_on(&folder),
        _ => Run::new(adam()).go_on(&folder),
    };
}

fn killed_again_and_again(name: &str, expected: &[u8]) {
    let wanted = env::var("SNAPSHOT_KILLS").map_or(20, |kills| kills.parse::<u64>().unwrap());
    let (mut kills, mut tries, mut ends, mut within, mut leftovers) = (0, 0_u64, 0, 0, 0);
    while kills < wanted {
        let folder = Folder::new(&format!("snapshots-{name}"));
        let mut of_run = 0;
        // Another time for each, so that it happens before, while and after something is saved; and more and more of it, so that
        // a run comes to its end on a slow disk too.
        let mut time = |of_run: u64| {
            tries += 1;
            Duration::from_micros(5_000 + tries * 7_919 % (60_000 << (of_run / 8).min(8)))
        };
        while !go_on_elsewhere(name, &folder.0, time(of_run)) {
            (kills, of_run) = (kills + 1, of_run + 1);
            let names = folder.names();
            within += u64::from(names.iter().any(|name| name.starts_with("step-")));
            leftovers += names.iter().filter(|name| name.ends_with(".partial")).count();
            assert!(of_run < 200, "it never comes to an end");
        }
        ends += 1;
        assert!(fs::read(folder.0.join("last.safetensors")).unwrap() == expected, "other bits behind {kills} kills");
    }
    println!(
        "{name}: {kills} kills, {within} within a run, {leftovers} of them while saving; {ends} runs came to the same end"
    );
}

#[test]
fn a_run_with_sgd_that_is_killed_again_and_again_ends_with_the_bits_of_an_undisturbed_one() {
    let folder = Folder::new("snapshots-undisturbed-sgd");
    killed_again_and_again("sgd", &Run::new(sgd()).go_on(&folder.0));
}

#[test]
fn a_run_with_adam_that_is_killed_again_and_again_ends_with_the_bits_of_an_undisturbed_one() {
    let folder = Folder::new("snapshots-undisturbed-adam");
    killed_again_and_again("adam", &Run::new(adam()).go_on(&folder.0));
}

fn resumes_at_every_step<O: Optimizer<Net> + State>(new: impl Fn() -> O) {
    let folder = Folder::new("snapshots-every-step");
    let expected = Run::new(new()).go_on(&folder.0);
    let between = folder.0.join("between.safetensors");
    let mut run = Run::new(new());
    while run.training.step() < STEPS {
        run.step();
        run.snapshot().save(&between).unwrap();
        run = Run::new(new());
        run.restore(&SavedSnapshot::read(&between).unwrap()).unwrap();
    }
    run.snapshot().save(&between).unwrap();
    assert!(fs::read(between).unwrap() == expected);
}

#[test]
fn every_optimizer_goes_on_after_every_step() {
    resumes_at_every_step(sgd);
    resumes_at_every_step(adam);
    resumes_at_every_step(|| RmsProp::<Net>::new(RmsPropOptions::new(0.01).momentum(0.5).centered(true)).unwrap());
    resumes_at_every_step(|| Adagrad::<Net>::new(AdagradOptions::new(0.05).initial_accumulator_value(0.1)).unwrap());
    resumes_at_every_step(|| Lamb::<Net>::new(LambOptions::new(0.01)).unwrap());
}

#[test]
fn what_does_not_fit_is_named_and_nothing_is_put_back() {
    let folder = Folder::new("snapshots-misfits");
    let path = folder.0.join("run.safetensors");
    let mut run = Run::new(adam());
    run.step();
    run.snapshot().save(&path).unwrap();
    let saved = SavedSnapshot::read(&path).unwrap();
    let told = |states: &mut [(&str, &mut dyn State)]| {
        let error = saved.restore(states).unwrap_err().to_string();
        error.strip_prefix(&format!("{}: ", path.display())).unwrap().to_owned()
    };
    // Of several, the first that does not fit leaves all as they were.
    let (mut net, before) = (Net::new(77), Net::new(77));
    let error = told(&mut [("model", &mut net), ("optimizer", &mut sgd())]);
    assert_eq!(error, "optimizer.@rule: expected SGD, found Adam");
    assert_eq!(net.weights(), before.weights());

    assert_eq!(told(&mut [("model", &mut Other::new(0))]), "model.@network: expected Other, found Net");
    assert_eq!(
        told(&mut [("net", &mut net)]),
        "it has no net.@network; it has average, losses, model, next, optimizer, plateau, training"
    );
    let mut others = Adam::<Net>::new(AdamOptions::adamw(0.02).amsgrad(true)).unwrap();
    assert_eq!(told(&mut [("optimizer", &mut others)]), "optimizer.@groups: expected 1 groups, found 2");
    let mut others = others.group(|name, _| name.starts_with("mixed."), |options| options).unwrap();
    let error = told(&mut [("optimizer", &mut others)]);
    assert!(error.starts_with("optimizer.@group0.of: expected conv.weight, bn.weight,"), "{error}");
    assert_eq!(told(&mut [("losses", &mut 1_u64)]), "losses: expected a whole number, found 1 numbers");
    let twice = Snapshot::new().with("step", &1_u64).with("step", &2_u64).save(&path).unwrap_err();
    assert!(twice.to_string().ends_with("step: expected one state of this name, found two"), "{twice}");
    // A part of it is a file of weights.
    let mut net = Net::new(1);
    net.load_with(&path, &Loading::new().under("model")).unwrap();
    assert_eq!(net.weights(), run.net.weights());
    let error = net.load_with(&path, &Loading::new().under("modle")).unwrap_err().to_string();
    assert!(error.ends_with("no name begins with `modle.`; leave out `under`"), "{error}");
}

#[test]
fn a_file_of_weights_is_no_snapshot_and_a_cut_one_is_told() {
    let folder = Folder::new("snapshots-others");
    let path = folder.0.join("w.safetensors");
    Net::new(0).save_safetensors(&path).unwrap();
    let error = SavedSnapshot::read(&path).unwrap_err().to_string();
    assert!(error.ends_with("num_batches_tracked: expected F32, F64, U64 or U8, found I64"), "{error}");
    Other::new(0).save_safetensors(&path).unwrap();
    let error = SavedSnapshot::read(&path).unwrap_err().to_string();
    assert!(error.ends_with("@snapshot: expected version 1, found none: it is a file of weights, say"), "{error}");
    let run = Run::new(sgd());
    run.snapshot().save(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    for cut in [0, 7, 8, 100, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).unwrap();
        assert!(SavedSnapshot::read(&path).is_err());
    }
    // A run that has diverged leaves the snapshot from before.
    fs::write(&path, &bytes).unwrap();
    let mut run = Run::new(sgd());
    run.net.weights_mut().tensor_mut("fc.bias").unwrap()[1] = f32::NAN;
    let error = run.snapshot().save(&path).unwrap_err().to_string();
    assert!(error.contains("model.fc.bias"), "{error}");
    assert!(fs::read(&path).unwrap() == bytes);
}

#[test]
fn the_last_few_are_kept_and_the_best() {
    let folder = Folder::new("snapshots-last");
    fs::write(folder.0.join("step-12.safetensors"), "another's").unwrap();
    let snapshots = Snapshots::in_folder(folder.0.join("run")).unwrap().keep_last(2);
    assert!(snapshots.read_latest().unwrap().is_none() && snapshots.read_best().unwrap().is_none());
    for step in 1..=5_u64 {
        snapshots.save(step, &Snapshot::new().with("step", &step)).unwrap();
        if step == 2 {
            snapshots.save_best(&Snapshot::new().with("step", &step)).unwrap();
        }
    }
    assert_eq!(snapshots.steps().unwrap(), [4, 5]);
    let mut step = 0_u64;
    snapshots.read_latest().unwrap().unwrap().restore(&mut [("step", &mut step)]).unwrap();
    assert_eq!(step, 5);
    snapshots.read_best().unwrap().unwrap().restore(&mut [("step", &mut step)]).unwrap();
    assert_eq!(step, 2);
    // Who goes on from an earlier one does not find later ones of another course.
    snapshots.save(3, &Snapshot::new().with("step", &step)).unwrap();
    assert_eq!(snapshots.steps().unwrap(), [3]);
}

/// On a file system of little room, where the machine lets one be made.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_the_earlier_snapshot_whole() {
    let folder = Folder::new("snapshots-full");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(&folder.0).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("not tried: no file system may be mounted here");
        return;
    }
    let snapshots = Snapshots::in_folder(&folder.0).unwrap();
    let small: Vec<f64> = vec![1.0; 1000];
    let large: Vec<f64> = vec![2.0; 100_000];
    let outcome = std::panic::catch_unwind(|| {
        snapshots.save(1, &Snapshot::new().with("values", &small)).unwrap();
        let error = snapshots.save(2, &Snapshot::new().with("values", &large)).unwrap_err().to_string();
        assert!(
            error.contains("step-0000000002.safetensors: ") && error.contains("No space left on device"),
            "{error}"
        );
        assert_eq!(folder.names(), ["step-0000000001.safetensors"]);
        let mut found = Vec::<f64>::new();
        snapshots.read_latest().unwrap().unwrap().restore(&mut [("values", &mut found)]).unwrap();
        assert_eq!(found, small);
        // And of one name.
        let path = folder.0.join("one.safetensors");
        Snapshot::new().with("values", &small).save(&path).unwrap();
        Snapshot::new().with("values", &large).save(&path).unwrap_err();
        SavedSnapshot::read(&path).unwrap().restore(&mut [("values", &mut found)]).unwrap();
        assert_eq!(found, small);
    });
    Command::new("umount").arg(&folder.0).status().unwrap();
    outcome.unwrap();
}

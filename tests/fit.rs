//! Runs over epochs, however they end.

#[path = "common/folder.rs"]
mod folder;
#[path = "common/threads.rs"]
mod threads;

use std::env;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cnn_core::data::{Class, Loader, LoaderOptions, Mix, Tensors};
use cnn_core::fit::{Accuracy, Ended, OfClasses, OfShares, Scores, Trainer, evaluate};
use cnn_core::io::{SavedSnapshot, Snapshot, Snapshots};
use cnn_core::optim::schedule::{Better, CosineAnnealingLr, ReduceLrOnPlateau};
use cnn_core::prelude::*;
use cnn_core::shape::Shape;
use cnn_core::train::{Averaging, Processes};
use folder::Folder;
use threads::together;

network! {
    /// Layers that draw and layers that count.
    pub Net<1, 6, 6> { conv: conv2d<4, 3>, bn: batch_norm2d, relu, flatten, dropout, fc: linear<3> }
}

const SAMPLES: usize = 50;

/// Stripes that run in one of three directions.
fn samples() -> Tensors<Chw<1, 6, 6>, Class<3>> {
    let value = |sample: usize, row: usize, column: usize| {
        let along = [row, column, row + column][sample % 3] + sample;
        if along.is_multiple_of(3) { 1.0 } else { -0.3 + (sample * 7 % 5) as f32 / 20.0 }
    };
    let values: Vec<f32> = (0..SAMPLES * 36).map(|index| value(index / 36, index / 6 % 6, index % 6)).collect();
    Tensors::new(Batch::from_nchw(&values).unwrap(), (0..SAMPLES).map(|sample| Class(sample % 3)).collect()).unwrap()
}

fn loader(size: usize) -> Loader<Tensors<Chw<1, 6, 6>, Class<3>>> {
    Loader::new(samples(), LoaderOptions::new(size).shuffled().seed(4).workers(1)).unwrap()
}

fn trainer() -> Trainer<Net, Adam<Net>> {
    let adam = Adam::new(AdamOptions::adamw(0.01)).unwrap();
    let trainer = Trainer::new(Net::new(1), adam, 2)
        .schedule(CosineAnnealingLr { lr: 0.01, t_max: 48, eta_min: 0.0 })
        .averaged(Averaging::Exponential { decay: 0.9 })
        .unwrap();
    trainer.clip_norm(5.0).monitor("accuracy", Better::More).quiet()
}

fn fit(trainer: &mut Trainer<Net, Adam<Net>>, epochs: u64) -> Ended {
    trainer.fit(&mut loader(7), &OfClasses::new(), epochs, validate).unwrap()
}

fn validate(net: &Net) -> Result<Scores, Error> {
    let mut validation = Loader::new(samples(), LoaderOptions::new(20)).unwrap();
    evaluate(net, &mut validation, &OfClasses::new(), &mut [&mut Accuracy::default()])
}

fn bytes(trainer: &Trainer<Net, Adam<Net>>, folder: &Path) -> Vec<u8> {
    let path = folder.join("compared.safetensors");
    trainer.snapshot().save(&path).unwrap();
    fs::read(path).unwrap()
}

#[test]
fn a_run_goes_on_from_any_of_its_snapshots_with_the_same_bits() {
    let folder = Folder::new("fit-any");
    let snapshots = Snapshots::in_folder(folder.0.join("run")).unwrap().keep_last(100);
    let mut whole = trainer().snapshots(snapshots.clone()).snapshot_every(5);
    assert_eq!(fit(&mut whole, 6), Ended::AllEpochs);
    let expected = bytes(&whole, &folder.0);
    let steps = snapshots.steps().unwrap();
    assert!(steps.len() > 10 && steps.iter().any(|step| !step.is_multiple_of(8)), "{steps:?}");
    for step in steps {
        let mut again = trainer();
        let path = folder.0.join(format!("run/step-{step:010}.safetensors"));
        again.restore(&SavedSnapshot::read(path).unwrap()).unwrap();
        assert_eq!(fit(&mut again, 6), Ended::AllEpochs);
        assert!(bytes(&again, &folder.0) == expected, "from step {step}");
    }
    let history = whole.history();
    assert_eq!(history.series("loss").len(), 6);
    assert!(history.last("validation accuracy").unwrap() > 0.9, "{history:?}");
    assert!(snapshots.read_best().unwrap().is_some());
    // Another run is refused, and changes nothing.
    let mut other = trainer();
    let mut other = {
        other.network_mut().freeze_weights("conv").unwrap();
        other.plateau(ReduceLrOnPlateau::new(0.01))
    };
    let before = bytes(&other, &folder.0);
    let error = other.restore(&snapshots.read_latest().unwrap().unwrap()).unwrap_err().to_string();
    assert!(error.contains("it has no plateau.lr; it has average, best, history"), "{error}");
    assert!(bytes(&other, &folder.0) == before);
    // One that was made by hand is refused too.
    let path = folder.0.join("strange.safetensors");
    let run = trainer();
    let (net, [short, sums]) = (run.network(), [vec![0_u64], vec![0]]);
    Snapshot::new().with("model", net).with("place", &short).with("sums", &sums).save(&path).unwrap();
    let error = trainer().restore(&SavedSnapshot::read(&path).unwrap()).unwrap_err().to_string();
    assert!(error.contains("it has no optimizer.@rule"), "{error}");
    let mut place = [0_u64; 3];
    let error = SavedSnapshot::read(&path).unwrap().restore(&mut [("place", &mut place)]).unwrap_err().to_string();
    assert!(error.ends_with("place: expected 3 numbers, found 1"), "{error}");
}

/// A run of steps of four shards, which ends behind so many epochs, by one of some processes.
fn fit_among(trainer: &mut Trainer<Net, Adam<Net>>, processes: &dyn Processes, epochs: u64) {
    let ended = trainer.fit_among(processes, &mut loader(3), &OfClasses::new(), epochs, validate).unwrap();
    assert_eq!(ended, Ended::AllEpochs);
}

/// Whatever the number of processes, and also where it changes in the middle of an epoch.
#[test]
fn processes_make_the_same_run_and_go_on_with_others() {
    let folder = Folder::new("fit-among");
    for sync_batch_norm in [false, true] {
        let trainer = || {
            let mut trainer = trainer().shards(4);
            trainer.training_mut().set_sync_batch_norm(sync_batch_norm);
            trainer
        };
        let mut alone = trainer();
        alone.fit(&mut loader(3), &OfClasses::new(), 3, validate).unwrap();
        let expected = bytes(&alone, &folder.0);
        for count in [1, 2, 4] {
            let run = folder.0.join(format!("run{count}{sync_batch_norm}"));
            let snapshots = || Snapshots::in_folder(&run).unwrap().keep_last(100);
            let made = together(count, |processes| {
                let mut trainer = trainer().snapshots(snapshots()).snapshot_every(3);
                fit_among(&mut trainer, processes, 3);
                let folder = folder.0.join(processes.rank().to_string());
                fs::create_dir_all(&folder).unwrap();
                bytes(&trainer, &folder)
            });
            assert!(made.iter().all(|made| *made == expected), "{count} processes");
            // 50 samples are 16 whole batches of 3 and a rest, and those are 4 steps.
            assert_eq!(snapshots().steps().unwrap(), [3, 4, 6, 8, 9, 12]);
            let middle = SavedSnapshot::read(run.join("step-0000000006.safetensors")).unwrap();
            let others = together(4 / count, |processes| {
                let mut trainer = trainer();
                trainer.restore(&middle).unwrap();
                fit_among(&mut trainer, processes, 3);
                let folder = folder.0.join(processes.rank().to_string());
                fs::create_dir_all(&folder).unwrap();
                bytes(&trainer, &folder)
            });
            assert!(others.iter().all(|made| *made == expected), "{count} processes, then {}", 4 / count);
        }
    }
}

/// A validation that fails, and an epoch of no step.
#[test]
fn what_fails_in_one_process_ends_the_others() {
    let errors = together(2, |processes| {
        let mut trainer = trainer().shards(2);
        let validate = |_: &Net| match processes.rank() {
            0 => Ok(Scores::default()),
            _ => Err(Error::EmptyBatch { shape: <Chw<1, 6, 6> as Shape>::SIZES }),
        };
        let ended = trainer.fit_among(processes, &mut loader(7), &OfClasses::new(), 9, validate);
        ended.unwrap_err().to_string()
    });
    assert_eq!(errors[0], format!("process 1: {}", errors[1]));
    let errors = together(2, |processes| {
        let mut trainer = trainer().shards(2);
        let validate = |_: &Net| Ok(Scores(vec![("accuracy".to_owned(), processes.rank() as f64)]));
        let ended = trainer.fit_among(processes, &mut loader(7), &OfClasses::new(), 9, validate);
        ended.unwrap_err().to_string()
    });
    assert_eq!(errors, [1, 0].map(|rank| format!("process {rank}: its validation has found other numbers")));
    let ended = together(2, |processes| {
        let rank = processes.rank();
        let mut trainer = trainer().shards(2).on_epoch(move |epoch, _| match (rank, epoch.number) {
            (1, 2) => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        let none = |_: &Net| Ok(Scores::default());
        (trainer.fit_among(processes, &mut loader(7), &OfClasses::new(), 9, none).unwrap(), trainer.epochs())
    });
    assert_eq!(ended, [(Ended::Callback, 2), (Ended::Callback, 2)]);
    let mut few = trainer().shards(9);
    let none = |_: &Net| Ok(Scores::default());
    let error = few.fit(&mut loader(7), &OfClasses::new(), 1, none).unwrap_err().to_string();
    assert!(error.contains("shards 0..9 of 9 in an epoch of 8 batches"), "{error}");
    let mut none_at_all = trainer().shards(0);
    let error = none_at_all.fit(&mut loader(7), &OfClasses::new(), 1, none).unwrap_err().to_string();
    assert!(error.contains("shards 0..0 of 0"), "{error}");
}

#[test]
fn a_run_ends_by_patience_and_by_a_callback() {
    let mut patient = trainer().early_stopping(3);
    let mut best = f64::NEG_INFINITY;
    let scores = [0.1, 0.3, 0.2, 0.3, 0.25, 0.9];
    let mut epoch = 0;
    let ended = patient
        .fit(&mut loader(25), &OfClasses::new(), 10, |_| {
            epoch += 1;
            best = f64::max(best, scores[epoch - 1]);
            Ok(Scores(vec![("accuracy".to_owned(), scores[epoch - 1])]))
        })
        .unwrap();
    assert_eq!((ended, epoch, best), (Ended::NoBetter { epochs: 3 }, 5, 0.3));

    let mut called = trainer().on_epoch(|epoch, net| {
        net.freeze_weights("conv").unwrap();
        if epoch.number == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(fit(&mut called, 10), Ended::Callback);
    assert_eq!((called.epochs(), called.network().weights().frozen_names().count()), (2, 2));
    // It goes on.
    assert_eq!(fit(&mut called, 3), Ended::AllEpochs);
    assert_eq!(called.epochs(), 3);
}

#[test]
fn mixed_batches_are_of_shares() {
    let mix = Mix::mixup(0.4).unwrap();
    let mut mixed = Loader::with(samples(), LoaderOptions::new(10).shuffled(), mix).unwrap();
    let mut trainer = trainer();
    assert_eq!(trainer.fit(&mut mixed, &OfShares, 2, |_| Ok(Scores::default())).unwrap(), Ended::AllEpochs);
    assert_eq!(trainer.history().series("loss").len(), 2);
}

#[test]
fn a_loss_that_is_no_number_ends_the_run_with_the_last_snapshot_whole() {
    let folder = Folder::new("fit-nan");
    let snapshots = Snapshots::in_folder(&folder.0).unwrap();
    let mut trainer = trainer().snapshots(snapshots.clone());
    fit(&mut trainer, 2);
    trainer.network_mut().weights_mut().tensor_mut("fc.bias").unwrap()[0] = f32::INFINITY;
    let error = trainer.fit(&mut loader(7), &OfClasses::new(), 3, |_| Ok(Scores::default())).unwrap_err();
    assert!(matches!(error, Error::NonFiniteLoss { .. }), "{error}");
    let mut again = self::trainer().snapshots(snapshots);
    assert!(again.resume().unwrap());
    assert_eq!(again.epochs(), 2);
}

/// The other process of the test below.
#[test]
fn a_run_that_is_interrupted() {
    let Some(folder) = env::var_os("FIT_FOLDER").map(PathBuf::from) else { return };
    let mut trainer = trainer().snapshots(Snapshots::in_folder(&folder).unwrap());
    let ended = fit(&mut trainer, 1_000_000);
    fs::write(folder.join("ended"), ended.to_string()).unwrap();
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_run_behind_a_step_and_says_how_to_go_on() {
    let folder = Folder::new("fit-interrupt");
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_run_that_is_interrupted"])
        .env("FIT_FOLDER", &folder.0)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let start = Instant::now();
    let has_begun = || folder.names().iter().any(|name| name.starts_with("step-"));
    while !has_begun() {
        assert!(start.elapsed() < Duration::from_secs(60), "it has not begun");
        thread::sleep(Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    let ended = fs::read_to_string(folder.0.join("ended")).unwrap();
    assert!(ended.starts_with("interrupted behind step ") && ended.ends_with("resume goes on from there"), "{ended}");
    let mut again = trainer().snapshots(Snapshots::in_folder(&folder.0).unwrap());
    assert!(again.resume().unwrap());
}

//! Saving changes a file as a whole, whoever else saves, reads or is killed meanwhile.
//!
//! The tests that race are short. `RACE_SECONDS=10 RACE_KILLS=100 cargo test --release --test saving -- --nocapture` runs them
//! for longer and prints what they counted.

#[path = "common/folder.rs"]
mod folder;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use cnn_core::io::{check_replaceable, replace_file};
use cnn_core::prelude::*;
use folder::Folder;
use proptest::prelude::*;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};

network! {
    /// A small network.
    pub Net<1, 4, 4> { conv: conv2d<3, 3>(bias = false), bn: batch_norm2d, flatten, fc: linear<2> }

    /// One whose files take several calls to write.
    pub Large<1, 64, 64> { flatten, fc: linear<64>(bias = false) }
}

impl Folder {
    fn file(&self) -> PathBuf {
        self.0.join("w.safetensors")
    }

    fn leftovers(&self) -> usize {
        self.names().iter().filter(|name| name.ends_with(".partial")).count()
    }
}

fn setting(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |value| value.parse().unwrap())
}

/// Another process that runs one test alone, which saves to a file for so many milliseconds.
fn spawn(test: &str, file: &Path, milliseconds: u128) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", test])
        .env("SAVING_FILE", file)
        .env("SAVING_MILLISECONDS", milliseconds.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// What saves the same values everywhere, so that a mixture of two files shows.
fn save_one_of_many(index: u64, path: &Path) -> Result<(), Error> {
    let mut net = Large::new(0);
    net.weights_mut().values_mut().fill(index as f32);
    net.save_safetensors(path)
}

fn is_whole(path: &Path) -> bool {
    let mut net = Large::new(0);
    net.load_safetensors(path).unwrap_or_else(|error| panic!("{error}"));
    let values = net.weights().values();
    values.iter().all(|value| *value == values[0])
}

#[test]
fn every_save_of_two_threads_and_two_processes_on_one_path_is_ok_and_every_read_whole() {
    let folder = Folder::new("saving-race");
    let file = folder.file();
    save_one_of_many(0, &file).unwrap();
    let until =
        Instant::now() + Duration::from_millis(setting("RACE_SECONDS", 0) * 1000).max(Duration::from_millis(700));
    let mut other = spawn("a_process_that_saves_on_two_threads", &file, (until - Instant::now()).as_millis());
    let saves = || save_until(until, &file);
    let reads = || {
        let mut reads = 0_u64;
        while Instant::now() < until {
            assert!(is_whole(&file));
            reads += 1;
        }
        reads
    };
    let (saves, reads) = thread::scope(|scope| {
        let (savers, reader) = ([scope.spawn(saves), scope.spawn(saves)], scope.spawn(reads));
        let saves: u64 = savers.map(|thread| thread.join().unwrap()).iter().sum();
        (saves, reader.join().unwrap())
    });
    assert!(other.wait().unwrap().success(), "every save of the other process is Ok");
    println!("{saves} saves of two threads beside those of another process, {reads} whole reads");
    assert!(saves > 0 && reads > 0 && is_whole(&file));
    assert_eq!(folder.names(), ["w.safetensors"]);
}

fn save_until(until: Instant, file: &Path) -> u64 {
    let mut saves = 0;
    while Instant::now() < until {
        save_one_of_many(saves, file).unwrap();
        saves += 1;
    }
    saves
}

/// The other process of the test above.
#[test]
fn a_process_that_saves_on_two_threads() {
    let Some(file) = env::var_os("SAVING_FILE").map(PathBuf::from) else { return };
    let until = Instant::now() + Duration::from_millis(setting("SAVING_MILLISECONDS", 0));
    let saves = || save_until(until, &file);
    thread::scope(|scope| [scope.spawn(saves), scope.spawn(saves)].map(|thread| thread.join().unwrap()));
}

#[test]
fn a_kill_leaves_the_file_whole_and_at_most_one_leftover_that_the_next_save_removes() {
    let folder = Folder::new("saving-kill");
    let file = folder.file();
    save_one_of_many(0, &file).unwrap();
    let kills = setting("RACE_KILLS", 10);
    let mut left = 0;
    for kill in 0..kills {
        save_one_of_many(1000, &file).unwrap();
        let before = fs::read(&file).unwrap();
        let mut writer = spawn("a_process_that_saves", &file, 60_000);
        while fs::read(&file).unwrap() == before {
            thread::yield_now();
        }
        // At another place of a save each time.
        thread::sleep(Duration::from_micros(kill * 7919 % 10_000));
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert!(is_whole(&file));
        assert!(folder.leftovers() <= 1, "{:?}", folder.names());
        left += folder.leftovers();
    }
    println!("{kills} kills left {left} files, one at a time");
    save_one_of_many(1, &file).unwrap();
    assert_eq!(folder.names(), ["w.safetensors"]);
}

/// The other process of the test above.
#[test]
fn a_process_that_saves() {
    let Some(file) = env::var_os("SAVING_FILE").map(PathBuf::from) else { return };
    save_until(Instant::now() + Duration::from_millis(setting("SAVING_MILLISECONDS", 0)), &file);
}

#[test]
fn the_next_save_removes_what_nobody_writes_and_nothing_else() {
    let folder = Folder::new("saving-leftover");
    let partial = |middle: &str| folder.0.join(format!(".cnn-core-{middle}.partial"));
    fs::write(partial("0123456789abcdef"), "left by a writer that was killed").unwrap();
    fs::write(partial("ours"), "another name").unwrap();
    fs::write(folder.0.join("w.safetensors.1.partial"), "not ours").unwrap();
    fs::create_dir(partial("00000000deadbeef")).unwrap();
    // One that somebody else is writing.
    let during = thread::scope(|scope| {
        let (begun, is_begun) = std::sync::mpsc::channel();
        let (end, may_end) = std::sync::mpsc::channel::<()>();
        let other = folder.0.join("other");
        let writer = scope.spawn(move || {
            replace_file(other, |file| {
                begun.send(()).unwrap();
                may_end.recv().unwrap();
                file.write_all(b"whole")
            })
        });
        is_begun.recv().unwrap();
        Net::new(0).save_safetensors(folder.file()).unwrap();
        let during = folder.leftovers();
        end.send(()).unwrap();
        writer.join().unwrap().unwrap();
        during
    });
    assert_eq!(fs::read(folder.0.join("other")).unwrap(), b"whole");
    assert_eq!(during, 4, "what is being written stays");
    assert!(!partial("0123456789abcdef").exists());
    assert_eq!(folder.leftovers(), 3, "{:?}", folder.names());
}

#[test]
fn a_failed_write_leaves_the_old_bytes_and_nothing_else() {
    let folder = Folder::new("saving-failed");
    fs::write(folder.file(), "old").unwrap();
    let error = replace_file(folder.file(), |file| {
        file.write_all(b"half")?;
        Err(std::io::Error::other("the disk is full"))
    });
    assert_eq!(error.unwrap_err().to_string(), "the disk is full");
    assert_eq!(fs::read(folder.file()).unwrap(), b"old");
    check_replaceable(folder.file()).unwrap();
    check_replaceable(folder.0.join("new")).unwrap();
    assert_eq!(folder.names(), ["w.safetensors"]);
}

#[test]
fn a_name_may_be_as_long_as_the_system_allows() {
    let folder = Folder::new("saving-long");
    let (longest, longer) = (folder.0.join("w".repeat(255)), folder.0.join("w".repeat(256)));
    for _ in 0..2 {
        Net::new(1).save_safetensors(&longest).unwrap();
    }
    Net::new(0).load_safetensors(&longest).unwrap();
    assert!(matches!(Net::new(1).save_safetensors(&longer), Err(Error::Io { .. })));
    assert_eq!(folder.names().len(), 1);
}

#[test]
fn a_path_that_is_no_file_is_an_error() {
    let folder = Folder::new("saving-no-file");
    fs::create_dir(folder.0.join("folder")).unwrap();
    for path in [folder.0.join("folder"), folder.0.join(".."), folder.0.join("none/w"), PathBuf::new(), "/".into()] {
        let error = Net::new(0).save_safetensors(&path).unwrap_err();
        assert!(matches!(error, Error::Io { .. }), "{error}");
        assert!(check_replaceable(&path).is_err(), "{}", path.display());
    }
    let text = Net::new(0).save_safetensors(folder.0.join("folder")).unwrap_err().to_string();
    assert!(text.ends_with("is a folder, not a file"), "{text}");
    assert_eq!(folder.names(), ["folder"]);
}

/// The crate that the format comes from writes the same bytes.
#[test]
fn a_file_is_byte_for_byte_that_of_the_crate_safetensors() {
    let folder = Folder::new("saving-bytes");
    let net = Net::new(3);
    net.save_safetensors(folder.file()).unwrap();
    let written = fs::read(folder.file()).unwrap();
    let tensors: Vec<_> = net
        .weights()
        .tensors()
        .map(|tensor| {
            let (dtype, bytes) = match tensor.count() {
                Some(count) => (Dtype::I64, count.to_le_bytes().to_vec()),
                None => (Dtype::F32, tensor.to_pytorch().into_iter().flat_map(f32::to_le_bytes).collect()),
            };
            (tensor.name, dtype, tensor.parameter.sizes().to_vec(), bytes)
        })
        .collect();
    let views = tensors
        .iter()
        .map(|(name, dtype, sizes, bytes)| (name, TensorView::new(*dtype, sizes.clone(), bytes).unwrap()));
    assert!(written == safetensors::serialize(views, None).unwrap());
    let header = u64::from_le_bytes(written[..8].try_into().unwrap());
    assert!(header.is_multiple_of(8), "numbers are aligned");
    assert_eq!(SafeTensors::deserialize(&written).unwrap().len(), 8);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 20, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_is_saved_is_loaded_bit_by_bit(
        bits in prop::collection::vec(any::<u32>(), Net::PARAMETERS),
        count in 0..=i64::MAX as u64,
    ) {
        let folder = Folder::new("saving-bits");
        let mut net = Net::new(0);
        for (value, bits) in net.weights_mut().values_mut().iter_mut().zip(bits) {
            let drawn = f32::from_bits(bits);
            *value = if drawn.is_nan() { f32::INFINITY } else { drawn };
        }
        net.weights_mut().counts_mut()[0] = count;
        net.save_safetensors(folder.file()).unwrap();
        let mut read = Net::new(1);
        read.load_safetensors(folder.file()).unwrap();
        let bits = |net: &Net| net.weights().values().iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&read), bits(&net));
        prop_assert_eq!(read.weights().counts(), [count]);
    }
}

#[cfg(unix)]
mod unix {
    use std::fs::Permissions;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn permissions_are_kept_and_a_new_file_has_those_of_any_new_file() {
        let folder = Folder::new("saving-mode");
        let plain = folder.0.join("plain");
        fs::write(&plain, "").unwrap();
        Net::new(0).save_safetensors(folder.file()).unwrap();
        assert_eq!(mode(&folder.file()), mode(&plain));
        for kept in [0o600, 0o640, 0o664, 0o755] {
            fs::set_permissions(folder.file(), Permissions::from_mode(kept)).unwrap();
            Net::new(0).save_safetensors(folder.file()).unwrap();
            assert_eq!(mode(&folder.file()), kept);
        }
    }

    /// Where the system allows it, which is to the superuser.
    #[test]
    fn the_owner_is_kept() {
        let folder = Folder::new("saving-owner");
        fs::write(folder.file(), "").unwrap();
        if chown(folder.file(), Some(1234), Some(5678)).is_err() {
            return;
        }
        fs::set_permissions(folder.file(), Permissions::from_mode(0o4640)).unwrap();
        Net::new(0).save_safetensors(folder.file()).unwrap();
        let metadata = fs::metadata(folder.file()).unwrap();
        assert_eq!((metadata.uid(), metadata.gid(), mode(&folder.file())), (1234, 5678, 0o4640));
    }

    #[test]
    fn nobody_reads_what_is_being_written_who_may_not_read_the_file() {
        let folder = Folder::new("saving-private");
        fs::write(folder.file(), "").unwrap();
        fs::set_permissions(folder.file(), Permissions::from_mode(0o600)).unwrap();
        replace_file(folder.file(), |file| {
            file.write_all(b"new")?;
            let partial = folder.names().into_iter().find(|name| name.ends_with(".partial")).unwrap();
            assert_eq!(mode(&folder.0.join(partial)), 0o600);
            Ok(())
        })
        .unwrap();
    }

    #[test]
    fn a_file_that_may_not_be_written_is_not_replaced() {
        let folder = Folder::new("saving-read-only");
        fs::write(folder.file(), "old").unwrap();
        fs::set_permissions(folder.file(), Permissions::from_mode(0o444)).unwrap();
        // The superuser may write it.
        let may_write = fs::OpenOptions::new().write(true).open(folder.file()).is_ok();
        assert_eq!(Net::new(0).save_safetensors(folder.file()).is_ok(), may_write);
        assert_eq!(mode(&folder.file()), 0o444);
    }

    #[test]
    fn behind_a_link_its_target_is_replaced_and_the_link_stays() {
        let folder = Folder::new("saving-link");
        let elsewhere = folder.0.join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("target"), "old").unwrap();
        symlink("elsewhere/target", folder.0.join("middle")).unwrap();
        symlink("middle", folder.file()).unwrap();
        Net::new(5).save_safetensors(folder.file()).unwrap();
        assert!(fs::symlink_metadata(folder.file()).unwrap().is_symlink());
        let mut read = Net::new(0);
        read.load_safetensors(elsewhere.join("target")).unwrap();
        assert_eq!(read.weights(), Net::new(5).weights());
        assert_eq!(folder.names(), ["elsewhere", "middle", "w.safetensors"]);
        assert_eq!(fs::read_dir(elsewhere).unwrap().count(), 1);
    }

    #[test]
    fn links_to_nothing_pipes_and_devices_are_errors() {
        let folder = Folder::new("saving-special");
        symlink("nothing", folder.file()).unwrap();
        let text = Net::new(0).save_safetensors(folder.file()).unwrap_err().to_string();
        assert!(text.ends_with("is a symbolic link to nothing"), "{text}");
        symlink("loop", folder.0.join("loop")).unwrap();
        assert!(Net::new(0).save_safetensors(folder.0.join("loop")).is_err());

        let pipe = folder.0.join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [&pipe, Path::new("/dev/null")] {
            let text = Net::new(0).save_safetensors(path).unwrap_err().to_string();
            assert!(text.ends_with("is not a regular file"), "{text}");
            assert!(check_replaceable(path).is_err());
        }
        assert_eq!(folder.names(), ["loop", "pipe", "w.safetensors"]);
    }

    /// A name that is planted where a file is to be written is neither followed nor waited for.
    #[test]
    fn what_looks_like_a_leftover_may_be_anything() {
        let folder = Folder::new("saving-planted");
        let planted = |digit: &str| folder.0.join(format!(".cnn-core-{}.partial", digit.repeat(16)));
        fs::write(folder.0.join("victim"), "untouched").unwrap();
        symlink("victim", planted("1")).unwrap();
        assert!(Command::new("mkfifo").arg(planted("2")).status().unwrap().success());
        Net::new(0).save_safetensors(folder.file()).unwrap();
        assert_eq!(fs::read(folder.0.join("victim")).unwrap(), b"untouched");
        assert_eq!(fs::metadata(folder.0.join("victim")).unwrap().nlink(), 1);
    }
}

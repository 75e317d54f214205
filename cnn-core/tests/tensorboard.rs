//! Files for TensorBoard, read again with the messages as its `.proto` files have them. `benches/peers/tensorboard_reads.py` has
//! TensorBoard itself read them.

use std::path::{Path, PathBuf};

use cnn_core::report::Picture;
use cnn_core::report::tensorboard::Writer;
use prost::Message;

#[derive(Clone, PartialEq, Message)]
struct Event {
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(string, tag = "3")]
    file_version: String,
    #[prost(message, optional, tag = "5")]
    summary: Option<Summary>,
}

#[derive(Clone, PartialEq, Message)]
struct Summary {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Value>,
}

#[derive(Clone, PartialEq, Message)]
struct Value {
    #[prost(string, tag = "1")]
    tag: String,
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
    #[prost(message, optional, tag = "4")]
    image: Option<Image>,
    #[prost(message, optional, tag = "5")]
    histo: Option<Histogram>,
    #[prost(message, optional, tag = "8")]
    tensor: Option<Tensor>,
    #[prost(message, optional, tag = "9")]
    metadata: Option<Metadata>,
}

#[derive(Clone, PartialEq, Message)]
struct Image {
    #[prost(int32, tag = "1")]
    height: i32,
    #[prost(int32, tag = "2")]
    width: i32,
    #[prost(int32, tag = "3")]
    colorspace: i32,
    #[prost(bytes = "vec", tag = "4")]
    encoded_image_string: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Histogram {
    #[prost(double, tag = "1")]
    min: f64,
    #[prost(double, tag = "2")]
    max: f64,
    #[prost(double, tag = "3")]
    num: f64,
    #[prost(double, tag = "4")]
    sum: f64,
    #[prost(double, tag = "5")]
    sum_squares: f64,
    #[prost(double, repeated, tag = "6")]
    bucket_limit: Vec<f64>,
    #[prost(double, repeated, tag = "7")]
    bucket: Vec<f64>,
}

#[derive(Clone, PartialEq, Message)]
struct Tensor {
    #[prost(int32, tag = "1")]
    dtype: i32,
    #[prost(bytes = "vec", repeated, tag = "8")]
    string_val: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct Metadata {
    #[prost(message, optional, tag = "1")]
    plugin_data: Option<PluginData>,
}

#[derive(Clone, PartialEq, Message)]
struct PluginData {
    #[prost(string, tag = "1")]
    plugin_name: String,
}

/// A folder of a test's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("cnn-core-tensorboard-{name}-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Castagnoli's checksum bit by bit, with the mask.
fn masked(bytes: &[u8]) -> u32 {
    let mut checksum = !0_u32;
    for byte in bytes {
        checksum ^= u32::from(*byte);
        for _ in 0..8 {
            checksum = if checksum & 1 == 1 { checksum >> 1 ^ 0x82F6_3B78 } else { checksum >> 1 };
        }
    }
    (!checksum).rotate_right(15).wrapping_add(0xA282_EAD8)
}

fn read(path: &Path) -> Vec<Event> {
    let bytes = std::fs::read(path).unwrap();
    let mut rest = &bytes[..];
    let mut events = Vec::new();
    let take = |rest: &mut &[u8], len: usize| -> Vec<u8> {
        let (taken, behind) = rest.split_at(len);
        *rest = behind;
        taken.to_vec()
    };
    while !rest.is_empty() {
        let len = take(&mut rest, 8);
        let of_len = take(&mut rest, 4);
        assert_eq!(of_len, masked(&len).to_le_bytes());
        let event = take(&mut rest, u64::from_le_bytes(len.try_into().unwrap()) as usize);
        let of_event = take(&mut rest, 4);
        assert_eq!(of_event, masked(&event).to_le_bytes());
        events.push(Event::decode(&event[..]).unwrap());
    }
    events
}

fn write(folder: &Path) -> PathBuf {
    let mut writer = Writer::create(folder).unwrap();
    for step in 0..3 {
        writer.scalar("loss/training", step, 1.0 / (1.0 + step as f64)).unwrap();
    }
    let picture = Picture::rgb(2, 1, &[255, 0, 0, 0, 0, 255]).unwrap();
    let values = [-1.0, 0.0, 0.5, 3.0, f32::NAN, f32::INFINITY];
    writer.image("pictures/first", 300, &picture).unwrap().histogram("weights/fc", 2, &values).unwrap();
    writer.text("options", 0, "a learning rate of **0.1**").unwrap();
    writer.path().to_owned()
}

#[test]
fn events_are_what_was_written() {
    let folder = Folder::new("events");
    let events = read(&write(&folder.0));
    assert_eq!(events[0].file_version, "brain.Event:2");
    assert!(events.iter().all(|event| event.wall_time > 1.6e9));
    let values: Vec<(i64, Value)> = events[1..]
        .iter()
        .map(|event| {
            let [value] = &event.summary.as_ref().unwrap().value[..] else { panic!("{event:?}") };
            (event.step, value.clone())
        })
        .collect();
    for (step, (found, value)) in (0_u8..).zip(&values[..3]) {
        assert_eq!((*found, value.tag.as_str()), (step.into(), "loss/training"));
        assert_eq!(value.simple_value, Some(1.0 / (1.0 + f32::from(step))));
    }
    let (step, image) = (values[3].0, values[3].1.image.as_ref().unwrap());
    assert_eq!((step, image.height, image.width, image.colorspace), (300, 1, 2, 4));
    assert!(image.encoded_image_string.starts_with(b"\x89PNG"));
    let histogram = values[4].1.histo.as_ref().unwrap();
    assert_eq!((histogram.min, histogram.max, histogram.num), (-1.0, 3.0, 4.0));
    assert_eq!((histogram.sum, histogram.sum_squares), (2.5, 10.25));
    assert_eq!((histogram.bucket.len(), histogram.bucket_limit.len()), (40, 40));
    assert_eq!(histogram.bucket.iter().sum::<f64>(), 4.0);
    assert!(histogram.bucket_limit.is_sorted());
    let text = &values[5].1;
    assert_eq!(text.tensor.as_ref().unwrap().string_val, [b"a learning rate of **0.1**"]);
    assert_eq!(text.metadata.as_ref().unwrap().plugin_data.as_ref().unwrap().plugin_name, "text");
}

#[test]
fn values_that_are_alike_or_none_are_a_histogram() {
    let folder = Folder::new("histograms");
    let mut writer = Writer::create(&folder.0).unwrap();
    writer.histogram("alike", 0, &[2.0; 5]).unwrap().histogram("none", u64::MAX, &[f32::NAN]).unwrap();
    let events = read(writer.path());
    let histogram = |event: &Event| event.summary.as_ref().unwrap().value[0].histo.clone().unwrap();
    assert_eq!(histogram(&events[1]).bucket, [5.0]);
    assert_eq!((events[2].step, histogram(&events[2]).num), (i64::MAX, 0.0));
}

#[test]
fn two_writers_of_a_folder_have_a_file_each() {
    let folder = Folder::new("two");
    let [one, other] = [(); 2].map(|()| Writer::create(&folder.0).unwrap());
    assert_ne!(one.path(), other.path());
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let folder = Folder::new("file");
    std::fs::create_dir_all(&folder.0).unwrap();
    let file = folder.0.join("file");
    std::fs::write(&file, "no folder").unwrap();
    let error = Writer::create(&file).unwrap_err();
    assert!(error.to_string().starts_with(&format!("{}: ", file.display())), "{error}");
}

/// For `tensorboard_reads.py`, which says where.
#[test]
fn a_file_for_tensorboard_itself() {
    if let Some(folder) = std::env::var_os("CNN_TENSORBOARD_FOLDER") {
        write(Path::new(&folder));
    }
}

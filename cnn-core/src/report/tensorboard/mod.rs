//! Files that TensorBoard shows: numbers, pictures, distributions and text over the steps of a run.
//! <https://www.tensorflow.org/tensorboard>

mod message;
mod record;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use message::Message;

use super::picture::Picture;
use crate::Error;

/// A file of events in a folder, which TensorBoard takes for a run: `tensorboard --logdir runs` shows all below a folder, also
/// while they are written. Each event is in the file when its call returns.
///
/// ```
/// use cnn_core::report::tensorboard::Writer;
///
/// # let folder = std::env::temp_dir().join(format!("tensorboard-{}", std::process::id()));
/// let mut writer = Writer::create(&folder)?; // "runs/first"
/// for step in 0..100 {
///     writer.scalar("loss/training", step, 1.0 / (1.0 + step as f64))?;
/// }
/// writer.text("options", 0, "a learning rate of 0.1")?.histogram("weights/fc", 99, &[-0.1, 0.0, 0.2])?;
/// # std::fs::remove_dir_all(folder).unwrap();
/// # Ok::<(), cnn_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
}

impl Writer {
    /// Makes a new file in a folder, and the folder if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn create(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref();
        let failed = |path: &Path, error| Error::Io { path: path.to_owned(), error };
        fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
        // TensorBoard wants the second word in the name, and reads files of a folder in the order of their names.
        let base = format!("events.out.tfevents.{:010}.cnn-core.{}", now() as u64, process::id());
        let (path, file) = (0_u32..)
            .map(|number| folder.join(format!("{base}.{number}")))
            .find_map(|path| match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => None,
                file => Some(file.map(|file| (path.clone(), file)).map_err(|error| failed(&path, error))),
            })
            .unwrap_or_else(|| Err(failed(folder, io::Error::from(io::ErrorKind::AlreadyExists))))?;
        let mut writer = Self { path, file };
        writer.write(&Message::new().double(1, now()).bytes(3, b"brain.Event:2"))?;
        Ok(writer)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A number at a step. Names with a `/` stand together.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn scalar(&mut self, name: &str, step: u64, value: f64) -> Result<&mut Self, Error> {
        self.value(step, Message::new().bytes(1, name.as_bytes()).float(2, value as f32))
    }

    /// A picture at a step.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn image(&mut self, name: &str, step: u64, picture: &Picture) -> Result<&mut Self, Error> {
        /// Red, green, blue and opacity.
        const COLOURS: u64 = 4;
        let image = Message::new()
            .number(1, picture.height() as u64)
            .number(2, picture.width() as u64)
            .number(3, COLOURS)
            .bytes(4, &picture.png());
        self.value(step, Message::new().bytes(1, name.as_bytes()).message(4, &image))
    }

    /// How values are distributed at a step, such as those of a tensor: in buckets of equal width. What is not finite is left
    /// out.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn histogram(&mut self, name: &str, step: u64, values: &[f32]) -> Result<&mut Self, Error> {
        let histogram = message::histogram(values);
        self.value(step, Message::new().bytes(1, name.as_bytes()).message(5, &histogram))
    }

    /// Text at a step, as Markdown.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn text(&mut self, name: &str, step: u64, text: &str) -> Result<&mut Self, Error> {
        /// `DT_STRING` of TensorFlow's types.
        const STRING: u64 = 7;
        let shape = Message::new().message(2, &Message::new().number(1, 1));
        let tensor = Message::new().number(1, STRING).message(2, &shape).bytes(8, text.as_bytes());
        let metadata = Message::new().message(1, &Message::new().bytes(1, b"text"));
        self.value(step, Message::new().bytes(1, name.as_bytes()).message(8, &tensor).message(9, &metadata))
    }

    fn value(&mut self, step: u64, value: Message) -> Result<&mut Self, Error> {
        let summary = Message::new().message(1, &value);
        // It is signed there.
        let step = step.min(i64::MAX as u64);
        self.write(&Message::new().double(1, now()).number(2, step).message(5, &summary))?;
        Ok(self)
    }

    fn write(&mut self, event: &Message) -> Result<(), Error> {
        // As one piece, so that a reader never sees a part for long.
        let record = record::record(event.as_bytes());
        self.file.write_all(&record).map_err(|error| Error::Io { path: self.path.clone(), error })
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64())
}

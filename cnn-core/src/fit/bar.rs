//! What a run shows in a terminal.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of an epoch with loss, images per second and the time that is left; nothing where the output is no terminal.
pub(super) struct Bar {
    bar: ProgressBar,
    start: Instant,
    images: usize,
    loss: f64,
}

/// How much of the loss that is shown comes from the latest batch.
const LATEST: f64 = 0.05;

impl Bar {
    pub(super) fn new(epoch: u64, epochs: u64, batches: usize, done: usize, is_shown: bool) -> Self {
        let style = ProgressStyle::with_template("{prefix} {bar:30} {pos}/{len}  {msg}  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar());
        let target = if is_shown { ProgressDrawTarget::stderr_with_hz(8) } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(batches as u64), target).with_style(style);
        bar.set_prefix(format!("epoch {}/{epochs}", epoch + 1));
        bar.set_position(done as u64);
        Self { bar, start: Instant::now(), images: 0, loss: f64::NAN }
    }

    pub(super) fn step(&mut self, images: usize, loss: f64) {
        self.images += images;
        self.loss = if self.loss.is_nan() { loss } else { self.loss + LATEST * (loss - self.loss) };
        self.bar.inc(1);
        if !self.bar.is_hidden() {
            self.bar.set_message(format!("loss {:.4}, {:.0} images/s", self.loss, self.rate()));
        }
    }

    /// Images per second so far.
    pub(super) fn rate(&self) -> f64 {
        self.images as f64 / self.time().as_secs_f64()
    }

    pub(super) fn time(&self) -> Duration {
        self.start.elapsed()
    }

    /// Puts a line in the place of the bar.
    pub(super) fn finish(self, line: &str) {
        if !self.bar.is_hidden() {
            self.bar.println(line);
        }
        self.bar.finish_and_clear();
    }
}

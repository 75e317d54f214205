//! What a pass has to do, how long it takes, and how that is printed.

use crate::machine::Machine;
use cnn_core::kernel::memory::buffer::Buffer;
use std::time::{Duration, Instant};

/// What a pass cannot do without. Values are f32.
#[derive(Clone, Copy, Default)]
pub(crate) struct Work {
    pub(crate) multiply_adds: usize,
    pub(crate) read: usize,
    pub(crate) written: usize,
}

/// The best of many runs, in seconds, because other programs only ever make a run slower.
pub(crate) fn best(mut run: impl FnMut()) -> f64 {
    run();
    let (start, mut best, mut runs) = (Instant::now(), Duration::MAX, 0);
    while runs < 5 || start.elapsed() < Duration::from_millis(300) {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
        runs += 1;
    }
    best.as_secs_f64()
}

pub(crate) fn noise(len: usize) -> Buffer {
    let mut buffer = Buffer::zeros(len);
    for (index, value) in buffer.iter_mut().enumerate() {
        *value = (index * 7919 % 1009) as f32 / 1009.0 - 0.5;
    }
    buffer
}

/// Lines of kernels that have the same passes.
pub(crate) struct Table<'a> {
    machine: &'a Machine,
    passes: &'a [&'a str],
    begun: bool,
}

impl<'a> Table<'a> {
    pub(crate) fn new(machine: &'a Machine, passes: &'a [&'a str]) -> Self {
        Self { machine, passes, begun: false }
    }

    /// What each pass has to do, and the seconds that it takes.
    pub(crate) fn line(&mut self, name: &str, batch: usize, passes: &[(Work, f64)]) {
        if !self.begun {
            let titles: String = self.passes.iter().map(|pass| format!(" |{pass:^31}")).collect();
            println!("\n{:21}{:>6}{titles}", "", "batch");
            self.begun = true;
        }
        let cells: String =
            passes.iter().map(|(work, time)| format!(" |{}", cell(self.machine, work, *time))).collect();
        println!("{name:21}{batch:6}{cells}");
    }
}

/// The share of the memory's bandwidth stands where moving takes longer than computing.
fn cell(machine: &Machine, work: &Work, seconds: f64) -> String {
    let percent = |least: f64| format!("{:.0}%", 100.0 * least / seconds);
    let (computing, moving) = (machine.computing(work), machine.moving(work));
    let [mut rate, mut of_peak, mut bytes, mut of_memory] = [const { String::new() }; 4];
    if work.multiply_adds > 0 {
        rate = format!("{:.1}", 2.0 * work.multiply_adds as f64 / seconds / 1e9);
        of_peak = percent(computing);
    }
    if moving > computing {
        bytes = format!("{:.1}", 4.0 * (work.read + work.written) as f64 / seconds / 1e9);
        of_memory = percent(moving);
    }
    format!("{:9.1}{rate:>6}{of_peak:>5}{bytes:>6}{of_memory:>5}", seconds * 1e6)
}

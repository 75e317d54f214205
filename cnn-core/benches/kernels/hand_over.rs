//! What threads cost beside what they do.

use crate::work::best;
use cnn_core::kernel::memory::chunk;
use std::hint::black_box;

/// What it costs to share a loop of eight pieces a thread, of a microsecond or so each: in a pass, whose threads wait for it,
/// and outside, by rayon. And to gather threads for a pass of no loop.
pub(crate) fn measure() {
    const LOOPS: usize = 1000;
    let threads = rayon::current_num_threads();
    let loops = || {
        for _ in 0..LOOPS {
            chunk::for_each(8 * threads, usize::MAX, |_| (0..1000).for_each(|turn| _ = black_box(turn)));
        }
    };
    let alone = best(|| chunk::in_pool(0, loops)) / threads as f64;
    let gathered = best(|| chunk::in_pool(usize::MAX, || ()));
    let loop_in_pass = (best(|| chunk::in_pool(usize::MAX, loops)) - alone) / LOOPS as f64;
    let loop_outside = (best(loops) - alone) / LOOPS as f64;
    for (what, seconds) in
        [("loop in a pass", loop_in_pass), ("loop outside", loop_outside), ("pass without loops", gathered)]
    {
        println!("hand-over: {what:20} {:6.2} microseconds", 1e6 * seconds);
    }
}

//! Work cut into pieces that threads share.
//!
//! How many pieces there are is the caller's choice by shape and batch; this file only decides who does them, which no
//! result depends on.

use super::team;
use core::ops::Range;
use std::sync::Mutex;

/// Below this many multiply-adds (or some such unit) waking a thread costs more than it saves: about 5 microseconds. Miri,
/// which looks for races, has patience for small maps only.
const WORTH_WAKING: usize = if cfg!(miri) { 0 } else { 200_000 };

/// The same for a thread that waits for it, as those of a team do.
const WORTH_SHARING: usize = if cfg!(miri) { 0 } else { 20_000 };

/// Multiply-adds of a pass for each thread that is asked to help: some 150 microseconds. A pass of less is done where it is
/// called: from `main`, LeNet-5 on one sample takes 24 microseconds so, and 60 where a pool is asked; on eight, both take 150.
const WORTH_A_HELPER: usize = if cfg!(miri) { 1 } else { 6_000_000 };

/// Calls `piece` with `0..pieces`, on all threads if the `work` of all together is worth it.
pub fn for_each(pieces: usize, work: usize, piece: impl Fn(usize) + Sync) {
    share(pieces, work, &piece);
}

/// Calls `sample` with each piece of `len` values and its number, on all threads if there are enough values to draw random
/// numbers for. The last may be shorter, where samples are parts of wider ones.
pub fn for_each_sample(len: usize, values: &mut [f32], sample: impl Fn(usize, &mut [f32]) + Sync) {
    /// A random number takes about so many multiply-adds.
    const DRAW: usize = 64;
    let whole = values.len();
    let values = Target::new(values);
    share(whole.div_ceil(len), DRAW * whole, &|index| {
        // SAFETY: samples are disjoint and end with the slice, which is exclusively ours.
        sample(index, unsafe { values.slice(index * len, len.min(whole - index * len)) });
    });
}

/// Values that a piece of work touches, at least.
pub(crate) const PIECE: usize = 1 << 14;

/// Calls `body` with pieces of `items` (samples, or rows of all samples): the first one, and the part of `target` that
/// holds them. Each item has `len` values there, the last maybe fewer, and costs about `work` values to read.
pub(crate) fn for_each_part(
    items: usize,
    len: usize,
    work: usize,
    target: &mut [f32],
    body: impl Fn(usize, &mut [f32]) + Sync,
) {
    let whole = target.len();
    assert!(whole <= items * len);
    let piece = PIECE.div_ceil(work.max(1)).max(1);
    let target = Target::new(target);
    for_each(items.div_ceil(piece), 2 * items * work, |index| {
        let first = index * piece;
        let count = (piece * len).min(whole - first * len);
        // SAFETY: pieces are disjoint and end with the last item.
        body(first, unsafe { target.slice(first * len, count) });
    });
}

/// Calls `body` with `shares` even shares of `items`: which ones, and the part of `target` that holds them, of the same length
/// for each item. All together are so much `work`.
pub(crate) fn for_each_share(
    items: usize,
    shares: usize,
    work: usize,
    target: &mut [f32],
    body: impl Fn(Range<usize>, &mut [f32]) + Sync,
) {
    let len = target.len() / items;
    let target = Target::new(target);
    for_each(shares, work, |share| {
        let items = share * items / shares..(share + 1) * items / shares;
        // SAFETY: shares are disjoint and end with the last item.
        let part = unsafe { target.slice(items.start * len, items.len() * len) };
        body(items, part);
    });
}

/// One function for all loops, and not one for each: rayon's part would be compiled a hundred times.
fn share(pieces: usize, work: usize, piece: &(dyn Fn(usize) + Sync)) {
    if pieces > 1 && work >= WORTH_SHARING && !team::is_alone() {
        if team::share(pieces, piece) {
            return;
        }
        if work >= WORTH_WAKING && rayon::current_num_threads() > 1 {
            return halve(0..pieces, piece);
        }
    }
    (0..pieces).for_each(piece);
}

/// Each half may be another thread's, down to single pieces.
fn halve(pieces: Range<usize>, piece: &(dyn Fn(usize) + Sync)) {
    if pieces.len() > 1 {
        let middle = pieces.start + pieces.len() / 2;
        rayon::join(|| halve(pieces.start..middle, piece), || halve(middle..pieces.end, piece));
    } else {
        pieces.for_each(piece);
    }
}

/// Does both, on two threads if there are; one function of rayon's for all, as in [`for_each`].
pub(crate) fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    type Half<'a> = &'a mut (dyn FnMut() + Send + 'a);
    fn both<'a>(a: Half<'a>, b: Half<'a>) {
        if team::is_alone() {
            a();
            b();
        } else if team::is_leading() {
            // Nobody waits for a lock: each half is one piece.
            let halves = [a, b].map(Mutex::new);
            share(2, usize::MAX, &|piece| halves[piece].lock().expect("no other piece has it")());
        } else {
            rayon::join(a, b);
        }
    }
    let (mut a, mut b) = (Some(a), Some(b));
    let (mut left, mut right) = (None, None);
    both(&mut || left = a.take().map(|a| a()), &mut || right = b.take().map(|b| b()));
    (left.expect("`both` calls both"), right.expect("`both` calls both"))
}

/// Does a pass, whose `cost` in multiply-adds (or some such unit) says how many threads of rayon's pool are worth asking to
/// help with its loops. Where none is, it is done on this thread, whatever that is. Else it is done on a thread of the pool:
/// entering the pool costs a hand-over between threads and, at every 63rd time, an allocation, because rayon's queue into the
/// pool is a list of blocks, and there is no other way in (`broadcast` and `spawn` allocate each time). A caller who is in the
/// pool does not enter it.
pub fn in_pool<R: Send>(cost: usize, work: impl FnOnce() -> R + Send) -> R {
    // A network within a layer of another's: its loops are the team's that there is.
    if team::is_leading() {
        return work();
    }
    let helpers = match cost / WORTH_A_HELPER {
        0 => 0,
        worth => worth.min(rayon::current_num_threads() - 1),
    };
    if helpers == 0 { team::alone(work) } else { team::lead(helpers, work) }
}

/// Does a pass on this thread, in a piece of a loop too: others do other samples meanwhile.
pub(crate) fn alone<R>(work: impl FnOnce() -> R) -> R {
    team::alone(work)
}

/// How many threads the loops called on this thread may run on: as many as the numbers that they may have.
pub(crate) fn threads() -> usize {
    // Not to ask rayon, which would start its global pool, where nothing needs one.
    if team::passes_alone() { 1 } else { rayon::current_num_threads() }
}

/// This thread's number among those.
pub(crate) fn thread() -> usize {
    if team::passes_alone() { 0 } else { rayon::current_thread_index().unwrap_or(0) }
}

/// A pointer that tasks write disjoint parts of a slice through.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    start: *mut f32,
    len: usize,
}

// SAFETY: it is only a place; who writes through it says why nobody else touches that part.
unsafe impl Send for Target {}
// SAFETY: as above.
unsafe impl Sync for Target {}

impl Target {
    pub(crate) fn new(values: &mut [f32]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len() }
    }

    /// A pointer to the value `start`, behind which `len` values lie in the slice.
    pub(crate) fn pointer(self, start: usize, len: usize) -> *mut f32 {
        assert!(start <= self.len && len <= self.len - start);
        self.start.wrapping_add(start)
    }

    /// The values `start..start + len`.
    ///
    /// # Safety
    /// The borrow of the slice that the target was made of lasts, and nothing else uses these values meanwhile.
    pub(crate) unsafe fn slice<'a>(self, start: usize, len: usize) -> &'a mut [f32] {
        // SAFETY: `pointer` checks that they lie in the slice; the rest is the caller's promise.
        unsafe { core::slice::from_raw_parts_mut(self.pointer(start, len), len) }
    }
}

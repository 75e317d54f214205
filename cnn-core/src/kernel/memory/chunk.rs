//! Work cut into pieces that threads share.
//!
//! How many pieces there are is the caller's choice by shape and batch; this file only decides who does them, which no
//! result depends on.

use core::cell::Cell;

use rayon::prelude::*;

/// Below this many multiply-adds (or some such unit) waking a thread costs more than it saves: about 5 microseconds. Miri,
/// which looks for races, has patience for small maps only.
const WORTH_SHARING: usize = if cfg!(miri) { 0 } else { 200_000 };

/// Calls `piece` with `0..pieces`, on all threads if the `work` of all together is worth it.
pub(crate) fn for_each(pieces: usize, work: usize, piece: impl Fn(usize) + Sync) {
    share(pieces, work >= WORTH_SHARING, &piece);
}

/// Calls `sample` with each piece of `len` values and its number, on all threads if there are enough values. The last may
/// be shorter, where samples are parts of wider ones.
pub(crate) fn for_each_sample(len: usize, values: &mut [f32], sample: impl Fn(usize, &mut [f32]) + Sync) {
    let whole = values.len();
    let values = Target::new(values);
    share(whole.div_ceil(len), whole >= WORTH_SHARING, &|index| {
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

/// One function for all loops, and not one for each: rayon's part would be compiled a hundred times.
fn share(pieces: usize, worth: bool, piece: &(dyn Fn(usize) + Sync)) {
    if pieces <= 1 || !worth || ALONE.get() || rayon::current_num_threads() == 1 {
        (0..pieces).for_each(piece);
    } else {
        (0..pieces).into_par_iter().with_max_len(1).for_each(piece);
    }
}

/// Does both, on two threads if there are; one function of rayon's for all, as in [`for_each`].
pub(crate) fn join<A: Send, B: Send>(a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B + Send) -> (A, B) {
    fn both(a: &mut (dyn FnMut() + Send), b: &mut (dyn FnMut() + Send)) {
        rayon::join(a, b);
    }
    let (mut a, mut b) = (Some(a), Some(b));
    let (mut left, mut right) = (None, None);
    both(&mut || left = a.take().map(|a| a()), &mut || right = b.take().map(|b| b()));
    (left.expect("`both` calls both"), right.expect("`both` calls both"))
}

/// Does the work on a thread of rayon's pool. Entering the pool costs a hand-over between threads and, at every 63rd time, an
/// allocation: rayon's queue into the pool is a list of blocks, and there is no other way in (`broadcast` and `spawn` allocate
/// each time). A pass enters once, and its loops are there already; a caller who is in the pool does not enter at all.
pub(crate) fn in_pool<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    if rayon::current_thread_index().is_some() { work() } else { rayon::scope(|_| work()) }
}

/// Work of a whole pass (as in [`for_each`]) below which it is done sooner on the thread that asks than by a pool: a
/// hand-over and back costs about 20 microseconds.
const WORTH_ENTERING: usize = 1 << 20;

thread_local! {
    /// Whether loops on this thread share nothing.
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Does a pass that is so much work: alone on this thread if that is little, wherever it is, so that no other is woken.
pub(crate) fn pass<R: Send>(work: usize, body: impl FnOnce() -> R + Send) -> R {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }
    if work >= WORTH_ENTERING {
        return in_pool(body);
    }
    let _restore = Restore(ALONE.replace(true));
    body()
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

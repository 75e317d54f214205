//! Threads that stay together for a whole pass.
//!
//! A pass is some hundred short loops. Were each handed to a pool of threads anew, as `rayon` does it, waking them and stealing
//! from one another would cost five to ten microseconds a loop. So a pass asks the idle threads of its pool once: they stay
//! with it as helpers and watch for its loops, at a quarter of a microsecond a loop. Whoever sees nothing to do for a while
//! leaves, and the loops that follow are rayon's as without a team: a helper neither burns a processor that others could use,
//! nor keeps the pool from a loop of the user's within the pass.
//!
//! Who leads and who helps:
//!
//! - The leader is the thread that runs the pass. It alone publishes, a loop at a time, takes pieces as everyone does, and
//!   waits for those that helpers have taken.
//! - A helper is a job in the leader's queue of rayon's, put there by nested `join`s, which neither allocate nor lock. Nobody
//!   has to come: a helper that no thread has stolen when the pass is over returns at once, on the leader's own thread.
//! - A loop within a piece runs on the thread that has the piece.
//!
//! Nothing can wait in a circle. In a loop the leader waits for pieces alone, which are the library's and wait for nothing.
//! Between loops it may wait, in a loop of the user's within the pass, for a thread that helps it; but a helper leaves when
//! the pass is over, and when no loop has come for a while.

use core::any::Any;
use core::cell::{Cell, UnsafeCell};
use core::hint::spin_loop;
use core::panic::AssertUnwindSafe;
use core::ptr;
use core::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::panic::{catch_unwind, resume_unwind};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// A loop's body, called with the number of a piece.
type Body<'a> = dyn Fn(usize) + Sync + 'a;

/// Turns in which who waits keeps its processor to itself: about 40 microseconds.
const SPINS: usize = if cfg!(miri) { 5 } else { 1000 };

/// Turns after these in which a helper offers its processor to others, before it leaves if no loop is going on: about 100
/// microseconds more where nobody wants it.
const YIELDS: usize = if cfg!(miri) { 200 } else { 300 };

/// What a thread is in, as far as loops are concerned.
#[derive(Clone, Copy)]
enum Place {
    /// No pass.
    Outside,
    /// A pass that is all its own.
    Alone,
    /// A piece of a loop.
    Piece,
    /// A pass whose team it leads.
    Leading(*const Team),
}

thread_local! {
    static PLACE: Cell<Place> = const { Cell::new(Place::Outside) };
}

/// Puts a thread somewhere, and back when it is dropped.
struct Visit(Place);

impl Visit {
    fn of(place: Place) -> Self {
        Self(PLACE.replace(place))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        PLACE.set(self.0);
    }
}

/// Whether a loop of this thread stays on it.
pub(super) fn is_alone() -> bool {
    matches!(PLACE.get(), Place::Alone | Place::Piece)
}

/// Whether the whole pass stays on this thread.
pub(super) fn passes_alone() -> bool {
    matches!(PLACE.get(), Place::Alone)
}

/// Does the work with all its loops on this thread.
pub(super) fn alone<R>(work: impl FnOnce() -> R) -> R {
    let _visit = Visit::of(Place::Alone);
    work()
}

/// Whether this thread leads a team.
pub(super) fn is_leading() -> bool {
    matches!(PLACE.get(), Place::Leading(_))
}

/// Does the work on a thread of rayon's pool, which is this one if it is one, with up to so many helpers, at least one.
pub(super) fn lead<R: Send>(helpers: usize, work: impl FnOnce() -> R + Send) -> R {
    let team = Team::default();
    let (mut work, mut result) = (Some(work), None);
    team.gather(helpers, &mut || {
        let _dismiss = Dismiss(&team);
        let _visit = Visit::of(Place::Leading(&team));
        result = work.take().map(|work| work());
    });
    result.expect("`gather` calls it")
}

/// Shares a loop with the team that this thread leads; false, and nothing done, if there is none or it fell apart.
pub(super) fn share(pieces: usize, body: &Body<'_>) -> bool {
    let Place::Leading(team) = PLACE.get() else { return false };
    // SAFETY: `lead` has the team on its stack below this frame, and no place of it outlives its `Visit`.
    let team = unsafe { &*team };
    match u32::try_from(pieces) {
        Ok(pieces) if !team.left.load(Ordering::Relaxed) => {
            team.run(pieces, body);
            true
        }
        _ => false,
    }
}

/// What the leader and its helpers share.
#[derive(Default)]
struct Team {
    watched: Line<Watched>,
    /// Pieces of the current loop that helpers have done.
    helped: Line<AtomicUsize>,
    /// Whether a helper has left, or could not help.
    left: AtomicBool,
    job: UnsafeCell<Job>,
    /// What the first panic in a piece of the current loop carried.
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

/// What is changed often lies on a cache line of its own, or on two, as processors fetch them in pairs.
#[derive(Default)]
#[repr(align(128))]
struct Line<T>(T);

/// What a helper looks at while it has nothing to do.
#[derive(Default)]
struct Watched {
    untaken: Untaken,
    /// Whether a loop is going on.
    looping: AtomicBool,
    /// Whether the pass is over.
    over: AtomicBool,
}

// SAFETY: the job is all that is not `Sync` by itself. The leader writes it while no piece is untaken and none is being done,
// helpers read it between taking a piece and saying that it is done: see `run` and `help`.
unsafe impl Sync for Team {}

/// A loop: the place of a `&Body`.
struct Job(*const ());

impl Default for Job {
    fn default() -> Self {
        Self(ptr::null())
    }
}

impl Team {
    /// Leads with so many helpers asked.
    fn gather(&self, helpers: usize, lead: &mut (dyn FnMut() + Send)) {
        match helpers.checked_sub(1) {
            None => lead(),
            Some(others) => {
                rayon::join(|| self.gather(others, lead), || self.help());
            }
        }
    }

    /// The leader's part of a loop.
    fn run(&self, pieces: u32, body: &Body<'_>) {
        let Line(Watched { untaken, looping, .. }) = &self.watched;
        let body = &body;
        // SAFETY: no helper reads it: the last loop has no untaken piece, and each that a helper took was waited for below.
        unsafe { *self.job.get() = Job(ptr::from_ref(body).cast()) };
        self.helped.0.store(0, Ordering::Relaxed);
        looping.store(true, Ordering::Relaxed);
        // What is written above happens before any piece is taken.
        untaken.publish(pieces);
        let mut own = 0;
        {
            let _visit = Visit::of(Place::Piece);
            while let Some(piece) = untaken.take_first() {
                self.do_piece(body, piece);
                own += 1;
            }
        }
        // What helpers did, their last look at the job included, happens before this has counted it.
        let mut turns = 0;
        while self.helped.0.load(Ordering::Acquire) < pieces as usize - own {
            pause(turns);
            turns += 1;
        }
        looping.store(false, Ordering::Relaxed);
        let panic = self.panic.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(panic) = panic {
            resume_unwind(panic);
        }
    }

    /// A helper's part of the pass.
    fn help(&self) {
        let Line(Watched { untaken, looping, over }) = &self.watched;
        // Who is in a pass already may be the one that this team waits for. It would leave in time, but why wait?
        if matches!(PLACE.get(), Place::Outside) {
            let _visit = Visit::of(Place::Piece);
            let mut turns = 0;
            while !over.load(Ordering::Relaxed) && (turns < SPINS + YIELDS || looping.load(Ordering::Relaxed)) {
                let Some(piece) = untaken.take_last() else {
                    pause(turns);
                    turns += 1;
                    continue;
                };
                // SAFETY: the job is this piece's: it was written before the piece could be taken, and is written again only
                // after the piece is counted below. Until then the leader is in `run`, so that `body` lives.
                let body = unsafe { *(*self.job.get()).0.cast::<&Body<'_>>() };
                self.do_piece(body, piece);
                self.helped.0.fetch_add(1, Ordering::Release);
                turns = 0;
            }
        }
        self.left.store(true, Ordering::Relaxed);
    }

    /// A panic is kept for the leader, and the other pieces are done as if there were none.
    fn do_piece(&self, body: &Body<'_>, piece: u32) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| body(piece as usize))) {
            let mut first = self.panic.lock().unwrap_or_else(PoisonError::into_inner);
            if first.is_none() {
                *first = Some(panic);
            } else {
                // What it carries might panic again in its destructor.
                core::mem::forget(panic);
            }
        }
    }
}

/// Sends the helpers away when the pass ends, by a panic too.
struct Dismiss<'a>(&'a Team);

impl Drop for Dismiss<'_> {
    fn drop(&mut self) {
        self.0.watched.0.over.store(true, Ordering::Relaxed);
    }
}

fn pause(turns: usize) {
    if turns < SPINS { spin_loop() } else { thread::yield_now() }
}

/// The pieces that nobody has taken yet, `first..end`, in one number. The leader takes the first and helpers the last, so that
/// on two threads each finds in its own cache what it wrote in the loop before.
///
/// Whoever takes a piece synchronizes with the loop's publication, as changes by others in between continue it (a release
/// sequence). Somebody may read one loop's number and change the next loop's, if they are the same: it then takes a piece of
/// that one, as well as any other.
#[derive(Default)]
struct Untaken(AtomicU64);

impl Untaken {
    fn publish(&self, pieces: u32) {
        self.0.store(u64::from(pieces) << 32, Ordering::Release);
    }

    fn take_first(&self) -> Option<u32> {
        self.take(|first, _| first, |first, end| (first + 1, end))
    }

    fn take_last(&self) -> Option<u32> {
        self.take(|_, end| end - 1, |first, end| (first, end - 1))
    }

    fn take(&self, taken: impl Fn(u32, u32) -> u32, rest: impl Fn(u32, u32) -> (u32, u32)) -> Option<u32> {
        let mut now = self.0.load(Ordering::Relaxed);
        loop {
            let (first, end) = (now as u32, (now >> 32) as u32);
            if first == end {
                return None;
            }
            let (new_first, new_end) = rest(first, end);
            let new = u64::from(new_end) << 32 | u64::from(new_first);
            match self.0.compare_exchange_weak(now, new, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(taken(first, end)),
                Err(found) => now = found,
            }
        }
    }
}

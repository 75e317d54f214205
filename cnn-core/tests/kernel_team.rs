//! Threads that stay together for a pass: every piece is done once, whoever leads, helps, panics or waits. Miri looks for
//! races in all of it (`fuzz/miri`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use cnn_core::kernel::memory::chunk::{for_each, for_each_sample, in_pool};
use rayon_whole::prelude::*;

/// More than a pass needs to be shared by all threads, and a loop by all of them.
const LARGE: usize = 1 << 40;

const LOOPS: usize = if cfg!(miri) { 4 } else { 500 };

fn pool(threads: usize) -> rayon::ThreadPool {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads")
}

/// Each value counts how often its piece was done, without atomics: a race would be one of Miri's and of the sum's.
fn many_loops(values: &mut [f32]) {
    let pieces = values.len();
    for done in 1..=LOOPS {
        // Pieces of unlike cost, and few or many.
        let len = 1 + done % 3;
        for_each_sample(len, values, |piece, values| {
            for _ in 0..piece % 7 * 10 {
                std::hint::spin_loop();
            }
            values.iter_mut().for_each(|value| *value += 1.0);
        });
        assert_eq!(values.iter().sum::<f32>(), (pieces * done) as f32);
    }
}

#[test]
fn every_piece_is_done_once() {
    for threads in [1, 2, 3, 8] {
        let pool = pool(threads);
        for pieces in [2, 5, 64] {
            pool.install(|| in_pool(LARGE, || many_loops(&mut vec![0.0; pieces])));
        }
    }
    // From outside, into the global pool.
    in_pool(LARGE, || many_loops(&mut [0.0; 16]));
}

#[test]
fn passes_of_several_leaders_share_a_pool() {
    for threads in [1, 2, 3, 8] {
        let pool = pool(threads);
        pool.scope(|scope| {
            for leader in 0..4 {
                scope.spawn(move |_| in_pool(LARGE, || many_loops(&mut vec![0.0; 8 + leader])));
            }
        });
        // Of threads that are none of the pool's.
        thread::scope(|scope| {
            for leader in 0..4 {
                let pool = &pool;
                scope.spawn(move || pool.install(|| in_pool(LARGE, || many_loops(&mut vec![0.0; 8 + leader]))));
            }
        });
    }
}

#[test]
fn all_threads_of_a_pool_help() {
    let threads = 3;
    pool(threads).install(|| {
        in_pool(LARGE, || {
            // Not all come to every loop, but each to some.
            let came = AtomicUsize::new(0);
            while came.load(Relaxed) != (1 << threads) - 1 {
                for_each(2 * threads, LARGE, |_| {
                    let thread = rayon::current_thread_index().expect("a thread of the pool");
                    came.fetch_or(1 << thread, Relaxed);
                    thread::yield_now();
                });
            }
        });
    });
}

/// The message of the panic that this ends with.
fn panic_of(body: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(body)).expect_err("a panic");
    panic.downcast_ref::<&str>().expect("a message").to_string()
}

#[test]
fn a_panic_in_a_piece_is_the_caller_s_and_the_team_goes_on() {
    for threads in [1, 2, 3, 8] {
        let (pool, rounds) = (pool(threads), LOOPS.min(50));
        pool.install(|| {
            in_pool(LARGE, || {
                for round in 0..rounds {
                    let done = AtomicUsize::new(0);
                    let bad = round % 16;
                    let message = panic_of(|| {
                        for_each(16, LARGE, |piece| {
                            // Without the text that a panic prints.
                            if piece == bad || piece == 3 {
                                std::panic::resume_unwind(Box::new("a bad piece"));
                            }
                            done.fetch_add(1, Relaxed);
                        });
                    });
                    assert_eq!(message, "a bad piece");
                    assert!(done.into_inner() < 16);
                    many_loops(&mut [0.0; 4]);
                }
            });
        });
        // One that ends the pass.
        let message = pool.install(|| {
            panic_of(|| {
                in_pool(LARGE, || {
                    many_loops(&mut [0.0; 4]);
                    std::panic::resume_unwind(Box::new("a bad pass"));
                });
            })
        });
        assert_eq!(message, "a bad pass");
        pool.install(|| in_pool(LARGE, || many_loops(&mut [0.0; 8])));
    }
}

#[test]
fn passes_and_loops_nest() {
    for threads in [1, 2, 3] {
        pool(threads).install(|| {
            in_pool(LARGE, || {
                // Within a pass: of its team.
                in_pool(LARGE, || many_loops(&mut [0.0; 8]));
                in_pool(0, || many_loops(&mut [0.0; 8]));
                // Within a piece.
                let count = AtomicUsize::new(0);
                for_each(4, LARGE, |_| for_each(5, LARGE, |_| _ = count.fetch_add(1, Relaxed)));
                assert_eq!(count.into_inner(), 20);
                // Within loops of the user's, in this pool and in another, whose threads may wait for one another.
                (0..6_usize).into_par_iter().for_each(|_| in_pool(LARGE, || many_loops(&mut [0.0; 8])));
                pool(2).install(|| in_pool(LARGE, || many_loops(&mut [0.0; 8])));
                many_loops(&mut [0.0; 8]);
            });
        });
    }
}

#[test]
fn helpers_leave_a_pass_that_has_no_loops() {
    pool(2).install(|| {
        in_pool(LARGE, || {
            many_loops(&mut [0.0; 8]);
            // Ends when another thread than this one does the second half.
            let done = AtomicBool::new(false);
            let wait = || {
                while !done.load(Relaxed) {
                    thread::yield_now();
                }
            };
            rayon::join(wait, || done.store(true, Relaxed));
            // And without helpers it goes on.
            many_loops(&mut [0.0; 8]);
        });
    });
}

#[test]
fn a_small_pass_stays_on_its_thread() {
    let own = thread::current().id();
    in_pool(0, || {
        assert_eq!(thread::current().id(), own);
        for_each(16, LARGE, |_| {
            thread::sleep(Duration::from_micros(10));
            assert_eq!(thread::current().id(), own);
        });
    });
    assert_eq!(rayon::current_thread_index(), None);
}

//! After the first training step, after the first batch of inference, and after a predictor is made, nothing is allocated on a
//! thread of a pool, and next to nothing on others.

#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use cnn_core::prelude::*;

/// The system's allocator, counting the calls that take memory, on the threads that the test has told of.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Whether it is the test's thread or one of its pools', where all work is done or handed on from: whoever starts another
    /// thread allocates for it. Not the test harness's, which makes a message of a test that has taken 60 seconds.
    static COUNTED: Cell<bool> = const { Cell::new(false) };
}

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if COUNTED.get() {
            ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

network! {
    /// LeNet-5 with dropout.
    pub LeNet5<1, 28, 28> {
        conv1: conv2d<6, 5>(padding = 2), relu, max_pool2d<2>,
        conv2: conv2d<16, 5>, relu, max_pool2d<2>,
        flatten, dropout(p = 0.1), fc1: linear<120>, relu, fc2: linear<84>, relu, fc3: linear<10>,
    }
}

network! {
    /// Layers that keep something of a batch, and filters for each channel.
    pub Normal<1, 28, 28> {
        conv2d<8, 5>(stride = 2, padding = 2, bias = false), batch_norm2d, relu,
        conv2d<channels, 3>(padding = same, groups = channels, bias = false), batch_norm2d, relu,
        max_pool2d<3>(stride = 2, ceil_mode = true), batch_norm2d(track_running_stats = false),
        prelu(num_parameters = channels), local_response_norm<3>, dropout2d(p = 0.1), hardswish, adaptive_max_pool2d<3>,
        conv_transpose2d<4, 3>(stride = 2), gelu, zero_pad2d<1>, upsample(scale_factor = 2, mode = bilinear), prelu,
        linear<6>(over = channels), layer_scale, drop_path(p = 0.1), group_norm<2>, instance_norm2d, layer_norm, relu, rms_norm(over = channels), adaptive_avg_pool2d<1>, flatten,
        batch_norm1d, linear<10>,
    }
}

network! {
    /// At two sizes.
    pub Sizes<1, S, S> for [12, 20] {
        conv2d<8, 3>(bias = false), batch_norm2d, relu, conv2d<8, 3>, prelu, adaptive_avg_pool2d<1>, flatten, linear<10>,
    }

    /// Two outputs.
    pub Two<1, 28, 28> {
        avg_pool2d<4>, flatten,
        outputs { scores: linear<10>, place: linear<4> },
    }

    /// A loss that is declared.
    pub Apart<place: <4>, target: <4>> { map(|x, target| pow(x - target, 2)), mean }
}

/// One test, as the count is of all its threads.
#[test]
fn ends_with_the_first_step_in_a_pool() -> Result<(), Error> {
    // On a thread of the pool, as `main` may put its whole loop.
    rayon::scope(|_| check_all(false))?;
    // As a thread of the pool: it stays one for good, so it is not the test's.
    std::thread::scope(|scope| {
        let joins = || {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(2).use_current_thread().build();
            let pool = pool.expect("this thread is in no pool");
            assert_eq!((pool.current_num_threads(), pool.current_thread_index()), (2, Some(0)));
            check_all(false)
        };
        scope.spawn(joins).join().expect("no panic")
    })?;
    check_all(true)
}

const STEPS: usize = 100;
/// Of layers whose loops are compiled here, without optimization, a step takes a fifth of a second.
const SLOW_STEPS: usize = 12;

/// Training that goes from size to size, with the same weights and the same momentum.
fn check_sizes(most: usize) -> Result<(), Error> {
    let (mut net, mut sgd) = (Sizes::<12>::new(0), Sgd::new(SgdOptions::new(0.01).momentum(0.9))?);
    let (mut of_small, mut of_large) = (Training::<Sizes<12>>::new(0), Training::<Sizes<20>>::new(0));
    let (small, large, labels) = (Batch::zeros(8), Batch::zeros(8), Labels::new(&[3_u8; 8])?);
    let mut inference = Inference::new();
    let mut scores = Batch::zeros(0);
    let mut step = |mut net: Sizes<12>, mut sgd: Sgd<Sizes<12>>| -> Result<_, Error> {
        of_small.backward(Mode::Training, &mut net, &small, &CrossEntropy::new(&labels))?;
        sgd.step(&mut net, of_small.gradients());
        let (mut net, mut sgd): (Sizes<20>, Sgd<Sizes<20>>) = (net.resize(), sgd.resized());
        of_large.backward(Mode::Training, &mut net, &large, &CrossEntropy::new(&labels))?;
        sgd.step(&mut net, of_large.gradients());
        inference.run(&net.at::<12>(), &small, &mut scores);
        Ok((net.resize(), sgd.resized()))
    };
    (net, sgd) = step(net, sgd)?;
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..SLOW_STEPS {
        (net, sgd) = step(net, sgd)?;
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    assert!(allocations <= most, "{allocations} allocations in {SLOW_STEPS} steps at two sizes");
    Ok(())
}

/// Allocations in so many steps: from outside, rayon's queue into the pool has blocks of 63 calls, and there are four in a step
/// here.
fn most(from_outside: bool, steps: usize) -> usize {
    if from_outside { 4 * steps / 63 + 1 } else { 0 }
}

fn check_all(from_outside: bool) -> Result<(), Error> {
    // A thread of a pool takes a little memory once, when it first looks for another's work, which may be late.
    rayon::broadcast(|_| COUNTED.set(true));
    COUNTED.set(true);
    // That something is counted at all: a box for each thread, and for this one, which may be one of them.
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    rayon::broadcast(|_| drop(std::hint::black_box(Box::new(0_u8))));
    drop(std::hint::black_box(Box::new(0_u8)));
    assert!(ALLOCATIONS.load(Ordering::Relaxed) - before > rayon::current_num_threads());
    check(LeNet5::new(0), STEPS, from_outside)?;
    check(Normal::new(0), SLOW_STEPS, from_outside)?;
    check_outputs(most(from_outside, STEPS))?;
    check_sizes(most(from_outside, SLOW_STEPS))
}

/// A loss for each of several outputs, of which one is a network.
fn check_outputs(most: usize) -> Result<(), Error> {
    let (mut net, mut training) = (Two::new(0), Training::new(0));
    let (images, place) = (Batch::zeros(32), Batch::zeros(32));
    let labels = Labels::new(&[3_u8; 32])?;
    let mut step = || {
        let loss = TwoLosses { scores: CrossEntropy::new(&labels), place: Apart::loss(&place) };
        training.backward(Mode::Training, &mut net, &images, &loss)
    };
    step()?;
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..STEPS {
        step()?;
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    assert!(allocations <= most, "{allocations} allocations in {STEPS} steps with two losses");
    Ok(())
}

fn check<N: Network<Input = Chw<1, 28, 28>, Output = Flat<10>>>(
    mut net: N,
    steps: usize,
    from_outside: bool,
) -> Result<(), Error> {
    let most = most(from_outside, steps);
    let mut training = Training::new(0);
    let mut sgd = Sgd::new(SgdOptions::new(0.01).momentum(0.9))?;
    let mut adam = Adam::new(AdamOptions::adamw(0.001))?;
    let mut images = Batch::from_nchw(&vec![0.5; 32 * 784])?;
    let mut labels = Labels::new(&[3_u8; 32])?;
    let mut inference = Inference::new();
    let mut scores = Batch::zeros(0);
    let (image, mut predictor) = (Tensor::zeros(), net.freeze());
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    predictor.predict(&image);
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    assert!(allocations <= most, "{allocations} allocations in the first prediction");

    let mut step = |samples: usize| -> Result<(), Error> {
        images.resize(samples);
        images.values_mut().fill(0.25);
        labels.set((0..samples).map(|sample| sample % 10))?;
        training.backward(Mode::Training, &mut net, &images, &CrossEntropy::new(&labels))?;
        training.gradients_mut().clip_norm(1.0)?;
        sgd.step(&mut net, training.gradients());
        adam.step(&mut net, training.gradients());
        inference.run(&net, &images, &mut scores);
        predictor.predict_batch(&images, &mut scores);
        predictor.predict(&image);
        Ok(())
    };
    step(32)?;
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for _ in 0..steps / 2 {
        step(32)?;
        step(7)?;
    }
    let allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
    assert!(allocations <= most, "{allocations} allocations in {steps} steps");
    Ok(())
}

//! The instruction set, chosen once: every kernel is one algorithm over `Simd`, only the vector type differs.
//!
//! The best set that the processor has is used. The environment variable `CNN_ISA` (`avx512`, `avx2`, `neon` or
//! `portable`) forces one; a value that this machine cannot obey is an error of [`selected`] and is said once on the
//! standard error, because a measurement or a test of another set than the one asked for would be wrong silently.

#[cfg(target_arch = "aarch64")]
mod neon;
#[cfg(feature = "reference")]
pub mod peak;
mod portable;
#[cfg(target_arch = "x86_64")]
mod x86;

use std::cell::Cell;
use std::sync::OnceLock;

/// Vectors of f32 of one instruction set. A value of the implementing type proves that the processor has the set.
///
/// The methods are meant to be inlined into [`Simd::run`], which is where the instructions are enabled.
pub(crate) trait Simd: Copy + Send + Sync + 'static {
    /// A vector of [`Simd::LANES`] values.
    type Vector: Copy;
    /// A yes or no for each lane.
    type Mask: Copy;
    /// Values in a vector.
    const LANES: usize;
    /// How many vectors the registers hold, 0 if nobody knows: then small tiles do, which compile faster.
    const REGISTERS: usize;
    /// The name that [`Isa::by_name`] takes.
    const NAME: &'static str;

    /// Calls the kernel in a function of its own, compiled for this instruction set.
    fn run<K: Kernel>(self, kernel: K) -> K::Output;

    /// It as a value, for functions that are not written for all sets: pointers to them.
    fn isa(self) -> Isa;

    fn splat(self, value: f32) -> Self::Vector;
    fn add(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sub(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn mul(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn div(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    fn sqrt(self, a: Self::Vector) -> Self::Vector;
    /// `a * b + c`, fused where the set has it.
    fn mul_add(self, a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// `max(a, 0)`, and NaN of NaN.
    fn relu(self, a: Self::Vector) -> Self::Vector;
    /// The larger ones; of a number and NaN it is either.
    fn max(self, a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// The smaller ones, and NaN where `a` is NaN.
    fn cap(self, a: Self::Vector, bound: Self::Vector) -> Self::Vector;
    /// The larger ones, and NaN where `a` is NaN.
    fn raise(self, a: Self::Vector, bound: Self::Vector) -> Self::Vector;
    /// Two to the power of a whole number from -126 to 127; of other numbers it is anything.
    fn power_of_two(self, a: Self::Vector) -> Self::Vector;
    /// A positive normal number as a factor from `sqrt(1 / 2)` to `sqrt(2)` and a power of two, whose exponent comes second; of
    /// other numbers they are anything.
    fn split(self, a: Self::Vector) -> [Self::Vector; 2];
    /// Where `a < b`; not where one is NaN.
    fn less(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// Whether a lane is NaN.
    fn any_nan(self, a: Self::Vector) -> bool;
    /// Where `a > b` or `a` is NaN: when `a` replaces `b` as the maximum, as PyTorch has it.
    fn beats(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    fn equal(self, a: Self::Vector, b: Self::Vector) -> Self::Mask;
    /// `yes` where the mask is set, `no` elsewhere.
    fn select(self, mask: Self::Mask, yes: Self::Vector, no: Self::Vector) -> Self::Vector;

    /// The sum of all lanes, halves with halves.
    #[inline(always)]
    fn sum(self, a: Self::Vector) -> f32 {
        let mut lanes = [0.0; MAX_LANES];
        // SAFETY: no vector has more lanes.
        unsafe { self.store(lanes.as_mut_ptr(), a) };
        let mut half = Self::LANES / 2;
        while half > 0 {
            for lane in 0..half {
                lanes[lane] += lanes[lane + half];
            }
            half /= 2;
        }
        lanes[0]
    }

    /// Asks for the cache line of a value that is read soon; of no value, it does nothing.
    #[inline(always)]
    fn prefetch(self, _place: *const f32) {}

    /// # Safety
    /// `from` is valid for reads of `LANES` values.
    unsafe fn load(self, from: *const f32) -> Self::Vector;
    /// # Safety
    /// `to` is valid for writes of `LANES` values.
    unsafe fn store(self, to: *mut f32, vector: Self::Vector);
    /// The first `count <= LANES` values, and zeros behind them.
    ///
    /// # Safety
    /// `from` is valid for reads of `count` values.
    unsafe fn load_first(self, from: *const f32, count: usize) -> Self::Vector;
    /// # Safety
    /// `to` is valid for writes of `count <= LANES` values.
    unsafe fn store_first(self, to: *mut f32, count: usize, vector: Self::Vector);

    /// [`Simd::load_first`] where most vectors are whole: a loop needs no second copy of its body for its end.
    ///
    /// # Safety
    /// `from` is valid for reads of `count <= LANES` values.
    #[inline(always)]
    unsafe fn load_some(self, from: *const f32, count: usize) -> Self::Vector {
        // SAFETY: the caller's promise.
        unsafe { if count == Self::LANES { self.load(from) } else { self.load_first(from, count) } }
    }

    /// [`Simd::store_first`] where most vectors are whole.
    ///
    /// # Safety
    /// `to` is valid for writes of `count <= LANES` values.
    #[inline(always)]
    unsafe fn store_some(self, to: *mut f32, count: usize, vector: Self::Vector) {
        // SAFETY: the caller's promise.
        unsafe { if count == Self::LANES { self.store(to, vector) } else { self.store_first(to, count, vector) } }
    }
}

/// The bits of `sqrt(1 / 2)`: what [`Simd::split`] makes of it is a factor of itself, and no power of two.
const LEAST_FACTOR: i32 = 0x3f35_04f3;

/// The vectors of so many values: where each starts, and how many it has. The last may be short.
#[inline(always)]
pub(crate) fn vectors<S: Simd>(len: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..len).step_by(S::LANES).map(move |start| (start, S::LANES.min(len - start)))
}

/// The most lanes that any set has: what scratch memory is reckoned with.
pub(crate) const MAX_LANES: usize = 16;

/// A loop that is written once for all instruction sets. `run` should be `#[inline(always)]`.
pub(crate) trait Kernel {
    /// What it returns.
    type Output;
    /// The loop.
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "aarch64")]
    Neon,
    Portable,
}

/// An instruction set that this processor has: values are only made after a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Isa(Kind);

/// Why an instruction set cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IsaError {
    /// No instruction set has this name.
    #[error("CNN_ISA: unknown instruction set `{0}`; there are avx512, avx2, neon and portable")]
    Unknown(String),
    /// This processor does not have it.
    #[error("CNN_ISA: this processor does not have `{0}`")]
    Unavailable(String),
}

impl Isa {
    /// The sets that this processor has, best first.
    pub fn available() -> impl Iterator<Item = Self> {
        let mut kinds = [None; 3];
        #[cfg(target_arch = "x86_64")]
        {
            kinds[0] = x86::Avx512::detect().map(|_| Kind::Avx512);
            kinds[1] = x86::Avx2::detect().map(|_| Kind::Avx2);
        }
        #[cfg(target_arch = "aarch64")]
        {
            kinds[0] = neon::Neon::detect().map(|_| Kind::Neon);
        }
        kinds[2] = Some(Kind::Portable);
        kinds.into_iter().flatten().map(Self)
    }

    /// The set called `avx512`, `avx2`, `neon` or `portable`.
    ///
    /// # Errors
    /// If there is no such name, or the processor does not have the set.
    pub fn by_name(name: &str) -> Result<Self, IsaError> {
        if !["avx512", "avx2", "neon", "portable"].contains(&name) {
            return Err(IsaError::Unknown(name.to_owned()));
        }
        Self::available().find(|isa| isa.name() == name).ok_or_else(|| IsaError::Unavailable(name.to_owned()))
    }

    /// Its name, said by the code that runs for it.
    pub fn name(self) -> &'static str {
        struct Name;
        impl Kernel for Name {
            type Output = &'static str;
            #[inline(always)]
            fn run<S: Simd>(self, _: S) -> &'static str {
                S::NAME
            }
        }
        self.run(Name)
    }

    /// How many values its vectors hold.
    pub(crate) fn lanes(self) -> usize {
        struct Lanes;
        impl Kernel for Lanes {
            type Output = usize;
            #[inline(always)]
            fn run<S: Simd>(self, _: S) -> usize {
                S::LANES
            }
        }
        self.run(Lanes)
    }

    /// [`vectorize`] for this set: on another thread than the one that asked for the current set.
    #[inline(always)]
    pub(crate) fn vectorize<R>(self, body: impl FnOnce() -> R) -> R {
        struct Loop<F>(F);
        impl<R, F: FnOnce() -> R> Kernel for Loop<F> {
            type Output = R;
            #[inline(always)]
            fn run<S: Simd>(self, _: S) -> R {
                (self.0)()
            }
        }
        self.run(Loop(body))
    }

    /// Runs the kernel with it.
    pub(crate) fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            // SAFETY: this value was made after `detect` found the set.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => unsafe { x86::Avx512::new() }.run(kernel),
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => unsafe { x86::Avx2::new() }.run(kernel),
            // SAFETY: as above.
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => unsafe { neon::Neon::new() }.run(kernel),
            Kind::Portable => portable::Portable.run(kernel),
        }
    }
}

/// The instruction set that `CNN_ISA` forces, or else the best of this processor.
///
/// # Errors
/// If `CNN_ISA` names a set that does not exist or that the processor does not have. Kernels then run with the best set.
pub fn selected() -> Result<Isa, IsaError> {
    static SELECTED: OnceLock<Result<Isa, IsaError>> = OnceLock::new();
    let choose = || match std::env::var_os("CNN_ISA") {
        Some(name) => {
            Isa::by_name(&name.to_string_lossy()).inspect_err(|error| eprintln!("{error}; using the best set"))
        }
        None => Ok(best()),
    };
    match SELECTED.get_or_init(choose) {
        Ok(isa) => Ok(*isa),
        Err(error) => Err(error.clone()),
    }
}

fn best() -> Isa {
    Isa::available().next().unwrap_or(Isa(Kind::Portable))
}

thread_local! {
    static FORCED: Cell<Option<Isa>> = const { Cell::new(None) };
}

/// Runs `body` with kernels called on this thread using `isa`, whatever is selected: for tests and measurements. A pass of
/// a network called from outside rayon's pool may go to one of its threads, which knows nothing of this: set `CNN_ISA`, or
/// call from within `rayon::scope`.
pub fn with<R>(isa: Isa, body: impl FnOnce() -> R) -> R {
    struct Restore(Option<Isa>);
    impl Drop for Restore {
        fn drop(&mut self) {
            FORCED.set(self.0);
        }
    }
    let _restore = Restore(FORCED.replace(Some(isa)));
    body()
}

/// What a kernel called now on this thread runs with. Kernels ask once, before they hand work to other threads.
pub(crate) fn current() -> Isa {
    FORCED.get().unwrap_or_else(|| selected().unwrap_or_else(|_| best()))
}

/// The name of the set that kernels called now on this thread run with, said by the code that runs.
pub fn name() -> &'static str {
    current().name()
}

/// Runs a plain loop compiled for the current instruction set, so that the compiler vectorizes it.
///
/// The closure has to be inlined to profit: `vectorize(#[inline(always)] || for value in values { .. })`.
pub fn vectorize<R>(body: impl FnOnce() -> R) -> R {
    current().vectorize(body)
}

//! Channels in strips of a few vectors, which stay in registers while a loop goes over rows.

use crate::kernel::isa::{MAX_LANES, Simd};

/// Vectors of a strip: enough to keep additions busy, whose results take four cycles.
pub(crate) const VECTORS: usize = 4;
/// Channels of a strip at most.
pub(crate) const CHANNELS: usize = VECTORS * MAX_LANES;

/// Some channels of a row: `NV` vectors of which the last has `last` lanes.
#[derive(Clone, Copy)]
pub(crate) struct Strip<S, const NV: usize> {
    simd: S,
    last: usize,
}

/// What is done to each strip.
pub(crate) trait Body {
    /// # Safety
    /// As the body says, for the `strip`'s channels from `channel` on.
    unsafe fn run<S: Simd, const NV: usize>(&mut self, simd: S, strip: Strip<S, NV>, channel: usize);
}

/// Calls `body` with strips of `channels`.
///
/// # Safety
/// As the body says.
#[inline(always)]
pub(crate) unsafe fn for_each<S: Simd>(simd: S, channels: usize, body: &mut impl Body) {
    // SAFETY: the caller's promise.
    unsafe { for_each_of::<S, VECTORS>(simd, channels, body) }
}

/// [`for_each`] of so many vectors, at most [`VECTORS`].
///
/// # Safety
/// As there.
#[inline(always)]
pub(crate) unsafe fn for_each_of<S: Simd, const NV: usize>(simd: S, channels: usize, body: &mut impl Body) {
    let mut channel = 0;
    // SAFETY: the caller's promise; strips are disjoint and end with the channels.
    unsafe {
        match S::REGISTERS {
            // Who knows whether they fit; one vector at a time compiles in a fraction of the time.
            0 => {}
            _ => {
                while channel + NV * S::LANES <= channels {
                    body.run(simd, Strip::<S, NV> { simd, last: S::LANES }, channel);
                    channel += NV * S::LANES;
                }
            }
        }
        while channel < channels {
            body.run(simd, Strip::<S, 1> { simd, last: S::LANES.min(channels - channel) }, channel);
            channel += S::LANES;
        }
    }
}

impl<S: Simd, const NV: usize> Strip<S, NV> {
    /// Its channels.
    pub(crate) fn channels(self) -> usize {
        (NV - 1) * S::LANES + self.last
    }

    #[inline(always)]
    pub(crate) fn splat(self, value: f32) -> [S::Vector; NV] {
        [self.simd.splat(value); NV]
    }

    /// # Safety
    /// `from` is valid for reads of its channels.
    #[inline(always)]
    pub(crate) unsafe fn load(self, from: *const f32) -> [S::Vector; NV] {
        let mut values = self.splat(0.0);
        for (v, value) in values.iter_mut().enumerate() {
            // SAFETY: the caller's promise.
            *value = unsafe {
                if NV == 1 { self.simd.load_some(from, self.last) } else { self.simd.load(from.add(v * S::LANES)) }
            };
        }
        values
    }

    /// # Safety
    /// `to` is valid for writes of its channels.
    #[inline(always)]
    pub(crate) unsafe fn store(self, to: *mut f32, values: [S::Vector; NV]) {
        for (v, value) in values.into_iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe {
                if NV == 1 {
                    self.simd.store_some(to, self.last, value);
                } else {
                    self.simd.store(to.add(v * S::LANES), value);
                }
            }
        }
    }

    /// The values of a strip, whose vectors may end before 64.
    #[inline(always)]
    pub(crate) fn to_array(self, values: [S::Vector; NV]) -> [f32; CHANNELS] {
        let mut array = [0.0; CHANNELS];
        // SAFETY: a strip has at most so many channels.
        unsafe { self.store(array.as_mut_ptr(), values) };
        array
    }
}

//! Buffers, scratch, and slices cut into parts.
#![no_main]

use cnn_core::kernel::memory::buffer::{Buffer, split, split_ref};
use cnn_core::kernel::memory::chunk;
use cnn_core::kernel::memory::scratch::{Needs, Scratch};
use cnn_fuzz::{Arguments, call};
use libfuzzer_sys::fuzz_target;

/// Values of a buffer at most: more are the caller's wish, and the allocator's answer.
const MOST: usize = 1 << 20;

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let [first, second, third] = [(); 3].map(|()| arguments.size());
    let mut values = arguments.values(first.checked_add(second)).values;
    call(false, || {
        split(&mut values, [first, second, third]).into_iter().for_each(|part| part.fill(1.0));
    });
    call(false, || {
        assert!(split_ref(&values, [first, second, third]).into_iter().flatten().all(|&value| value != 2.0))
    });
    call(first > 0, || {
        chunk::for_each_sample(first, &mut values, |index, part| part.fill(index as f32));
    });
    if first > MOST || second > MOST || third > MOST {
        return;
    }
    call(true, || {
        let mut buffer = Buffer::zeros(first);
        buffer.grow(second);
        assert_eq!(buffer.len(), first.max(second));
        buffer.fill(1.0);
        assert_eq!(*buffer.clone(), *buffer);
        let mut scratch = Scratch::new(Needs { shared: first, per_thread: second }, 2);
        scratch.prepare(Needs { shared: third, per_thread: first }, 3);
    });
});

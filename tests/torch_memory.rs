//! What a file of `torch.save` makes its reader allocate is bounded by the file's own size, whatever it says.

#![allow(unsafe_code, reason = "a global allocator is an unsafe trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use cnn_core::io::Loading;
use cnn_core::prelude::*;

network! {
    /// Two tensors.
    pub Net<3> { fc: linear<2> }
}

/// The system's allocator, which knows how much is taken and was at most.
struct Measuring;

static TAKEN: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is handed to the system's allocator as it came.
unsafe impl GlobalAlloc for Measuring {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = TAKEN.fetch_add(layout.size(), Relaxed) + layout.size();
        MOST.fetch_max(taken, Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        TAKEN.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

/// A file of before version 1.6 with this program, which ends where the program does.
fn file(program: &[u8]) -> Vec<u8> {
    [b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.M\xe9\x03.}.", program].concat()
}

#[test]
fn no_program_takes_more_than_its_size_allows() {
    const PARTS: usize = 1 << 18;
    let tensor = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000NK\x04NtQq\x01ctorch._utils\n_rebuild_tensor_v2\nq\x02";
    let memo = (0..PARTS as u32).flat_map(|place| [b"r".as_slice(), &(place * 7919).to_le_bytes()].concat()).collect();
    let programs: [(&str, Vec<u8>); 11] = [
        ("empty tuples", b")".repeat(PARTS)),
        ("empty dicts", b"}".repeat(PARTS)),
        ("nothings", b"N".repeat(PARTS)),
        ("marks", b"(".repeat(PARTS)),
        ("tuples within tuples", [b"N".as_slice(), &b"\x85".repeat(PARTS)].concat()),
        ("dicts of one", b"}NNs".repeat(PARTS / 4)),
        ("empty strings", b"U\0".repeat(PARTS / 2)),
        ("memories", [b"N".to_vec(), memo].concat()),
        (
            "storages",
            [&tensor[..], &b"(X\x07\0\0\0storagectorch\nFloatStorage\nU\x01aNK\x04NtQ".repeat(PARTS / 32)].concat(),
        ),
        ("tensors", [&tensor[..], &b"h\x02h\x01\x85R".repeat(PARTS / 6)].concat()),
        ("names", b"cx\ny\n0".repeat(PARTS / 6)),
    ];
    let mut net = Net::new(1);
    for (what, program) in programs {
        // Each as it is cut off, and as it ends well.
        for end in [b"".as_slice(), b"."] {
            let file = file(&[&program, end].concat());
            let before = TAKEN.load(Relaxed);
            MOST.store(before, Relaxed);
            net.load_from_bytes(&file, &Loading::new()).unwrap_err();
            let most = MOST.load(Relaxed) - before;
            assert!(most < 128 * file.len() + (1 << 20), "{what}: {most} bytes for {}", file.len());
        }
    }
}

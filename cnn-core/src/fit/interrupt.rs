//! Ctrl-C: once to end after the step, twice to end at once.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

static ASKED: AtomicBool = AtomicBool::new(false);
static LISTEN: Once = Once::new();

/// From now on Ctrl-C asks a run to end.
pub(super) fn listen() {
    LISTEN.call_once(|| {
        let asked = || {
            if ASKED.swap(true, Ordering::SeqCst) {
                std::process::exit(130);
            }
            eprintln!("ending after this step; Ctrl-C again ends at once");
        };
        if let Err(error) = ctrlc::set_handler(asked) {
            tracing::warn!("Ctrl-C ends the program at once: {error}");
        }
    });
}

/// Whether it was asked to, since that was asked last.
pub(super) fn is_asked() -> bool {
    ASKED.load(Ordering::SeqCst) && ASKED.swap(false, Ordering::SeqCst)
}

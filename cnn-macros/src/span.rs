//! Places in the user's source for what is ours.

use proc_macro2::Span;

/// A span of the user's for a name of ours: the place is theirs, and nothing of theirs can be meant by it.
pub(crate) fn ours(span: Span) -> Span {
    span.resolved_at(Span::mixed_site())
}

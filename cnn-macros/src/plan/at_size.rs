//! One of the sizes of a network that has several.

use proc_macro2::{Ident, TokenStream};

/// What varies, and what it is at this size.
pub(crate) struct AtSize {
    pub(crate) names: Vec<Ident>,
    pub(crate) numbers: Vec<u64>,
    /// What the type is called there: `PNet<12, 12>`.
    pub(crate) called: String,
    /// The size as it is written.
    pub(crate) tokens: TokenStream,
}

/// Sizes as a list of types.
pub(crate) fn listed<'a>(sizes: impl Iterator<Item = &'a AtSize>) -> String {
    let names: Vec<_> = sizes.map(|size| format!("`{}`", size.called)).collect();
    names.join(", ")
}

//! Placeholder until the layers stand.
fn main() {}

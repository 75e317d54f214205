//! x
#[path = "networks/densenet121.rs"]
mod n;
fn main() {}

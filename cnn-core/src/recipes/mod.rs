//! Short programs to copy, a page each: what a training wants beyond the plain loop. They hold no code of the library, and each is
//! run as a test.

#[doc = include_str!("own_loop.md")]
pub mod own_loop {}

#[doc = include_str!("own_data_set.md")]
pub mod own_data_set {}

#[doc = include_str!("own_metric.md")]
pub mod own_metric {}

#[doc = include_str!("freeze.md")]
pub mod freeze {}

#[doc = include_str!("groups.md")]
pub mod groups {}

#[doc = include_str!("accumulate.md")]
pub mod accumulate {}

#[doc = include_str!("average.md")]
pub mod average {}

#[doc = include_str!("resume.md")]
pub mod resume {}

#[doc = include_str!("gan.md")]
pub mod gan {}

#[doc = include_str!("adversarial.md")]
pub mod adversarial {}

#[doc = include_str!("saliency.md")]
pub mod saliency {}

#[doc = include_str!("many_machines.md")]
pub mod many_machines {}

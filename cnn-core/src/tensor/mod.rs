//! Values with a shape in their type: one sample, or a batch of any number. Knows no layers or networks.

mod batch;
pub(crate) mod order;
mod part;
mod single;
mod view;

pub use batch::Batch;
pub use part::{Part, PartSample};
pub use single::Tensor;
pub use view::{At, Sample, SampleMut, Samples, SamplesMut};

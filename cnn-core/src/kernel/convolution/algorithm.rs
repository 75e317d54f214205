//! Which algorithm computes which pass: the one place that chooses. By the geometry and the pass, never by the batch or the
//! number of threads, so that a sample's bits are the same alone and in any batch. What is not finite goes other ways, which
//! give what is finite the same bits: [`widen::for_each_run`], and [`correlate`](super::correlation::correlate).

use super::packed::MadeFor;
use super::{depthwise, direct, scatter, weight_gradient, widen, winograd};
use crate::kernel::geometry::{Conv2dAlgorithm, Conv2dGeometry};
use crate::kernel::memory::scratch::Needs;

/// What is computed.
#[derive(Clone, Copy)]
pub(super) enum Pass {
    Forward,
    BackwardInput,
    BackwardWeight,
}

/// How it is computed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Algorithm {
    /// Every product of a value and a weight is one multiply-add of the register tile.
    Direct,
    /// Each channel by itself: [`depthwise`].
    Depthwise,
    /// As this wider convolution, several cells of few channels at a time: [`widen`].
    Widened(Conv2dGeometry),
    /// Windows are computed and added where they belong: [`scatter`].
    Scattered,
    /// At points, a quarter of the multiplications: [`winograd`].
    Winograd,
}

impl Algorithm {
    pub(super) const fn of(geometry: &Conv2dGeometry, pass: Pass) -> Self {
        let winograd = match geometry.algorithm {
            Conv2dAlgorithm::Auto => winograd::pays(geometry),
            Conv2dAlgorithm::Direct => false,
            Conv2dAlgorithm::Winograd => true,
        };
        if winograd {
            return Self::Winograd;
        }
        if depthwise::is(geometry) {
            return Self::Depthwise;
        }
        match pass {
            Pass::BackwardInput if scatter::pays(geometry) => Self::Scattered,
            Pass::BackwardInput => Self::Direct,
            Pass::Forward | Pass::BackwardWeight => match widen::geometry(geometry) {
                Some(wide) => Self::Widened(wide),
                None => Self::Direct,
            },
        }
    }

    /// The forward pass with a weight that is packed once, for what it is made for.
    pub(super) const fn packed(geometry: &Conv2dGeometry, made_for: MadeFor) -> Self {
        match (Self::of(geometry, Pass::Forward), made_for, geometry.algorithm) {
            (Self::Winograd, MadeFor::OneSample, Conv2dAlgorithm::Auto) if !winograd::pays_for_one(geometry) => {
                Self::Direct
            }
            (algorithm, ..) => algorithm,
        }
    }

    /// What it works in. Of what no memory holds it is as much as a number can be, here and below: a network's check says so.
    pub(super) const fn needs(&self, geometry: &Conv2dGeometry, pass: Pass) -> Needs {
        match (self, pass) {
            (Self::Depthwise, _) => depthwise::needs(geometry),
            (Self::Scattered, _) => scatter::needs(geometry),
            (Self::Widened(wide), pass) => {
                // Samples that are not finite are computed directly.
                let needs = Self::Direct.needs(wide, pass).max(Self::Direct.needs(geometry, pass));
                Needs { shared: widen::copy_len(wide).saturating_add(needs.shared), ..needs }
            }
            (Self::Winograd, Pass::BackwardInput) => winograd::backward_input_needs(geometry),
            // Weights for one sample may be packed for the direct form.
            (Self::Winograd, Pass::Forward) => {
                winograd::forward_needs(geometry).max(Needs { shared: 0, ..direct::forward_needs(geometry) })
            }
            // What is not finite is computed directly.
            (Self::Winograd, Pass::BackwardWeight) => {
                winograd::backward_weight_needs(geometry).max(weight_gradient::needs(geometry))
            }
            (Self::Direct, Pass::Forward) => direct::forward_needs(geometry),
            (Self::Direct, Pass::BackwardInput) => direct::backward_input_needs(geometry),
            (Self::Direct, Pass::BackwardWeight) => weight_gradient::needs(geometry),
        }
    }
}

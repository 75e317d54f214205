//! One network at several sizes of its input, with the same weights.

use super::Network;

/// A network that is declared for several sizes, `for [..]`, at one of them.
///
/// What is declared has two methods of its own that say a size by its numbers: `net.at::<24, 24>()`, and
/// `net.resize::<24, 24>()`, which takes the network. This trait is for functions that are generic over networks.
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::network::Resize;
///
/// network! {
///     /// One number at each place.
///     pub Heat<1, S, S> for [8, 16, 24] { conv: conv2d<4, 3>(padding = 1), relu, score: conv2d<1, 1> }
/// }
///
/// /// One step on a batch of a size, whichever it is.
/// fn step<N: Resize<First = Heat<8>>>(net: Heat<8>, optimizer: Sgd<Heat<8>>) -> Result<(Heat<8>, Sgd<Heat<8>>), Error> {
///     let (mut net, mut optimizer): (N, Sgd<N>) = (net.resized(), optimizer.resized());
///     let (images, targets) = (Batch::zeros(4), Batch::zeros(4));
///     let mut training = Training::new(0);
///     training.backward(Mode::Training, &mut net, &images, &MeanSquaredError::new(&targets))?;
///     optimizer.step(&mut net, training.gradients());
///     Ok((net.resized(), optimizer.resized()))
/// }
///
/// let (net, optimizer) = (Heat::<8>::new(0), Sgd::new(SgdOptions::new(0.1).momentum(0.9))?);
/// let (net, optimizer) = step::<Heat<16>>(net, optimizer)?;
/// let (net, optimizer) = step::<Heat<24>>(net, optimizer)?;
/// let image: Batch<Chw<1, 16, 16>> = Batch::zeros(1);
/// let heat: Batch<Chw<1, 16, 16>> = net.at::<16>().forward(&image);
/// # Ok::<(), Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not declared for several sizes",
    note = "`network! {{ pub Name<3, H, W> for [(12, 12), (24, 24)] {{ .. }} }}` declares a network that is"
)]
pub trait Resize: Network {
    /// It at the first of its sizes: one type for all of them.
    type First: Resize<First = Self::First>;

    /// It at another size, with the same weights, of which none is copied.
    fn resized<N: Resize<First = Self::First>>(self) -> N {
        N::from_weights(self.weights().clone().of_another())
    }
}

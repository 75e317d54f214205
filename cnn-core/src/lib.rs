//! Convolutional networks whose shapes are checked at compile time.
pub mod kernel;
pub mod loss;
pub mod optim;
pub mod random;
pub mod reference;
pub mod shape;

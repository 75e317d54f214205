//! A network as a picture of its steps: boxes from top to bottom, frames around what has a name in common.

mod dot;
mod draw;
mod graph;
mod layered;
mod place;
mod text;

use graph::Graph;

use crate::network::Network;

/// The steps of a network as a diagram, to be had as [SVG](Self::svg) or as [DOT](Self::dot) of Graphviz.
///
/// A box is a step with PyTorch's name, its sizes, the shape that it makes of a sample and its trainable values; activations,
/// normalizations and the like are a line in the box of the step before, if nobody else reads that. Steps whose names begin
/// alike, such as `layer1.0`, stand in a frame; [`depth`](Self::depth) makes a box of each.
///
/// ```
/// use cnn_core::prelude::*;
/// use cnn_core::report::Diagram;
///
/// network! {
///     /// A residual block and a classifier.
///     pub Net<1, 8, 8> {
///         stem: conv2d<4, 3>(padding = 1), relu,
///         block: [add { [conv1: conv2d<4, 3>(padding = 1), relu, conv2: conv2d<4, 3>(padding = 1)], [] }, relu],
///         flatten, fc: linear<10>,
///     }
/// }
///
/// let diagram = Diagram::of::<Net>();
/// assert!(diagram.svg().contains("block.conv1"));
/// assert!(diagram.dot().starts_with("digraph"));
/// assert!(!diagram.depth(1).svg().contains("block.conv1"));
/// ```
#[derive(Clone, Debug)]
pub struct Diagram {
    graph: Graph,
    depth: usize,
}

impl Diagram {
    /// Of a network, with all its steps.
    pub fn of<N: Network>() -> Self {
        Self { graph: Graph::of::<N>(), depth: usize::MAX }
    }

    /// With one box for all steps whose names have their first so many parts in common: of 1 `layer1` is a box, of 2 `layer1.0`.
    #[must_use]
    pub fn depth(self, depth: usize) -> Self {
        Self { depth: depth.max(1), ..self }
    }

    /// As a picture that brings its colours along, for light and dark pages.
    pub fn svg(&self) -> String {
        draw::svg(&self.graph, &self.graph.tree(self.depth))
    }

    /// As a graph in the language of Graphviz, with a cluster for each frame. <https://graphviz.org/doc/info/lang.html>
    pub fn dot(&self) -> String {
        dot::dot(&self.graph, &self.graph.tree(self.depth))
    }

    /// What the picture is of, in a sentence.
    pub(crate) fn says(&self) -> String {
        self.graph.says()
    }
}

//! Expressions of values at the same place: what `map(|x, y| ..)` says, as a graph in which equal parts are one, and its
//! gradients by every argument. Knows no maps and no syntax.

mod differentiate;
mod graph;

use std::rc::Rc;

pub(crate) use graph::{Binary, Comparison, Constant, Graph, Id, Node, Unary};

/// An expression and its gradients.
#[derive(Debug, Clone)]
pub(crate) struct Expression {
    pub(crate) graph: Rc<Graph>,
    pub(crate) value: Id,
    /// The gradient of each argument, where that of the value is [`Node::Gradient`]; none where nothing depends on it.
    pub(crate) gradients: Vec<Option<Id>>,
    /// Which arguments the gradients look at.
    pub(crate) reads: Vec<bool>,
    /// Whether the gradients look at the value.
    pub(crate) reads_value: bool,
    /// Names of the arguments.
    pub(crate) arguments: Vec<String>,
    /// As it is written.
    pub(crate) text: String,
}

impl Expression {
    /// The expression with its gradients.
    pub(crate) fn new(mut graph: Graph, value: Id, arguments: Vec<String>, text: String) -> Self {
        let mut gradients = differentiate::gradients(&mut graph, value, arguments.len());
        let mut reads = graph.arguments_of(gradients.iter().flatten().copied(), arguments.len());
        let mut reads_value = false;
        // What can be told from the value needs no argument.
        if reads.contains(&true) {
            let of_value: Vec<_> = gradients.iter().map(|gradient| Some(graph.replace((*gradient)?, value))).collect();
            let rest = graph.arguments_of(of_value.iter().flatten().copied(), arguments.len());
            if !rest.contains(&true) {
                (gradients, reads, reads_value) = (of_value, rest, true);
            }
        }
        Self { graph: Rc::new(graph), value, gradients, reads, reads_value, arguments, text }
    }

    /// Another expression of what this one makes. `places` says which arguments of the whole those of this one are, and those of
    /// the other, of which one, that has no place, is this one's value.
    pub(crate) fn then(&self, other: &Self, places: &[Vec<usize>; 2], arguments: Vec<String>) -> Self {
        let mut graph = Graph::default();
        let given: Vec<Id> = (0..arguments.len()).map(|argument| graph.add(Node::Argument(argument))).collect();
        let given = |places: &[usize], value: Option<Id>| -> Vec<Id> {
            places.iter().map(|place| given.get(*place).copied().or(value).unwrap_or(0)).collect()
        };
        let between = graph.import(&self.graph, self.value, &given(&places[0], None));
        let value = graph.import(&other.graph, other.value, &given(&places[1], Some(between)));
        Self::new(graph, value, arguments, format!("{}; then {}", self.text, other.text))
    }

    /// Values that take about as long as one that is only moved.
    pub(crate) fn cost(&self) -> u64 {
        (self.graph.cost(self.value) / 8).max(1)
    }
}

#[cfg(test)]
mod tests;

//! The gradients of an expression, from its value back to its arguments: each node hands on what comes to it. At kinks they are
//! PyTorch's.

use super::graph::{Binary, Comparison, Constant, Graph, Id, Node, Unary};

/// The gradient of each argument, where that of the value is [`Node::Gradient`].
pub(super) fn gradients(graph: &mut Graph, value: Id, arguments: usize) -> Vec<Option<Id>> {
    let parts = graph.parts([value]);
    let mut way = Way { gradients: vec![None; value + 1], varies: vec![false; value + 1], graph };
    for id in &parts {
        way.varies[*id] = match way.graph.node(*id) {
            Node::Argument(_) => true,
            node => Graph::uses(node).iter().any(|used| way.varies[*used]),
        };
    }
    way.gradients[value] = Some(way.graph.add(Node::Gradient));
    for id in parts.into_iter().rev() {
        if let Some(gradient) = way.gradients[id] {
            way.hand_on(id, gradient);
        }
    }
    (0..arguments)
        .map(|argument| {
            let id = way.graph.add(Node::Argument(argument));
            way.gradients.get(id).copied().flatten()
        })
        .collect()
}

struct Way<'a> {
    graph: &'a mut Graph,
    /// Of the nodes up to the value.
    gradients: Vec<Option<Id>>,
    /// Whether they depend on an argument.
    varies: Vec<bool>,
}

impl Way<'_> {
    fn add(&mut self, to: Id, gradient: Id) {
        if self.varies[to] {
            self.gradients[to] = Some(match self.gradients[to] {
                Some(before) => self.graph.binary(Binary::Add, before, gradient),
                None => gradient,
            });
        }
    }

    /// A product that is no gradient's.
    fn product(&mut self, one: Id, other: Id) -> Id {
        self.graph.binary(Binary::Multiply, one, other)
    }

    /// A gradient times a slope.
    fn times(&mut self, gradient: Id, slope: Id) -> Id {
        self.linear(gradient, &|graph, gradient| graph.binary(Binary::Multiply, gradient, slope))
    }

    /// What is linear in a gradient. Where a choice made that zero it stays zero, whatever comes: the slope of what was not
    /// chosen may be infinite or NaN.
    fn linear(&mut self, gradient: Id, of: &dyn Fn(&mut Graph, Id) -> Id) -> Id {
        match self.graph.node(gradient) {
            Node::Choice(comparison, [a, b, yes, no]) if self.is_zero(yes) || self.is_zero(no) => {
                let [yes, no] = [yes, no].map(|part| if self.is_zero(part) { part } else { self.linear(part, of) });
                self.graph.choice(comparison, [a, b, yes, no])
            }
            Node::Binary(Binary::Add, one, other) if self.is_chosen(one) || self.is_chosen(other) => {
                let (one, other) = (self.linear(one, of), self.linear(other, of));
                self.graph.binary(Binary::Add, one, other)
            }
            _ => of(self.graph, gradient),
        }
    }

    fn is_zero(&self, id: Id) -> bool {
        self.graph.is_number(id, 0.0)
    }

    /// Whether a choice made a part of a gradient zero.
    fn is_chosen(&self, gradient: Id) -> bool {
        match self.graph.node(gradient) {
            Node::Choice(_, [_, _, yes, no]) => self.is_zero(yes) || self.is_zero(no),
            Node::Binary(Binary::Add, one, other) => self.is_chosen(one) || self.is_chosen(other),
            _ => false,
        }
    }

    fn hand_on(&mut self, id: Id, gradient: Id) {
        match self.graph.node(id) {
            Node::Argument(_) | Node::Value | Node::Gradient | Node::Constant(_) | Node::Unary(Unary::Sign, _) => {}
            Node::Unary(function, of) => {
                let gradient = self.of_function(function, of, id, gradient);
                self.add(of, gradient);
            }
            Node::Power(of, exponent) => {
                let exponent = self.graph.constant_of(exponent).clone();
                let one_less = match &exponent {
                    Constant::Known(number) => Constant::Known(number - 1.0),
                    Constant::Told(number) => Constant::Told(quote::quote!(#number - 1.0)),
                };
                let (factor, power) = (self.graph.constant(exponent), self.graph.power(of, one_less));
                let slope = self.product(factor, power);
                let gradient = self.times(gradient, slope);
                self.add(of, gradient);
            }
            Node::Binary(operator, one, other) => {
                // None of what does not vary.
                if self.varies[one] {
                    let to_one = self.of_operand(operator, [one, other], id, gradient, true);
                    self.add(one, to_one);
                }
                if self.varies[other] {
                    let to_other = self.of_operand(operator, [one, other], id, gradient, false);
                    self.add(other, to_other);
                }
            }
            // As `torch.clamp`: none at the bounds, nor at NaN.
            Node::Clamp([of, least, most]) => {
                let zero = self.graph.number(0.0);
                let below = self.graph.choice(Comparison::Less, [of, most, gradient, zero]);
                let inside = self.graph.choice(Comparison::Less, [least, of, below, zero]);
                self.add(of, inside);
            }
            Node::Choice(comparison, [a, b, yes, no]) => {
                let zero = self.graph.number(0.0);
                let to_yes = self.graph.choice(comparison, [a, b, gradient, zero]);
                let to_no = self.graph.choice(comparison, [a, b, zero, gradient]);
                self.add(yes, to_yes);
                self.add(no, to_no);
            }
        }
    }

    /// The gradient of what a function is given, whose value is the node `value`.
    fn of_function(&mut self, function: Unary, of: Id, value: Id, gradient: Id) -> Id {
        let one = self.graph.number(1.0);
        let slope = match function {
            Unary::Negative => return self.negative(gradient),
            Unary::Exp => value,
            Unary::ExpM1 => self.graph.binary(Binary::Add, value, one),
            Unary::Ln => return self.over(gradient, of),
            Unary::Ln1p => {
                let sum = self.graph.binary(Binary::Add, of, one);
                return self.over(gradient, sum);
            }
            Unary::Sqrt => {
                let half = self.graph.number(0.5);
                let half = self.times(gradient, half);
                return self.over(half, value);
            }
            Unary::Abs => self.graph.unary(Unary::Sign, of),
            // As PyTorch: none at zero, all of it at NaN.
            Unary::Relu => {
                let zero = self.graph.number(0.0);
                return self.graph.choice(Comparison::Equal, [value, zero, zero, gradient]);
            }
            Unary::Tanh => {
                let square = self.product(value, value);
                self.graph.binary(Binary::Subtract, one, square)
            }
            Unary::Sigmoid => {
                let rest = self.graph.binary(Binary::Subtract, one, value);
                self.product(value, rest)
            }
            Unary::Softplus => self.graph.unary(Unary::Sigmoid, of),
            Unary::Erf => {
                let square = self.product(of, of);
                let exponent = self.graph.unary(Unary::Negative, square);
                let exponential = self.graph.unary(Unary::Exp, exponent);
                let factor = self.graph.constant(Constant::Told(quote::quote!(::core::f64::consts::FRAC_2_SQRT_PI)));
                self.product(factor, exponential)
            }
            Unary::Sign => self.graph.number(0.0),
        };
        self.times(gradient, slope)
    }

    fn negative(&mut self, gradient: Id) -> Id {
        self.linear(gradient, &|graph, gradient| graph.unary(Unary::Negative, gradient))
    }

    fn over(&mut self, gradient: Id, divisor: Id) -> Id {
        self.linear(gradient, &|graph, gradient| graph.binary(Binary::Divide, gradient, divisor))
    }

    /// The gradient of the first operand, or of the other, of an operator whose value is the node `value`.
    fn of_operand(&mut self, operator: Binary, [one, other]: [Id; 2], value: Id, gradient: Id, first: bool) -> Id {
        match operator {
            Binary::Subtract if !first => self.negative(gradient),
            Binary::Add | Binary::Subtract => gradient,
            Binary::Multiply => self.times(gradient, if first { other } else { one }),
            Binary::Divide if first => self.over(gradient, other),
            Binary::Divide => {
                let product = self.times(gradient, value);
                let share = self.over(product, other);
                self.negative(share)
            }
            // As `torch.maximum`: half to each of equals, and all to both of NaN.
            Binary::Max | Binary::Min => {
                let (zero, half) = (self.graph.number(0.0), self.graph.number(0.5));
                let half = self.times(gradient, half);
                let is_chosen = self.graph.choice(Comparison::Equal, [one, other, half, gradient]);
                let [loser, winner] = if (operator == Binary::Max) == first { [one, other] } else { [other, one] };
                self.graph.choice(Comparison::Less, [loser, winner, zero, is_chosen])
            }
        }
    }
}

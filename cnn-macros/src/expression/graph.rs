//! An expression as a graph: nodes in an order in which each uses earlier ones.

use std::collections::HashMap;

use proc_macro2::TokenStream;

/// The number of a node.
pub(crate) type Id = usize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Node {
    /// What the expression is given, by its place.
    Argument(usize),
    /// The expression's own value, in its gradients.
    Value,
    /// The gradient of that.
    Gradient,
    /// One of the graph's constants.
    Constant(usize),
    Unary(Unary, Id),
    /// To the power of a constant.
    Power(Id, usize),
    Binary(Binary, Id, Id),
    /// The first, but no less than the second and no more than the third, which are constants.
    Clamp([Id; 3]),
    /// The third where the first two compare so, else the fourth.
    Choice(Comparison, [Id; 4]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Unary {
    Negative,
    Exp,
    ExpM1,
    Ln,
    Ln1p,
    Sqrt,
    Abs,
    Sign,
    Relu,
    Tanh,
    Sigmoid,
    Softplus,
    Erf,
}

impl Unary {
    /// Those that have a name, with it: in the language, and of the method of `cnn_core::layer::map::Number`.
    pub(crate) const NAMED: [(Self, &'static str); 12] = [
        (Self::Exp, "exp"),
        (Self::ExpM1, "exp_m1"),
        (Self::Ln, "ln"),
        (Self::Ln1p, "ln_1p"),
        (Self::Sqrt, "sqrt"),
        (Self::Abs, "abs"),
        (Self::Sign, "sign"),
        (Self::Relu, "relu"),
        (Self::Tanh, "tanh"),
        (Self::Sigmoid, "sigmoid"),
        (Self::Softplus, "softplus"),
        (Self::Erf, "erf"),
    ];
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Binary {
    Add,
    Subtract,
    Multiply,
    Divide,
    Min,
    Max,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Comparison {
    Less,
    Equal,
}

/// A number that the macro knows, or an expression of type `f64` for rustc.
#[derive(Debug, Clone)]
pub(crate) enum Constant {
    Known(f64),
    Told(TokenStream),
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Graph {
    nodes: Vec<Node>,
    constants: Vec<Constant>,
    ids: HashMap<Node, Id>,
}

/// Whether the inverse of a number is a normal one in f32.
fn has_inverse(number: f64) -> bool {
    (1e-37..1e37).contains(&number.abs())
}

impl Graph {
    pub(crate) fn node(&self, id: Id) -> Node {
        self.nodes[id]
    }

    pub(crate) fn constant_of(&self, constant: usize) -> &Constant {
        &self.constants[constant]
    }

    /// Whether a constant is for rustc to evaluate.
    pub(crate) fn has_told(&self) -> bool {
        self.constants.iter().any(|constant| matches!(constant, Constant::Told(_)))
    }

    /// A node, which is there once.
    pub(crate) fn add(&mut self, node: Node) -> Id {
        *self.ids.entry(node).or_insert_with(|| {
            self.nodes.push(node);
            self.nodes.len() - 1
        })
    }

    /// The place of a constant, which is there once.
    pub(crate) fn place(&mut self, constant: Constant) -> usize {
        let same = |other: &Constant| match (other, &constant) {
            (Constant::Known(one), Constant::Known(other)) => one.to_bits() == other.to_bits(),
            (Constant::Told(one), Constant::Told(other)) => one.to_string() == other.to_string(),
            _ => false,
        };
        self.constants.iter().position(same).unwrap_or_else(|| {
            self.constants.push(constant);
            self.constants.len() - 1
        })
    }

    pub(crate) fn constant(&mut self, constant: Constant) -> Id {
        let place = self.place(constant);
        self.add(Node::Constant(place))
    }

    pub(crate) fn number(&mut self, number: f64) -> Id {
        self.constant(Constant::Known(number))
    }

    /// The number of a node that is one.
    fn known(&self, id: Id) -> Option<f64> {
        match self.nodes[id] {
            Node::Constant(constant) => match self.constants[constant] {
                Constant::Known(number) => Some(number),
                Constant::Told(_) => None,
            },
            _ => None,
        }
    }

    #[allow(clippy::float_cmp, reason = "these numbers are exact")]
    pub(crate) fn is_number(&self, id: Id, number: f64) -> bool {
        self.known(id) == Some(number)
    }

    pub(crate) fn unary(&mut self, function: Unary, of: Id) -> Id {
        match (function, self.nodes[of], self.known(of)) {
            (Unary::Negative, _, Some(number)) => self.number(-number),
            (Unary::Negative, Node::Unary(Unary::Negative, inner), _) => inner,
            _ => self.add(Node::Unary(function, of)),
        }
    }

    #[allow(clippy::float_cmp, reason = "these numbers are exact")]
    pub(crate) fn binary(&mut self, operator: Binary, one: Id, other: Id) -> Id {
        // Parts of a gradient of which a choice left one or the other: without this, they would double with each choice.
        if operator == Binary::Add
            && let Some((comparison, [a, b], [yes, no])) = self.same_choice(one, other)
        {
            let [yes, no] = [yes, no].map(|[one, other]| self.binary(Binary::Add, one, other));
            return self.choice(comparison, [a, b, yes, no]);
        }
        let is = |id: Id, number: f64| self.known(id) == Some(number);
        match operator {
            Binary::Add if is(other, 0.0) => return one,
            Binary::Add if is(one, 0.0) => return other,
            Binary::Subtract if is(other, 0.0) => return one,
            Binary::Multiply | Binary::Divide if is(other, 1.0) => return one,
            Binary::Multiply if is(one, 1.0) => return other,
            Binary::Multiply if is(other, -1.0) => return self.unary(Unary::Negative, one),
            Binary::Multiply if is(one, -1.0) => return self.unary(Unary::Negative, other),
            _ => {}
        }
        // A division takes longer than all the rest: by a constant it is a product, off by a unit in the last place at most.
        if let (Binary::Divide, Node::Constant(constant)) = (operator, self.nodes[other])
            && self.known(one).is_none()
        {
            let inverse = match &self.constants[constant] {
                Constant::Known(number) => Some(Constant::Known(1.0 / number)).filter(|_| has_inverse(*number)),
                Constant::Told(number) => Some(Constant::Told(quote::quote!((1.0 / #number)))),
            };
            if let Some(inverse) = inverse {
                let inverse = self.constant(inverse);
                return self.binary(Binary::Multiply, one, inverse);
            }
        }
        if let (Some(one), Some(other)) = (self.known(one), self.known(other)) {
            let folded = match operator {
                Binary::Add => one + other,
                Binary::Subtract => one - other,
                Binary::Multiply => one * other,
                Binary::Divide => one / other,
                Binary::Min => one.min(other),
                Binary::Max => one.max(other),
            };
            if folded.is_finite() {
                return self.number(folded);
            }
        }
        self.add(Node::Binary(operator, one, other))
    }

    /// What two nodes choose between, if both choose by the same, and each leaves a zero.
    fn same_choice(&self, one: Id, other: Id) -> Option<(Comparison, [Id; 2], [[Id; 2]; 2])> {
        let choice = |id: Id| match self.nodes[id] {
            Node::Choice(comparison, [a, b, yes, no]) if self.is_number(yes, 0.0) || self.is_number(no, 0.0) => {
                Some((comparison, [a, b], [yes, no]))
            }
            _ => None,
        };
        let ((comparison, compared, [yes, no]), (like, others, [other_yes, other_no])) = (choice(one)?, choice(other)?);
        (comparison == like && compared == others).then_some((comparison, compared, [[yes, other_yes], [no, other_no]]))
    }

    /// How many nodes there are.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// To the power of a constant.
    pub(crate) fn power(&mut self, of: Id, exponent: Constant) -> Id {
        match exponent {
            Constant::Known(1.0) => of,
            Constant::Known(0.0) => self.number(1.0),
            exponent => {
                let place = self.place(exponent);
                self.add(Node::Power(of, place))
            }
        }
    }

    pub(crate) fn choice(&mut self, comparison: Comparison, operands: [Id; 4]) -> Id {
        if operands[2] == operands[3] {
            return operands[2];
        }
        self.add(Node::Choice(comparison, operands))
    }

    /// What a node uses.
    pub(crate) fn uses(node: Node) -> Vec<Id> {
        match node {
            Node::Argument(_) | Node::Value | Node::Gradient | Node::Constant(_) => Vec::new(),
            Node::Unary(_, of) | Node::Power(of, _) => vec![of],
            Node::Binary(_, one, other) => vec![one, other],
            Node::Clamp(operands) => operands.to_vec(),
            Node::Choice(_, operands) => operands.to_vec(),
        }
    }

    /// The nodes that these are made of, themselves included, in order.
    pub(crate) fn parts(&self, of: impl IntoIterator<Item = Id>) -> Vec<Id> {
        let mut is_part = vec![false; self.nodes.len()];
        of.into_iter().for_each(|id| is_part[id] = true);
        // What a node uses comes before it.
        for id in (0..self.nodes.len()).rev() {
            if is_part[id] {
                Self::uses(self.nodes[id]).into_iter().for_each(|used| is_part[used] = true);
            }
        }
        (0..self.nodes.len()).filter(|id| is_part[*id]).collect()
    }

    /// Which of the arguments these nodes are made of.
    pub(crate) fn arguments_of(&self, of: impl IntoIterator<Item = Id>, count: usize) -> Vec<bool> {
        let parts = self.parts(of);
        (0..count).map(|argument| parts.iter().any(|id| self.nodes[*id] == Node::Argument(argument))).collect()
    }

    /// A node with [`Node::Value`] in the place of another.
    pub(crate) fn replace(&mut self, id: Id, value: Id) -> Id {
        let mut made: HashMap<Id, Id> = HashMap::new();
        for part in self.parts([id]) {
            let now = |id: Id| made.get(&id).copied().unwrap_or(id);
            let new = match self.nodes[part] {
                _ if part == value => Node::Value,
                Node::Unary(function, of) => Node::Unary(function, now(of)),
                Node::Power(of, exponent) => Node::Power(now(of), exponent),
                Node::Binary(operator, one, other) => Node::Binary(operator, now(one), now(other)),
                Node::Clamp(operands) => Node::Clamp(operands.map(now)),
                Node::Choice(comparison, operands) => Node::Choice(comparison, operands.map(now)),
                leaf => leaf,
            };
            let new = self.add(new);
            made.insert(part, new);
        }
        made[&id]
    }

    /// A node of another graph, in which these stand for the arguments.
    pub(crate) fn import(&mut self, other: &Self, id: Id, arguments: &[Id]) -> Id {
        let mut made: HashMap<Id, Id> = HashMap::new();
        for part in other.parts([id]) {
            let now = |id: Id| made[&id];
            let new = match other.nodes[part] {
                Node::Argument(argument) => arguments[argument],
                Node::Constant(constant) => self.constant(other.constants[constant].clone()),
                Node::Unary(function, of) => self.unary(function, now(of)),
                Node::Power(of, exponent) => self.power(now(of), other.constants[exponent].clone()),
                Node::Binary(operator, one, other) => self.binary(operator, now(one), now(other)),
                Node::Clamp(operands) => self.add(Node::Clamp(operands.map(now))),
                Node::Choice(comparison, operands) => self.choice(comparison, operands.map(now)),
                leaf @ (Node::Value | Node::Gradient) => self.add(leaf),
            };
            made.insert(part, new);
        }
        made[&id]
    }

    /// What a node costs, in about the time of an addition.
    pub(crate) fn cost(&self, id: Id) -> u64 {
        let cost = |id: &Id| match self.nodes[*id] {
            Node::Argument(_) | Node::Value | Node::Gradient | Node::Constant(_) => 0,
            Node::Unary(Unary::Negative | Unary::Abs | Unary::Relu | Unary::Sign, _)
            | Node::Clamp(_)
            | Node::Choice(..) => 1,
            Node::Binary(Binary::Divide, ..) | Node::Unary(Unary::Sqrt, _) => 6,
            Node::Binary(..) => 1,
            Node::Unary(..) => 24,
            Node::Power(_, exponent) => match self.constants[exponent] {
                Constant::Known(number) if number.abs() <= 8.0 && number.fract() == 0.0 => 3,
                _ => 48,
            },
        };
        self.parts([id]).iter().map(cost).sum()
    }
}

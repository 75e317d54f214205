//! An expression as code: its value and its gradients, generic over numbers, so that the same lines are the loop of every
//! instruction set and the reference in f64.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{format_ident, quote};

use crate::expression::{Binary, Comparison, Constant, Expression, Graph, Id, Node, Unary};
use crate::plan::place::home;
use crate::plan::{Mapped, Plan, StepId};
use crate::size::Size;

/// The type of a step that is an expression.
pub(super) fn layer(plan: &Plan, index: StepId, mapped: &Mapped, name: &Ident) -> TokenStream {
    let Mapped { expression, .. } = mapped;
    let (count, text, cost) =
        (expression.arguments.len(), &expression.text, Literal::u64_unsuffixed(expression.cost()));
    let Expression { reads, reads_value, .. } = expression;
    let (value, gradients) = (value(expression), gradients(expression));
    let geometry = geometry(plan, index, mapped);
    // A number of any type is cast.
    let casts = expression
        .graph
        .has_told()
        .then(|| quote!(#[allow(clippy::cast_precision_loss, clippy::cast_lossless, clippy::unnecessary_cast)]));
    quote! {
        struct #name;
        #casts
        impl __layer::map::Expression<#count> for #name {
            const COST: usize = #cost;
            const READS: [bool; #count] = [#(#reads),*];
            const READS_VALUE: bool = #reads_value;
            #value
            #gradients
        }
        impl __layer::map::Map<#count> for #name {
            const TEXT: &'static str = #text;
            const GEOMETRY: __geometry::ExpressionGeometry<#count> = #geometry;
        }
    }
}

/// What it takes and makes, where the plan has its maps.
pub(super) fn geometry(plan: &Plan, index: StepId, mapped: &Mapped) -> TokenStream {
    let step = &plan.steps[index];
    let [channels, height, width] = plan.map(step.output).shape.sizes();
    let cells = match (height.known(), width.known()) {
        (Some(height), Some(width)) => Size::Known(height * width),
        _ => Size::Const(quote!(#height * #width)),
    };
    let operands = mapped.operands.iter().zip(&step.inputs).map(|(operand, map)| {
        let (channels, cells) = (operand.channels, operand.cells);
        match home(plan, *map).stride {
            0 if channels && cells => quote!(__layer::map::Operand::WHOLE),
            stride => {
                let stride = Literal::u64_unsuffixed(stride);
                quote!(__layer::map::Operand { channels: #channels, cells: #cells, stride: #stride })
            }
        }
    });
    let stride = Literal::u64_unsuffixed(home(plan, step.output).stride);
    quote! {
        __geometry::ExpressionGeometry {
            channels: #channels,
            cells: #cells,
            operands: [#(#operands),*],
            out_stride: #stride,
        }
    }
}

/// How many maps it takes.
fn count(expression: &Expression) -> Literal {
    Literal::usize_unsuffixed(expression.arguments.len())
}

fn value(expression: &Expression) -> TokenStream {
    let mut code = Code::new(expression, false);
    let statements = code.of(&[expression.value]);
    let value = code.expression(expression.value, 0);
    let arguments = code.arguments(&[expression.value]);
    let count = count(expression);
    quote! {
        #[inline(always)]
        fn value<V: __layer::map::Number>([#(#arguments),*]: [V; #count]) -> V {
            #statements
            #value
        }
    }
}

fn gradients(expression: &Expression) -> TokenStream {
    let mut code = Code::new(expression, true);
    let wanted: Vec<Id> = expression.gradients.iter().flatten().copied().collect();
    let statements = code.of(&wanted);
    let gradient = code.gradient.clone();
    let gradients: Vec<_> = expression
        .gradients
        .iter()
        .map(|id| match id {
            // In brackets: clippy takes a product in a list for two elements without a comma.
            Some(id) => code.expression(*id, 3),
            // Nothing depends on it.
            None => quote!(#gradient.like(0.0)),
        })
        .collect();
    let (arguments, count) = (code.arguments(&wanted), count(expression));
    let value = if expression.reads_value { code.value.clone() } else { format_ident!("_value") };
    quote! {
        #[inline(always)]
        fn gradients<V: __layer::map::Number>(
            [#(#arguments),*]: [V; #count],
            #value: V,
            #gradient: V,
        ) -> [V; #count] {
            #statements
            [#(#gradients),*]
        }
    }
}

/// Code that is written.
struct Code<'a> {
    graph: &'a Graph,
    arguments: Vec<Ident>,
    value: Ident,
    gradient: Ident,
    /// Whether it is that of gradients, and not of the value.
    of_gradient: bool,
    /// The names of nodes that are used more than once.
    named: Vec<(Id, Ident)>,
}

impl<'a> Code<'a> {
    fn new(expression: &'a Expression, of_gradient: bool) -> Self {
        // A name of the user's is no other's.
        let free = |name: &str| {
            let mut name = name.to_owned();
            while expression.arguments.contains(&name) {
                name += "_";
            }
            Ident::new(&name, Span::call_site())
        };
        Self {
            graph: &expression.graph,
            arguments: expression.arguments.iter().map(|argument| ident(argument)).collect(),
            value: free("value"),
            gradient: free("grad"),
            of_gradient,
            named: Vec::new(),
        }
    }

    /// The arguments of a function that makes these nodes; those that they do not look at have no names.
    fn arguments(&self, of: &[Id]) -> Vec<TokenStream> {
        let used = self.graph.arguments_of(of.iter().copied(), self.arguments.len());
        let is_constant = |id: &Id| matches!(self.graph.node(*id), Node::Constant(_));
        let anchors = !self.of_gradient && self.graph.parts(of.iter().copied()).iter().any(is_constant);
        let name = |(index, argument): (usize, &Ident)| {
            if used[index] || anchors && index == 0 { quote!(#argument) } else { quote!(_) }
        };
        self.arguments.iter().enumerate().map(name).collect()
    }

    /// Statements that name what these nodes use more than once.
    fn of(&mut self, nodes: &[Id]) -> TokenStream {
        let parts = self.graph.parts(nodes.iter().copied());
        let is_leaf = |id: Id| Graph::uses(self.graph.node(id)).is_empty();
        let uses = |id: Id| {
            let within = parts.iter().flat_map(|part| Graph::uses(self.graph.node(*part))).filter(|used| *used == id);
            within.count() + nodes.iter().filter(|node| **node == id).count()
        };
        let shared: Vec<Id> = parts.iter().copied().filter(|id| !is_leaf(*id) && uses(*id) > 1).collect();
        let mut statements = TokenStream::new();
        for id in shared {
            let code = self.expression(id, 0);
            let mut name = format!("v{}", self.named.len());
            while self.arguments.iter().any(|argument| *argument == name) {
                name += "_";
            }
            let name = Ident::new(&name, Span::call_site());
            statements.extend(quote!(let #name = #code;));
            self.named.push((id, name));
        }
        statements
    }

    /// A node as an expression, in brackets where what is around binds closer: 1 sums, 2 products, 3 signs, 4 calls.
    fn expression(&self, id: Id, around: u8) -> TokenStream {
        if let Some((_, name)) = self.named.iter().find(|(named, _)| *named == id) {
            return quote!(#name);
        }
        let (code, level) = match self.graph.node(id) {
            Node::Argument(argument) => {
                let argument = &self.arguments[argument];
                (quote!(#argument), 4)
            }
            Node::Value => {
                let value = &self.value;
                (quote!(#value), 4)
            }
            Node::Gradient => {
                let gradient = &self.gradient;
                (quote!(#gradient), 4)
            }
            Node::Constant(constant) => {
                let (like, constant) = (self.like(), constant_code(self.graph.constant_of(constant)));
                (quote!(#like.like(#constant)), 4)
            }
            Node::Unary(Unary::Negative, of) => {
                let of = self.expression(of, 3);
                (quote!(-#of), 3)
            }
            Node::Unary(function, of) => {
                let of = self.expression(of, 4);
                let name = Unary::NAMED.iter().find(|(named, _)| *named == function).map_or("abs", |(_, name)| name);
                let name = format_ident!("{name}");
                (quote!(#of.#name()), 4)
            }
            Node::Power(of, exponent) => {
                let (of, exponent) = (self.expression(of, 4), constant_code(self.graph.constant_of(exponent)));
                (quote!(#of.pow(#exponent)), 4)
            }
            Node::Binary(operator, one, other) => match operator {
                Binary::Add => self.infix(one, other, &quote!(+), 1),
                Binary::Subtract => self.infix(one, other, &quote!(-), 1),
                Binary::Multiply => self.infix(one, other, &quote!(*), 2),
                Binary::Divide => self.infix(one, other, &quote!(/), 2),
                Binary::Min | Binary::Max => {
                    let name = format_ident!("{}", if operator == Binary::Min { "min" } else { "max" });
                    let (one, other) = (self.expression(one, 4), self.expression(other, 0));
                    (quote!(#one.#name(#other)), 4)
                }
            },
            Node::Clamp([of, least, most]) => {
                let ([least, most], of) =
                    ([least, most].map(|bound| self.expression(bound, 0)), self.expression(of, 4));
                (quote!(#of.max(#least).min(#most)), 4)
            }
            Node::Choice(comparison, [one, others @ ..]) => {
                let name = format_ident!("{}", if comparison == Comparison::Less { "if_less" } else { "if_equal" });
                let (one, others) = (self.expression(one, 4), others.map(|other| self.expression(other, 0)));
                (quote!(#one.#name(#(#others),*)), 4)
            }
        };
        if level < around { quote!((#code)) } else { code }
    }

    fn infix(&self, one: Id, other: Id, sign: &TokenStream, level: u8) -> (TokenStream, u8) {
        let (one, other) = (self.expression(one, level), self.expression(other, level + 1));
        (quote!(#one #sign #other), level)
    }

    /// What constants are made like.
    fn like(&self) -> &Ident {
        if self.of_gradient { &self.gradient } else { &self.arguments[0] }
    }
}

/// A constant of type `f64`.
fn constant_code(constant: &Constant) -> TokenStream {
    match constant {
        Constant::Known(number) if *number < 0.0 => {
            let number = Literal::f64_unsuffixed(-number);
            quote!(-#number)
        }
        Constant::Known(number) => {
            let number = Literal::f64_unsuffixed(*number);
            quote!(#number)
        }
        Constant::Told(tokens) => tokens.clone(),
    }
}

fn ident(name: &str) -> Ident {
    match name.strip_prefix("r#") {
        Some(raw) => Ident::new_raw(raw, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    }
}

//! `map(|x, y| ..)`: what the names in an expression mean where it stands, and the map that it makes of those that it takes.

use syn::spanned::Spanned;
use syn::{Expr, Ident};

use super::constant::RealValue;
use super::join_rules;
use super::{Names, Walk};
use crate::error::nearest;
use crate::expression::{Binary, Comparison, Constant, Expression, Graph, Id, Node, Unary};
use crate::layers::{Arguments, Cost, Row};
use crate::parse::ast::{Call, Closure, Compared, Condition, Operator, Term};
use crate::parse::built_in;
use crate::plan::{Branch, INPUT, JoinKind, Kind, Map, MapId, Mapped, Operand};
use crate::size::{Real, Shape, Size};

/// Functions of several arguments.
const OTHERS: [(&str, usize); 4] = [("min", 2), ("max", 2), ("clamp", 3), ("pow", 2)];

impl Walk<'_, '_> {
    pub(super) fn map(&mut self, word: &Ident, closure: &Closure, name: &str, names: &Names) {
        let Some(maps) = self.arguments_of(closure, name, word) else {
            self.current = None;
            return;
        };
        // A map that is given twice is one argument. Where one is not known, mistakes in the expression are told all the same.
        let mut inputs: Vec<MapId> = Vec::new();
        let all_known = maps.iter().all(Option::is_some);
        let places: Vec<usize> = maps
            .iter()
            .map(|map| map.unwrap_or(INPUT))
            .map(|map| {
                inputs.iter().position(|input| *input == map).unwrap_or_else(|| {
                    inputs.push(map);
                    inputs.len() - 1
                })
            })
            .collect();
        let arguments = (0..inputs.len()).filter_map(|input| {
            let argument = places.iter().position(|place| *place == input)?;
            Some(closure.arguments[argument].to_string())
        });
        let arguments: Vec<_> = arguments.collect();
        let mistakes = self.errors.count();
        let mut graph = Graph::default();
        let known = closure.arguments.iter().zip(&places);
        let known = known.map(|(argument, place)| (argument.clone(), graph.add(Node::Argument(*place)))).collect();
        let mut body = Body { walk: self, graph, known, constants: Vec::new(), used: Vec::new(), name };
        let value = body.term(&closure.body);
        let Body { graph, used, .. } = body;
        let Some(value) = value.filter(|_| self.errors.count() == mistakes) else {
            self.current = None;
            return;
        };
        if let Some(argument) = closure.arguments.iter().find(|argument| !used.contains(argument)) {
            let text = format!("{name}: nothing uses `{argument}`\nhelp: leave it out of the arguments");
            self.wrong(argument, text);
            return;
        }
        if !all_known {
            self.current = None;
            return;
        }
        let Some((shape, operands)) = self.mapped(&inputs, &arguments, name, word) else { return };
        let expression = Expression::new(graph, value, arguments, closure.text());
        let kind = Kind::Map(Mapped { name: "map", expression, operands });
        self.add_step(kind, word.span(), Some(Cost::default()), names, inputs, Map::new(shape));
    }

    /// A layer that is an expression, in which its options are constants.
    pub(super) fn written(&mut self, row: &'static Row, text: &str, arguments: &Arguments, call: &Call, names: &Names) {
        let Some(input) = self.current else { return };
        let closure = built_in(text).expect("the table's expressions are right");
        let constants = row.options.iter().map(|option| {
            let constant = match arguments.real(option.name) {
                Real::Known(number) => Constant::Known(*number),
                Real::Const(tokens) => Constant::Told(quote::quote!(#tokens.value)),
            };
            (option.name, constant)
        });
        let constants = constants.collect();
        let mut graph = Graph::default();
        let known = vec![(closure.arguments[0].clone(), graph.add(Node::Argument(0)))];
        let mut body = Body { walk: self, graph, known, constants, used: Vec::new(), name: row.name };
        let value = body.term(&closure.body).expect("the table's expressions are right");
        let Body { graph, .. } = body;
        let options = row.options.iter().map(|option| match arguments.real(option.name) {
            Real::Known(number) => format!("{} = {number}", option.name),
            Real::Const(_) => format!("{} = ..", option.name),
        });
        let options: Vec<_> = options.collect();
        let options = if options.is_empty() { String::new() } else { format!(" where {}", options.join(", ")) };
        let expression = Expression::new(graph, value, vec!["x".to_owned()], closure.text() + &options);
        let shape = self.plan.map(input).shape.clone();
        let kind = Kind::Map(Mapped { name: row.name, expression, operands: vec![Operand::WHOLE] });
        self.add_step(kind, call.name.span(), Some(Cost::default()), names, vec![input], Map::new(shape));
    }

    /// The maps that an expression takes: the current one, and wires.
    fn arguments_of(&mut self, closure: &Closure, name: &str, word: &Ident) -> Option<Vec<Option<MapId>>> {
        let [first, others @ ..] = closure.arguments.as_slice() else {
            let text =
                format!("{name}: the map is missing\nhelp: `map(|x| ..)`, where `x` is the map that the step gets");
            self.errors.note(word, text);
            return None;
        };
        // The first has any name; that of a map is that map's.
        if let Some(map) = self.wire(first)
            && map.is_some()
            && self.current.is_some()
            && map != self.current
        {
            let text = format!(
                "{name}: the first argument is the map that the step gets, and `{first}` is another map\n\
                 help: `{first}, map(|{first}, ..| ..)`, or another name"
            );
            self.errors.note(first, text);
            return None;
        }
        let mut maps = vec![self.current];
        for (index, argument) in others.iter().enumerate() {
            if argument == first || others[..index].contains(argument) {
                self.errors
                    .note(argument, format!("{name}: the argument `{argument}` is there twice\nhelp: another name"));
                return None;
            }
            let Some(map) = self.wire(argument) else {
                let text = self.no_such_argument(argument, name);
                self.errors.note(argument, text);
                return None;
            };
            maps.push(map);
        }
        Some(maps)
    }

    fn no_such_argument(&self, argument: &Ident, name: &str) -> String {
        let rule = "rule: the first argument is the map that the step gets, the others are wires by their names";
        if let Some(text) = self.no_such_wire(argument) {
            return text;
        }
        let wires: Vec<_> = self.wires.names().collect();
        let help = match nearest(&argument.to_string(), wires.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("give a map this name: `step as {argument}`"),
        };
        format!("{name}: there is no map `{argument}`\n{rule}\nhelp: {help}")
    }

    /// The map that values at the same place make, and how each map meets it.
    fn mapped(
        &mut self,
        inputs: &[MapId],
        arguments: &[String],
        name: &str,
        word: &Ident,
    ) -> Option<(Shape, Vec<Operand>)> {
        let shapes: Vec<Shape> = inputs.iter().map(|map| self.plan.map(*map).shape.clone()).collect();
        if let [shape] = shapes.as_slice() {
            return Some((shape.clone(), vec![Operand::WHOLE]));
        }
        let branches = || {
            let label = |argument: &String| syn::parse_str::<Ident>(argument).ok();
            let branches = inputs.iter().zip(arguments);
            branches.map(|(map, argument)| Branch { map: *map, label: label(argument) }).collect::<Vec<_>>()
        };
        if !shapes.iter().all(Shape::is_known) {
            // What only rustc knows is one map for all.
            let shape = self.joined(JoinKind::Add, word, name, inputs[0], &branches())?;
            return Some((shape, vec![Operand::WHOLE; inputs.len()]));
        }
        let sizes: Vec<[u64; 3]> =
            shapes.iter().map(|shape| shape.sizes().map(|size| size.known().unwrap_or(0))).collect();
        let is_one = |shape: &Shape| shape.known_len() == Some(1);
        let flat = |index: &usize| matches!(shapes[*index], Shape::Flat(_));
        let largest = |of: fn(&[u64; 3]) -> u64| sizes.iter().map(of).max().unwrap_or(1);
        let (channels, cells) = (largest(|sizes| sizes[0]), largest(|sizes| sizes[1] * sizes[2]));
        let all: Vec<usize> = (0..shapes.len()).collect();
        for (index, shape) in shapes.iter().enumerate() {
            for other in &all[..index] {
                let unlike_rank = flat(&index) != flat(other) && !is_one(shape) && !is_one(&shapes[*other]);
                let [one, another] = [sizes[*other], sizes[index]];
                let channels_meet = one[0] == another[0] || one[0] == 1 || another[0] == 1;
                let is_cell = |sizes: [u64; 3]| sizes[1..] == [1, 1];
                let cells_meet = one[1..] == another[1..] || is_cell(one) || is_cell(another);
                if unlike_rank || !channels_meet || !cells_meet {
                    let branches = branches();
                    let site = join_rules::Site {
                        plan: &self.plan,
                        kind: JoinKind::Add,
                        name,
                        input: inputs[0],
                        branches: &branches,
                    };
                    let text = site.unlike(*other, index);
                    self.wrong(word, text);
                    return None;
                }
            }
        }
        let operand =
            |sizes: &[u64; 3]| Operand { channels: sizes[0] == channels, cells: sizes[1] * sizes[2] == cells };
        let operands = sizes.iter().map(operand).collect();
        let side = |side: usize| Size::Known(sizes.iter().map(|sizes| sizes[side]).max().unwrap_or(1));
        // One value has no rank.
        let is_flat = (0..shapes.len()).filter(|index| !is_one(&shapes[*index])).all(|index| flat(&index));
        let is_flat = is_flat && (channels * cells > 1 || all.iter().all(flat));
        let shape = if is_flat { Shape::Flat(side(0)) } else { Shape::Chw([side(0), side(1), side(2)]) };
        Some((shape, operands))
    }
}

/// An expression that is read.
struct Body<'w, 'a, 'b> {
    walk: &'w mut Walk<'a, 'b>,
    graph: Graph,
    /// Names and what they stand for, the last first.
    known: Vec<(Ident, Id)>,
    /// The options of a layer that is an expression.
    constants: Vec<(&'static str, Constant)>,
    used: Vec<Ident>,
    name: &'w str,
}

impl Body<'_, '_, '_> {
    fn wrong(&mut self, at: impl quote::ToTokens, text: &str) -> Option<Id> {
        self.walk.errors.note(at, format!("{}: {text}", self.name));
        None
    }

    fn term(&mut self, term: &Term) -> Option<Id> {
        match term {
            Term::Constant(constant) => {
                let constant = self.constant(constant)?;
                Some(self.graph.constant(constant))
            }
            Term::Name(name) => self.by_name(name),
            Term::Negative(of) => {
                let of = self.term(of)?;
                Some(self.graph.unary(Unary::Negative, of))
            }
            Term::Binary(operator, one, other) => {
                let (one, other) = (self.term(one), self.term(other));
                let operator = match operator {
                    Operator::Add => Binary::Add,
                    Operator::Subtract => Binary::Subtract,
                    Operator::Multiply => Binary::Multiply,
                    Operator::Divide => Binary::Divide,
                };
                Some(self.graph.binary(operator, one?, other?))
            }
            Term::Call { function, arguments } => self.call(function, arguments),
            Term::If { condition, yes, no } => {
                let (yes, no) = (self.term(yes), self.term(no));
                self.choice(condition, yes?, no?)
            }
            Term::Let { name, value, rest } => {
                let value = self.term(value);
                let id = value.unwrap_or_else(|| self.graph.number(0.0));
                self.known.push((name.clone(), id));
                let rest = self.term(rest);
                self.known.pop();
                value.and(rest)
            }
        }
    }

    fn by_name(&mut self, name: &Ident) -> Option<Id> {
        if let Some((_, id)) = self.known.iter().rev().find(|(known, _)| known == name) {
            self.used.push(name.clone());
            return Some(*id);
        }
        let text = name.to_string();
        if let Some((_, constant)) = self.constants.iter().find(|(known, _)| *known == text) {
            let constant = constant.clone();
            return Some(self.graph.constant(constant));
        }
        let scope = self.walk.scope();
        let is_in_scope = scope.names.iter().any(|(known, _)| *known == text);
        if !is_in_scope && !text.starts_with(char::is_uppercase) {
            let known: Vec<_> = self.known.iter().map(|(known, _)| known.to_string()).collect();
            let sizes = scope.names.iter().map(|(known, _)| known.as_str());
            // Any letter is like any other.
            let near = nearest(&text, known.iter().map(String::as_str).chain(sizes)).filter(|_| text.len() > 1);
            let help = match near {
                Some(meant) => format!("did you mean `{meant}`?"),
                None if self.walk.wires.names().any(|wire| wire == text) => {
                    format!("`{text}` is a map: it is an argument of its own, `map(|{}, {text}| ..)`", known.first().map_or("x", |name| name))
                }
                None => "a map is an argument of `map(|x| ..)`; a constant of the program starts with a capital letter, or stands in braces".to_owned(),
            };
            return self.wrong(name, &format!("there is no `{text}` here\nhelp: {help}"));
        }
        let path = syn::parse_quote!(#name);
        let constant = self.constant(&Expr::Path(path))?;
        Some(self.graph.constant(constant))
    }

    fn constant(&mut self, constant: &Expr) -> Option<Constant> {
        match self.walk.scope().real(constant) {
            Ok(RealValue::Known(number)) => Some(Constant::Known(number)),
            Ok(RealValue::Const(tokens)) => {
                // A number of any type is cast; rustc says where, if it is none.
                Some(Constant::Told(quote::quote_spanned!(constant.span()=> ((#tokens) as f64))))
            }
            Ok(RealValue::None) => self.wrong(constant, "this is no number").map(|_| Constant::Known(0.0)),
            Ok(RealValue::Unknown) => None,
            Err(mistake) => self.wrong(mistake.tokens, &mistake.text).map(|_| Constant::Known(0.0)),
        }
    }

    fn call(&mut self, function: &Ident, arguments: &[Term]) -> Option<Id> {
        let text = function.to_string();
        let unary = Unary::NAMED.iter().find(|(_, name)| *name == text);
        let takes = unary.map(|_| 1).or_else(|| OTHERS.iter().find(|(name, _)| *name == text).map(|(_, count)| *count));
        let Some(takes) = takes else {
            let known = || Unary::NAMED.iter().map(|(_, name)| *name).chain(OTHERS.iter().map(|(name, _)| *name));
            let other = match text.as_str() {
                "log" => Some("ln"),
                "log1p" => Some("ln_1p"),
                "expm1" => Some("exp_m1"),
                "square" => Some("pow"),
                "powf" | "powi" => Some("pow"),
                "maximum" => Some("max"),
                "minimum" => Some("min"),
                "clip" => Some("clamp"),
                "logistic" => Some("sigmoid"),
                _ => nearest(&text, known()),
            };
            let help = match other {
                Some("pow") => "`pow(x, 2)`".to_owned(),
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("the functions are {}", known().collect::<Vec<_>>().join(", ")),
            };
            return self.wrong(function, &format!("there is no function `{text}`\nhelp: {help}"));
        };
        if arguments.len() != takes {
            let (found, form) = (arguments.len(), ["(x)", "(x, y)", "(x, 0, 1)"][takes - 1]);
            let plural = if takes == 1 { "one argument".to_owned() } else { format!("{takes} arguments") };
            return self.wrong(function, &format!("`{text}` takes {plural}, and gets {found}\nhelp: `{text}{form}`"));
        }
        if text == "pow" {
            let of = self.term(&arguments[0]);
            let Some(exponent) = self.exponent(&arguments[1]) else {
                let text = "the exponent is a constant\nhelp: `pow(x, 2)`; of two maps it is `exp(y * ln(x))`";
                return self.wrong(function, text);
            };
            return Some(self.graph.power(of?, exponent));
        }
        let arguments: Vec<_> = arguments.iter().map(|argument| self.term(argument)).collect();
        let arguments: Vec<Id> = arguments.into_iter().collect::<Option<_>>()?;
        Some(match (unary, arguments.as_slice()) {
            (Some((function, _)), [of]) => self.graph.unary(*function, *of),
            (_, [of, least, most]) => {
                if [least, most].iter().any(|bound| !matches!(self.graph.node(**bound), Node::Constant(_))) {
                    return self.wrong(
                        function,
                        "the bounds are constants\nhelp: `clamp(x, 0, 1)`; of maps `min(max(x, low), high)`",
                    );
                }
                self.graph.add(Node::Clamp([*of, *least, *most]))
            }
            (_, [one, other]) if text == "max" => self.graph.binary(Binary::Max, *one, *other),
            (_, [one, other]) => self.graph.binary(Binary::Min, *one, *other),
            _ => return None,
        })
    }

    /// A constant exponent.
    fn exponent(&mut self, term: &Term) -> Option<Constant> {
        let id = self.term(term)?;
        match self.graph.node(id) {
            Node::Constant(constant) => Some(self.graph.constant_of(constant).clone()),
            Node::Unary(Unary::Negative, of) => match self.graph.node(of) {
                Node::Constant(constant) => match self.graph.constant_of(constant).clone() {
                    Constant::Known(number) => Some(Constant::Known(-number)),
                    Constant::Told(tokens) => Some(Constant::Told(quote::quote!(-#tokens))),
                },
                _ => None,
            },
            _ => None,
        }
    }

    /// The one where a condition holds, the other elsewhere.
    fn choice(&mut self, condition: &Condition, yes: Id, no: Id) -> Option<Id> {
        Some(match condition {
            Condition::Not(of) => return self.choice(of, no, yes),
            Condition::And(one, other) => {
                let inner = self.choice(other, yes, no)?;
                return self.choice(one, inner, no);
            }
            Condition::Or(one, other) => {
                let inner = self.choice(other, yes, no)?;
                return self.choice(one, yes, inner);
            }
            Condition::Compare(compared, one, other) => {
                let (one, other) = (self.term(one), self.term(other));
                let (one, other) = (one?, other?);
                let graph = &mut self.graph;
                match compared {
                    Compared::Less => graph.choice(Comparison::Less, [one, other, yes, no]),
                    Compared::Greater => graph.choice(Comparison::Less, [other, one, yes, no]),
                    Compared::Equal => graph.choice(Comparison::Equal, [one, other, yes, no]),
                    Compared::Unequal => graph.choice(Comparison::Equal, [one, other, no, yes]),
                    // NaN is neither less nor equal.
                    Compared::LessOrEqual => {
                        let equal = graph.choice(Comparison::Equal, [one, other, yes, no]);
                        graph.choice(Comparison::Less, [one, other, yes, equal])
                    }
                    Compared::GreaterOrEqual => {
                        let equal = graph.choice(Comparison::Equal, [one, other, yes, no]);
                        graph.choice(Comparison::Less, [other, one, yes, equal])
                    }
                }
            }
        })
    }
}

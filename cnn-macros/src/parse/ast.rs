//! The grammar as types, spans kept. Knows no layer by name and no size by value.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, Ident, Path, Visibility};

/// Everything in one invocation.
pub(crate) struct Declaration {
    pub(crate) blocks: Vec<Block>,
    pub(crate) networks: Vec<Network>,
}

/// `block name<PARAM, ..> { .. }`: a template.
pub(crate) struct Block {
    pub(crate) name: Ident,
    pub(crate) parameters: Vec<Ident>,
    pub(crate) body: Body,
    /// What is wrong with it wherever it is used.
    pub(crate) errors: Vec<syn::Error>,
}

/// `pub Name<C, H, W> { .. }`, or `pub Name<image: <C, H, W>, features: <N>> { .. }`; for several sizes
/// `pub Name<3, H, W> for [(12, 12), (24, 24)] { .. }`.
pub(crate) struct Network {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) name: Ident,
    /// At least one.
    pub(crate) inputs: Vec<Input>,
    pub(crate) family: Option<Family>,
    pub(crate) body: Body,
    /// What did not parse inside of it.
    pub(crate) errors: Vec<syn::Error>,
}

/// `for [(12, 12), (24, 24)]`: what names in the sizes of its inputs stand for.
pub(crate) struct Family {
    /// `for`
    pub(crate) word: Span,
    /// The names, in the order in which they are there first.
    pub(crate) names: Vec<Ident>,
    pub(crate) sizes: Vec<FamilySize>,
}

/// `(12, 12)`, or `12`.
pub(crate) struct FamilySize {
    pub(crate) numbers: Vec<Expr>,
    /// The whole, to be underlined.
    pub(crate) tokens: TokenStream,
}

/// What a network takes: a map, which has a name where there are several.
pub(crate) struct Input {
    pub(crate) name: Option<Ident>,
    pub(crate) dims: Dims,
}

/// `<C, H, W>`, or `<N>` for a flat map.
pub(crate) struct Dims {
    pub(crate) sizes: Vec<Expr>,
    /// The whole, to be underlined.
    pub(crate) tokens: TokenStream,
}

/// The steps between braces or brackets.
pub(crate) struct Body {
    pub(crate) steps: Vec<Step>,
    /// Of the brackets around them.
    pub(crate) span: Span,
}

/// `label: layer => <C, H, W> as wire`.
pub(crate) struct Step {
    /// A name, or `_`.
    pub(crate) label: Option<Label>,
    pub(crate) layer: Layer,
    pub(crate) claim: Option<Dims>,
    /// The name that the map gets, to be used again.
    pub(crate) wire: Option<Ident>,
}

/// `label:`, or `"label-0":`.
#[derive(Clone)]
pub(crate) struct Label {
    /// What the program knows it by.
    pub(crate) name: Ident,
    /// What weights go by, where that is no name in Rust.
    pub(crate) quoted: Option<String>,
}

impl Label {
    /// What weights go by.
    pub(crate) fn of_weights(&self) -> String {
        self.quoted.clone().unwrap_or_else(|| self.name.unraw().to_string())
    }
}

impl Step {
    /// The name that its weights go by in the sequence around it, if it gives them one, as the program knows it.
    pub(crate) fn own_label(&self) -> Option<&Ident> {
        self.named().map(|label| &label.name)
    }

    /// The same with what its weights go by.
    pub(crate) fn named(&self) -> Option<&Label> {
        self.label.as_ref().filter(|label| label.name != "_")
    }

    /// Whether it is `_: layer`, which lends its names to the sequence around it.
    pub(crate) fn lends_names(&self) -> bool {
        self.label.is_some() && self.own_label().is_none()
    }
}

pub(crate) enum Layer {
    /// `conv2d<6, 5>(padding = 2)`: a layer, a block, or a wire by its name.
    Call(Call),
    /// `[ .. ]`
    Sequence(Body),
    /// `repeat<N> [ .. ]`
    Repeat { count: Expr, body: Body },
    /// `add { .. }`, `multiply { .. }` or `concat { .. }`: each step is a branch.
    Join { kind: Ident, branches: Body },
    /// `outputs { name: step, .. }`: each step is a branch.
    Outputs { word: Ident, branches: Body },
    /// `map(|x, y| x * y)`: an expression of values at the same place.
    Map { word: Ident, closure: Closure },
    /// `share<label>`: an earlier step again, with the same weights.
    Share { word: Ident, label: Ident },
    /// `path::To::AType<..>`: another network, or a layer of the user's own.
    Type(Path),
    /// Did not parse, and was reported.
    Broken,
}

pub(crate) struct Call {
    pub(crate) name: Ident,
    /// The whole of a name with a path or a capital letter, which would be a type's, had it no options.
    pub(crate) path: Option<Path>,
    /// `<6, 5>`; a pair `(3, 5)` is a tuple.
    pub(crate) sizes: Vec<Expr>,
    /// `(padding = 2)`
    pub(crate) options: Vec<Setting>,
    /// What stands alone between round brackets where there are no angle brackets: flags, or sizes that belong there; behind a
    /// capital letter all that is there.
    pub(crate) alone: Vec<TokenStream>,
    /// Whether something between its brackets did not parse, and was reported.
    pub(crate) broken: bool,
}

/// `|x, y| x * sigmoid(y)`
pub(crate) struct Closure {
    pub(crate) arguments: Vec<Ident>,
    pub(crate) body: Term,
}

/// An expression of values at the same place.
pub(crate) enum Term {
    /// A number, a path, or what stands in braces.
    Constant(Expr),
    /// An argument, a name of `let`, or a constant.
    Name(Ident),
    Negative(Box<Term>),
    Binary(Operator, Box<Term>, Box<Term>),
    /// `exp(x)`, or `x.exp()`.
    Call {
        function: Ident,
        arguments: Vec<Term>,
    },
    If {
        condition: Box<Condition>,
        yes: Box<Term>,
        no: Box<Term>,
    },
    Let {
        name: Ident,
        value: Box<Term>,
        rest: Box<Term>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
}

/// What an `if` asks.
pub(crate) enum Condition {
    Compare(Compared, Box<Term>, Box<Term>),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Equal,
    Unequal,
}

/// `padding = 2`, or a bare `strict`.
pub(crate) struct Setting {
    pub(crate) name: Ident,
    pub(crate) value: Option<Expr>,
}

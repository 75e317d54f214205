//! Layers as other libraries write them: said in this language, with the numbers in their places.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, Path, PathArguments};

use super::arguments::{between_angles, example, four};
use crate::layers::foreign::{self, Foreign, Here};
use crate::layers::{ArgumentKind, Default, ROWS, Row};
use crate::parse::ast::Call;
use crate::size::Shape;

/// A value by what it is called here.
type Argument = (String, TokenStream);

/// A value that needs not be said here, and what it is.
type Needless = (TokenStream, &'static str);

/// What is between the brackets behind another library's name.
struct Written {
    /// Between angle brackets.
    sizes: Vec<TokenStream>,
    /// Between round ones, without names.
    positional: Vec<TokenStream>,
    named: Vec<Argument>,
}

/// Of a call that names no layer: what it is here, if it is another library's.
pub(super) fn call(call: &Call, input: Option<&Shape>) -> Option<String> {
    let name = call.name.to_string();
    let foreign = foreign::spelled(&name).or_else(|| foreign::alike(&name))?;
    let mut written = Written::of(&call.alone);
    written.sizes = call.sizes.iter().map(ToTokens::to_token_stream).collect();
    for option in &call.options {
        written.named.push((option.name.to_string(), option.value.to_token_stream()));
    }
    Some(text(foreign, &name, &written, input))
}

/// Of a word that stands for a type of the user's: what it is here, if it is the name of a layer that everybody knows.
pub(super) fn path(path: &Path, input: Option<&Shape>) -> Option<String> {
    let last = path.segments.last()?;
    let name = last.ident.to_string();
    let foreign = foreign::spelled(&name)?;
    let module: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
    let module = module[..module.len() - 1].join("::");
    if path.leading_colon.is_some()
        || !(module.is_empty() && foreign.alone || foreign::MODULES.contains(&module.as_str()))
    {
        return None;
    }
    let mut written = Written::of(&[]);
    if let PathArguments::AngleBracketed(arguments) = &last.arguments {
        written.sizes = arguments.args.iter().map(ToTokens::to_token_stream).collect();
    }
    let text = text(foreign, &name, &written, input);
    let own = if module.is_empty() { format!("self::{name}") } else { format!("self::{module}::{name}") };
    Some(format!("{text}; a type of your own goes by its path, `{own}`"))
}

impl Written {
    fn of(parts: &[TokenStream]) -> Self {
        let mut written = Self { sizes: Vec::new(), positional: Vec::new(), named: Vec::new() };
        for part in parts {
            let mut tokens = part.clone().into_iter();
            match (tokens.next(), tokens.next()) {
                (Some(TokenTree::Ident(name)), Some(TokenTree::Punct(equals))) if equals.as_char() == '=' => {
                    written.named.push((name.to_string(), tokens.collect()));
                }
                _ => written.positional.push(part.clone()),
            }
        }
        written
    }

    /// The values by what they are called here; and what needs not be said, with what it is.
    fn arguments(&self, foreign: &Foreign, sizes: &[&str]) -> (Vec<Argument>, Option<Needless>) {
        let (mut arguments, mut needless) = (self.named.clone(), None);
        let mut positions = foreign.positions;
        // Numbers between angle brackets are in this language's order where they are as many as it has.
        let positional = [self.sizes.as_slice(), &self.positional].concat();
        let is_ours = self.sizes.len() == sizes.len() && !self.sizes.is_empty();
        let by_name = sizes.iter().filter(|size| find(&self.named, size).is_some()).count();
        if let [first, rest @ ..] = positions
            && first.starts_with('=')
            && (is_ours || positional.len() + by_name == sizes.len() && !positional.is_empty() && !sizes.is_empty())
        {
            positions = rest;
        }
        for (position, value) in positions.iter().zip(positional) {
            match position.strip_prefix('=') {
                Some(what) => needless = Some((value, what)),
                None => arguments.push(((*position).to_owned(), value)),
            }
        }
        (arguments, needless)
    }
}

/// An argument by its name here, or there.
fn find<'a>(arguments: &'a [Argument], name: &str) -> Option<&'a TokenStream> {
    let is_it =
        |known: &str| known == name || foreign::OPTIONS.iter().any(|(there, here)| *there == known && *here == name);
    arguments.iter().find(|(known, _)| is_it(known)).map(|(_, value)| value)
}

fn text(foreign: &Foreign, name: &str, written: &Written, input: Option<&Shape>) -> String {
    let library = foreign.library;
    match foreign.here {
        Here::Layer(row) => {
            let row = ROWS.iter().find(|known| known.name == row).expect("another library's layer has a row");
            let (arguments, needless) =
                written.arguments(foreign, &row.sizes.iter().map(|size| size.name).collect::<Vec<_>>());
            let needless = match needless {
                Some((value, what)) if what.starts_with("input") || what == "channels" => {
                    format!("; the {value} {what} are those of the map that it gets")
                }
                _ => String::new(),
            };
            let form = form(row, name, &arguments);
            format!("`{name}` is {library}'s name of what is `{}` here\nhelp: `{form}`{needless}", row.name)
        }
        Here::Steps(template) => {
            let (arguments, _) = written.arguments(
                foreign,
                if template.contains("out_channels") { &["out_channels", "kernel_size"] } else { &["kernel_size"] },
            );
            let form = filled(template, name, written, &arguments, input);
            format!("there is no layer `{name}` here: it is {library}'s\nhelp: `{form}`")
        }
        Here::No(text) => format!("there is no layer `{name}` here: it is {library}'s\nhelp: {text}"),
    }
}

/// A call of this language with another library's arguments.
fn form(row: &Row, name: &str, arguments: &[Argument]) -> String {
    let mut options = Vec::new();
    let mut sizes = Vec::new();
    let find = |name: &str| find(arguments, name);
    if let Some(sides) = row.sizes.first().and_then(|size| find(size.name)).and_then(|value| sides(row, name, value)) {
        options.push(sides);
    } else {
        for size in row.sizes {
            let value = find(size.name).map(|value| between_angles(&of_here(value)));
            // Keras pools 2x2 cells where it is not told.
            let value = value.or_else(|| (name.contains("Pooling2D")).then(|| "2".to_owned()));
            sizes.push(value.unwrap_or_else(|| size.name.to_owned()));
        }
    }
    // Keras upsamples by 2, and its size is a factor.
    let is_factor = name == "UpSampling2D";
    for option in row.options.iter().filter(|option| option.kind != ArgumentKind::Later) {
        let value = match find(option.name) {
            _ if is_factor && option.name == "size" => None,
            None if is_factor && option.name == "scale_factor" => {
                Some(find("size").map_or_else(|| "2".to_owned(), |value| of_here(value).to_string()))
            }
            value => value.map(|value| of_here(value).to_string().replace(" ,", ",")),
        };
        let is_none = option.kind != ArgumentKind::ProbabilityOrNone;
        let value = value.filter(|value| !matches!(value.as_str(), "none" if is_none) && value != "valid");
        let value = value.map(|value| match value.parse::<f64>() {
            // Keras's is the share of the old statistics.
            Ok(old) if option.name == "momentum" && name.starts_with("BatchNormalization") => {
                ((1e6 - old * 1e6).round() / 1e6).to_string()
            }
            _ => value,
        });
        let value = value.filter(|value| !is_default(option.default, value));
        let required = || matches!(option.default, Default::Required).then(|| example(option));
        options.extend(value.or_else(required).map(|value| format!("{} = {value}", option.name)));
    }
    let sizes = if sizes.is_empty() { String::new() } else { format!("<{}>", sizes.join(", ")) };
    let options = if options.is_empty() { String::new() } else { format!("({})", options.join(", ")) };
    let behind = find("activation").and_then(activation).map_or(String::new(), |word| format!(", {word}"));
    format!("{}{sizes}{options}{behind}", row.name)
}

fn is_default(default: Default, value: &str) -> bool {
    match default {
        Default::Number(number) => value == number.to_string(),
        Default::Truth(truth) => value == truth.to_string(),
        Default::Word(word) => value == word,
        _ => false,
    }
}

/// The sides of a map in another library's order, by their names.
fn sides(row: &Row, name: &str, value: &TokenStream) -> Option<String> {
    if !row.options.iter().any(|option| option.kind == ArgumentKind::Side) {
        return None;
    }
    if let Some([left, right, top, bottom]) = four(&[value]) {
        return Some(format!("left = {left}, right = {right}, top = {top}, bottom = {bottom}"));
    }
    let Expr::Tuple(tuple) = syn::parse2(value.clone()).ok()? else { return None };
    let pairs: Vec<_> = tuple
        .elems
        .iter()
        .filter_map(|pair| match pair {
            Expr::Tuple(pair) if pair.elems.len() == 2 => {
                Some([&pair.elems[0], &pair.elems[1]].map(|side| side.to_token_stream().to_string()))
            }
            _ => None,
        })
        .collect();
    match pairs.as_slice() {
        [[top, bottom], [left, right]] if name == "ZeroPadding2D" => {
            Some(format!("left = {left}, right = {right}, top = {top}, bottom = {bottom}"))
        }
        _ => None,
    }
}

/// A value of Python's as this language has it.
fn of_here(value: &TokenStream) -> TokenStream {
    let text = value.to_string();
    let word = text.trim_matches('"').to_lowercase();
    let is_word = text.starts_with('"') || matches!(text.as_str(), "True" | "False" | "None");
    if let (true, Ok(word)) = (is_word, word.parse()) {
        return word;
    }
    match syn::parse2(value.clone()) {
        // As many rows as columns.
        Ok(Expr::Tuple(pair)) if pair.elems.len() == 2 && same(&pair.elems[0], &pair.elems[1]) => {
            pair.elems[0].to_token_stream()
        }
        Ok(Expr::Tuple(one)) if one.elems.len() == 1 => one.elems[0].to_token_stream(),
        _ => value.clone(),
    }
}

fn same(one: &Expr, other: &Expr) -> bool {
    one.to_token_stream().to_string() == other.to_token_stream().to_string()
}

/// The step that an activation is by its name in Keras.
fn activation(value: &TokenStream) -> Option<String> {
    let word = value.to_string().trim_matches('"').to_lowercase();
    let word = if word == "swish" { "silu".to_owned() } else { word };
    ROWS.iter().any(|row| row.name == word && row.sizes.is_empty()).then_some(word)
}

/// Steps with another library's arguments put in.
fn filled(template: &str, name: &str, written: &Written, arguments: &[Argument], input: Option<&Shape>) -> String {
    let value = |what: &str| match what {
        "features" => match input {
            Some(Shape::Flat(features)) => features.known().map(|features| features.to_string()),
            _ => None,
        },
        "map" => map(name, written),
        "activation" => find(arguments, what).and_then(activation),
        what => find(arguments, what).map(|value| between_angles(&of_here(value))),
    };
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, (what, (otherwise, behind)))) = rest.split_once('{').and_then(|(before, rest)| {
        let (what, rest) = rest.split_once('|')?;
        // An expression's braces are its own.
        what.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_').then_some(())?;
        Some((before, (what, rest.split_once('}')?)))
    }) {
        text = text + before + &value(what).unwrap_or_else(|| otherwise.to_owned());
        rest = behind;
    }
    text + rest
}

/// The map that a reshaping makes, channels first.
fn map(name: &str, written: &Written) -> Option<String> {
    let numbers = |tokens: &TokenStream| {
        tokens
            .clone()
            .into_iter()
            .flat_map(|token| match token {
                TokenTree::Group(group) => group.stream().into_iter().collect::<Vec<_>>(),
                token => vec![token],
            })
            .filter_map(|token| token.to_string().parse::<u64>().ok())
            .collect::<Vec<_>>()
    };
    let values = written.sizes.iter().chain(&written.positional).chain(written.named.iter().map(|(_, value)| value));
    let numbers: Vec<u64> = values.flat_map(numbers).collect();
    match numbers[numbers.len().saturating_sub(3)..] {
        // Keras has channels last.
        [h, w, c] if name == "Reshape" => Some(format!("{c}, {h}, {w}")),
        [c, h, w] => Some(format!("{c}, {h}, {w}")),
        _ => None,
    }
}

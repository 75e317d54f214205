//! What is read alike everywhere: sizes, expressions, lists; and where a mistake is put that has no place of its own.

use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};
use syn::parse::ParseStream;
use syn::{Expr, ExprLit, Lit, Token, token};

use super::ast::Dims;
use crate::error::Errors;

pub(super) fn dims(input: ParseStream<'_>) -> syn::Result<Dims> {
    let before = input.cursor();
    let sizes = sizes(input)?;
    let mut tokens = Vec::new();
    let mut rest = before;
    while rest != input.cursor() {
        let (token, next) = rest.token_tree().expect("there are tokens up to the cursor");
        tokens.push(token);
        rest = next;
    }
    Ok(Dims { sizes, tokens: tokens.into_iter().collect() })
}

/// `<size, ..>`
pub(super) fn sizes(input: ParseStream<'_>) -> syn::Result<Vec<Expr>> {
    input.parse::<Token![<]>()?;
    let mut sizes = Vec::new();
    while !input.peek(Token![>]) {
        sizes.push(size(input)?);
        if input.peek(Token![,]) {
            input.parse::<Token![,]>()?;
        } else if input.peek(Token![=]) {
            return Err(input.error("sizes go by their places, without names: `conv2d<8, 3>`"));
        } else if !input.peek(Token![>]) {
            return Err(input.error("expected `,` or `>`; put arithmetic in braces: `{6 * 4}`"));
        }
    }
    input.parse::<Token![>]>()?;
    Ok(sizes)
}

/// A size between angle brackets, where an operator would be taken for the end of the list.
pub(super) fn size(input: ParseStream<'_>) -> syn::Result<Expr> {
    // A fragment of a `macro_rules!` macro comes in a group without delimiters, and a bracket ends where it ends: both
    // hold a whole expression.
    if input.cursor().group(Delimiter::None).is_some() || input.peek(token::Brace) || input.peek(token::Paren) {
        return whole(input.parse::<TokenTree>()?.into());
    }
    if input.peek(Lit) {
        return input.parse().map(|lit| Expr::Lit(ExprLit { attrs: Vec::new(), lit }));
    }
    if input.peek(syn::Ident) || input.peek(Token![::]) || input.peek(Token![crate]) || input.peek(Token![self]) {
        return input.parse().map(Expr::Path);
    }
    if input.peek(Token![-]) {
        return Err(input.error("a size cannot be negative"));
    }
    Err(input.error("expected a size: a number, a name, `(height, width)`, or arithmetic in braces"))
}

/// All tokens as one expression. What syn knows only with its feature `full` (statements, `if`, arrays), which takes as long
/// to compile as the rest of it, is left as it stands, for rustc.
pub(super) fn whole(tokens: TokenStream) -> syn::Result<Expr> {
    let inner = in_braces(tokens.clone()).unwrap_or_else(|| tokens.clone());
    if inner.is_empty() {
        return Err(syn::Error::new_spanned(&tokens, "expected a constant expression"));
    }
    if let Some(TokenTree::Ident(first)) = tokens.clone().into_iter().next()
        && syn::parse2::<Expr>(tokens.clone()).is_err_and(|error| is_unsupported(&error))
    {
        return Err(syn::Error::new(first.span(), "expected an expression; put this one in braces: `{ .. }`"));
    }
    let is_semicolon = |token: TokenTree| matches!(token, TokenTree::Punct(punct) if punct.as_char() == ';');
    match syn::parse2::<Expr>(inner.clone()) {
        Err(error) if !is_unsupported(&error) && !inner.into_iter().any(is_semicolon) => Err(error),
        _ => syn::parse2(tokens.clone()).or(Ok(Expr::Verbatim(tokens))),
    }
}

/// What stands in braces, if that is all.
pub(crate) fn in_braces(tokens: TokenStream) -> Option<TokenStream> {
    let mut tokens = tokens.into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Brace => Some(group.stream()),
        _ => None,
    }
}

pub(super) fn is_unsupported(error: &syn::Error) -> bool {
    error.to_string().starts_with("unsupported expression")
}

/// Cuts a list at its commas. Where sizes stand between `<` and `>`, commas between those do not count.
pub(super) fn split(tokens: TokenStream, angles: bool, errors: &mut Errors) -> Vec<TokenStream> {
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut depth = 0_usize;
    let mut arrow = false;
    for token in tokens {
        if let TokenTree::Punct(punct) = &token {
            match punct.as_char() {
                ',' if depth == 0 => {
                    if part.is_empty() {
                        errors.note(&token, "expected something before this `,`");
                    }
                    parts.push(part.drain(..).collect());
                    continue;
                }
                '<' if angles => depth += 1,
                '>' if angles && !arrow => depth = depth.saturating_sub(1),
                _ => {}
            }
            // The `>` of `=>` closes nothing, also where `<8, 3>=><8, 26, 26>` is written without spaces.
            arrow = punct.as_char() == '=' && punct.spacing() == Spacing::Joint;
        } else {
            arrow = false;
        }
        part.push(token);
    }
    parts.push(part.into_iter().collect());
    parts.retain(|part: &TokenStream| !part.is_empty());
    parts
}

/// `{ .. }` or `[ .. ]`, or what was expected instead.
pub(super) fn brackets(input: ParseStream<'_>, delimiter: Delimiter, what: &str) -> syn::Result<Group> {
    let found = match delimiter {
        Delimiter::Brace => input.peek(token::Brace),
        _ => input.peek(token::Bracket),
    };
    if found { input.parse() } else { Err(input.error(format!("expected {what}"))) }
}

pub(super) fn skip_rest(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    input.parse::<TokenStream>()?;
    Ok(TokenStream::new())
}

/// A mistake at the next token, or at `behind` if there is none: the end of a list has no place of its own.
pub(super) fn at_next(input: ParseStream<'_>, behind: impl quote::ToTokens, text: &str) -> syn::Error {
    if input.is_empty() { syn::Error::new_spanned(behind, text) } else { input.error(text) }
}

/// Puts a mistake at the end of a list on the list's last token.
pub(super) fn at_last(error: syn::Error, last: Option<&TokenTree>) -> syn::Error {
    let text = error.to_string();
    match (text.strip_prefix("unexpected end of input, "), last) {
        (Some(text), Some(last)) => syn::Error::new(last.span(), text),
        _ => error,
    }
}

//! A use of a block: its steps where it stands, with what its parameters mean there.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::Ident;

use super::arguments::between_angles;
use super::blocks::Teller;
use super::constant::Meaning;
use super::{Names, Walk};
use crate::parse::ast::{Block, Call, Layer, Step};
use crate::plan::{Branch, INPUT, MapId};
use crate::size::Size;

/// What a use of a block gives it: its parameters' meanings, and the maps that some of them name.
type Given = (Vec<(String, Meaning)>, Vec<(Ident, Option<MapId>)>);

/// So many uses of blocks in a network are a slip, whatever is in them.
const MOST_USES: usize = 20_000;

impl<'b> Walk<'_, 'b> {
    /// A use of a block: its steps where it stands, with its parameters' meaning.
    pub(super) fn block(&mut self, index: usize, block: &'b Block, call: &Call, name: &str, names: &Names) {
        if !block.errors.is_empty() {
            self.tell_block(index, block);
            return;
        }
        let Some((parameters, maps)) = self.block_arguments(block, call, name) else {
            self.skip(block);
            return;
        };
        self.uses += 1;
        if self.uses > MOST_USES {
            if self.uses == MOST_USES + 1 {
                self.errors.note(&call.name, format!("{name}: more than {MOST_USES} uses of blocks\nhelp: fewer"));
            }
            self.current = None;
            return;
        }
        let text = |(_, meaning): &(String, Meaning)| match meaning {
            Meaning::Size(Size::Known(number)) => number.to_string(),
            Meaning::Size(Size::Const(_)) => "..".to_owned(),
            Meaning::Other(other) => other.to_token_stream().to_string().replace(' ', ""),
            Meaning::Nothing(_) | Meaning::Unknown => "?".to_owned(),
        };
        let arguments: Vec<_> = parameters.iter().map(text).collect();
        let arguments = if arguments.is_empty() { String::new() } else { format!("<{}>", arguments.join(", ")) };
        let path = if names.labels.is_empty() { self.network.to_string() } else { names.path() };
        let before = self.errors.count();
        self.errors.enter(format!("{path} <- {}{arguments}", block.name));
        let outer = std::mem::replace(&mut self.parameters, parameters);
        let mark = self.enter_apart(&block.body);
        maps.into_iter().for_each(|(name, map)| self.give_map(name, map));
        self.steps(&block.body, names, 0);
        self.leave_body(mark);
        self.parameters = outer;
        self.errors.leave();
        if self.errors.count() > before
            && let Teller::Before(network) = self.blocks.tell(index, self.network)
        {
            self.errors.truncate(before);
            self.plan.told_by = Some(network);
        }
    }

    /// What is wrong with a block, wherever it is used.
    pub(super) fn tell_block(&mut self, index: usize, block: &Block) {
        match self.blocks.tell(index, self.network) {
            Teller::Now => self.errors.extend(&block.errors),
            Teller::Before(network) => self.plan.told_by = Some(network),
        }
        self.skip(block);
    }

    /// Goes on behind a use of a block that cannot be walked. Its heads have their names all the same.
    fn skip(&mut self, block: &Block) {
        self.current = None;
        if let Some(Step { layer: Layer::Join { kind, branches }, .. }) = block.body.steps.last()
            && kind == "concat"
        {
            let labels = branches.steps.iter().map(|branch| branch.own_label().cloned());
            self.plan.heads = labels.map(|label| Branch { map: INPUT, label }).collect();
        }
    }

    /// What a block's parameters stand for in one use of it, and the maps that some of them name.
    fn block_arguments(&mut self, block: &Block, call: &Call, name: &str) -> Option<Given> {
        let wanted: Vec<_> = block.parameters.iter().map(Ident::to_string).collect();
        let form = if wanted.is_empty() {
            format!("`{}`", block.name)
        } else {
            format!("`{}<{}>`", block.name, wanted.join(", "))
        };
        if call.sizes.is_empty() && !wanted.is_empty() && !call.alone.is_empty() {
            let sizes: Vec<_> = call.alone.iter().map(between_angles).collect();
            let form =
                if sizes.len() == wanted.len() { format!("`{}<{}>`", block.name, sizes.join(", ")) } else { form };
            let text = format!("{name}: the parameters of a block go between angle brackets\nhelp: {form}");
            self.errors.note(call.alone.iter().cloned().collect::<TokenStream>(), text);
            return None;
        }
        if let Some(option) =
            call.options.first().map(|option| option.name.to_token_stream()).or(call.alone.first().cloned())
        {
            let help = if wanted.is_empty() { "alone" } else { "with its parameters between angle brackets" };
            let text = format!("{name}: a block has no options\nhelp: {form} {help}");
            self.errors.note(option, text);
            return None;
        }
        let (found, takes) = (call.sizes.len(), wanted.len());
        if found != takes {
            let parameters = |count: usize| match count {
                0 => "no parameters".to_owned(),
                1 => "one parameter".to_owned(),
                count => format!("{count} parameters"),
            };
            let takes_text = format!("{name}: the block `{}` takes {}", block.name, parameters(takes));
            match call.sizes.get(takes) {
                Some(size) => self.errors.note(size, format!("{takes_text}, and gets {found}\nhelp: {form}")),
                None => {
                    self.errors
                        .note(&call.name, format!("{takes_text}, and `{}` is missing\nhelp: {form}", wanted[found]));
                }
            }
            return None;
        }
        if call.broken {
            return None;
        }
        let scope = self.scope();
        let (mut meanings, mut maps) = (Vec::new(), Vec::new());
        for ((parameter, size), ident) in wanted.into_iter().zip(&call.sizes).zip(&block.parameters) {
            if let Some(map) = self.named_map(size) {
                let why = format!("`{parameter}` is a map in this use, and no size\nhelp: as a step it is that map");
                meanings.push((parameter, Meaning::Nothing(why)));
                maps.push((ident.clone(), map));
                continue;
            }
            match scope.settle(size) {
                Ok(meaning) => meanings.push((parameter, meaning)),
                Err(mistake) => {
                    self.errors.note(mistake.tokens, format!("{name}: {parameter}: {}", mistake.text));
                    return None;
                }
            }
        }
        Some((meanings, maps))
    }
}

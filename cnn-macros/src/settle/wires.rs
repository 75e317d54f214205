//! Wires: maps with names, which are used again as steps. A name is seen behind the step that makes its map, in the same body and in
//! those within; a block sees its own.

use syn::{Expr, Ident};

use super::blocks::built_in;
use super::constant::Meaning;
use super::{Walk, labels};
use crate::parse::ast::{Body, Call, Layer};
use crate::plan::{INPUT, MapId};
use crate::size::Size;

/// The wires of a network as far as the walk has come.
#[derive(Default)]
pub(super) struct Wires {
    /// Those that are seen here, from the first that is.
    seen: Vec<Wire>,
    first: usize,
    /// The names of those that were seen elsewhere.
    gone: Vec<Ident>,
    /// The names of all that the network makes, or the block that the walk is in.
    all: Vec<Ident>,
    /// How many of the mistakes so far are that nothing reads a wire: after others, it may be of a step that was left out.
    unread: usize,
}

struct Wire {
    name: Ident,
    /// Unknown after a mistake.
    map: Option<MapId>,
    is_read: bool,
    is_input: bool,
}

/// What was seen where a body began.
pub(super) struct Mark {
    seen: usize,
    first: usize,
    /// Of the network or block around a block.
    all: Option<Vec<Ident>>,
    labels: labels::Mark,
}

impl Wires {
    fn find(&self, name: &Ident) -> Option<usize> {
        (self.first..self.seen.len()).rev().find(|wire| self.seen[*wire].name == *name)
    }

    /// The names that are seen here.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.seen[self.first..].iter().map(|wire| wire.name.to_string())
    }
}

impl Walk<'_, '_> {
    /// A body begins within the one that the walk is in.
    pub(super) fn enter_body(&mut self) -> Mark {
        Mark { seen: self.wires.seen.len(), first: self.wires.first, all: None, labels: self.labels.enter(false) }
    }

    /// The body of a network or of a block begins, which sees nothing of what is around it.
    pub(super) fn enter_apart(&mut self, body: &Body) -> Mark {
        let mut all = Vec::new();
        wires_in(body, &mut all);
        let all = Some(std::mem::replace(&mut self.wires.all, all));
        let labels = self.labels.enter(true);
        let mark = Mark { seen: self.wires.seen.len(), first: self.wires.first, all, labels };
        self.wires.first = mark.seen;
        mark
    }

    /// A body ends, and with it what was seen in it alone.
    pub(super) fn leave_body(&mut self, mark: Mark) {
        self.wires.first = mark.first;
        self.labels.leave(&mark.labels);
        if let Some(all) = mark.all {
            self.wires.all = all;
        }
        for Wire { name, map, is_read, is_input } in self.wires.seen.split_off(mark.seen) {
            // The first input is read without its name, by the first step.
            let is_read = is_read || is_input && map.is_some_and(|map| !self.plan.map(map).readers.is_empty());
            if !is_read && self.errors.count() == self.wires.unread {
                let text = match is_input {
                    true => {
                        format!("nothing reads the input `{name}`\nhelp: `{name}` as a step takes it; or leave it out")
                    }
                    false => format!("nothing reads the map `{name}`\nhelp: leave its name out"),
                };
                self.errors.note(&name, text);
                self.wires.unread += 1;
            }
            self.wires.gone.push(name);
        }
    }

    /// `as name`: the current map gets a name.
    pub(super) fn name_map(&mut self, name: &Ident) {
        self.name_of_map(name, false);
    }

    /// The name of an input, which is the current map.
    pub(super) fn name_input(&mut self, name: &Ident) {
        self.name_of_map(name, true);
    }

    fn name_of_map(&mut self, name: &Ident, is_input: bool) {
        let text = name.to_string();
        let blocks = self.blocks.find(name).map(|_| "a block");
        if let Some(what) = built_in(&text).or(blocks) {
            self.errors.note(name, format!("the map `{name}` has the name of {what}\nhelp: choose another"));
        } else if text.starts_with(char::is_uppercase) {
            let text = format!(
                "the name of a map starts with a small letter, as a type starts with a capital one\nhelp: `{}{}`",
                if is_input { "" } else { "as " },
                text.to_lowercase()
            );
            self.errors.note(name, text);
        } else if self.wires.find(name).is_some() {
            self.errors.note(name, format!("another map is called `{name}` here\nhelp: choose another name"));
        }
        self.wires.seen.push(Wire { name: name.clone(), map: self.current, is_read: false, is_input });
    }

    /// The map that an argument of a block names, if it is a name of one.
    pub(super) fn named_map(&mut self, argument: &Expr) -> Option<Option<MapId>> {
        let Expr::Path(path) = argument else { return None };
        self.wire(path.path.get_ident()?)
    }

    /// The map of a wire, if there is one of this name.
    pub(super) fn wire(&mut self, name: &Ident) -> Option<Option<MapId>> {
        let found = self.wires.find(name)?;
        let wire = &mut self.wires.seen[found];
        wire.is_read = true;
        Some(wire.map)
    }

    /// A block's parameter is the name of a map in it.
    pub(super) fn give_map(&mut self, name: Ident, map: Option<MapId>) {
        self.wires.seen.push(Wire { name, map, is_read: false, is_input: false });
    }

    /// Takes the map of a wire in the place of the current one, if the call is one by its name.
    pub(super) fn take_wire(&mut self, call: &Call) -> bool {
        let Some(found) = self.wires.find(&call.name) else { return false };
        let wire = &mut self.wires.seen[found];
        wire.is_read = true;
        self.current = wire.map;
        let takes_nothing = call.sizes.is_empty() && call.options.is_empty() && call.alone.is_empty();
        if !takes_nothing && !call.broken {
            let name = &call.name;
            self.errors
                .note(name, format!("`{name}` is a map, which takes no sizes and no options\nhelp: `{name}` alone"));
        }
        true
    }

    /// Why a wire of this name is not there, if there is one elsewhere.
    pub(super) fn no_such_wire(&self, name: &Ident) -> Option<String> {
        if self.wires.seen[..self.wires.first].iter().any(|wire| wire.name == *name) {
            return Some(format!(
                "the map `{name}` is not seen here: a block sees what it is given\n\
                 help: a parameter for it: `block merge<{name}> {{ .. }}`, and `merge<{name}>` where it is used"
            ));
        }
        if let Some((_, meaning)) = self.parameters.iter().find(|(parameter, _)| name == parameter) {
            let what = match meaning {
                Meaning::Size(Size::Known(number)) => format!("the number {number}"),
                _ => "no map".to_owned(),
            };
            return Some(format!("`{name}` is {what} in this use\nhelp: a step is a layer, or the name of a map"));
        }
        if self.wires.gone.contains(name) {
            return Some(format!(
                "the map `{name}` is not seen here: a map is seen in the body in which it gets its name, and in those within\n\
                 help: give what that body makes a name: `[ .. ] as {name}`"
            ));
        }
        self.wires
            .all
            .contains(name)
            .then(|| format!("the map `{name}` is made further on\nhelp: a map is used behind the step that makes it"))
    }

    /// Notes steps whose maps nobody reads: those before a wire, if they have no name.
    pub(super) fn all_are_read(&mut self) {
        for (index, map) in self.plan.maps.iter().enumerate() {
            if !map.readers.is_empty() || MapId(index) == self.plan.output {
                continue;
            }
            let Some(step) = map.writer.map(|writer| &self.plan.steps[writer]) else {
                if MapId(index) == INPUT {
                    let text = format!("{}: nothing reads the network's input", self.network);
                    self.errors.note(self.network, text);
                }
                continue;
            };
            let text = format!(
                "{} ({}): nothing reads the map that it makes\nhelp: give it a name, `{} as name`, and use that; or leave the step out",
                step.path,
                step.layer(),
                step.layer()
            );
            self.errors.push(syn::Error::new(step.span, text));
        }
    }
}

/// The names of maps in a body and in those within.
fn wires_in(body: &Body, found: &mut Vec<Ident>) {
    for step in &body.steps {
        found.extend(step.wire.clone());
        match &step.layer {
            Layer::Sequence(body)
            | Layer::Repeat { body, .. }
            | Layer::Join { branches: body, .. }
            | Layer::Outputs { branches: body, .. } => {
                wires_in(body, found);
            }
            Layer::Call(_) | Layer::Map { .. } | Layer::Share { .. } | Layer::Type(_) | Layer::Broken => {}
        }
    }
}

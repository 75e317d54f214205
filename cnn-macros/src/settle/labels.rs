//! Labels: names that the weights of steps go by, and `share<label>`, an earlier step again with the same weights. A label is
//! seen behind its step, in the same body and in those within; a block sees its own.

use syn::Ident;

use super::{Named, Names, Walk};
use crate::error::nearest;
use crate::parse::ast::{Body, Step};
use crate::plan::{self, Kind, StepId};
use crate::size::Shape;

/// The labels of a network as far as the walk has come.
#[derive(Default)]
pub(super) struct Labels<'b> {
    /// Those that are seen here, from the first that is.
    seen: Vec<Labelled<'b>>,
    first: usize,
    /// Whether the walk is in a step that shares its weights.
    sharing: bool,
}

#[derive(Clone)]
struct Labelled<'b> {
    label: &'b Ident,
    step: &'b Step,
    names: Names,
}

/// What was seen where a body began.
pub(super) struct Mark {
    seen: usize,
    first: usize,
}

impl Labels<'_> {
    pub(super) fn enter(&mut self, apart: bool) -> Mark {
        let mark = Mark { seen: self.seen.len(), first: self.first };
        if apart {
            self.first = mark.seen;
        }
        mark
    }

    pub(super) fn leave(&mut self, mark: &Mark) {
        self.seen.truncate(mark.seen);
        self.first = mark.first;
    }
}

impl<'b> Walk<'_, 'b> {
    pub(super) fn distinct_labels(&mut self, body: &Body) {
        let mut labels: Vec<&Ident> = Vec::new();
        for label in body.steps.iter().filter_map(Step::own_label) {
            if labels.contains(&label) {
                let text = format!("the label `{label}` is given twice\nhelp: weights go by it: choose another");
                self.errors.note(label, text);
            }
            labels.push(label);
        }
    }

    /// Behind a step, its label can be shared.
    pub(super) fn remember(&mut self, step: &'b Step, names: &Names) {
        if let Some(label) = step.own_label() {
            self.labels.seen.push(Labelled { label, step, names: names.clone() });
        }
    }

    /// Whether an earlier step that is seen here has this label.
    pub(super) fn is_label(&self, name: &Ident) -> bool {
        self.labels.seen[self.labels.first..].iter().any(|seen| seen.label == name)
    }

    /// `share<label>`
    pub(super) fn share(&mut self, label: &Ident, name: &str) {
        let seen = &self.labels.seen[self.labels.first..];
        let Some(Labelled { step, names, .. }) = seen.iter().rev().find(|other| other.label == label).cloned() else {
            let text = self.no_such_label(label, name);
            self.wrong(label, text);
            return;
        };
        let (steps, mistakes) = (self.plan.steps.len(), self.errors.count());
        self.errors.enter(format!("{name} <- share<{label}>"));
        let outer = std::mem::replace(&mut self.labels.sharing, true);
        self.layer(step, Named { names: &names, own: &names, body: &names, index: 0, is_labelled: true });
        self.labels.sharing = outer;
        self.errors.leave();
        let shares = |step: &plan::Step| step.shares.is_some();
        if self.errors.count() == mistakes && !self.plan.steps[steps..].iter().any(shares) {
            let text = format!("{name}: `{label}` has no weights that could be shared\nhelp: write its steps again");
            self.wrong(label, text);
        }
    }

    fn no_such_label(&self, label: &Ident, name: &str) -> String {
        let seen: Vec<_> = self.labels.seen[self.labels.first..].iter().map(|seen| seen.label.to_string()).collect();
        let rule = "a step is shared behind itself, in the body in which it has its label, and in those within";
        let help = match nearest(&label.to_string(), seen.iter().map(String::as_str)) {
            Some(meant) => format!("did you mean `share<{meant}>`?"),
            None if seen.is_empty() => "give the step before it a label: `tower: [ .. ], .., share<tower>`".to_owned(),
            None => format!("the labels here are {}", seen.join(", ")),
        };
        format!("{name}: no step before it has the label `{label}`\nrule: {rule}\nhelp: {help}")
    }

    /// Notes the name of a step with weights, which no other has; in a step that shares, finds whose weights they are.
    pub(super) fn name_weights(&mut self, new: &mut plan::Step, index: StepId, names: &Names) {
        if !new.has_tensors() {
            return;
        }
        if new.path.is_empty() && new.row().is_some_and(|row| row.named_as_step) {
            let text = "`_` lends its name, which is that of what it learns: that has none\nhelp: a label of its own";
            self.errors.push(syn::Error::new(new.span, text));
        }
        // What a network lends only rustc knows.
        let name = match new.kind {
            Kind::Custom(_) if names.lent => format!("{} ({})", new.path, new.layer()),
            _ => new.path.clone(),
        };
        if self.labels.sharing {
            match self.paths.get(&name) {
                Some(owner) => {
                    new.shares = Some(*owner);
                    if let Some(text) = self.unlike(new, *owner) {
                        self.errors.push(syn::Error::new(new.span, text));
                    }
                }
                None if self.errors.count() > 0 => {}
                None => {
                    let text = format!(
                        "`{}` is not there where its weights are made\nhelp: what is shared is the same wherever it is used",
                        new.path
                    );
                    self.errors.push(syn::Error::new(new.span, text));
                }
            }
            return;
        }
        // In one sequence the label was reported; `repeat` and what lends its names write steps into the sequence around them.
        if self.paths.insert(name, index).is_some() && self.errors.count() == 0 {
            let what = match new.path.as_str() {
                "" => "two steps with weights have no name: each lends its own".to_owned(),
                path => format!("`{path}` is the name of two steps with weights"),
            };
            let text = format!("{what}\nhelp: weights go by it: give one of them a label, or another one");
            self.errors.push(syn::Error::new(new.span, text));
        }
    }

    /// Why a step cannot use the weights of another, as far as the macro knows.
    fn unlike(&self, step: &plan::Step, owner: StepId) -> Option<String> {
        let owner = &self.plan.steps[owner];
        let called = &step.path;
        let shape = |step: &plan::Step| self.plan.map(step.input()).shape.clone();
        let [here, there] = [shape(step), shape(owner)];
        let [of_this, of_that] = [&here, &there].map(|shape| shape.sizes()[0].known());
        if matches!(step.kind, Kind::Layer { .. })
            && let (Some(of_this), Some(of_that)) = (of_this, of_that)
            && of_this != of_that
        {
            let what = if matches!(here, Shape::Flat(_)) { "features" } else { "channels" };
            return Some(format!(
                "{called}: its weights are for {of_that} {what}, and this map ({here}) has {of_this}\n\
                 help: what is shared gets as many {what} wherever it is used"
            ));
        }
        let [one, other] = [step, owner].map(|step| step.cost.map(|cost| cost.parameters));
        let (one, other) = (one?, other?);
        (one != other).then(|| {
            format!(
                "{called}: its weights are {other} values where they are made, and {one} here\n\
                 help: what is shared has the same sizes wherever it is used"
            )
        })
    }
}

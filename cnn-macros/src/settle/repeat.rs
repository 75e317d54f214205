//! `repeat<N> [ .. ]`: its steps, written N times.

use syn::Expr;

use super::constant;
use super::{Names, Walk};
use crate::parse::ast::{Body, Step};

/// So many steps are a slip of the count, not a network.
const MOST_STEPS: usize = 5_000;

impl<'b> Walk<'_, 'b> {
    pub(super) fn repeat(&mut self, count: &Expr, body: &'b Body, names: &Names, first: usize) -> usize {
        let times = match self.scope().fold(count) {
            Ok(constant::Value::Known(times)) if times >= 1 => times,
            Ok(constant::Value::Known(times)) => {
                self.wrong(count, format!("repeat: {times} times\nhelp: `repeat<N>` wants N >= 1; `[]` does nothing"));
                1
            }
            Ok(constant::Value::Unknown) => 1,
            Ok(constant::Value::Const(_)) => {
                self.wrong(count, "repeat: only rustc knows this number\nhelp: write it as a number".to_owned());
                1
            }
            Err(mistake) => {
                self.wrong(mistake.tokens, format!("repeat: {}", mistake.text));
                1
            }
        };
        let label = body.steps.iter().find_map(Step::own_label);
        if let (Some(label), true) = (label, times > 1) {
            let text = format!(
                "the label `{label}` is given {times} times: `repeat<{times}>` writes its steps {times} times\n\
                 help: with `repeat<{times}> [[ .. ]]` each round is a sequence of its own"
            );
            self.errors.note(label, text);
        }
        let mut index = first;
        for round in 1..=times {
            let (mistakes, steps) = (self.errors.count(), self.plan.steps.len());
            index = self.sequence(body, names, index);
            if self.errors.count() > mistakes {
                if round > 1 {
                    let fit = round - 1;
                    let line = format!("in round {round} of `repeat<{times}>`, whose first {fit} fit");
                    let line = if fit == 1 { line.replace("first 1 fit", "first fits") } else { line };
                    self.errors.retell(mistakes, &line, &format!("`repeat<{fit}> [ .. ]`"));
                }
                // The next round would make the same mistakes again.
                self.current = None;
                break;
            }
            if self.plan.steps.len() == steps {
                // Nothing but names that the rounds to come would use.
                let unused = usize::try_from(times - round).unwrap_or(usize::MAX);
                return index.saturating_add(unused.saturating_mul(body.steps.len()));
            }
            if self.plan.steps.len() > MOST_STEPS {
                self.wrong(count, format!("repeat: more than {MOST_STEPS} steps\nhelp: a smaller N"));
                break;
            }
        }
        index
    }
}

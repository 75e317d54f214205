//! What a run remembers of its optimizer.

use super::{Descent, Group};
use crate::kernel::memory::buffer::Buffer;
use crate::network::{Network, trainable};
use crate::optim::Rule;
use crate::snapshot::{Found, Record, SnapshotProblem, Staged};

/// All options and all that is kept, by tensor.
impl<R: Rule> Descent<R> {
    /// The names of the tensors of a group, which tell it from others.
    fn members<N: Network>(&self, group: usize) -> String {
        let tensors = trainable(N::STEPS).zip(self.tensors::<N>());
        let names = tensors.filter(|(_, (of, _))| *of == group).map(|((name, ..), _)| name);
        names.collect::<Vec<_>>().join("\n")
    }

    pub(super) fn record<'a, N: Network>(&'a self, record: &mut Record<'a>) {
        record.text("@rule", R::NAME.to_owned());
        record.whole("@steps", self.steps);
        record.whole("@groups", self.groups.len() as u64);
        for (index, group) in self.groups.iter().enumerate() {
            record.text(&format!("@group{index}.of"), self.members::<N>(index));
            record.real(&format!("@group{index}.share"), group.share);
            for (option, numbers) in group.options.numbers() {
                record.reals(&format!("@group{index}.{option}"), numbers);
            }
        }
        for ((name, parameter, values), (group, steps)) in trainable(N::STEPS).zip(self.tensors::<N>()) {
            record.whole(&format!("{name}.step"), steps);
            // Before its first step it has nothing that is not known.
            let kept = if steps == 0 { 0 } else { self.groups[group].options.kept() };
            for (kept_name, kept) in R::KEEPS.iter().zip(&self.kept).take(kept) {
                let kept = &kept[values.clone()];
                record.values(&format!("{name}.{kept_name}"), parameter.sizes(), move || {
                    let mut values = vec![0.0; kept.len()];
                    parameter.export(kept, &mut values);
                    values
                });
            }
        }
    }

    pub(super) fn stage<'a, N: Network>(&'a mut self, found: &Found<'a>) -> Result<Staged<'a>, SnapshotProblem> {
        let rule = found.text("@rule")?;
        if rule != R::NAME {
            return Err(found.other("@rule", R::NAME, &rule));
        }
        let (steps, count) = (found.whole("@steps")?, found.whole("@groups")?);
        if count != self.groups.len() as u64 {
            return Err(found.other("@groups", &format!("{} groups", self.groups.len()), &format!("{count}")));
        }
        let mut groups = Vec::new();
        for (index, group) in self.groups.iter().enumerate() {
            let (of, members) = (format!("@group{index}.of"), self.members::<N>(index));
            let found_members = found.text(&of)?;
            if found_members != members {
                return Err(found.other(&of, &members.replace('\n', ", "), &found_members.replace('\n', ", ")));
            }
            let mut options = group.options;
            for (option, expected) in group.options.numbers() {
                let name = format!("@group{index}.{option}");
                let numbers = found.reals(&name)?;
                let wrong = || found.other(&name, &format!("a number such as {expected:?}"), &format!("{numbers:?}"));
                options = options.with_numbers(option, &numbers).ok_or_else(wrong)?;
            }
            let share = found.real(&format!("@group{index}.share"))?;
            let share_is_sound = share.is_finite() && share >= 0.0;
            let sound = options.check().map_err(|invalid| invalid.to_string());
            if let Err(why) = sound.and_then(|()| if share_is_sound { Ok(()) } else { Err(share.to_string()) }) {
                return Err(found.other(&format!("@group{index}"), "options that make sense", &why));
            }
            groups.push(Group { options, share });
        }
        let mut kept: Vec<Buffer> = Vec::new();
        let mut of = self.tensors::<N>();
        for ((name, parameter, values), (group, steps)) in trainable(N::STEPS).zip(&mut of) {
            *steps = found.whole(&format!("{name}.step"))?;
            let options = &groups[*group].options;
            for (index, kept_name) in R::KEEPS.iter().enumerate().take(options.kept()) {
                if kept.len() == index {
                    kept.push(Buffer::zeros(N::PARAMETERS));
                }
                let to = &mut kept[index][values.clone()];
                match *steps {
                    0 if options.initial() != 0.0 => to.fill(options.initial()),
                    0 => {}
                    _ => parameter.import(found.values(&format!("{name}.{kept_name}"), parameter.sizes())?, to),
                }
            }
        }
        Ok(Box::new(move || {
            (self.groups, self.kept, self.steps) = (groups, kept, steps);
            self.arrange::<N>(&of);
        }))
    }
}

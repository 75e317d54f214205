//! Whether all names of weights in a network are different. Those that the macro sees it has looked at; those of networks that
//! lend their names to the one around them (`_: Backbone`) rustc looks at.

use super::Step;
use crate::layer::Operation;

/// A name in pieces' place.
#[derive(Clone, Copy)]
pub(super) struct Name {
    bytes: [u8; 256],
    len: usize,
}

impl Name {
    const fn new() -> Self {
        Self { bytes: [0; 256], len: 0 }
    }

    /// The name of something in a module of this name.
    const fn within(mut self, name: &str) -> Self {
        if self.len > 0 && !name.is_empty() {
            self = self.byte(b'.');
        }
        let mut index = 0;
        while index < name.len() {
            self = self.byte(name.as_bytes()[index]);
            index += 1;
        }
        self
    }

    /// Longer names are told apart by what fits.
    const fn byte(mut self, byte: u8) -> Self {
        if self.len < self.bytes.len() {
            self.bytes[self.len] = byte;
            self.len += 1;
        }
        self
    }

    const fn as_bytes(&self) -> &[u8] {
        self.bytes.split_at(self.len).0
    }

    pub(super) const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.as_bytes()) {
            Ok(name) => name,
            Err(_) => "a name that does not fit into a message",
        }
    }
}

/// The name of two steps with weights, one of which is in a network that is a step.
pub(super) const fn given_twice(steps: &[Step]) -> Option<Name> {
    let mut network = 0;
    while network < steps.len() {
        if let (Operation::Network(inner), None) = (steps[network].operation, steps[network].shares) {
            let mut other = 0;
            while other < steps.len() {
                if other != network
                    && steps[other].shares.is_none()
                    && rest(steps[other].path.as_bytes(), steps[network].path).is_some()
                    && let Some(name) = shared(&steps[other], Name::new(), inner, steps[network].path)
                {
                    return Some(name);
                }
                other += 1;
            }
        }
        network += 1;
    }
    None
}

/// The first name with weights in a step of a module that is there among the steps of a network of this name, too.
const fn shared(step: &Step, module: Name, network: &[Step], name: &str) -> Option<Name> {
    let path = module.within(step.path);
    if let Operation::Network(inner) = step.operation {
        let mut index = 0;
        while index < inner.len() {
            if let Some(name) = shared(&inner[index], path, network, name) {
                return Some(name);
            }
            index += 1;
        }
        return None;
    }
    match rest(path.as_bytes(), name) {
        Some(rest) if has_tensors(step) && is_there(network, rest) => Some(path),
        _ => None,
    }
}

/// Whether a step of this name has weights.
const fn is_there(steps: &[Step], name: &[u8]) -> bool {
    let mut index = 0;
    while index < steps.len() {
        if let Some(rest) = rest(name, steps[index].path) {
            let is_it = match steps[index].operation {
                Operation::Network(inner) => is_there(inner, rest),
                _ => rest.is_empty() && has_tensors(&steps[index]),
            };
            if is_it {
                return true;
            }
        }
        index += 1;
    }
    false
}

const fn has_tensors(step: &Step) -> bool {
    if step.shares.is_some() {
        return false;
    }
    !step.operation.parameters().as_slice().is_empty() || !step.operation.state().as_slice().is_empty()
}

/// Whether two names are one.
pub(super) const fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && rest(one.as_bytes(), other).is_some()
}

/// What a name is in a module, if it is one in it.
const fn rest<'a>(name: &'a [u8], module: &str) -> Option<&'a [u8]> {
    let module = module.as_bytes();
    if module.is_empty() {
        return Some(name);
    }
    if name.len() < module.len() {
        return None;
    }
    let (start, behind) = name.split_at(module.len());
    let mut index = 0;
    while index < module.len() {
        if start[index] != module[index] {
            return None;
        }
        index += 1;
    }
    match behind {
        [] => Some(behind),
        [b'.', inner @ ..] => Some(inner),
        _ => None,
    }
}

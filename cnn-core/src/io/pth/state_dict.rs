//! Which of the values in a file are the weights: a `state_dict`, or one in what a training script keeps.

use std::collections::HashSet;

use super::pickle::{Made, Object, Value};
use crate::error::WeightsProblem;

/// What scripts call it.
const USUAL: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// Names and values of the dict of tensors that is meant.
pub(super) fn find(made: &Made, keys: &[String]) -> Result<Vec<(String, Value)>, WeightsProblem> {
    let mut root = made.root;
    for key in keys {
        let items = items(made, root)?;
        let below = items.iter().find(|(other, value)| other == key && made.pairs(*value).is_some());
        let Some((_, value)) = below else {
            let found = items.into_iter().map(|(key, _)| key.to_owned()).collect();
            return Err(WeightsProblem::NoKey { key: key.clone(), found });
        };
        root = *value;
    }
    let all = items(made, root)?;
    let mut seen = HashSet::new();
    let mut candidates: Vec<(&str, Value)> = Vec::new();
    for &(key, value) in &all {
        // A dict may be under several keys, and is looked at once.
        if seen.insert(identity(made, value)) && made.has_tensors(value) {
            candidates.push((key, value));
        }
    }
    let usual: Vec<_> = candidates.iter().filter(|(key, _)| USUAL.contains(key)).collect();
    let found = match (&usual[..], &candidates[..], made.has_tensors(root)) {
        ([(_, value)], ..) => items(made, *value)?,
        ([], _, true) => all,
        ([], [(_, value)], false) => items(made, *value)?,
        ([], [], false) => {
            let has: Vec<_> = all.iter().map(|(key, _)| (*key).to_owned()).collect();
            let found = if has.is_empty() { "an empty dict" } else { "a dict" };
            return Err(WeightsProblem::NoTensors { found: found.to_owned(), has });
        }
        (several, ..) => {
            let keys = |(key, _): &(&str, Value)| (*key).to_owned();
            let found = if several.is_empty() {
                candidates.iter().map(keys).collect()
            } else {
                several.iter().map(|key| keys(key)).collect()
            };
            return Err(WeightsProblem::Ambiguous { found });
        }
    };
    Ok(found.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

/// Two dicts of the same pairs are the same.
fn identity(made: &Made, value: Value) -> Option<u32> {
    match (made.object(value), value) {
        (Some(Object::Pairs(list)), _) => identity(made, *list),
        (_, Value::Object(place)) => Some(place),
        _ => None,
    }
}

/// The items of a dict whose keys are strings, each there once.
fn items(made: &Made, dict: Value) -> Result<Vec<(&str, Value)>, WeightsProblem> {
    let Some(pairs) = made.pairs(dict) else {
        return Err(WeightsProblem::NoTensors { found: made.describe(dict).to_owned(), has: Vec::new() });
    };
    let twice = |name: &str| {
        let (expected, found) = ("one tensor of this name".to_owned(), "two".to_owned());
        WeightsProblem::Entry { name: name.to_owned(), expected, found }
    };
    let (mut keys, mut names) = (HashSet::new(), HashSet::new());
    let mut items = Vec::new();
    for (key, value) in pairs {
        let Some(name) = made.text(key) else {
            let found = format!("a dict that has {} as a key", made.describe(key));
            return Err(WeightsProblem::NoTensors { found, has: Vec::new() });
        };
        // The same string again is told without looking at it, which would take long if it were long.
        if !keys.insert(identity(made, key)) || !names.insert(name) {
            return Err(twice(name));
        }
        items.push((name, value));
    }
    Ok(items)
}

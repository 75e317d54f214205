//! Names that somebody may have meant.

/// Names of a list that resemble others, as long as there is time for it.
pub(crate) struct Nearest<'a> {
    names: &'a [&'a str],
    /// Steps of [`edits`] that are left; a million take a millisecond or two.
    budget: usize,
    /// Names that are still looked at.
    questions: usize,
}

impl<'a> Nearest<'a> {
    /// Longer names are not compared.
    const LONGEST: usize = 200;

    pub(crate) fn among(names: &'a [&'a str]) -> Self {
        Self { names, budget: 4_000_000, questions: 8 }
    }

    /// The names that a few edits make of this one, at most two, the nearest first.
    pub(crate) fn of(&mut self, name: &str) -> Vec<String> {
        if self.questions == 0 || name.len() > Self::LONGEST {
            return Vec::new();
        }
        self.questions -= 1;
        let most = name.len() / 3;
        let mut near = Vec::new();
        for other in self.names.iter().filter(|other| other.len().abs_diff(name.len()) <= most) {
            let Some(left) = self.budget.checked_sub(name.len() * other.len()) else { break };
            self.budget = left;
            let edits = edits(name, other);
            if edits <= most {
                let place = near.iter().take_while(|nearer| **nearer < (edits, *other)).count();
                near.insert(place, (edits, *other));
                near.truncate(2);
            }
        }
        near.into_iter().map(|(_, name)| name.to_owned()).collect()
    }
}

/// Levenshtein's distance.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, a) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, &b) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

//! What two lists of names have in common, in time that is linear in them: the names of a file are not trusted.

/// What stands before more than half of the names that are wanted, in a file that has these. `has` says whether it has one.
pub(super) fn common_prefix<'a>(
    wanted: &[&str],
    file: impl Iterator<Item = &'a str> + Clone,
    has: impl Fn(&str) -> bool,
) -> Option<&'a str> {
    const LONGEST: usize = 200;
    const CANDIDATES: usize = 8;
    let mut candidates: Vec<&str> = Vec::new();
    // Some names may be missing under any prefix, so three are tried.
    for sample in [wanted.first(), wanted.get(wanted.len() / 2), wanted.last()].into_iter().flatten() {
        let ending = file.clone().filter_map(|name| name.strip_suffix(sample));
        for prefix in ending.filter(|prefix| prefix.ends_with('.') && prefix.len() <= LONGEST) {
            if candidates.len() < CANDIDATES && !candidates.contains(&prefix) {
                candidates.push(prefix);
            }
        }
    }
    let found = |prefix: &str| wanted.iter().filter(|name| has(&format!("{prefix}{name}"))).count();
    let (found, prefix) =
        candidates.into_iter().map(|prefix| (found(prefix), prefix)).max_by_key(|(found, _)| *found)?;
    (2 * found > wanted.len()).then_some(prefix)
}

use super::DataError;
use crate::random::{Key, Purpose};

/// How large a part of a split is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Part {
    /// So many samples.
    Count(usize),
    /// This share of all samples, rounded down.
    Fraction(f64),
    /// What the other parts leave. One part of a split has to be so.
    Rest,
}

/// Cuts `samples` samples into parts: the numbers of those in each, ascending.
///
/// Which samples go where depends on the seed alone.
///
/// # Errors
///
/// As [`stratified_split`].
pub fn random_split<const N: usize>(samples: usize, parts: [Part; N], seed: u64) -> Result<[Vec<usize>; N], DataError> {
    split(vec![(0, (0..samples).collect())], samples, parts, seed)
}

/// Cuts samples into parts with each class in all of them in its proportion to the whole: the numbers of the samples in each
/// part, ascending. `labels` has the class of each.
///
/// Which samples go where depends on the seed alone. A part may have no sample of a class that has few.
///
/// ```
/// use cnn_core::data::{Part, stratified_split};
///
/// let labels = [0, 1, 0, 1, 0, 1, 0, 1, 0, 1];
/// let [training, validation, test] =
///     stratified_split(&labels, [Part::Rest, Part::Fraction(0.2), Part::Count(2)], 7)?;
/// assert_eq!((training.len(), validation.len(), test.len()), (6, 2, 2));
/// assert_eq!(test.iter().map(|&index| labels[index]).sum::<usize>(), 1);
/// # Ok::<(), cnn_core::data::DataError>(())
/// ```
///
/// # Errors
///
/// [`DataError::SplitParts`] unless exactly one part is [`Part::Rest`] and fractions are from 0 to 1; [`DataError::SplitSize`] when a
/// part would have no samples.
pub fn stratified_split<L: Copy + Into<usize>, const N: usize>(
    labels: &[L],
    parts: [Part; N],
    seed: u64,
) -> Result<[Vec<usize>; N], DataError> {
    let mut members = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for (index, &label) in labels.iter().enumerate() {
        members.entry(label.into()).or_default().push(index);
    }
    split(members.into_iter().collect(), labels.len(), parts, seed)
}

fn split<const N: usize>(
    mut members: Vec<(usize, Vec<usize>)>,
    samples: usize,
    parts: [Part; N],
    seed: u64,
) -> Result<[Vec<usize>; N], DataError> {
    let sizes = sizes(parts, samples)?;
    for (class, members) in &mut members {
        let key = Key { purpose: Purpose::Splitting, seed, step: 0, layer: 0, sample: *class as u64 };
        key.stream().shuffle(members);
    }
    // All that no other part takes is the rest's.
    let mut part_of = vec![parts.iter().position(|part| *part == Part::Rest).unwrap_or_default(); samples];
    let mut left = samples;
    for (part, size) in sizes.into_iter().enumerate() {
        let Some(size) = size else { continue };
        let classes: Vec<usize> = members.iter().map(|(_, members)| members.len()).collect();
        for ((_, members), count) in members.iter_mut().zip(quotas(&classes, left, size)) {
            for index in members.drain(..count) {
                part_of[index] = part;
            }
        }
        left -= size;
    }
    Ok(std::array::from_fn(|part| (0..samples).filter(|&index| part_of[index] == part).collect()))
}

/// The size of each part but the rest's.
fn sizes<const N: usize>(parts: [Part; N], samples: usize) -> Result<[Option<usize>; N], DataError> {
    let sound = |part: &Part| !matches!(part, Part::Fraction(share) if !(0.0..=1.0).contains(share));
    if parts.iter().filter(|&&part| part == Part::Rest).count() != 1 || !parts.iter().all(sound) {
        return Err(DataError::SplitParts { found: format!("{parts:?}") });
    }
    let sizes = parts.map(|part| match part {
        Part::Count(count) => Some(count),
        Part::Fraction(share) => Some((share * samples as f64) as usize),
        Part::Rest => None,
    });
    let taken = sizes.iter().flatten().try_fold(0_usize, |sum, &size| sum.checked_add(size));
    let all_have_some = sizes.iter().flatten().all(|&size| size > 0);
    match taken {
        Some(taken) if taken < samples && all_have_some => Ok(sizes),
        _ => Err(DataError::SplitSize { samples, found: format!("{parts:?}") }),
    }
}

/// How many samples of each class go into a part of so many: the method of the largest remainder. Every class gives its
/// proportion, rounded down; what is missing then comes from the classes that lost most by rounding.
fn quotas(classes: &[usize], samples: usize, size: usize) -> Vec<usize> {
    let share = |class: usize| class as u128 * size as u128;
    let mut quotas: Vec<usize> = classes.iter().map(|&class| (share(class) / samples as u128) as usize).collect();
    let missing = size - quotas.iter().sum::<usize>();
    let mut remainders: Vec<_> = classes.iter().map(|&class| Some(share(class) % samples as u128)).collect();
    for _ in 0..missing {
        // The largest that is left, of equal ones the first.
        let largest = remainders.iter().flatten().max().copied();
        if let Some(class) = remainders.iter().position(|remainder| *remainder == largest) {
            quotas[class] += 1;
            remainders[class] = None;
        }
    }
    quotas
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(labels: &[u8], indices: &[usize], class: u8) -> usize {
        indices.iter().filter(|&&index| labels[index] == class).count()
    }

    #[test]
    fn the_seed_decides_which_samples() {
        let labels = [0_u8, 1].repeat(50);
        let of = |seed| stratified_split(&labels, [Part::Rest, Part::Count(20)], seed).unwrap();
        assert_eq!(of(7), of(7));
        assert_ne!(of(7), of(8));
        let of = |seed| random_split(100, [Part::Rest, Part::Fraction(0.2)], seed).unwrap();
        assert_eq!((of(7), of(7)[1].len()), (of(7), 20));
        assert_ne!(of(7), of(8));
    }

    #[test]
    fn labels_may_be_of_any_number() {
        let labels = [usize::MAX, 3, usize::MAX, 3];
        let [rest, test] = stratified_split(&labels, [Part::Rest, Part::Fraction(0.5)], 1).unwrap();
        assert_eq!([rest, test].map(|part| part.iter().filter(|&&index| labels[index] == 3).count()), [1, 1]);
    }

    #[test]
    fn parts_that_make_no_sense_are_errors() {
        let message = |parts: [Part; 2]| random_split(3, parts, 0).unwrap_err().to_string();
        for count in [0, 3, usize::MAX] {
            assert_eq!(
                message([Part::Rest, Part::Count(count)]),
                format!("3 samples cannot be split into [Rest, Count({count})]: each part takes 1 or more")
            );
        }
        assert!(message([Part::Fraction(0.1), Part::Rest]).contains("each part takes 1 or more"));
        let parts = "expected one part that is the rest, and fractions from 0 to 1, found";
        assert_eq!(message([Part::Rest, Part::Rest]), format!("{parts} [Rest, Rest]"));
        assert_eq!(message([Part::Count(1), Part::Count(2)]), format!("{parts} [Count(1), Count(2)]"));
        assert_eq!(message([Part::Rest, Part::Fraction(f64::NAN)]), format!("{parts} [Rest, Fraction(NaN)]"));
        assert!(stratified_split::<u8, 2>(&[], [Part::Rest, Part::Count(1)], 0).is_err());
    }

    proptest! {
        #[test]
        fn every_sample_is_in_one_part_and_every_class_in_proportion(
            labels in prop::collection::vec(0..5_u8, 3..200),
            shares in prop::array::uniform2(0.01..0.45_f64),
            seed: u64,
        ) {
            let sizes = shares.map(|share| ((share * labels.len() as f64) as usize).max(1));
            let parts = [Part::Count(sizes[0]), Part::Rest, Part::Count(sizes[1])];
            let [first, rest, last] = stratified_split(&labels, parts, seed).unwrap();
            prop_assert_eq!([first.len(), last.len()], sizes);
            let mut all = [first.clone(), rest, last].concat();
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(0..labels.len()));
            for class in 0..5 {
                let members = labels.iter().filter(|&&label| label == class).count();
                let exact = members as f64 * sizes[0] as f64 / labels.len() as f64;
                prop_assert!((count(&labels, &first, class) as f64 - exact).abs() < 1.0);
            }
        }
    }
}

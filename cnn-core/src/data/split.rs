use crate::random::{Key, Purpose};

/// Indices of a training and a test part, each ascending, with `test` samples in the second.
///
/// Every class gives its proportion of the test part, rounded down; what is missing then comes from the classes that lost
/// most by rounding. Takes `test` at most as large as the number of labels.
pub(super) fn stratified(labels: &[u8], test: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let mut members = vec![Vec::new(); 256];
    for (index, &label) in labels.iter().enumerate() {
        members[usize::from(label)].push(index);
    }
    let mut in_test = vec![false; labels.len()];
    for (class, count) in quotas(&members, labels.len(), test).into_iter().enumerate() {
        let key = Key { purpose: Purpose::Splitting, seed, step: 0, layer: 0, sample: class as u64 };
        key.stream().shuffle(&mut members[class]);
        for &index in &members[class][..count] {
            in_test[index] = true;
        }
    }
    (0..labels.len()).partition(|&index| !in_test[index])
}

/// How many samples of each class go into the test part: the method of the largest remainder.
fn quotas(members: &[Vec<usize>], samples: usize, test: usize) -> Vec<usize> {
    let share = |class: &Vec<usize>| class.len() as u128 * test as u128;
    let mut quotas: Vec<usize> = members.iter().map(|class| (share(class) / samples as u128) as usize).collect();
    let missing = test - quotas.iter().sum::<usize>();
    let mut remainders: Vec<_> = members.iter().map(|class| Some(share(class) % samples as u128)).collect();
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
        let labels = [0, 1].repeat(50);
        assert_eq!(stratified(&labels, 20, 7), stratified(&labels, 20, 7));
        assert_ne!(stratified(&labels, 20, 7), stratified(&labels, 20, 8));
    }

    proptest! {
        #[test]
        fn every_sample_is_in_one_part_and_every_class_in_proportion(
            labels in prop::collection::vec(0..5_u8, 1..200),
            share in 0.0..1.0_f64,
            seed: u64,
        ) {
            let test_size = (share * labels.len() as f64) as usize;
            let (train, test) = stratified(&labels, test_size, seed);
            prop_assert_eq!(test.len(), test_size);
            let mut all = [train.clone(), test.clone()].concat();
            all.sort_unstable();
            prop_assert!(all.into_iter().eq(0..labels.len()));
            for class in 0..5 {
                let members = labels.iter().filter(|&&label| label == class).count();
                let exact = members as f64 * test_size as f64 / labels.len() as f64;
                prop_assert!((count(&labels, &test, class) as f64 - exact).abs() < 1.0);
            }
        }
    }
}

//! Cross-entropy with PyTorch's options: weights of classes, smoothed labels, labels that do not count.
//! <https://pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html>

/// The options.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options<'a> {
    /// Of each class.
    pub(super) weights: Option<&'a [f32]>,
    /// What a label gives to all classes.
    pub(super) label_smoothing: f32,
    /// Whether the sum is divided by the weights of the labels.
    pub(super) is_mean: bool,
}

impl Options<'_> {
    fn weight(&self, class: usize) -> f64 {
        self.weights.map_or(1.0, |weights| f64::from(weights[class]))
    }
}

/// logits `[n, classes]`, labels `[n]`, of which one that is no class does not count -> the loss, grad `[n, classes]`.
///
/// Where no label counts the mean is NaN, as in PyTorch.
pub(super) fn cross_entropy(
    classes: usize,
    logits: &[f32],
    labels: &[usize],
    options: &Options<'_>,
    grad: &mut [f32],
) -> f64 {
    let counted = |label: &&usize| **label < classes;
    let weights: f64 = labels.iter().filter(counted).map(|label| options.weight(*label)).sum();
    let divisor = if options.is_mean { weights } else { 1.0 };
    let smoothing = f64::from(options.label_smoothing);
    let of_each = smoothing / classes as f64;
    let all: f64 = (0..classes).map(|class| options.weight(class)).sum();
    let mut sum = 0.0;
    let rows = logits.chunks_exact(classes).zip(grad.chunks_exact_mut(classes));
    for ((row, grad), &label) in rows.zip(labels) {
        if label >= classes {
            grad.fill(0.0);
            continue;
        }
        let max = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let exponentials = row.iter().map(|x| f64::from(x - max).exp());
        let total: f64 = exponentials.clone().sum();
        let log_total = total.ln() + f64::from(max);
        let own = (1.0 - smoothing) * options.weight(label);
        sum += own * (log_total - f64::from(row[label]));
        if smoothing > 0.0 {
            // A class of weight zero has no share, also where its logit is infinite.
            let shares = row.iter().enumerate().map(|(class, x)| (options.weight(class), f64::from(*x)));
            let shares = shares.filter(|(weight, _)| *weight > 0.0);
            sum += of_each * shares.map(|(weight, x)| weight * (log_total - x)).sum::<f64>();
        }
        for (class, (grad, exponential)) in grad.iter_mut().zip(exponentials).enumerate() {
            let wanted = if class == label { own } else { 0.0 } + of_each * options.weight(class);
            *grad = (((own + of_each * all) * exponential / total - wanted) / divisor) as f32;
        }
    }
    sum / divisor
}

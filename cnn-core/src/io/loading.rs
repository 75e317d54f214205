//! How a file's names become a network's, and what is done about those that do not fit.

use std::borrow::Cow;
use std::fmt;

/// Options of reading weights: [`Checkpoint::load_with`](super::Checkpoint::load_with).
///
/// ```
/// use cnn_core::io::Loading;
///
/// let loading = Loading::new().strip_prefix("module.").rename(|name| name.replace("backbone.", "body."));
/// ```
#[derive(Default)]
pub struct Loading<'a> {
    is_lenient: bool,
    renames: Vec<Rename<'a>>,
    under: Vec<String>,
}

enum Rename<'a> {
    Strip(String),
    Call(Box<dyn Fn(&str) -> String + 'a>),
}

impl<'a> Loading<'a> {
    /// Everything must fit, by the names as they are in the file.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether everything must fit, which is the default. If not, what fits is taken and the rest of the network stays as it
    /// is, to start from a network that was trained on other classes, say; the [`LoadReport`](super::LoadReport) says what did
    /// not fit. A file that is broken is an error all the same.
    ///
    /// A count (`num_batches_tracked`) goes with its running statistics: it is the file's, or 0 if the file has none, where
    /// they are the file's; the network's own where they are; and 0 where one is the file's and the other is not.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.is_lenient = !strict;
        self
    }

    /// Takes a prefix off those names of the file that start with it, such as `"module."` of PyTorch's `DataParallel`.
    #[must_use]
    pub fn strip_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.renames.push(Rename::Strip(prefix.into()));
        self
    }

    /// Makes the network's names of the file's. Several renamings, [`strip_prefix`](Self::strip_prefix) among them, come one
    /// after the other; two tensors that get the same name are an error.
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use cnn_core::io::Loading;
    ///
    /// let names = HashMap::from([("classifier.weight", "fc.weight"), ("classifier.bias", "fc.bias")]);
    /// let loading = Loading::new().rename(|name| names.get(name).copied().unwrap_or(name).to_owned());
    /// ```
    #[must_use]
    pub fn rename(mut self, rename: impl Fn(&str) -> String + 'a) -> Self {
        self.renames.push(Rename::Call(Box::new(rename)));
        self
    }

    /// Where the tensors are in a file of `torch.save` that holds more than them, such as `"ema"` in
    /// `{"ema": .., "model": .., "epoch": ..}`. Each call goes one dict deeper. Without it they are looked for under
    /// `"state_dict"`, `"model_state_dict"` and `"model"`, and taken from elsewhere if there are no others.
    ///
    /// Of a safetensors file, what its names begin with: with `"model"` the weights of `model.conv1.weight` and so on are taken,
    /// and all other names left alone, so that a network is loaded from the [snapshot](super::Snapshot) of a run.
    #[must_use]
    pub fn under(mut self, key: impl Into<String>) -> Self {
        self.under.push(key.into());
        self
    }

    pub(super) fn is_strict(&self) -> bool {
        !self.is_lenient
    }

    pub(super) fn keys(&self) -> &[String] {
        &self.under
    }

    /// The network's name of a file's.
    pub(super) fn name<'n>(&self, name: &'n str) -> Cow<'n, str> {
        self.renames.iter().fold(Cow::Borrowed(name), |name, rename| match (rename, name) {
            (Rename::Strip(prefix), Cow::Borrowed(name)) => Cow::Borrowed(name.strip_prefix(&**prefix).unwrap_or(name)),
            (Rename::Strip(prefix), Cow::Owned(name)) => match name.strip_prefix(&**prefix) {
                Some(rest) => Cow::Owned(rest.to_owned()),
                None => Cow::Owned(name),
            },
            (Rename::Call(rename), name) => Cow::Owned(rename(&name)),
        })
    }
}

impl fmt::Debug for Loading<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let renames: Vec<_> = self
            .renames
            .iter()
            .map(|rename| match rename {
                Rename::Strip(prefix) => format!("strip_prefix({prefix:?})"),
                Rename::Call(_) => "rename(..)".to_owned(),
            })
            .collect();
        formatter
            .debug_struct("Loading")
            .field("strict", &self.is_strict())
            .field("renames", &renames)
            .field("under", &self.under)
            .finish()
    }
}

//! The maps that sums, products and concatenations make of their branches', and the sentences that explain why they do not
//! fit: which step of which branch made the difference.

use proc_macro2::TokenStream;
use quote::quote;

use crate::layers::{CheckedSizes, Outcome};
use crate::plan::{Branch, JoinKind, MapId, Plan};
use crate::size::{Shape, Size, sizes_expression};

/// A join where it stands.
pub(crate) struct Site<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) kind: JoinKind,
    /// How messages call it: `3 (add)`.
    pub(crate) name: &'a str,
    /// The map that every branch gets.
    pub(crate) input: MapId,
    pub(crate) branches: &'a [Branch],
}

impl Site<'_> {
    fn shape(&self, branch: usize) -> &Shape {
        &self.plan.map(self.branches[branch].map).shape
    }

    fn shapes(&self) -> impl Iterator<Item = &Shape> {
        (0..self.branches.len()).map(|branch| self.shape(branch))
    }

    /// How messages call a branch.
    fn called(&self, branch: usize) -> String {
        match &self.branches[branch].label {
            Some(label) => format!("branch `{label}`"),
            None => format!("branch {}", branch + 1),
        }
    }

    /// The map of a join, or why there is none. `sound` is whether nothing was wrong on the way here, for rustc.
    pub(crate) fn outcome(&self, sound: &TokenStream) -> Result<Outcome, String> {
        for branch in 1..self.branches.len() {
            if let Some(first) = (0..branch).find(|first| !self.fit(*first, branch)) {
                return Err(self.misfit(first, branch));
            }
        }
        if let Some(shape) = self.known() {
            return Ok(Outcome::Known(shape));
        }
        let (name, kind) = (self.name, quote::format_ident!("{}", self.kind.name()));
        let branches = (0..self.branches.len()).map(|branch| {
            let (called, map) = (self.called(branch), sizes_expression(self.shape(branch)));
            quote!(::cnn_core::shape::check::Branch { name: #called, map: #map })
        });
        Ok(Outcome::Checked {
            sizes: self.checked(),
            check: quote!(::cnn_core::shape::check::#kind(#name, &[#(#branches),*], #sound)),
        })
    }

    /// Whether two branches can be joined, whatever the sizes are that the macro does not know.
    fn fit(&self, one: usize, other: usize) -> bool {
        let (one, other) = (self.shape(one), self.shape(other));
        match self.kind {
            JoinKind::Add => !one.contradicts(other),
            JoinKind::Concat => match (one, other) {
                (Shape::Chw([_, height, width]), Shape::Chw([_, other_height, other_width])) => {
                    !differ(height, other_height) && !differ(width, other_width)
                }
                (Shape::Flat(_), Shape::Flat(_)) => true,
                (one, other) => !one.contradicts(other),
            },
            JoinKind::Outputs => true,
            JoinKind::Multiply => match (one, other) {
                (Shape::Chw([channels, ..]), Shape::Chw([other_channels, ..])) => {
                    !one.contradicts(other)
                        || (may_be_one_cell(one) || may_be_one_cell(other)) && !differ(channels, other_channels)
                }
                (one, other) => !one.contradicts(other),
            },
        }
    }

    fn known(&self) -> Option<Shape> {
        if self.shapes().any(|shape| !shape.is_known()) {
            return None;
        }
        match self.kind {
            JoinKind::Add | JoinKind::Outputs => Some(self.shape(0).clone()),
            JoinKind::Multiply => {
                let whole = self.shapes().find(|shape| !may_be_one_cell(shape));
                Some(whole.unwrap_or(self.shape(0)).clone())
            }
            JoinKind::Concat => {
                let [_, height, width] = self.shape(0).sizes();
                let channels = self.shapes().try_fold(0_u64, |sum, shape| sum.checked_add(shape.sizes()[0].known()?));
                let channels = Size::Known(channels.unwrap_or(u64::MAX));
                Some(match self.shape(0) {
                    Shape::Flat(_) => Shape::Flat(channels),
                    _ => Shape::Chw([channels, height, width]),
                })
            }
        }
    }

    /// What is known of a map that only rustc knows whole.
    fn checked(&self) -> CheckedSizes {
        let flat = self.shapes().any(|shape| matches!(shape, Shape::Flat(_)));
        if self.shapes().any(|shape| matches!(shape, Shape::Sizes(_))) && !flat {
            return CheckedSizes::Unknown;
        }
        let known = |side: usize| self.shapes().find_map(|shape| shape.sizes()[side].known());
        let channels = if self.kind == JoinKind::Concat { None } else { known(0) };
        match flat {
            true => CheckedSizes::Flat(channels),
            false if self.kind == JoinKind::Multiply => CheckedSizes::Chw([channels, None, None]),
            false => CheckedSizes::Chw([channels, known(1), known(2)]),
        }
    }

    /// Why two maps do not meet in an expression.
    pub(crate) fn unlike(&self, first: usize, second: usize) -> String {
        let [one, other] = [first, second].map(|map| {
            let called = self.branches[map].label.as_ref().map_or("?".to_owned(), ToString::to_string);
            let maker = self.plan.map(self.branches[map].map).writer.map(|writer| &self.plan.steps[writer]);
            let maker = maker
                .map_or("the network's input".to_owned(), |step| format!("made by {} ({})", step.path, step.layer()));
            format!("`{called}` is {}, {maker}", self.shape(map))
        });
        format!(
            "{}: two maps do not meet: {one}; {other}\n\
             rule: maps of an expression are alike, or one has a single cell, a single channel, or a single value, which meets all",
            self.name
        )
    }

    fn misfit(&self, first: usize, second: usize) -> String {
        let (name, kind) = (self.name, self.kind.name());
        let (one, other) = (self.shape(first), self.shape(second));
        let branches = [first, second].map(|branch| self.called(branch));
        let rule = match self.kind {
            JoinKind::Add => "branches of `add` make the same map",
            JoinKind::Concat => "branches of `concat` make maps of the same height and width",
            JoinKind::Multiply => "branches of `multiply` make the same map, or 1x1 maps of as many channels",
            JoinKind::Outputs => "outputs are any maps",
        };
        let mut lines = vec![format!(
            "{name}: the branches of `{kind}` do not fit: {one} in {}, {other} in {}",
            branches[0], branches[1]
        )];
        let wrong = self.wrong_sides(first, second);
        if wrong.is_empty() {
            lines.push([first, second].map(|branch| self.made_rank(branch)).join("; "));
        }
        let made = |side: &usize| [first, second].map(|branch| self.made(branch, *side)).join("; ");
        // What one step did to height and width is one line.
        if let [.., 1, 2] = wrong.as_slice()
            && made(&1) == made(&2)
        {
            lines.extend(wrong.first().filter(|side| **side == 0).map(|side| format!("channels: {}", made(side))));
            lines.push(format!("height and width: {}", made(&1)));
        } else {
            let flat = matches!(one, Shape::Flat(_));
            let called = |side: &usize| if flat { "features" } else { ["channels", "height", "width"][*side] };
            lines.extend(wrong.iter().map(|side| format!("{}: {}", called(side), made(side))));
        }
        lines.push(format!("rule: {rule}"));
        let help = self.projection(first, second).or_else(|| self.projection(second, first));
        lines.push(format!("help: {}", help.unwrap_or_else(|| self.way_out(first, second, &wrong))));
        lines.join("\n")
    }

    /// Of channels, height and width those that must not differ and do; none if one branch is flat and the other is not.
    fn wrong_sides(&self, first: usize, second: usize) -> Vec<usize> {
        let (one, other) = (self.shape(first), self.shape(second));
        if matches!(one, Shape::Flat(_)) != matches!(other, Shape::Flat(_)) {
            return Vec::new();
        }
        let broadcasts = self.kind == JoinKind::Multiply && (may_be_one_cell(one) || may_be_one_cell(other));
        let (one, other) = (one.sizes(), other.sizes());
        let wrong = |side: &usize| {
            let matters = if *side == 0 { self.kind != JoinKind::Concat } else { !broadcasts };
            matters && differ(&one[*side], &other[*side])
        };
        (0..3).filter(wrong).collect()
    }

    fn way_out(&self, first: usize, second: usize, wrong: &[usize]) -> String {
        let [one, other] = [first, second].map(|branch| self.shape(branch).sizes().map(|size| size.known()));
        let second_name = self.called(second);
        match (self.kind, wrong) {
            (JoinKind::Multiply, []) => {
                "leave `flatten` out: a 1x1 map of as many channels meets every cell of the other".to_owned()
            }
            (_, []) => "`flatten` in both branches, or in neither".to_owned(),
            (_, [0]) => {
                let channels = one[0].map_or("?".to_owned(), |channels| channels.to_string());
                let layer = match self.shape(first) {
                    Shape::Flat(_) => format!("linear<{channels}>"),
                    _ => format!("conv2d<{channels}, 1>"),
                };
                format!("`{layer}` at the end of {second_name} makes it fit")
            }
            (JoinKind::Multiply, [1 | 2, ..]) => {
                let gate = if one[1..].iter().min() < other[1..].iter().min() { first } else { second };
                format!(
                    "`adaptive_avg_pool2d<1>` in {} makes a 1x1 map, which meets every cell of the other",
                    self.called(gate)
                )
            }
            (_, [0, ..]) => "the same channels, stride and padding in both branches".to_owned(),
            _ => "the same stride and padding in both branches".to_owned(),
        }
    }

    /// Which step of a branch made a size of its map.
    fn made(&self, branch: usize, side: usize) -> String {
        let same = |map: MapId, other: MapId| {
            let [one, other] = [map, other].map(|map| self.plan.map(map).shape.sizes()[side].known());
            one == other
        };
        let size = self.shape(branch).sizes()[side].known().map_or("?".to_owned(), |size| size.to_string());
        match self.maker(branch, same) {
            Some(step) => format!("{size} in {}, made by {step}", self.called(branch)),
            None => format!("{size} in {}, as it gets it", self.called(branch)),
        }
    }

    fn made_rank(&self, branch: usize) -> String {
        let flat = |map: MapId| matches!(self.plan.map(map).shape, Shape::Flat(_));
        let what = if flat(self.branches[branch].map) { "features" } else { "a map" };
        match self.maker(branch, |map, other| flat(map) == flat(other)) {
            Some(step) => format!("{what} in {}, made by {step}", self.called(branch)),
            None => format!("{what} in {}, as it gets it", self.called(branch)),
        }
    }

    /// The last step of a branch whose input and output are not the same.
    fn maker(&self, branch: usize, same: impl Fn(MapId, MapId) -> bool) -> Option<String> {
        let mut map = self.branches[branch].map;
        while map != self.input {
            let step = &self.plan.steps[self.plan.map(map).writer?];
            let before = step.inputs[0];
            if !same(before, map) {
                return Some(format!("{} ({})", step.path, step.layer()));
            }
            map = before;
        }
        None
    }

    /// For a branch that changes nothing beside one that does: the convolution that makes it fit.
    fn projection(&self, identity: usize, other: usize) -> Option<String> {
        if self.kind != JoinKind::Add || self.branches[identity].map != self.input {
            return None;
        }
        let numbers = |shape: &Shape| match shape {
            Shape::Chw([c, h, w]) => Some([c.known()?, h.known()?, w.known()?]),
            _ => None,
        };
        let ([_, height, width], [channels, to_height, to_width]) =
            (numbers(self.shape(identity))?, numbers(self.shape(other))?);
        let stride = height.div_ceil(to_height);
        if height.div_ceil(stride) != to_height || width.div_ceil(stride) != to_width {
            return None;
        }
        let options = if stride == 1 { String::new() } else { format!("(stride = {stride})") };
        Some(format!("in {}, `conv2d<{channels}, 1>{options}` makes it fit", self.called(identity)))
    }
}

fn differ(one: &Size, other: &Size) -> bool {
    one.known().zip(other.known()).is_some_and(|(one, other)| one != other)
}

/// Whether a map has, as far as the macro knows, one cell.
fn may_be_one_cell(shape: &Shape) -> bool {
    let [_, height, width] = shape.sizes();
    [height, width].iter().all(|size| size.known().is_none_or(|size| size == 1))
}

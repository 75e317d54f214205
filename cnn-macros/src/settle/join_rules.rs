//! The maps that sums, products and concatenations make of their branches', and the sentences that explain why they do not
//! fit: which step of which branch made the difference.

use proc_macro2::TokenStream;
use quote::quote;

use crate::layers::{CheckedSizes, Outcome};
use crate::plan::{Branch, JoinKind, Kind, MapId, Plan, Step};
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
            JoinKind::Matmul => match (one, other) {
                (Shape::Flat(_), _) | (_, Shape::Flat(_)) => false,
                (one, other) => {
                    let ([channels, _, depth], [others, rows, _]) = (one.sizes(), other.sizes());
                    !differ(&channels, &others) && !differ(&depth, &rows)
                }
            },
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
            JoinKind::Matmul => {
                let ([channels, height, _], [_, _, width]) = (self.shape(0).sizes(), self.shape(1).sizes());
                Some(Shape::Chw([channels, height, width]))
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
            _ if self.kind == JoinKind::Matmul => {
                let [rows, columns] = [(0, 1), (1, 2)].map(|(branch, side)| self.shape(branch).sizes()[side].known());
                CheckedSizes::Chw([channels, rows, columns])
            }
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
        if self.kind == JoinKind::Matmul {
            return self.no_factors();
        }
        let (name, kind) = (self.name, self.kind.name());
        let (one, other) = (self.shape(first), self.shape(second));
        let branches = [first, second].map(|branch| self.called(branch));
        let rule = match self.kind {
            JoinKind::Add => "branches of `add` make the same map",
            JoinKind::Concat => "branches of `concat` make maps of the same height and width",
            JoinKind::Multiply => "branches of `multiply` make the same map, or 1x1 maps of as many channels",
            JoinKind::Matmul | JoinKind::Outputs => "any maps",
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
        let rounded = self.rounded(first, second, &wrong).or_else(|| self.rounded(second, first, &wrong));
        lines.extend(rounded.iter().map(|(line, _)| line.clone()));
        lines.push(format!("rule: {rule}"));
        let help = rounded.and_then(|(_, help)| help);
        let help = help.or_else(|| self.projection(first, second)).or_else(|| self.projection(second, first));
        lines.push(format!("help: {}", help.unwrap_or_else(|| self.way_out(first, second, &wrong))));
        lines.join("\n")
    }

    /// Why two maps have no product, channel by channel.
    fn no_factors(&self) -> String {
        let (one, other) = (self.shape(0), self.shape(1));
        let [called, beside] = [0, 1].map(|branch| self.called(branch));
        let mut lines =
            vec![format!("{}: the factors of `matmul` do not fit: {one} in {called}, {other} in {beside}", self.name)];
        let flat = [0, 1].into_iter().find(|branch| matches!(self.shape(*branch), Shape::Flat(_)));
        let ([channels, rows, depth], [others, height, width]) = (one.sizes(), other.sizes());
        let is = |a: &Size, b: &Size| a.known().is_some() && a.known() == b.known();
        let help = if let Some(flat) = flat {
            lines.push(self.made_rank(flat));
            let features = self.shape(flat).sizes()[0].known().map_or("?".to_owned(), |features| features.to_string());
            format!("`unflatten<1, 1, {features}>` at the end of {} makes a row of them", self.called(flat))
        } else if differ(&channels, &others) {
            lines.push(format!("channels: {}; {}", self.made(0, 0), self.made(1, 0)));
            "`reshape` or `conv2d` makes as many channels; with one, a map is one matrix".to_owned()
        } else {
            lines.push(format!("columns of the first: {}", self.made(0, 2)));
            lines.push(format!("rows of the second: {}", self.made(1, 1)));
            if is(&depth, &width) {
                format!("`transpose` at the end of {beside} makes it fit")
            } else if is(&rows, &height) {
                format!("`transpose` at the end of {called} makes it fit")
            } else {
                "`reshape` makes matrices of a map".to_owned()
            }
        };
        lines.push("rule: as many channels, and the first's columns are the second's rows".to_owned());
        lines.push(format!("help: {help}"));
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
            None if self.is_elsewhere(branch) => format!("{size} in {}, as the network takes it", self.called(branch)),
            None => format!("{size} in {}, as it gets it", self.called(branch)),
        }
    }

    /// Whether a branch takes a map by its name that is none of what the join gets.
    fn is_elsewhere(&self, branch: usize) -> bool {
        let map = self.branches[branch].map;
        map != self.input && self.way(map).iter().all(|step| step.input() != self.input)
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

    /// The steps behind a map, from the last to the first.
    fn way(&self, mut map: MapId) -> Vec<&Step> {
        let mut way = Vec::new();
        while let Some(writer) = self.plan.map(map).writer {
            let step = &self.plan.steps[writer];
            way.push(step);
            let Some(before) = step.inputs.first() else { break };
            map = *before;
        }
        way
    }

    /// Which step of a branch alone rounded down, where a later one makes the map larger again; and how that one makes the
    /// other branch's map, if it can.
    fn rounded(&self, branch: usize, other: usize, wrong: &[usize]) -> Option<(String, Option<String>)> {
        let side = *wrong.iter().find(|side| **side > 0)?;
        let beside = self.way(self.branches[other].map);
        let way = self.way(self.branches[branch].map);
        let size = |map: MapId, side: usize| self.plan.map(map).shape.sizes()[side].known();
        let alone = || way.iter().filter(|step| beside.iter().all(|other| other.output != step.output));
        let grown = alone().position(|step| size(step.output, side) > size(step.input(), side))?;
        let (step, [cells, left]) =
            alone().skip(grown + 1).find_map(|step| Some((step, left_over(self.plan, step, side)?)))?;
        let line = format!(
            "rounded down: {} ({}) makes {} of {cells}, with {left} left over",
            step.path,
            step.layer(),
            size(step.output, side)?
        );
        let grown = alone().nth(grown)?;
        let [height, width] = [1, 2].map(|side| size(self.branches[other].map, side));
        let (height, width) = (height?, width?);
        let is_last = |side: usize| size(grown.output, side) == size(self.branches[branch].map, side);
        let help = if !(is_last(1) && is_last(2)) {
            None
        } else if grown.is("upsample") {
            let mode = match &grown.kind {
                Kind::Layer { arguments, .. } if arguments.truth("align_corners") => {
                    ", mode = bilinear, align_corners = true"
                }
                Kind::Layer { arguments, .. } if arguments.word("mode") == "bilinear" => ", mode = bilinear",
                _ => "",
            };
            Some(format!("{} as `upsample(size = ({height}, {width}){mode})`", grown.path))
        } else if let (true, Kind::Layer { arguments, .. }) = (grown.is("conv_transpose2d"), &grown.kind) {
            let missing = [1, 2].map(|side| {
                let missing = [height, width][side - 1].checked_sub(size(grown.output, side)?)?;
                let padding = arguments.pair("output_padding")[side - 1].known()? + missing;
                let most = ["stride", "dilation"].map(|name| arguments.pair(name)[side - 1].known());
                (padding < most[0]?.max(most[1]?)).then_some(padding)
            });
            match missing {
                [Some(height), Some(width)] if height == width => Some(format!("output_padding = {height}")),
                [Some(height), Some(width)] => Some(format!("output_padding = ({height}, {width})")),
                _ => None,
            }
            .map(|option| format!("`{option}` in {} (conv_transpose2d)", grown.path))
        } else {
            None
        };
        Some((line, help))
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

/// Of a step whose stride does not divide its map: the cells, and how many of them are left over.
fn left_over(plan: &Plan, step: &Step, side: usize) -> Option<[u64; 2]> {
    let Kind::Layer { arguments, .. } = &step.kind else { return None };
    let is_window = ["kernel_size", "stride"].iter().all(|name| arguments.get(name).is_some());
    if !is_window || step.is("conv_transpose2d") || arguments.truth("ceil_mode") {
        return None;
    }
    let number = |name: &str| arguments.pair_or_ones(name)[side - 1].known();
    let cells = plan.map(step.input()).shape.sizes()[side].known()?;
    let padding = arguments.padding();
    let padded = cells + padding[2 * side - 2].known()? + padding[2 * side - 1].known()?;
    let left = padded.checked_sub(number("dilation")? * (number("kernel_size")? - 1) + 1)? % number("stride")?;
    (left > 0).then_some([cells, left])
}

fn differ(one: &Size, other: &Size) -> bool {
    one.known().zip(other.known()).is_some_and(|(one, other)| one != other)
}

/// Whether a map has, as far as the macro knows, one cell.
fn may_be_one_cell(shape: &Shape) -> bool {
    let [_, height, width] = shape.sizes();
    [height, width].iter().all(|size| size.known().is_none_or(|size| size == 1))
}

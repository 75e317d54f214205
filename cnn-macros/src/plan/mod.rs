//! A network with every size, weight name and map settled: plain data, the only thing that later stages see.
//!
//! It is a graph: a step reads a map (a join some) and makes another, and maps have numbers. A sequence is its simplest
//! case.

pub(crate) mod again;
mod at_size;
pub(crate) mod compose;
mod contents;
pub(crate) mod cut;
mod fold;
pub(crate) mod fuse;
pub(crate) mod memory;
pub(crate) mod merge;
pub(crate) mod place;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::Path;

use crate::expression::Expression;
use crate::layers::{Applied, Arguments, Cost, Folds, Reads, Row};
use crate::size::{Shape, Size};
pub(crate) use at_size::{AtSize, listed};

/// A settled network.
#[derive(Clone, Default)]
pub(crate) struct Plan {
    /// Whether nothing goes backwards and nothing is trained: a predictor's.
    pub(crate) predicts: bool,
    /// Sizes that the macro does not know: constants for rustc to evaluate, in an order in which each uses earlier ones.
    pub(crate) constants: Vec<Constant>,
    /// The first is the network's input.
    pub(crate) maps: Vec<Map>,
    /// In the order in which they run.
    pub(crate) steps: Vec<Step>,
    /// The network's output.
    pub(crate) output: MapId,
    /// The branches of a concatenation that nothing follows, in order.
    pub(crate) heads: Vec<Branch>,
    /// The network's inputs, where there are several, which then lie one behind the other in each sample.
    pub(crate) inputs: Vec<Port>,
    /// Its outputs, where there are several.
    pub(crate) outputs: Vec<Port>,
    /// The network in whose declaration a mistake of this one is told: that of a block which both use.
    pub(crate) told_by: Option<Ident>,
}

/// The number of a map in [`Plan::maps`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub(crate) struct MapId(pub(crate) usize);

/// The number of a step in [`Plan::steps`].
pub(crate) type StepId = usize;

pub(crate) const INPUT: MapId = MapId(0);

/// A feature map.
#[derive(Debug, Clone)]
pub(crate) struct Map {
    pub(crate) shape: Shape,
    /// How many of the plan's constants its sizes may depend on.
    pub(crate) constants: usize,
    /// Whether the last thing that happened to it is a softmax.
    pub(crate) probabilities: bool,
    /// The step that makes it; the network's input has none.
    pub(crate) writer: Option<StepId>,
    /// The steps that read it.
    pub(crate) readers: Vec<StepId>,
    /// The wider map that it is some of the channels of, in values and in gradients.
    pub(crate) part: Option<Part>,
    /// The map of a join, or of a normalization, whose gradient is its own too.
    pub(crate) shares: Option<MapId>,
}

/// Some of the channels of a map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) of: MapId,
    pub(crate) first: u64,
}

/// A check that rustc carries out: a constant of type `Given` or `Made` of `cnn_core::shape::check`, and another one that
/// reports its mistake.
#[derive(Clone)]
pub(crate) struct Constant {
    pub(crate) name: Ident,
    pub(crate) report: Ident,
    pub(crate) of: ConstantType,
    pub(crate) value: TokenStream,
    /// The last token that its mistake is about; the names have the first one's span.
    pub(crate) end: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConstantType {
    Given,
    Real,
    Made,
}

/// A layer at work.
#[derive(Clone)]
pub(crate) struct Step {
    /// PyTorch's name: `layer1.0.conv1`.
    pub(crate) path: String,
    /// Where its layer is written.
    pub(crate) span: Span,
    pub(crate) kind: Kind,
    /// What it adds to the totals, if the macro knows.
    pub(crate) cost: Option<Cost>,
    /// One, or of a join one for each branch; the same map may be there more than once.
    pub(crate) inputs: Vec<MapId>,
    pub(crate) output: MapId,
    pub(crate) run: Run,
    /// Of a sum: the branch in whose memory it is added up.
    pub(crate) into: Option<usize>,
    /// The sum of a predictor that it adds to, where that is added up, instead of making a map.
    pub(crate) adds_to: Option<StepId>,
    /// The pooling of a predictor that computes it, as one with itself.
    pub(crate) pooled_by: Option<StepId>,
    /// The step whose weights and state it uses, instead of some of its own.
    pub(crate) shares: Option<StepId>,
    /// Normalizations of a predictor that are part of its weights, in their order.
    pub(crate) folds: Vec<Fold>,
    /// Whether a later step has written to an input's gradient when this one goes backwards, for each input.
    pub(crate) adds: Vec<bool>,
}

#[derive(Clone)]
pub(crate) enum Kind {
    Layer {
        row: &'static Row,
        arguments: Arguments,
    },
    /// A type of the user's that implements `Layer`.
    Custom(Path),
    Join(Join),
    /// An expression of values at the same place.
    Map(Mapped),
    /// One of several inputs: values of each sample from this one on.
    Take {
        first: Size,
    },
}

/// An expression, and how the maps that it takes meet what it makes.
#[derive(Clone)]
pub(crate) struct Mapped {
    /// The layer that it is, if it has a name.
    pub(crate) name: &'static str,
    pub(crate) expression: Expression,
    pub(crate) operands: Vec<Operand>,
}

/// Whether a map has as many channels and cells as what is made of it, or one for all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Operand {
    pub(crate) channels: bool,
    pub(crate) cells: bool,
}

impl Operand {
    pub(crate) const WHOLE: Self = Self { channels: true, cells: true };

    pub(crate) fn is_whole(self) -> bool {
        self == Self::WHOLE
    }
}

/// A normalization that is part of the weights of a layer before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fold {
    pub(crate) step: StepId,
    /// Its channel that is the layer's first.
    pub(crate) first: u64,
    /// Whether the layer takes its summands: of the branches of a sum, one does.
    pub(crate) shifts: bool,
}

/// Branches that become one map.
#[derive(Clone)]
pub(crate) struct Join {
    pub(crate) kind: JoinKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Add,
    /// Of two maps; one may have a single cell, which meets all of the other's.
    Multiply,
    Concat,
    /// Of two maps, whose channels are matrices.
    Matmul,
    /// The network's output, where it is several: in each sample the maps one behind the other, whatever their shapes are.
    Outputs,
}

impl JoinKind {
    pub(crate) fn of(name: &str) -> Self {
        match name {
            "add" => Self::Add,
            "multiply" => Self::Multiply,
            "matmul" => Self::Matmul,
            _ => Self::Concat,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Multiply => "multiply",
            Self::Concat => "concat",
            Self::Matmul => "matmul",
            Self::Outputs => "outputs",
        }
    }
}

/// One of several inputs or outputs.
#[derive(Debug, Clone)]
pub(crate) struct Port {
    pub(crate) name: Ident,
    pub(crate) map: MapId,
}

/// A branch of a join: what it made, and its name.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    pub(crate) map: MapId,
    pub(crate) label: Option<Ident>,
}

/// How a step is carried out; the passes that fuse change it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Run {
    /// Reads its input, writes its output.
    Apart,
    /// Reads its input, and writes what the activation behind it makes of its output.
    WithActivation,
    /// Nothing is to be done: the output is the input, seen otherwise or made by the step before.
    View,
    /// Changes its input, which becomes its output.
    InPlace,
}

impl Step {
    /// The layer's name in the language, or the user's type.
    pub(crate) fn layer(&self) -> String {
        match &self.kind {
            Kind::Layer { row, .. } => row.name.to_owned(),
            Kind::Custom(path) => path.to_token_stream().to_string().replace(' ', ""),
            Kind::Join(join) => join.kind.name().to_owned(),
            Kind::Map(mapped) => mapped.name.to_owned(),
            Kind::Take { .. } => "input".to_owned(),
        }
    }

    pub(crate) fn row(&self) -> Option<&'static Row> {
        match &self.kind {
            Kind::Layer { row, .. } => Some(row),
            Kind::Custom(_) | Kind::Join(_) | Kind::Map(_) | Kind::Take { .. } => None,
        }
    }

    pub(crate) fn join(&self) -> Option<JoinKind> {
        match &self.kind {
            Kind::Join(join) => Some(join.kind),
            _ => None,
        }
    }

    /// The map that a layer reads, or a join's first.
    pub(crate) fn input(&self) -> MapId {
        self.inputs[0]
    }

    pub(crate) fn is(&self, name: &str) -> bool {
        self.row().is_some_and(|row| row.name == name)
    }

    /// Whether it is a normalization over the batch.
    pub(crate) fn is_batch_norm(&self) -> bool {
        self.row().is_some_and(|row| row.stateful && matches!(row.folds, Folds::Is(_)))
    }

    /// Whether it is a normalization of which a second one takes little time.
    pub(crate) fn is_normalization(&self) -> bool {
        self.is_batch_norm()
            || self.row().is_some_and(|row| row.family.is_some_and(|(module, _)| module == "group_norm"))
    }

    /// Whether it has values to train, as far as the macro knows.
    pub(crate) fn has_parameters(&self) -> bool {
        self.cost.is_none_or(|cost| cost.parameters > 0)
    }

    /// Whether its functions take an `Owned`: it may have state, or keep values of a batch.
    pub(crate) fn owns(&self) -> bool {
        match &self.kind {
            Kind::Layer { row, .. } => row.stateful,
            Kind::Custom(_) => true,
            Kind::Join(_) | Kind::Map(_) | Kind::Take { .. } => false,
        }
    }

    /// Whether its backward pass reads the values of an input that it took.
    pub(crate) fn reads_input_backwards(&self, branch: usize) -> bool {
        match &self.kind {
            Kind::Layer { row, .. } => self.runs() && row.reads_input_backwards,
            Kind::Custom(_) => true,
            Kind::Join(join) => matches!(join.kind, JoinKind::Multiply | JoinKind::Matmul),
            Kind::Map(mapped) => mapped.expression.reads[branch],
            Kind::Take { .. } => false,
        }
    }

    /// The inputs whose values its backward pass reads.
    pub(crate) fn inputs_read_backwards(&self) -> impl Iterator<Item = MapId> + '_ {
        let inputs = self.inputs.iter().enumerate();
        inputs.filter(|(branch, _)| self.reads_input_backwards(*branch)).map(|(_, map)| *map)
    }

    /// Whether its backward pass reads the values that it made.
    pub(crate) fn reads_output_backwards(&self) -> bool {
        match &self.kind {
            Kind::Layer { .. } if self.run == Run::View => false,
            Kind::Layer { row, .. } if self.run == Run::WithActivation => row.activation_reads_output,
            Kind::Layer { row, .. } => row.backward_reads != Reads::Nothing,
            Kind::Custom(_) => true,
            Kind::Join(_) => self.run == Run::WithActivation,
            Kind::Map(mapped) => mapped.expression.reads_value,
            Kind::Take { .. } => false,
        }
    }

    /// How a step before it applies it, if it is an activation.
    pub(crate) fn activation(&self) -> Option<Applied> {
        self.row().and_then(|row| row.activation)
    }

    /// Whether it has code of its own that makes a map from others.
    pub(crate) fn runs(&self) -> bool {
        matches!(self.run, Run::Apart | Run::WithActivation)
    }

    /// Whether it can change its input into its output where nobody wants the one any more.
    pub(crate) fn predicts_in_place(&self) -> bool {
        match &self.kind {
            Kind::Layer { row, arguments } => (row.predicts_in_place)(arguments),
            Kind::Custom(_) | Kind::Join(_) | Kind::Map(_) | Kind::Take { .. } => false,
        }
    }

    /// Whether it has tensors, of whatever kind, that go by its name.
    pub(crate) fn has_tensors(&self) -> bool {
        self.has_parameters() || self.owns()
    }
}

impl Plan {
    /// The plan of the network's predictor, of one that nothing was decided of yet.
    pub(crate) fn predictor(&self) -> Self {
        let mut plan = Self { predicts: true, ..self.clone() };
        fold::fold(&mut plan);
        fuse::fuse(&mut plan);
        merge::merge(&mut plan);
        plan
    }

    /// The activation that a step applies by the way, which is the only reader of what it makes: the first that is not a view
    /// of something else, such as a normalization in the step's weights. That of a sum is applied by what adds to it last.
    pub(crate) fn applied(&self, step: StepId) -> Option<StepId> {
        let step = match self.steps[step].adds_to {
            Some(sum) if self.adders(sum).last() == Some(&step) && self.apart(sum).next().is_none() => sum,
            Some(_) => return None,
            None => step,
        };
        let mut map = Some(self.steps[step].output).filter(|_| self.steps[step].run == Run::WithActivation);
        while let Some(output) = map {
            let index = *self.map(output).readers.first()?;
            let reader = &self.steps[index];
            if reader.activation().is_some() {
                return Some(index);
            }
            map = Some(reader.output).filter(|_| reader.run == Run::View);
        }
        None
    }

    /// The step that makes the values of a map: views make none.
    pub(crate) fn maker(&self, mut map: MapId) -> Option<StepId> {
        loop {
            let writer = self.map(map).writer?;
            if self.steps[writer].run != Run::View {
                return Some(writer);
            }
            map = self.steps[writer].input();
        }
    }

    /// The convolution that a pooling computes as one with itself.
    pub(crate) fn pools(&self, step: StepId) -> Option<StepId> {
        let convolution = self.maker(self.steps[step].input())?;
        (self.steps[convolution].pooled_by == Some(step)).then_some(convolution)
    }

    /// The maps that a step reads: of a pooling that computes a convolution, what that takes.
    pub(crate) fn reads(&self, step: StepId) -> &[MapId] {
        &self.steps[self.pools(step).unwrap_or(step)].inputs
    }

    /// The steps that add to a sum as they go, in order.
    pub(crate) fn adders(&self, sum: StepId) -> Vec<StepId> {
        let makers = self.steps[sum].inputs.iter().filter_map(|map| self.maker(*map));
        let mut adders: Vec<_> = makers.filter(|maker| self.steps[*maker].adds_to == Some(sum)).collect();
        adders.sort_unstable();
        adders
    }

    /// The branches of a sum that are still to be added when its turn comes.
    pub(crate) fn apart(&self, sum: StepId) -> impl Iterator<Item = usize> + '_ {
        let step = &self.steps[sum];
        let adds = move |map: MapId| self.maker(map).is_some_and(|maker| self.steps[maker].adds_to == Some(sum));
        (0..step.inputs.len()).filter(move |branch| step.into != Some(*branch) && !adds(step.inputs[*branch]))
    }

    pub(crate) fn map(&self, id: MapId) -> &Map {
        &self.maps[id.0]
    }

    /// The first channel that each map takes in their concatenation.
    pub(crate) fn firsts(&self, maps: &[MapId]) -> Vec<Size> {
        behind_each_other(maps.iter().map(|map| self.map(*map).shape.sizes()[0].clone())).0
    }

    /// The first value that each map takes in a sample of all of them.
    pub(crate) fn offsets(&self, maps: &[MapId]) -> Vec<Size> {
        behind_each_other(maps.iter().map(|map| self.map(*map).shape.len())).0
    }

    /// The step whose weights and state a step uses.
    pub(crate) fn owner(&self, step: StepId) -> StepId {
        self.steps[step].shares.unwrap_or(step)
    }
}

impl Map {
    pub(crate) fn new(shape: Shape) -> Self {
        Self { shape, constants: 0, probabilities: false, writer: None, readers: Vec::new(), part: None, shares: None }
    }
}

/// Where each of these begins if they lie one behind the other, and how many there are in all.
pub(crate) fn behind_each_other(lens: impl Iterator<Item = Size>) -> (Vec<Size>, Size) {
    let mut end = Size::Known(0);
    let firsts = lens.map(|len| {
        let behind = match (end.known(), len.known()) {
            (Some(first), Some(len)) => Size::Known(first.saturating_add(len)),
            _ => Size::Const(quote!(::core::primitive::usize::saturating_add(#end, #len))),
        };
        std::mem::replace(&mut end, behind)
    });
    let firsts = firsts.collect();
    (firsts, end)
}

/// Items inside of the expansion have names that no user's type or constant has: those are in scope there too.
pub(crate) fn step_type(index: StepId) -> Ident {
    format_ident!("__Step{index}")
}

/// The type of a step in a predictor, where it is another one.
pub(crate) fn frozen_type(index: StepId) -> Ident {
    format_ident!("__Frozen{index}")
}

/// The constant of a user's layer.
pub(crate) fn custom_layer(index: StepId) -> Ident {
    format_ident!("__LAYER_{index}")
}

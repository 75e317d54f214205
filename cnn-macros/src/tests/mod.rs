//! The stages outside of a compiler: what they settle, what they say, and that nothing makes them panic.

mod rustc;
mod simulation;

use std::io::Write;
use std::process::{Command, Stdio};

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

use crate::error::Errors;
use crate::parse;
use crate::plan::memory::{self, Place};
use crate::plan::place::{gradient_home, home};
use crate::plan::{MapId, Plan, Run, Step};
use crate::plan::{compose, fuse, merge};
use crate::settle::{self, blocks};
use crate::size::Size;

/// A plan, its predictor's, and what is wrong with it.
fn settle(text: &str) -> (Plan, Plan, Vec<String>) {
    let mut errors = Errors::new();
    let mut tree = parse::parse(text.parse().unwrap(), &mut errors);
    blocks::check(&mut tree.blocks);
    let mut blocks = blocks::Blocks::new(&tree.blocks);
    let mut found = errors.finish();
    assert_eq!(tree.networks.len(), 1, "{text}");
    let mut errors = Errors::of(&tree.networks[0].errors);
    let mut plan = settle::plan(&tree.networks[0], None, &mut blocks, &mut errors);
    found.extend(errors.finish());
    found.extend(blocks.untold());
    let mut predictor = plan.clone();
    if found.is_empty() {
        compose::compose(&mut plan);
        predictor = plan.predictor();
        fuse::fuse(&mut plan);
        merge::merge(&mut plan);
    }
    (plan, predictor, found.iter().map(ToString::to_string).collect())
}

/// A network's plan, and its predictor's.
pub(crate) fn plans(text: &str) -> [Plan; 2] {
    let (plan, predictor, found) = settle(text);
    assert!(found.is_empty(), "{found:?}");
    [plan, predictor]
}

pub(crate) fn plan(text: &str) -> Plan {
    let [plan, _] = plans(text);
    plan
}

/// The first lines of all messages.
fn mistakes(text: &str) -> Vec<String> {
    settle(text).2.iter().map(|text| text.lines().next().unwrap().to_owned()).collect()
}

fn each<T>(plan: &Plan, of: impl Fn(&Step) -> T) -> Vec<T> {
    plan.steps.iter().map(of).collect()
}

fn maps(plan: &Plan) -> Vec<String> {
    each(plan, |step| plan.map(step.output).shape.to_string())
}

fn runs(text: &str) -> Vec<Run> {
    each(&plan(text), |step| step.run)
}

/// Where the blocks that are of the macro's sizes lie, and how many values they have.
fn places(memory: &memory::Memory) -> Vec<(u64, u64)> {
    memory.blocks.iter().map(|block| (block.first.unwrap(), block.len.known().unwrap())).collect()
}

const LENET: &str = "LeNet5<1, 28, 28> {
    conv1: conv2d<6, 5>(padding = 2), relu, max_pool2d<2>, conv2: conv2d<16, 5>, relu, max_pool2d<2>,
    flatten, fc1: linear<120>, relu, fc2: linear<84>, relu, fc3: linear<10>,
}";

#[test]
fn maps_follow_pytorch() {
    let expected =
        ["6x28x28", "6x28x28", "6x14x14", "16x10x10", "16x10x10", "16x5x5", "400", "120", "120", "84", "84", "10"];
    assert_eq!(maps(&plan(LENET)), expected);
    let text = "Net<3, 33, 20> {
        conv2d<8, (3, 5)>(stride = (2, 3), padding = (0, 1), dilation = (2, 1)), avg_pool2d<3>(padding = 1),
        adaptive_avg_pool2d<(2, 7)>, conv2d<{ channels * height }, 1>, max_pool2d<2>(stride = 1, dilation = (1, 3)),
    }";
    assert_eq!(maps(&plan(text)), ["8x15x6", "8x5x2", "8x2x7", "16x2x7", "16x1x4"]);
    let text = "Net<3, 33> {
        conv1d<8, 5>(stride = 2, padding = 1, dilation = 3) => <8, 12>, avg_pool1d<3>(padding = 1) => <8, 1, 4>,
        adaptive_avg_pool1d<7>, conv1d<4, 4>(padding = same), max_pool1d<2>(ceil_mode = true), batch_norm1d,
        conv_transpose1d<{ channels * width }, 3>(stride = 3, padding = (1, 2), output_padding = 2),
    }";
    assert_eq!(maps(&plan(text)), ["8x1x12", "8x1x4", "8x1x7", "4x1x7", "4x1x4", "4x1x4", "16x1x11"]);
    let text = "Net<4, 7, 8> {
        conv2d<8, (4, 3)>(padding = same, groups = 2), max_pool2d<2>(ceil_mode = true), zero_pad2d<(1, 0, 2, 0)>,
        conv_transpose2d<6, 3>(stride = 2, padding = 1, output_padding = 1), upsample(scale_factor = (1, 2)),
        conv2d<6, 3>(padding = (2, 1, 0, 0)), adaptive_max_pool2d<2>, batch_norm2d, local_response_norm<3>, dropout2d,
        upsample(size = 9), prelu(num_parameters = channels),
    }";
    let expected = ["8x7x8", "8x4x4", "8x5x6", "6x10x12", "6x10x24", "6x11x22", "6x2x2", "6x2x2", "6x2x2", "6x2x2"];
    assert_eq!(maps(&plan(text))[..10], expected);
    assert_eq!(maps(&plan(text))[10..], ["6x9x9", "6x9x9"]);
}

#[test]
fn names_are_those_of_a_state_dict() {
    let text = "Net<1, 8, 8> {
        stem: conv2d<4, 1>, [relu, conv2d<4, 1>], repeat<2> [relu, conv2d<4, 1>], tail: repeat<2> [conv2d<4, 1>],
        layer1: [block: [conv1: conv2d<4, 1>, relu], relu], [], flatten, r#type: linear<2>,
    }";
    let expected = [
        "stem",
        "1.0",
        "1.1",
        "2",
        "3",
        "4",
        "5",
        "tail.0",
        "tail.1",
        "layer1.block.conv1",
        "layer1.block.1",
        "layer1.1",
        "9",
        "type",
    ];
    assert_eq!(each(&plan(text), |step| step.path.clone()), expected);
}

#[test]
fn an_activation_joins_the_layer_before_it() {
    use Run::{Apart, InPlace, View, WithActivation};
    let lenet = runs(LENET);
    assert_eq!(lenet[..4], [WithActivation, View, Apart, WithActivation]);
    assert_eq!(lenet[6..], [View, WithActivation, View, WithActivation, View, Apart]);
    // Of a network's own input nothing is changed, and what a step needs for its backward pass stays as it is.
    assert_eq!(runs("Net<4> { relu, dropout, relu }"), [Apart, InPlace, InPlace]);
    assert_eq!(runs("Net<1, 4, 4> { max_pool2d<2>, relu, dropout }"), [Apart, Apart, InPlace]);
    assert_eq!(runs("Net<4> { linear<4>, relu, relu, dropout }"), [WithActivation, View, InPlace, InPlace]);
    assert_eq!(runs("Net<4> { softmax, dropout }"), [Apart, Apart]);
    assert_eq!(
        runs("Net<1, 4, 4> { batch_norm2d, relu6, conv_transpose2d<2, 3>, relu }"),
        [WithActivation, View, WithActivation, View]
    );
    // Dropout moves what was cut off at 6; a sigmoid hides which values were positive.
    assert_eq!(runs("Net<4> { linear<4>, relu6, dropout }"), [WithActivation, View, Apart]);
    assert_eq!(runs("Net<4> { linear<4>, relu, sigmoid, tanh }"), [WithActivation, View, Apart, Apart]);
    assert_eq!(runs("Net<4> { linear<4>, leaky_relu, dropout, tanh }"), [WithActivation, View, InPlace, InPlace]);
    assert_eq!(
        runs("Net<4> { linear<4>, sigmoid, add { a: linear<4>, [] }, hardsigmoid }"),
        [WithActivation, View, Apart, WithActivation, View]
    );
    // The slopes of these are told from their input, which a normalization reckons again.
    assert_eq!(
        runs(
            "Net<1, 4, 4> { batch_norm2d, silu, batch_norm2d, leaky_relu(negative_slope = -1), add { [], [] }, gelu }"
        ),
        [WithActivation, View, WithActivation, View, Apart, Apart]
    );
    assert_eq!(runs("Net<4> { linear<4>, silu, gelu, prelu }"), [Apart, Apart, Apart, Apart]);
    assert_eq!(runs("Net<1, 4, 4> { Own, relu, crate::Own, relu }"), [Apart, Apart, Apart, Apart]);
}

#[test]
fn flatten_moves_values_only_where_somebody_sees_it() {
    use Run::{Apart, InPlace, View, WithActivation};
    assert_eq!(runs("Net<2, 4, 4> { flatten, dropout, flatten, linear<3> }"), [View, Apart, View, Apart]);
    assert_eq!(runs("Net<2, 4, 4> { conv2d<3, 3>, flatten }"), [Apart, Apart]);
    assert_eq!(runs("Net<2, 4, 4> { conv2d<3, 3>, flatten, softmax }"), [Apart, Apart, Apart]);
    assert_eq!(runs("Net<2, 4, 4> { conv2d<3, 4>, relu, flatten }"), [WithActivation, View, View]);
    assert_eq!(runs("Net<2, 4, 4> { conv2d<1, 1>, flatten, relu }"), [Apart, View, InPlace]);
    // A network's output is never its input.
    assert_eq!(runs("Net<1, 4, 4> { flatten }"), [Apart]);
    let plan = plan("Net<2, 4, 4> { avg_pool2d<2>, flatten, relu, linear<3>, linear<4> }");
    assert!(matches!(fuse::flattened_channels(&plan, 3), Size::Known(2)));
    assert!(matches!(fuse::flattened_channels(&plan, 4), Size::Known(3)));
}

#[test]
fn memory_is_used_again_when_nobody_reads_it_any_more() {
    let plan = plan(LENET);
    let evaluation = memory::evaluation(&plan);
    // conv1, pool1, conv2, pool2, fc1, fc2; 1176 and 400 are rounded up.
    assert_eq!(places(&evaluation), [(0, 4704), (4704, 1176), (0, 1600), (1600, 400), (0, 120), (128, 84)]);
    assert_eq!(evaluation.placed, 4704 + 1184);
    let training = memory::training(&plan);
    // Then the gradients of fc2, fc1, pool2, conv2, pool1 and conv1: the last is the only one for which there is no place.
    assert_eq!(training.blocks.len(), 12);
    assert_eq!(training.placed, 2 * 4704 + 1184 + 1184);
    let place = |map: usize| evaluation.place(home(&plan, MapId(map)).base);
    assert_eq!(
        (place(0), place(1), place(2), place(12)),
        (Place::Input, Place::Block(0), Place::Block(0), Place::Output)
    );
}

/// A branch that is only added is not kept, and what a normalization has made is not read where no rectifier is behind it.
#[test]
fn what_the_way_back_does_not_read_is_not_kept() {
    let plan = plan(
        "Net<4, 8, 8> { a: conv2d<4, 1>, n: batch_norm2d, add { b: [conv2d<4, 1>, batch_norm2d], c: [conv2d<4, 1>, batch_norm2d] }, relu, flatten, linear<2> }",
    );
    let training = memory::training(&plan);
    // What `a`, the normalization, `b` and `c` make is read again, and the sum. A branch is added up where the other's
    // normalization is; that one is gone when gradients come.
    assert_eq!(training.placed, 6 * 256);
}

/// Nothing is read and written in one step, unless it works in place.
#[test]
fn no_step_overwrites_what_it_reads() {
    for text in
        [LENET, "Net<2, 9, 9> { relu, dropout, conv2d<3, 3>, max_pool2d<2>, relu, Own, relu, flatten, softmax }"]
    {
        let plan = plan(text);
        for memory in [memory::evaluation(&plan), memory::training(&plan)] {
            for step in plan.steps.iter().filter(|step| step.runs()) {
                let [input, output] = [step.input(), step.output].map(|map| memory.place(home(&plan, map).base));
                assert_ne!(input, output, "{text}: {}", step.path);
            }
        }
        let memory = memory::training(&plan);
        for step in plan.steps.iter().filter(|step| step.runs()) {
            let gradient = |map: MapId| memory.gradient_place(gradient_home(&plan, map).base);
            assert_ne!(gradient(step.input()), gradient(step.output), "{text}: {}", step.path);
        }
    }
}

#[test]
fn every_mistake_is_noted_once() {
    assert_eq!(
        mistakes(
            "Net<1, 28, 28> { conv2d<6, 29>, linear<0>, max_pool2d<2> => <6, 3, 3>, conv: conv2d<2, 4>, relu(x = 1) }"
        ),
        [
            "0 (conv2d): kernel_size 29 does not fit the 28x28 feature map",
            "1 (linear): out_features is 0",
            "conv: kernel_size 4 does not fit the 3x3 feature map",
            "4 (relu): `relu` has no options",
        ]
    );
    assert_eq!(
        mistakes("Net<1, 9, 9> { repeat<5> [[conv2d<6, 3>]], linear<10> }"),
        ["4.0 (conv2d): kernel_size 3 does not fit the 1x1 feature map"]
    );
    assert_eq!(mistakes("Net<1, 9, 9> { conv2d<6 3>, relu relu, , [relu; relu] }").len(), 4);
}

#[test]
fn numbers_at_the_edge_of_memory_are_mistakes_not_panics() {
    let largest = i64::MAX / 4;
    for (text, count) in [
        (format!("Net<{}> {{ relu }}", largest / 4), 0),
        (format!("Net<{largest}> {{ relu }}"), 1),
        (format!("Net<{}> {{ relu }}", largest + 1), 1),
        (format!("Net<{largest}> {{ linear<2> }}"), 1),
        (format!("Net<{}> {{ relu, softmax, softmax }}", largest / 2), 1),
        ("Net<4000000000> { linear<4000000000>, linear<4000000000> }".to_owned(), 1),
        (
            format!(
                "Net<1, {}, 1> {{ conv2d<1, ({largest}, 1)>(stride = {largest}, bias = false, strict) }}",
                largest - 1
            ),
            1,
        ),
        (format!("Net<1, {largest}, 1> {{ conv2d<1, 2>(stride = {largest}, padding = {largest}, strict) }}"), 1),
        (format!("Net<1, 3, 3> {{ conv2d<1, 2>(dilation = {largest}, padding = {largest}) }}"), 1),
        (format!("Net<1, 3, 3> {{ max_pool2d<{largest}>(dilation = {largest}, padding = {largest}) }}"), 1),
        (format!("Net<1, 3, 3> {{ adaptive_avg_pool2d<{largest}> }}"), 1),
        ("Net<1, 3, 3> { relu<{ -(-170141183460469231731687303715884105727 - 1) }> }".to_owned(), 1),
        ("Net<1, 3, 3> { conv2d<{ -(-170141183460469231731687303715884105727 - 1) }, 1> }".to_owned(), 1),
        ("Net<3> { repeat<999999999999> [repeat<999999999999> [[], []]], relu }".to_owned(), 0),
    ] {
        assert_eq!(mistakes(&text).len(), count, "{text}: {:?}", mistakes(&text));
    }
}

/// Drops, doubles or swaps one token, wherever it stands.
fn damage(tokens: TokenStream, at: &mut usize, how: usize) -> TokenStream {
    let mut damaged = Vec::new();
    for token in tokens {
        let hit = *at == 0;
        *at = at.wrapping_sub(1);
        let token = match token {
            TokenTree::Group(group) => {
                let delimiter = if hit && how == 3 { Delimiter::Parenthesis } else { group.delimiter() };
                TokenTree::Group(Group::new(delimiter, damage(group.stream(), at, how)))
            }
            other => other,
        };
        match (hit, how) {
            (true, 0) => {}
            (true, 1) => damaged.extend([token.clone(), token]),
            (true, 2) => damaged.insert(damaged.len().saturating_sub(1), token),
            _ => damaged.push(token),
        }
    }
    damaged.into_iter().collect()
}

#[test]
fn damaged_declarations_give_messages_or_networks() {
    let text = "block pair<C> { conv2d<C, 3>, relu }
        /// Some of everything.
        pub(crate) Net<3, { 8 * 4 }, 32> {
            stem: conv2d<{ 2 * channels }, (3, 5)>(stride = (2, 1), padding = 1, bias = false, strict) => <6, 16, 30>,
            repeat<2> [relu, dropout(p = 0.25)], body: [max_pool2d<2>, own::Layer<3>, Other], flatten, linear<N>,
        }
        Second<10> { linear<3>, softmax }
        Third<a: <3, 4, 4>, b: <2>> {
            a, t: [conv2d<3, 1> as c], share<t>, map(|x, a| { let u = -x; if u < 2 && a >= 1 { max(u, K) } else { x.pow(2) } }),
            _: Other => <3, 4, 4> as d, outputs { one: [d, flatten], two: b },
        }";
    damage_everywhere(text, 320);
    let text = "block pair<C> { conv2d<C, 3>, relu }
        Net<a: <1, H, W>, b: <2>> for [(9, 9), (8, { 2 * 6 })] { pair<H>, own::Layer<W>, outputs { one: conv2d<1, 1>, two: b } }";
    damage_everywhere(text, 110);
}

fn damage_everywhere(text: &str, places: usize) {
    let whole: TokenStream = text.parse().unwrap();
    for how in 0..4 {
        for start in 0..places {
            let mut at = start;
            let damaged = damage(whole.clone(), &mut at, how);
            let code = crate::expand(damaged.clone());
            assert!(syn::parse2::<syn::File>(code.clone()).is_ok(), "{damaged}\n{code}");
        }
    }
}

/// `expansions/lenet5.rs` is what the macro writes, so that a review sees what a change does to it.
#[test]
fn the_expansion_of_lenet_is_the_one_on_file() {
    on_file(LENET, "lenet5.rs");
}

/// The same of expressions.
#[test]
fn the_expansion_of_expressions_is_the_one_on_file() {
    let text = "
        /// `silu` as an expression.
        pub Swish<4, 8, 8> { map(|x| x * sigmoid(x)) }

        /// Of each value and what it should be.
        pub Entropy<x: <4, 8, 8>, target: <4, 8, 8>> {
            x, map(|x, target| max(x, 0) - x * target + ln_1p(exp(-abs(x)))),
        }";
    on_file(text, "expressions.rs");
}

/// The same of a network at two sizes.
#[test]
fn the_expansion_of_sizes_is_the_one_on_file() {
    let text = "
        /// Two numbers at each place, at two sizes.
        pub Heat<1, S, S> for [4, 6] { outputs { heat: [conv: conv2d<1, 3>], same: [] } }";
    on_file(text, "sizes.rs");
}

fn on_file(text: &str, file: &str) {
    let code = crate::expand(text.parse().unwrap()).to_string();
    let arguments = ["--edition", "2024", "--config", "max_width=120,use_small_heuristics=Max"];
    let rustfmt = Command::new("rustfmt").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut rustfmt = rustfmt.expect("rustfmt is installed");
    rustfmt.stdin.take().unwrap().write_all(code.as_bytes()).unwrap();
    let found = String::from_utf8(rustfmt.wait_with_output().unwrap().stdout).unwrap();
    let path = format!("{}/expansions/{file}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("UPDATE_EXPANSIONS").is_some() {
        std::fs::write(&path, &found).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap();
    assert!(
        found == expected,
        "{path} is another: look at it with UPDATE_EXPANSIONS=1, and at the difference with git"
    );
}

/// How the steps of a predictor run.
fn predicts(text: &str) -> (Plan, Vec<Run>) {
    let [_, predictor] = plans(text);
    let runs = each(&predictor, |step| step.run);
    (predictor, runs)
}

#[test]
fn a_residual_block_predicts_with_its_convolutions_alone() {
    use Run::{Apart, View, WithActivation};
    let text = "Net<3, 8, 8> {
        stem: conv2d<4, 1>,
        add { [a: conv2d<4, 3>(padding = 1), batch_norm2d, relu, b: conv2d<4, 3>(padding = 1), batch_norm2d], [] }, relu,
        add { a: [c: conv2d<5, 3>, batch_norm2d, dropout], b: [d: conv2d<5, 3>, batch_norm2d] }, relu6, max_pool2d<2>,
    }";
    let (plan, runs) = predicts(text);
    assert_eq!(
        runs,
        [
            Apart,
            WithActivation,
            View,
            View,
            Apart,
            View,
            WithActivation,
            View,
            Apart,
            View,
            View,
            Apart,
            View,
            WithActivation,
            View,
            Apart
        ]
    );
    // The second convolution of each sum adds to the other branch, and rectifies.
    assert_eq!((plan.steps[4].adds_to, plan.applied(4)), (Some(6), Some(7)));
    assert_eq!((plan.steps[11].adds_to, plan.applied(11)), (Some(13), Some(14)));
    assert!(plan.apart(6).next().is_none() && plan.apart(13).next().is_none());
    // What the identity is added up in, and what is between the convolutions.
    assert_eq!(memory::evaluation(&plan).placed, 2 * 4 * 64);
}

#[test]
fn a_predictor_applies_activations_by_the_way() {
    use Run::{Apart, View, WithActivation};
    let text = "Net<3, 8, 8> {
        a: conv2d<4, 1>, batch_norm2d, hardswish, add { [b: conv2d<4, 1>, silu, c: conv2d<4, 1>, batch_norm2d], [] }, gelu,
        adaptive_avg_pool2d<1>, batch_norm2d, sigmoid, flatten, linear<4>, leaky_relu(negative_slope = -1),
    }";
    let (plan, runs) = predicts(text);
    let expected = [
        [WithActivation, View, View].as_slice(),
        &[WithActivation, View, Apart, View, WithActivation, View],
        &[Apart, WithActivation, View, View, WithActivation, View],
    ];
    assert_eq!(runs, expected.concat());
    assert_eq!([0, 3, 5, 7, 10, 13].map(|step| plan.applied(step)), [2, 4, 8, 8, 11, 14].map(Some));
}

#[test]
fn a_normalization_is_part_of_what_it_can_be_part_of() {
    let folds = |text: &str| {
        let [_, predictor] = plans(text);
        each(&predictor, |step| step.folds.iter().map(|fold| (fold.step, fold.first, fold.shifts)).collect::<Vec<_>>())
    };
    let concat = folds("Net<2, 4, 4> { concat { a: conv2d<3, 1>, b: [conv2d<5, 1>, batch_norm2d] }, batch_norm2d }");
    assert_eq!(concat, [vec![(4, 0, true)], vec![(2, 0, true), (4, 3, true)], vec![], vec![], vec![]]);
    let sum = folds("Net<2, 4, 4> { add { a: conv2d<3, 1>, b: conv_transpose2d<3, 1> }, dropout2d, batch_norm2d }");
    assert_eq!(sum[..2], [vec![(4, 0, true)], vec![(4, 0, false)]]);
    // Of one branch that cannot, of a map that others read, of the map of the network's input, of statistics of the batch.
    for text in [
        "Net<2, 4, 4> { concat { a: conv2d<3, 1>, [] }, batch_norm2d }",
        "Net<2, 4, 4> { a: conv2d<3, 1>, concat { batch_norm2d, [] } }",
        "Net<2, 4, 4> { a: conv2d<3, 1>, add { [], [] }, batch_norm2d }",
        "Net<2, 4, 4> { batch_norm2d }",
        "Net<2, 4, 4> { a: conv2d<3, 1>, relu, batch_norm2d }",
        "Net<2, 4, 4> { a: conv2d<3, 1>, batch_norm2d(track_running_stats = false) }",
    ] {
        assert!(folds(text).iter().all(Vec::is_empty), "{text}");
        let (plan, _) = predicts(text);
        assert!(plan.steps.iter().all(|step| !step.is("batch_norm2d") || step.run != Run::View), "{text}");
    }
}

//! What rustc evaluates where the macro does not know the sizes, `cnn_core::shape::check`, says what the macro says.

use cnn_core::shape::Sizes;
use cnn_core::shape::check::{self, Made, Window};
use proptest::prelude::*;

use super::settle;

/// Of a network of one step `it`: the map that it makes, or what is wrong with it.
fn by_the_macro([c, h, w]: [usize; 3], step: &str) -> Result<String, String> {
    let (plan, _, mistakes) = settle(&format!("Net<{c}, {h}, {w}> {{ it: {step} }}"));
    match mistakes.first() {
        Some(mistake) => Err(mistake.clone()),
        None => Ok(plan.map(plan.output).shape.to_string()),
    }
}

fn by_rustc(made: &Made) -> Result<String, String> {
    match made.mistake() {
        Some(mistake) => Err(mistake.to_owned()),
        None => Ok(made.sizes.to_string()),
    }
}

fn map([channels, height, width]: [usize; 3]) -> Sizes {
    Sizes::Map { channels, height, width }
}

/// Numbers that are mostly small.
fn number(least: usize, most: usize) -> impl Strategy<Value = usize> {
    prop_oneof![20 => least..=most, 1 => Just(1_usize << 31), 1 => Just(1_usize << 60)]
}

fn pair(least: usize, most: usize) -> impl Strategy<Value = [usize; 2]> {
    [number(least, most), number(least, most)]
}

fn window(layer: &'static str) -> impl Strategy<Value = Window> {
    let numbers = (pair(1, 6), pair(1, 5), pair(1, 4));
    let padding = [0..=4_usize, 0..=4_usize, 0..=4_usize, 0..=4_usize];
    (numbers, padding, 1..=5_usize, any::<[bool; 3]>()).prop_map(
        move |((kernel_size, stride, dilation), padding, groups, [strict, ceil_mode, even])| {
            let [top, bottom, left, right] = padding;
            let pools = layer != "conv2d" && layer != "conv_transpose2d";
            let padding = if pools || even { [top, top, left, left] } else { [top, bottom, left, right] };
            let dilation = if layer == "avg_pool2d" { [1, 1] } else { dilation };
            let groups = if pools { 1 } else { groups };
            let (strict, ceil_mode) = (strict && layer != "conv_transpose2d", ceil_mode && pools);
            Window { name: "it", layer, kernel_size, stride, padding, dilation, groups, strict, ceil_mode, pools }
        },
    )
}

/// A window as it is written.
fn written(window: &Window, channels: usize, more: &str) -> String {
    let Window { layer, kernel_size: [kh, kw], stride: [sh, sw], padding: [t, b, l, r], dilation: [dh, dw], .. } =
        window;
    let channels = if window.pools { String::new() } else { format!("{channels}, ") };
    let padding = if window.pools { format!("({t}, {l})") } else { format!("({t}, {b}, {l}, {r})") };
    let mut text = format!("{layer}<{channels}({kh}, {kw})>(stride = ({sh}, {sw}), padding = {padding}{more}");
    if *layer != "avg_pool2d" {
        text += &format!(", dilation = ({dh}, {dw})");
    }
    if !window.pools {
        text += &format!(", groups = {}", window.groups);
    }
    text + if window.ceil_mode { ", ceil_mode = true" } else { "" } + if window.strict { ", strict)" } else { ")" }
}

/// That two maps are too large together is no window's mistake; in rustc's words, `cnn_core::network` says it.
fn is_of_the_network(told: &Result<String, String>) -> bool {
    told.as_ref().is_err_and(|text| text.starts_with("Net: its maps overflow"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn says_the_same_of_windows(
        window in prop_oneof![window("conv2d"), window("max_pool2d"), window("avg_pool2d")],
        input in [number(1, 8), number(1, 9), number(1, 9)],
        channels in number(1, 8),
    ) {
        prop_assume!(map(input).len() <= isize::MAX as usize / 4);
        let channels = if window.pools { input[0] } else { channels };
        let made = check::window(window, map(input), true, channels);
        let told = by_the_macro(input, &written(&window, channels, ""));
        prop_assume!(!is_of_the_network(&told));
        prop_assert_eq!(by_rustc(&made), told);
    }

    #[test]
    fn says_the_same_of_windows_backwards(
        window in window("conv_transpose2d"),
        input in [number(1, 8), number(1, 4), number(1, 4)],
        channels in number(1, 8),
        [below, behind] in [0..=5_usize, 0..=5_usize],
    ) {
        prop_assume!(map(input).len() <= isize::MAX as usize / 4);
        let made = check::transposed(window, [below, behind], map(input), true, channels);
        let more = format!(", output_padding = ({below}, {behind})");
        let told = by_the_macro(input, &written(&window, channels, &more));
        prop_assume!(!is_of_the_network(&told));
        prop_assert_eq!(by_rustc(&made), told);
    }

    #[test]
    fn says_the_same_of_numbers_with_fractions(mantissa in -9999..=9999_i32, exponent in -9..=4_i32) {
        let number: f64 = format!("{mantissa}e{exponent}").parse().unwrap();
        // Numbers that are written as they are; very small ones the macro writes out in zeros.
        prop_assume!(number == 0.0 || number.abs() > 1e-5);
        let cases = [
            ("dropout(p", "p", check::Range::Probability),
            ("batch_norm2d(eps", "eps", check::Range::Positive),
            ("local_response_norm<2>(alpha", "alpha", check::Range::AtLeast(0.0)),
        ];
        for (call, what, range) in cases {
            let found = check::real("it", what, range, number).mistake().map(str::to_owned);
            prop_assert_eq!(found, by_the_macro([1, 1, 1], &format!("{call} = {number:?})")).err());
        }
    }
}

#[test]
fn says_the_same_of_other_layers() {
    let small = [6, 8, 2];
    let cases = [
        (by_the_macro(small, "linear<10>"), check::linear("it", map(small), true, 10)),
        (by_the_macro(small, "linear<10>(over = channels)"), check::linear_over_channels("it", map(small), true, 10)),
        (by_the_macro(small, "prelu(num_parameters = 4)"), check::prelu("it", map(small), true, 4)),
        (by_the_macro(small, "group_norm<4>"), check::group_norm("it", map(small), true, 4)),
        (by_the_macro([6, 1, 1], "instance_norm2d"), check::instance_norm2d("it", map([6, 1, 1]), true)),
        (by_the_macro(small, "batch_norm1d"), check::batch_norm("it", "batch_norm1d", map(small), true, true)),
        (by_the_macro(small, "relu => <6, 8, 3>"), check::claim("it (relu)", map(small), true, map([6, 8, 3]))),
        (
            by_the_macro(small, "upsample(scale_factor = (1, 0.4))"),
            check::upsample("it", "upsample", map(small), true, [8, 0]),
        ),
        (
            by_the_macro(small, "upsample(size = (1152921504606846976, 4))"),
            check::upsample("it", "upsample", map(small), true, [1 << 60, 4]),
        ),
    ];
    for (expected, made) in cases {
        // A step with a label is called by it alone.
        assert_eq!(by_rustc(&made).map_err(|text| text.replace("it (relu)", "it")), expected);
    }
    let flat = Sizes::Flat { features: 120 };
    for (call, made) in [
        ("group_norm<7>", check::group_norm("it", flat, true, 7)),
        ("linear<7>(over = channels)", check::linear_over_channels("it", flat, true, 7)),
        ("instance_norm2d", check::instance_norm2d("it", flat, true)),
        ("batch_norm2d", check::batch_norm("it", "batch_norm2d", flat, true, false)),
    ] {
        let (_, _, mistakes) = settle(&format!("Net<120> {{ it: {call} }}"));
        assert_eq!(made.mistake(), Some(mistakes[0].as_str()));
    }
    let window = Window {
        name: "it",
        layer: "conv2d",
        kernel_size: [3, 3],
        stride: [1, 1],
        padding: [0; 4],
        dilation: [1, 1],
        groups: 1,
        strict: false,
        ceil_mode: false,
        pools: false,
    };
    for features in [120, 97, 400, 784, 1152, 65536 * 3, 1 << 40] {
        let (_, _, mistakes) = settle(&format!("Net<{features}> {{ it: conv2d<6, 3> }}"));
        let told = check::window(window, Sizes::Flat { features }, true, 6);
        assert_eq!(told.mistake(), Some(mistakes[0].as_str()));
    }
}

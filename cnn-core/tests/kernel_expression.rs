//! Expressions on every instruction set: each function against f64, and maps that meet in every way against plain loops.

mod kernel;

use cnn_core::kernel::Write;
use cnn_core::kernel::geometry::{ExpressionGeometry, Map, Operand};
use cnn_core::kernel::isa::{self, Isa};
use cnn_core::kernel::pointwise::expression::{self, Expression, Gradient};
use cnn_core::kernel::pointwise::number::Number;
use cnn_core::kernel::rows::Rows;
use kernel::fill;
use proptest::prelude::*;

macro_rules! functions {
    ($($name:ident: |$x:ident| $value:expr;)*) => {
        $(struct $name;
        impl Expression<1> for $name {
            const COST: usize = 1;
            const READS: [bool; 1] = [true];
            const READS_VALUE: bool = false;
            #[inline(always)]
            fn value<V: Number>([$x]: [V; 1]) -> V {
                $value
            }
            #[inline(always)]
            fn gradients<V: Number>([_]: [V; 1], _: V, grad: V) -> [V; 1] {
                [grad]
            }
        })*
    };
}

functions! {
    Exp: |x| x.exp();
    ExpM1: |x| x.exp_m1();
    Ln: |x| x.ln();
    Ln1p: |x| x.ln_1p();
    Sqrt: |x| x.sqrt();
    Abs: |x| x.abs();
    Sign: |x| x.sign();
    Relu: |x| x.relu();
    Tanh: |x| x.tanh();
    Sigmoid: |x| x.sigmoid();
    Softplus: |x| x.softplus();
    Erf: |x| x.erf();
    Square: |x| x.pow(2.0);
    Cube: |x| x.pow(3.0);
    Eighth: |x| x.pow(8.0);
    Inverse: |x| x.pow(-1.0);
    InverseSquare: |x| x.pow(-2.0);
    Root: |x| x.pow(0.5);
    OneAndAHalf: |x| x.pow(1.5);
    InverseRoot: |x| x.pow(-0.5);
    Third: |x| x.pow(1.0 / 3.0);
    Gamma: |x| x.pow(2.2);
    Ninth: |x| x.pow(9.0);
    Cap: |x| x.min(x.like(2.0));
    Raise: |x| x.max(x.like(-1.0));
    Negative: |x| -x;
}

fn of<E: Expression<1>>(values: &[f32]) -> Vec<f32> {
    let geometry = ExpressionGeometry { channels: 1, cells: 1, operands: [Operand::WHOLE], out_stride: 0 };
    let mut output = vec![0.0; values.len()];
    expression::forward::<E, 1>(&geometry, [values], &mut output);
    output
}

/// Numbers of all sizes and signs, close together around zero and one, and those that are none.
fn numbers() -> Vec<f32> {
    let mut numbers = vec![
        0.0,
        -0.0,
        1.0,
        -1.0,
        2.0,
        0.5,
        f32::INFINITY,
        f32::NEG_INFINITY,
        f32::NAN,
        f32::MAX,
        f32::MIN,
        f32::MIN_POSITIVE,
        1e-40,
        -1e-40,
        1e-45,
        88.7,
        88.8,
        -87.4,
        -103.9,
        -104.1,
        16.7e6,
        -0.999_999_94,
    ];
    let random = fill(100_000, 4);
    numbers.extend(random.iter().enumerate().map(|(index, value)| match index % 6 {
        0 => *value,
        1 => value * 1e-3,
        2 => value * 10.0,
        3 => value * 100.0,
        4 => 1.0 + value * 1e-2,
        _ => value.signum() * (value.abs() * 87.0 - 87.0 * 0.5).exp(),
    }));
    numbers
}

/// Units in the last place of a number between two.
fn ulps(found: f32, expected: f64) -> f64 {
    let rounded = expected as f32;
    if found.is_nan() && rounded.is_nan() || found == rounded {
        return 0.0;
    }
    if !found.is_finite() || !rounded.is_finite() {
        // A result at the end of the numbers may round to infinity.
        let largest = f64::from(f32::MAX);
        let both_at_the_end = found.abs() == f32::INFINITY && expected.abs() > largest * (1.0 - 4e-7)
            || found.abs() > f32::MAX * (1.0 - 4e-7) && rounded.abs() == f32::INFINITY;
        return if both_at_the_end && (found > 0.0) == (expected > 0.0) { 1.0 } else { f64::INFINITY };
    }
    let size = rounded.abs().max(f32::MIN_POSITIVE);
    let unit = f64::from(f32::from_bits(size.to_bits() + 1)) - f64::from(size);
    (f64::from(found) - expected).abs() / unit
}

#[test]
fn every_function_is_right() {
    let numbers = numbers();
    macro_rules! check {
        ($($function:ident $most:expr;)*) => {
            for isa in Isa::available() {
                $({
                    let found = isa::with(isa, || of::<$function>(&numbers));
                    for (x, found) in numbers.iter().zip(found) {
                        let expected = $function::value([f64::from(*x)]);
                        let most: f64 = $most(f64::from(*x));
                        let off = ulps(found, expected);
                        let (name, set) = (stringify!($function), isa.name());
                        assert!(off == 0.0 || off <= most, "{name}({x:e}) on {set}: {found:e}, not {expected:e}: {off} units");
                    }
                })*
            }
        };
    }
    let exact = |_: f64| 0.51;
    let two = |_: f64| 2.0;
    // What the documentation says: the rounding of the logarithm is multiplied.
    let by_logarithm = |exponent: f64| move |x: f64| 2.0 + 2.0 * (exponent * x.abs().ln()).abs();
    // C's `pow` has infinity there, PyTorch's `sqrt` NaN.
    let root = |most: f64| move |x: f64| if x == f64::NEG_INFINITY || x == 0.0 { f64::INFINITY } else { most };
    check! {
        Exp two; ExpM1 two; Ln two; Ln1p two; Sqrt exact; Abs exact; Sign exact; Relu exact; Tanh two; Sigmoid |_| 2.5;
        Softplus two; Erf two; Square exact; Cube two; Eighth |_| 8.0; Inverse exact; InverseSquare two; Root root(0.51);
        OneAndAHalf root(2.0); InverseRoot root(2.0); Third by_logarithm(1.0 / 3.0); Gamma by_logarithm(2.2); Ninth |_| 9.0;
        Cap exact; Raise exact; Negative exact;
    }
}

#[test]
fn zero_keeps_its_sign_where_it_has_one() {
    for isa in Isa::available() {
        isa::with(isa, || {
            for found in [of::<ExpM1>(&[-0.0]), of::<Ln1p>(&[-0.0]), of::<Erf>(&[-0.0])] {
                assert_eq!(found[0].to_bits(), (-0.0_f32).to_bits(), "{}", isa.name());
            }
            assert_eq!(of::<Negative>(&[0.0])[0].to_bits(), (-0.0_f32).to_bits());
        });
    }
}

/// `(a b + c) / (2 + d^2)`, with the gradients of all, of which that of `c` looks at nothing but `d`.
struct Mixed;

impl Expression<4> for Mixed {
    const COST: usize = 1;
    const READS: [bool; 4] = [true, true, false, true];
    const READS_VALUE: bool = true;

    #[inline(always)]
    fn value<V: Number>([a, b, c, d]: [V; 4]) -> V {
        (a * b + c) / (d * d + d.like(2.0))
    }

    #[inline(always)]
    fn gradients<V: Number>([a, b, _, d]: [V; 4], value: V, grad: V) -> [V; 4] {
        let inner = grad / (d * d + d.like(2.0));
        [inner * b, inner * a, inner, -(inner * value * (d + d))]
    }
}

/// Where a value of an operand is, of one of these cells and channels.
fn place(map: Map, operand: Operand, sample: usize, cell: usize, channel: usize) -> usize {
    sample * map.sample_step()
        + if operand.cells { cell * map.stride } else { 0 }
        + if operand.channels { channel } else { 0 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn maps_meet_in_every_way(
        channels in 1..=40_usize, cells in 1..=130_usize, samples in 0..=3_usize,
        kinds in prop::array::uniform4(0..4_u8), strides in prop::array::uniform4(0..3_usize),
        wanted in prop::array::uniform4(any::<bool>()), adds in prop::array::uniform4(any::<bool>()),
        out_extra in 0..3_usize, all_dense in any::<bool>(),
    ) {
        let operands = core::array::from_fn(|index| {
            let (has_channels, has_cells) = (kinds[index] & 1 == 0, kinds[index] & 2 == 0);
            let own = if has_channels { channels } else { 1 };
            let extra = if all_dense { 0 } else { strides[index] };
            Operand { channels: has_channels, cells: has_cells, stride: if extra == 0 { 0 } else { own + extra } }
        });
        let out_stride = if all_dense || out_extra == 0 { 0 } else { channels + out_extra };
        let geometry = ExpressionGeometry { channels, cells, operands, out_stride };
        let maps: [Map; 4] = core::array::from_fn(|operand| geometry.map(operand));
        let output_map = geometry.output();
        let values: [Vec<f32>; 4] =
            core::array::from_fn(|operand| fill(samples * maps[operand].sample_step(), operand as u64));
        let grad_output = fill(samples * output_map.sample_step(), 9);
        let before: [Vec<f32>; 4] =
            core::array::from_fn(|operand| fill(samples * maps[operand].sample_step(), 20 + operand as u64));

        let mut expected = vec![0.0_f64; samples * output_map.sample_step()];
        let mut sums: [Vec<f64>; 4] = core::array::from_fn(|operand| {
            before[operand].iter().map(|value| if adds[operand] { f64::from(*value) } else { 0.0 }).collect()
        });
        for (n, p, c) in (0..samples).flat_map(|n| (0..cells).flat_map(move |p| (0..channels).map(move |c| (n, p, c)))) {
            let arguments: [f64; 4] = core::array::from_fn(|operand| {
                f64::from(values[operand][place(maps[operand], operands[operand], n, p, c)])
            });
            let to = n * output_map.sample_step() + p * output_map.stride + c;
            expected[to] = Mixed::value(arguments);
            let gradients = Mixed::gradients(arguments, expected[to], f64::from(grad_output[to]));
            for operand in 0..4 {
                sums[operand][place(maps[operand], operands[operand], n, p, c)] += gradients[operand];
            }
        }
        for isa in Isa::available() {
            isa::with(isa, || {
                let untouched = fill(expected.len(), 30);
                let mut output = untouched.clone();
                let operands_of: [&[f32]; 4] = core::array::from_fn(|operand| values[operand].as_slice());
                expression::forward::<Mixed, 4>(&geometry, operands_of, &mut output);
                for (index, (found, expected)) in output.iter().zip(&expected).enumerate() {
                    if index % output_map.stride < channels {
                        assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} {expected}");
                    } else {
                        assert_eq!(found.to_bits(), untouched[index].to_bits(), "between the cells nothing is written");
                    }
                }
                let mut gradients = before.clone();
                let [a, b, c, d] = &mut gradients;
                let mut index = 0;
                let to = [a, b, c, d].map(|values| {
                    let operand = index;
                    index += 1;
                    let write = if adds[operand] { Write::Add } else { Write::Store };
                    wanted[operand].then_some(Gradient { values, stride: operands[operand].stride, write })
                });
                let grad = Rows::strided(&grad_output, out_stride);
                let read = [operands_of[0], operands_of[1], &[], operands_of[3]];
                expression::backward::<Mixed, 4>(&geometry, read, &output, grad, to);
                for operand in 0..4 {
                    let (map, own) = (maps[operand], if operands[operand].channels { channels } else { 1 });
                    let terms = (channels * cells) as f64;
                    for (index, found) in gradients[operand].iter().enumerate() {
                        if wanted[operand] && index % map.stride < own {
                            let expected = sums[operand][index];
                            assert!((f64::from(*found) - expected).abs() < 2e-6 * terms.max(1.0), "{found} {expected}");
                        } else {
                            assert_eq!(found.to_bits(), before[operand][index].to_bits());
                        }
                    }
                }
            });
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn sums_are_of_all_values(
        channels in 1..=40_usize, cells in 1..=1200_usize, samples in 0..=3_usize,
        kinds in prop::array::uniform4(0..4_u8), by in 0..4_usize, scale in 0.1..2.0_f32,
    ) {
        let operands: [Operand; 4] = core::array::from_fn(|index| {
            let kind = if index == by { 0 } else { kinds[index] };
            Operand { channels: kind & 1 == 0, cells: kind & 2 == 0, stride: 0 }
        });
        let geometry = ExpressionGeometry { channels, cells, operands, out_stride: 0 };
        let maps: [Map; 4] = core::array::from_fn(|operand| geometry.map(operand));
        let values: [Vec<f32>; 4] =
            core::array::from_fn(|operand| fill(samples * maps[operand].sample_step(), operand as u64));
        let (mut expected, mut gradients) = (0.0_f64, Vec::new());
        for (n, p, c) in (0..samples).flat_map(|n| (0..cells).flat_map(move |p| (0..channels).map(move |c| (n, p, c)))) {
            let arguments: [f64; 4] = core::array::from_fn(|operand| {
                f64::from(values[operand][place(maps[operand], operands[operand], n, p, c)])
            });
            let value = Mixed::value(arguments);
            expected += value;
            gradients.push(Mixed::gradients(arguments, value, f64::from(scale))[by]);
        }
        for isa in Isa::available() {
            let mut gradient = vec![f32::NAN; gradients.len()];
            let operands_of: [&[f32]; 4] = core::array::from_fn(|operand| values[operand].as_slice());
            let mut on = |threads: usize| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
                pool.install(|| {
                    isa::with(isa, || expression::sum::<Mixed, 4>(&geometry, operands_of, by, scale, &mut gradient))
                })
            };
            let found = on(1);
            prop_assert_eq!(found.to_bits(), on(3).to_bits(), "the same on any number of threads");
            prop_assert!((found - expected).abs() < 1e-6 * (1.0 + gradients.len() as f64).sqrt() * 4.0, "{} {}", found, expected);
            for (found, expected) in gradient.iter().zip(&gradients) {
                prop_assert!((f64::from(*found) - expected).abs() < 2e-6, "{} {}", found, expected);
            }
        }
    }
}

#[test]
#[should_panic(expected = "a map of the output's size")]
fn the_gradient_of_a_sum_is_of_a_whole_map() {
    let single = Operand { channels: false, ..Operand::WHOLE };
    let geometry =
        ExpressionGeometry { channels: 2, cells: 3, operands: [single, Operand::WHOLE, single, single], out_stride: 0 };
    let (six, three) = ([0.0; 6], [0.0; 3]);
    expression::sum::<Mixed, 4>(&geometry, [&three, &six, &three, &three], 0, 1.0, &mut [0.0; 6]);
}

#[test]
#[should_panic(expected = "all maps have the same samples")]
fn maps_of_another_number_of_samples_are_refused() {
    let geometry = ExpressionGeometry { channels: 2, cells: 3, operands: [Operand::WHOLE; 4], out_stride: 0 };
    let (six, twelve) = ([0.0; 6], [0.0; 12]);
    expression::forward::<Mixed, 4>(&geometry, [&twelve, &twelve, &six, &twelve], &mut [0.0; 12]);
}

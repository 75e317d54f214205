//! Activations and joins.

use crate::machine::Machine;
use crate::work::{Table, Work, best, noise};
use cnn_core::kernel::geometry::{Activation, ExpressionGeometry, GeluApproximation, Operand};
use cnn_core::kernel::memory::buffer::Buffer;
use cnn_core::kernel::pointwise::activation::{self, Remembered};
use cnn_core::kernel::pointwise::expression::{self, Expression, Gradient};
use cnn_core::kernel::pointwise::join;
use cnn_core::kernel::pointwise::number::Number;
use cnn_core::kernel::rows::{Rows, RowsMut};
use cnn_core::kernel::{FusedActivation, Write};

const ACTIVATIONS: &[(&str, Activation)] = &[
    ("relu", Activation::Relu),
    ("hardswish", Activation::Hardswish),
    ("sigmoid", Activation::Sigmoid),
    ("tanh", Activation::Tanh),
    ("silu", Activation::Silu),
    ("gelu", Activation::Gelu { approximate: GeluApproximation::None }),
    ("gelu tanh", Activation::Gelu { approximate: GeluApproximation::Tanh }),
];

/// Of one channel each, so that the batch is what there is.
const LEN: usize = 1 << 18;

pub(crate) fn measure(machine: &Machine, filter: &str) {
    let mut table = Table::new(machine, &["forward", "backward"]);
    ACTIVATIONS.iter().filter(|case| case.0.contains(filter)).for_each(|case| measure_activation(&mut table, case));
    if "add".contains(filter) {
        measure_add(&mut table);
    }
}

fn measure_activation(table: &mut Table<'_>, (name, activation): &(&str, Activation)) {
    let (input, grad) = (noise(LEN), noise(LEN));
    let (mut output, mut grad_input) = (Buffer::zeros(LEN), Buffer::zeros(LEN));
    let forward = best(|| activation::forward(*activation, 1, Rows::dense(&input), RowsMut::dense(&mut output)));
    let backward = best(|| {
        let (remembered, grad_input) = (Remembered::Input(Rows::dense(&input)), RowsMut::dense(&mut grad_input));
        activation::backward(*activation, 1, remembered, Rows::dense(&grad), grad_input, Write::Store);
    });
    table.line(name, LEN, &[(work(1), forward), (work(2), backward)]);
}

/// The sum at the end of a residual block and its rectifier.
fn measure_add(table: &mut Table<'_>) {
    let (a, b) = (noise(LEN), noise(LEN));
    let (mut output, mut grad) = (Buffer::zeros(LEN), noise(LEN));
    let forward =
        best(|| join::add(1, FusedActivation::Relu, Rows::dense(&a), Rows::dense(&b), RowsMut::dense(&mut output)));
    let backward =
        best(|| join::rectify_backward(1, FusedActivation::Relu, Rows::dense(&output), RowsMut::dense(&mut grad)));
    table.line("add, relu", LEN, &[(work(2), forward), (work(2), backward)]);
}

fn work(maps_read: usize) -> Work {
    work_on(LEN, maps_read)
}

fn work_on(len: usize, maps_read: usize) -> Work {
    Work { read: maps_read * len, written: len, ..Work::default() }
}

macro_rules! expression {
    ($name:ident, $cost:expr, |$x:ident| $value:expr, |$grad:ident| $gradient:expr) => {
        struct $name;
        impl Expression<1> for $name {
            const COST: usize = $cost;
            const READS: [bool; 1] = [true];
            const READS_VALUE: bool = false;
            #[inline(always)]
            fn value<V: Number>([$x]: [V; 1]) -> V {
                $value
            }
            #[inline(always)]
            fn gradients<V: Number>([$x]: [V; 1], _: V, $grad: V) -> [V; 1] {
                [$gradient]
            }
        }
    };
}

// As the macro writes them: `|x| x * sigmoid(x)`, `|x| x * clamp(x + 3, 0, 6) / 6`, and smooth L1 of a difference.
expression!(Silu, 3, |x| x * x.sigmoid(), |grad| {
    let v0 = x.sigmoid();
    grad * v0 + grad * x * (v0 * (grad.like(1.0) - v0))
});
expression!(Hardswish, 1, |x| x * (x + x.like(3.0)).max(x.like(0.0)).min(x.like(6.0)) * x.like(1.0 / 6.0), |grad| {
    let v0 = x + grad.like(3.0);
    let v1 = grad * grad.like(1.0 / 6.0);
    let v2 = v0.if_less(grad.like(6.0), v1 * x, grad.like(0.0));
    v1 * v0.max(grad.like(0.0)).min(grad.like(6.0)) + grad.like(0.0).if_less(v0, v2, grad.like(0.0))
});
expression!(
    SmoothL1,
    1,
    |x| {
        let v0 = x.abs();
        v0.if_less(x.like(1.0), x * x * x.like(0.5), v0 - x.like(0.5))
    },
    |grad| {
        let v0 = x.abs();
        let v1 = v0.if_less(grad.like(1.0), grad, grad.like(0.0)) * grad.like(0.5);
        v0.if_less(grad.like(1.0), grad.like(0.0), grad) * x.sign() + v1 * x + v1 * x
    }
);
expression!(Four, 1, |x| (x * x + x) * x.like(0.5) - x.like(1.0), |grad| {
    let v0 = grad * grad.like(0.5);
    v0 * x + v0 * x + v0
});

/// Expressions beside the loops that they could replace, and four operations on what no cache holds.
pub(crate) fn measure_expressions(machine: &Machine, filter: &str) {
    let mut table = Table::new(machine, &["forward", "backward"]);
    macro_rules! measure {
        ($($name:literal $expression:ident $len:expr;)*) => {
            $(if $name.contains(filter) {
                measure_expression::<$expression>(&mut table, $name, $len);
            })*
        };
    }
    measure! {
        "map: silu" Silu LEN;
        "map: hardswish" Hardswish LEN;
        "map: smooth l1" SmoothL1 LEN;
        "map: four" Four LEN;
        "map: four, large" Four 1 << 24;
    }
}

fn measure_expression<E: Expression<1>>(table: &mut Table<'_>, name: &str, len: usize) {
    let geometry = ExpressionGeometry { channels: 1, cells: 1, operands: [Operand::WHOLE], out_stride: 0 };
    let (input, grad) = (noise(len), noise(len));
    let (mut output, mut grad_input) = (Buffer::zeros(len), Buffer::zeros(len));
    let forward = best(|| expression::forward::<E, 1>(&geometry, [&input], &mut output));
    let backward = best(|| {
        let to = Gradient { values: &mut grad_input, stride: 0, write: Write::Store };
        expression::backward::<E, 1>(&geometry, [&input], &[], Rows::dense(&grad), [Some(to)]);
    });
    table.line(name, len, &[(work_on(len, 1), forward), (work_on(len, 2), backward)]);
}

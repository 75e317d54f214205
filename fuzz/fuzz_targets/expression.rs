//! Expressions of maps that meet in any way.
#![no_main]

use cnn_core::kernel::geometry::{ExpressionGeometry, Operand};
use cnn_core::kernel::pointwise::expression::{self, Expression, Gradient};
use cnn_core::kernel::pointwise::number::Number;
use cnn_core::kernel::rows::Rows;
use cnn_fuzz::{Arguments, attempt, call, is_much_work, right, small};
use libfuzzer_sys::fuzz_target;

/// `a exp(b) + c`
struct Three;

impl Expression<3> for Three {
    const COST: usize = 4;
    const READS: [bool; 3] = [false, true, false];
    const READS_VALUE: bool = true;

    #[inline(always)]
    fn value<V: Number>([a, b, c]: [V; 3]) -> V {
        a * b.exp() + c
    }

    #[inline(always)]
    fn gradients<V: Number>([_, b, _]: [V; 3], value: V, grad: V) -> [V; 3] {
        [grad * b.exp(), grad * value, grad]
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut arguments = Arguments::new(bytes);
    let (channels, cells, samples) = (arguments.size(), arguments.size(), arguments.batch());
    let operands = core::array::from_fn(|_| {
        let [channels_vary, cells_vary] = [(); 2].map(|()| arguments.yes());
        let own = if channels_vary { channels } else { 1 };
        Operand { channels: channels_vary, cells: cells_vary, stride: arguments.stride(own) }
    });
    let geometry = ExpressionGeometry { channels, cells, operands, out_stride: arguments.stride(channels) };
    let (is_forward, is_sum) = (arguments.yes(), arguments.yes());
    let values: [_; 3] = core::array::from_fn(|operand| arguments.maps(attempt(|| geometry.map(operand)), samples));
    let mut output = arguments.maps(attempt(|| geometry.output()), samples);
    let grad = arguments.maps(attempt(|| geometry.output()), samples);
    let wanted = [(); 3].map(|()| arguments.yes());
    let write = arguments.write();
    if is_much_work(&[channels, cells, samples]) {
        return;
    }
    let sound = small(&[channels, cells])
        && right(&[&values[0], &values[1], &values[2], &output, &grad])
        && operands.iter().all(|operand| operand.stride == 0 || small(&[operand.stride]))
        && (geometry.out_stride == 0 || small(&[geometry.out_stride]))
        && (!is_sum || operands[0].is_whole() && operands[0].stride == 0 && geometry.out_stride == 0);
    let read = core::array::from_fn(|operand| values[operand].values.as_slice());
    call(sound, || {
        if is_sum {
            // Of a map of the output's size alone, without room between cells.
            let whole = Operand { cells: true, channels: true, stride: 0 };
            let geometry = ExpressionGeometry { operands: [whole, operands[1], operands[2]], ..geometry };
            expression::sum::<Three, 3>(&geometry, read, 0, 1.0, &mut output.values);
        } else if is_forward {
            expression::forward::<Three, 3>(&geometry, read, &mut output.values);
        } else {
            let mut targets = values.clone().map(|values| values.values);
            let [a, b, c] = &mut targets;
            let mut index = 0;
            let gradients = [a, b, c].map(|values| {
                index += 1;
                let stride = operands[index - 1].stride;
                wanted[index - 1].then_some(Gradient { values, stride, write })
            });
            let grad = Rows::strided(&grad.values, geometry.out_stride);
            expression::backward::<Three, 3>(&geometry, read, &output.values, grad, gradients);
        }
    });
});

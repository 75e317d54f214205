//! Convolutions, forward and backward, and linear layers, which are convolutions of one cell.

use crate::machine::Machine;
use crate::work::{Table, Work, best, noise};
use cnn_core::kernel::convolution::packed::{self, MadeFor};
use cnn_core::kernel::convolution::{self, Epilogue};
use cnn_core::kernel::geometry::{Conv2dAlgorithm, Conv2dGeometry, Layout, Padding};
use cnn_core::kernel::memory::buffer::Buffer;
use cnn_core::kernel::memory::scratch::Scratch;
use cnn_core::kernel::{FusedActivation, Write};

pub(crate) struct Case {
    name: &'static str,
    batch: usize,
    pub(crate) geometry: Conv2dGeometry,
}

const fn conv(channels: [usize; 2], size: usize, kernel: usize, stride: usize, padding: usize) -> Conv2dGeometry {
    Conv2dGeometry {
        in_channels: channels[0],
        in_size: [size, size],
        out_channels: channels[1],
        kernel_size: [kernel, kernel],
        stride: [stride, stride],
        padding: Padding::symmetric([padding, padding]),
        unread: [0, 0],
        algorithm: Conv2dAlgorithm::Auto,
        dilation: [1, 1],
        groups: 1,
        layout: Layout::DENSE,
    }
}

const fn depthwise(channels: usize, size: usize, kernel: usize, stride: usize) -> Conv2dGeometry {
    Conv2dGeometry { groups: channels, ..conv([channels, channels], size, kernel, stride, kernel / 2) }
}

pub(crate) const CASES: &[Case] = &[
    Case { name: "lenet conv1", batch: 64, geometry: conv([1, 6], 28, 5, 1, 2) },
    Case { name: "lenet conv2", batch: 64, geometry: conv([6, 16], 14, 5, 1, 0) },
    Case { name: "lenet fc1", batch: 64, geometry: conv([400, 120], 1, 1, 1, 0) },
    Case { name: "lenet fc2", batch: 64, geometry: conv([120, 84], 1, 1, 1, 0) },
    Case { name: "lenet fc3", batch: 64, geometry: conv([84, 10], 1, 1, 1, 0) },
    Case { name: "5x5 1->16@28", batch: 8, geometry: conv([1, 16], 28, 5, 1, 2) },
    Case { name: "3x3 3->64@32", batch: 64, geometry: conv([3, 64], 32, 3, 1, 1) },
    Case { name: "3x3 64->64@32", batch: 64, geometry: conv([64, 64], 32, 3, 1, 1) },
    Case { name: "3x3 128->128@16", batch: 64, geometry: conv([128, 128], 16, 3, 1, 1) },
    Case { name: "3x3 256->256@8", batch: 64, geometry: conv([256, 256], 8, 3, 1, 1) },
    Case { name: "3x3 512->512@4", batch: 64, geometry: conv([512, 512], 4, 3, 1, 1) },
    Case { name: "3x3 64->64@32", batch: 1, geometry: conv([64, 64], 32, 3, 1, 1) },
    Case { name: "3x3 128->128@16", batch: 1, geometry: conv([128, 128], 16, 3, 1, 1) },
    Case { name: "3x3 256->256@8", batch: 1, geometry: conv([256, 256], 8, 3, 1, 1) },
    Case { name: "3x3 512->512@4", batch: 1, geometry: conv([512, 512], 4, 3, 1, 1) },
    Case { name: "7x7/2 3->64@224", batch: 8, geometry: conv([3, 64], 224, 7, 2, 3) },
    Case { name: "3x3 64->64@56", batch: 8, geometry: conv([64, 64], 56, 3, 1, 1) },
    Case { name: "3x3 128->128@28", batch: 8, geometry: conv([128, 128], 28, 3, 1, 1) },
    Case { name: "3x3/2 128->256@28", batch: 8, geometry: conv([128, 256], 28, 3, 2, 1) },
    Case { name: "3x3 256->256@14", batch: 8, geometry: conv([256, 256], 14, 3, 1, 1) },
    Case { name: "3x3 512->512@7", batch: 8, geometry: conv([512, 512], 7, 3, 1, 1) },
    Case { name: "1x1 256->64@56", batch: 8, geometry: conv([256, 64], 56, 1, 1, 0) },
    Case { name: "1x1 1024->256@14", batch: 8, geometry: conv([1024, 256], 14, 1, 1, 0) },
    Case { name: "1x1/2 64->128@56", batch: 8, geometry: conv([64, 128], 56, 1, 2, 0) },
    Case { name: "1x1 24->144@56", batch: 8, geometry: conv([24, 144], 56, 1, 1, 0) },
    Case { name: "1x1 144->24@56", batch: 8, geometry: conv([144, 24], 56, 1, 1, 0) },
    Case { name: "3x3 64->64@56", batch: 1, geometry: conv([64, 64], 56, 3, 1, 1) },
    Case { name: "3x3 128->128@28", batch: 1, geometry: conv([128, 128], 28, 3, 1, 1) },
    Case { name: "3x3 256->256@14", batch: 1, geometry: conv([256, 256], 14, 3, 1, 1) },
    Case { name: "3x3 512->512@7", batch: 1, geometry: conv([512, 512], 7, 3, 1, 1) },
    Case { name: "1x1 24->144@56", batch: 1, geometry: conv([24, 144], 56, 1, 1, 0) },
    Case { name: "1x1 144->24@56", batch: 1, geometry: conv([144, 24], 56, 1, 1, 0) },
    Case { name: "1x1 384->64@14", batch: 1, geometry: conv([384, 64], 14, 1, 1, 0) },
    Case { name: "1x1 64->384@14", batch: 1, geometry: conv([64, 384], 14, 1, 1, 0) },
    Case { name: "1x1 960->160@7", batch: 1, geometry: conv([960, 160], 7, 1, 1, 0) },
    Case { name: "1x1 320->1280@7", batch: 1, geometry: conv([320, 1280], 7, 1, 1, 0) },
    Case { name: "3x3/2 3->32@224", batch: 1, geometry: conv([3, 32], 224, 3, 2, 1) },
    Case { name: "depthwise 3x3 32@112", batch: 1, geometry: depthwise(32, 112, 3, 1) },
    Case { name: "depthwise /2 96@112", batch: 1, geometry: depthwise(96, 112, 3, 2) },
    Case { name: "depthwise 3x3 144@56", batch: 1, geometry: depthwise(144, 56, 3, 1) },
    Case { name: "depthwise 3x3 384@14", batch: 1, geometry: depthwise(384, 14, 3, 1) },
    Case { name: "depthwise 3x3 960@7", batch: 1, geometry: depthwise(960, 7, 3, 1) },
    Case { name: "depthwise 5x5 240@14", batch: 1, geometry: depthwise(240, 14, 5, 1) },
    Case { name: "depthwise 3x3 144@56", batch: 8, geometry: depthwise(144, 56, 3, 1) },
    Case { name: "depthwise 3x3 384@14", batch: 8, geometry: depthwise(384, 14, 3, 1) },
    Case { name: "depthwise 3x3 960@7", batch: 8, geometry: depthwise(960, 7, 3, 1) },
    Case { name: "linear 4096->4096", batch: 1, geometry: conv([4096, 4096], 1, 1, 1, 0) },
    Case { name: "linear 4096->4096", batch: 64, geometry: conv([4096, 4096], 1, 1, 1, 0) },
];

pub(crate) fn measure(machine: &Machine, filter: &str) {
    let mut table = Table::new(machine, &["forward", "to the input", "to the weight", "forward, packed weight"]);
    CASES.iter().filter(|case| case.name.contains(filter)).for_each(|case| measure_case(&mut table, case));
}

fn measure_case(table: &mut Table<'_>, Case { name, batch, geometry }: &Case) {
    let mut scratch = Scratch::new(geometry.needs(), rayon::current_num_threads());
    let input = noise(batch * geometry.in_len());
    let weight = noise(geometry.weight_len());
    let bias = noise(geometry.out_channels);
    let grad_output = noise(batch * geometry.out_len());
    let mut output = Buffer::zeros(batch * geometry.out_len());
    let mut grad_input = Buffer::zeros(batch * geometry.in_len());
    let mut grad_weight = Buffer::zeros(geometry.weight_len());
    let mut grad_bias = Buffer::zeros(geometry.out_channels);
    let epilogue = Epilogue { bias: Some(&bias), fused: FusedActivation::Relu, ..Epilogue::default() };
    let times = [
        best(|| convolution::forward(geometry, epilogue, &input, &weight, &mut output, &mut scratch)),
        best(|| {
            convolution::backward_input(geometry, &weight, &grad_output, &mut grad_input, Write::Store, &mut scratch);
        }),
        best(|| {
            let bias = Some(&mut grad_bias[..]);
            convolution::backward_weight(geometry, &input, &grad_output, &mut grad_weight, bias, &mut scratch);
        }),
    ];
    let mut packed = Buffer::zeros(packed::packed_len(geometry));
    packed::pack(geometry, MadeFor::Batches, &weight, Some(&bias), &mut packed);
    let epilogue = Epilogue { bias: None, ..epilogue };
    let with_packed = best(|| packed::forward(geometry, epilogue, &input, &packed, &mut output, &mut scratch));
    let [input, output, weight] = [batch * geometry.in_len(), batch * geometry.out_len(), geometry.weight_len()];
    let work = |read, written| Work { multiply_adds: batch * geometry.multiply_adds(), read, written };
    let forward = work(input + weight, output);
    let passes = [
        (forward, times[0]),
        (work(output + weight, input), times[1]),
        (work(input + output, weight), times[2]),
        (forward, with_packed),
    ];
    table.line(name, *batch, &passes);
}

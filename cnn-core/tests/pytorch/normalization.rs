use cnn_core::kernel::geometry::{BatchNorm2dGeometry, Layout, LocalResponseNormGeometry};
use cnn_core::reference::batch_norm2d::{self, Affine, Statistics};
use cnn_core::reference::flatten::{chw_to_hwc, hwc_to_chw};
use cnn_core::reference::local_response_norm;

use super::{assert_checksums, check_layer, checksum, values};

#[test]
fn batch_norm2d_is_pytorchs() {
    #[rustfmt::skip]
    let cases = [
        (2, 3, [3, 4], 1e-05, 0.1, true, [662.6719635323544, -254.1672351451387, 373.90188952888275, 87.0], [-10.554166666666665, -66.21394927536232]),
        (2, 3, [3, 4], 0.001, 0.3, false, [8619.535932534867, -3837.703112432359, 2100.4706652480572, 87.0], [-11.875, -13.375]),
        (5, 2, [1, 1], 0.001, 0.3, true, [-60.390625788023804, 83.65171394842343, 153.53969350317263, -99.0], [-4.7725, -116.6575]),
    ];
    for (n, channels, size, eps, momentum, training, expected, expected_running) in cases {
        let geometry = BatchNorm2dGeometry { channels, eps, momentum: Some(momentum), layout: Layout::DENSE };
        let rows = n * size[0] * size[1];
        let input = chw_to_hwc(channels, size, &values(1, rows * channels));
        let (weight, bias) = (values(2, channels), values(3, channels));
        let mut running = Statistics {
            mean: values(4, channels).iter().map(|x| x / 8.0).collect(),
            variance: values(5, channels).iter().map(|x| x.abs() / 8.0).collect(),
        };
        let used = if training {
            let batch = batch_norm2d::statistics(&geometry, &input);
            batch_norm2d::update_running(&geometry, &mut running, &batch, rows, 1);
            batch
        } else {
            running.clone()
        };
        let output = batch_norm2d::forward(&geometry, &input, &used, Some(Affine { weight: &weight, bias: &bias }));
        let grad_output = chw_to_hwc(channels, size, &values(9, output.len()));
        let backward = if training { batch_norm2d::backward_training } else { batch_norm2d::backward_evaluation };
        let gradients = backward(&geometry, &input, &used, Some(&weight), &grad_output);
        let found = [
            checksum(&hwc_to_chw(channels, size, &output)),
            checksum(&hwc_to_chw(channels, size, &gradients.input)),
            checksum(&gradients.weight),
            checksum(&gradients.bias),
        ];
        assert_checksums(found, expected, &geometry);
        assert_checksums([checksum(&running.mean), checksum(&running.variance)], expected_running, &geometry);
    }
}

#[test]
fn local_response_norm_is_pytorchs() {
    for (n, channels, map, size, alpha, beta, k, expected) in [
        (2, 7, [2, 3], 5, 0.0001, 0.75, 1.0, [73.54037758747232, 49.235329982092836]),
        (1, 5, [3, 3], 4, 0.5, 0.6, 2.0, [27.555054368746948, -33.65106514162844]),
    ] {
        let geometry = LocalResponseNormGeometry { channels, size, alpha, beta, k, layout: Layout::DENSE };
        check_layer(
            channels,
            [map, map],
            &values(1, n * channels * map[0] * map[1]),
            |input| local_response_norm::forward(&geometry, input),
            |input, grad_output| local_response_norm::backward(&geometry, input, grad_output),
            expected,
            &geometry,
        );
    }
}

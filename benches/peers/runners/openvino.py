import openvino

from runners.onnx_format import FORMAT, convert, path

NAME = "OpenVINO"
VERSION = openvino.__version__.split("-")[0]
MODES = {"infer"}


def load(work):
    options = {
        "INFERENCE_NUM_THREADS": work.threads,
        "INFERENCE_PRECISION_HINT": "f32",
        "PERFORMANCE_HINT": "LATENCY",
    }
    model = openvino.Core().compile_model(path(work.converted), "CPU", options)
    request = model.create_infer_request()
    images = work.images()
    request.set_input_tensor(openvino.Tensor(images, shared_memory=True))
    output = request.get_output_tensor()

    def infer(_keep_alive=images):
        request.infer()
        return output.data

    return infer

import onnxruntime

from runners.onnx_format import FORMAT, convert, path

NAME = "ONNX Runtime"
VERSION = onnxruntime.__version__
MODES = {"infer"}


def load(work):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = work.threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path(work.converted), options, providers=["CPUExecutionProvider"])
    # Bound once, so that a run allocates and copies nothing.
    binding = session.io_binding()
    binding.bind_cpu_input(session.get_inputs()[0].name, work.images())
    binding.bind_output(session.get_outputs()[0].name, "cpu")

    def infer():
        session.run_with_iobinding(binding)
        return binding.get_outputs()[0].numpy()

    return infer

import os
import subprocess
import sys

import MNN
import numpy as np

from runners import onnx_format

NAME = "MNN"
VERSION = MNN.version()
MODES = {"infer"}


def path(folder):
    return os.path.join(folder, "network.mnn")


def convert(network, images, folder):
    onnx_format.convert(network, images, folder)
    options = ["-f", "ONNX", "--modelFile", onnx_format.path(folder), "--MNNModel", path(folder), "--bizCode", "biz"]
    subprocess.run([sys.executable, "-m", "MNN.tools.mnnconvert", *options], check=True, stdout=subprocess.DEVNULL)


def load(work):
    interpreter = MNN.Interpreter(path(work.converted))
    session = interpreter.createSession({"backend": "CPU", "numThread": work.threads, "precision": "high"})
    images, scores = work.images(), np.zeros_like(work.output())
    tensor, scores = (
        MNN.Tensor(values.shape, MNN.Halide_Type_Float, values, MNN.Tensor_DimensionType_Caffe) for values in (images, scores)
    )
    input, output = interpreter.getSessionInput(session), interpreter.getSessionOutput(session)

    def infer(_keep_alive=images):
        input.copyFrom(tensor)
        interpreter.runSession(session)
        output.copyToHostTensor(scores)
        return scores.getNumpyData()

    return infer

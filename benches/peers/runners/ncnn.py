import os
from collections import OrderedDict

import ncnn
import numpy as np

NAME = "ncnn"
VERSION = ncnn.__version__
MODES = {"infer"}


def path(folder, kind):
    return os.path.join(folder, f"network.ncnn.{kind}")


def convert(network, images, folder):
    import pnnx
    from torch import nn

    # It writes Python too, in which a layer's name may not be a number.
    network = nn.Sequential(OrderedDict(network=network))
    pnnx.export(network, os.path.join(folder, "network.pt"), images, fp16=False)


def load(work):
    net = ncnn.Net()
    net.opt.num_threads = work.threads
    net.opt.use_fp16_storage = False  # all others compute in f32
    net.load_param(path(work.converted, "param"))
    net.load_model(path(work.converted, "bin"))
    images = work.images()
    input = ncnn.Mat(images, 0)  # its dimension 0 is the batch

    def infer(_keep_alive=images):
        extractor = net.create_extractor()
        extractor.input("in0", input)
        output = extractor.extract("out0")[1]
        return np.array([output.batch(sample) for sample in range(output.n)])

    return infer

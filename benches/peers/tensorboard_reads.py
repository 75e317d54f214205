"""Has TensorBoard itself read what `cnn_core::report::tensorboard` writes.

    python3 -m venv tb && tb/bin/pip install tensorboard
    tb/bin/python benches/peers/tensorboard_reads.py

What is written is in `cnn-core/tests/tensorboard.rs`.
"""

import os
import struct
import subprocess
import sys
import tempfile

from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.util import tensor_util

# All that there is, not a sample.
WHOLE = dict.fromkeys(("scalars", "images", "histograms", "tensors"), 0)


def main():
    with tempfile.TemporaryDirectory() as folder:
        test = ["cargo", "test", "--quiet", "--package", "cnn-core", "--test", "tensorboard", "a_file_for_tensorboard_itself"]
        subprocess.run(test, check=True, env={**os.environ, "CNN_TENSORBOARD_FOLDER": folder})
        run = event_accumulator.EventAccumulator(folder, size_guidance=WHOLE)
        run.Reload()

        tags = run.Tags()
        assert tags["scalars"] == ["loss/training"], tags
        found = [(event.step, event.value) for event in run.Scalars("loss/training")]
        expected = [(step, struct.unpack("f", struct.pack("f", 1 / (1 + step)))[0]) for step in range(3)]
        assert found == expected, found

        [image] = run.Images("pictures/first")
        assert (image.step, image.width, image.height) == (300, 2, 1), image
        assert image.encoded_image_string.startswith(b"\x89PNG"), image

        [histogram] = run.Histograms("weights/fc")
        value = histogram.histogram_value
        assert (histogram.step, value.min, value.max, value.num, value.sum) == (2, -1, 3, 4, 2.5), value
        assert sum(value.bucket) == 4 and len(value.bucket) == len(value.bucket_limit), value

        [text] = run.Tensors("options")
        assert run.SummaryMetadata("options").plugin_data.plugin_name == "text"
        assert list(tensor_util.make_ndarray(text.tensor_proto)) == [b"a learning rate of **0.1**"], text
        # As the page asks for them: old summaries are made new ones.
        served(folder)
    print("TensorBoard reads scalars, images, histograms and text")


def served(folder):
    """Whether the server's own data provider finds each of them."""
    from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
    from tensorboard.context import RequestContext

    multiplexer = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={})
    multiplexer.AddRunsFromDirectory(folder)
    multiplexer.Reload()
    provider = data_provider.MultiplexerDataProvider(multiplexer, folder)
    context = RequestContext()
    scalars = provider.list_scalars(context, experiment_id="", plugin_name="scalars")
    images = provider.list_blob_sequences(context, experiment_id="", plugin_name=image_metadata.PLUGIN_NAME)
    histograms = provider.list_tensors(context, experiment_id="", plugin_name="histograms")
    texts = provider.list_tensors(context, experiment_id="", plugin_name="text")
    for found, tag in [(scalars, "loss/training"), (images, "pictures/first"), (histograms, "weights/fc"), (texts, "options")]:
        assert list(found["."]) == [tag], (tag, found)


if __name__ == "__main__":
    sys.exit(main())

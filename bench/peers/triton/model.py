"""Triton's Python backend with ONNX Runtime; Triton's own ONNX backend is not on PyPI. Dynamic batching is on."""

import os

import numpy as np
import onnxruntime
import triton_python_backend_utils as triton

triton_types = {"tensor(float)": "TYPE_FP32", "tensor(int64)": "TYPE_INT64"}
LARGEST_BATCH = 32


def open_session():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options, ["CPUExecutionProvider"])


def describe(value):
    dims = [size if isinstance(size, int) else -1 for size in value.shape[1:]]
    return {"name": value.name, "data_type": triton_types[value.type], "dims": dims or [1]}


class TritonPythonModel:
    @staticmethod
    def auto_complete_config(config):
        session = open_session()
        for value in session.get_inputs():
            config.add_input(describe(value))
        for value in session.get_outputs():
            config.add_output(describe(value))
        config.set_max_batch_size(LARGEST_BATCH)
        config.set_dynamic_batching()
        return config

    def initialize(self, args):
        self.session = open_session()
        self.input_names = [value.name for value in self.session.get_inputs()]
        self.outputs = [value.name for value in self.session.get_outputs()]

    def execute(self, requests):
        columns = {
            name: [triton.get_input_tensor_by_name(request, name).as_numpy() for request in requests]
            for name in self.input_names
        }
        rows = [len(value) for value in columns[self.input_names[0]]]
        feeds = {name: values[0] if len(values) == 1 else np.concatenate(values) for name, values in columns.items()}
        # Behind the batch Triton wants a dimension at least.
        values = [value.reshape(len(value), -1) if value.ndim == 1 else value for value in self.session.run(self.outputs, feeds)]
        edges = np.cumsum(rows)[:-1]
        parts = [[value] if len(rows) == 1 else np.split(value, edges) for value in values]
        return [
            triton.InferenceResponse([triton.Tensor(name, part[index]) for name, part in zip(self.outputs, parts)])
            for index in range(len(requests))
        ]

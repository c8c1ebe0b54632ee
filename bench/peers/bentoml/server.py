"""BentoML: one worker, its defaults otherwise (adaptive batching is off unless a service asks for it, and takes one input)."""

import os
from typing import Any

import bentoml
import numpy as np
import onnxruntime

numpy_types = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class OnnxService:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options, ["CPUExecutionProvider"])
        self.input_types = {value.name: numpy_types[value.type] for value in self.session.get_inputs()}
        self.output_names = [value.name for value in self.session.get_outputs()]

    @bentoml.api
    async def predict(self, inputs: dict[str, Any]) -> dict[str, Any]:
        feeds = {name: np.asarray(inputs[name], kind) for name, kind in self.input_types.items()}
        outputs = self.session.run(self.output_names, feeds)
        return {"outputs": {name: value.tolist() for name, value in zip(self.output_names, outputs)}}

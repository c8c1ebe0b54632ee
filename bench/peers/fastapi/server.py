"""FastAPI with ONNX Runtime: one worker, uvloop and httptools, the model in the event loop (a thread pool is slower)."""

import os
from typing import Any

import numpy as np
import onnxruntime
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
import orjson

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options, ["CPUExecutionProvider"])
numpy_types = {"tensor(float)": np.float32, "tensor(int64)": np.int64}
input_types = {value.name: numpy_types[value.type] for value in session.get_inputs()}
output_names = [value.name for value in session.get_outputs()]
app = FastAPI()


@app.get("/health")
async def health() -> Response:
    return Response()


@app.post("/predict")
async def predict(request: dict[str, Any]) -> Response:
    feeds = {name: np.asarray(request["inputs"][name], kind) for name, kind in input_types.items()}
    outputs = dict(zip(output_names, session.run(output_names, feeds)))
    body = orjson.dumps({"outputs": outputs}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["HTTP_PORT"]), log_level="warning", access_log=False)

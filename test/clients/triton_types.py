"""Sends one array of every datatype to a model that gives back what it gets; prints those that came back changed.

Usage: triton_types.py GRPC_PORT HTTP_PORT MODEL
"""

import json
import sys

import numpy
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import np_to_triton_dtype

GRPC_PORT, HTTP_PORT, MODEL = sys.argv[1:4]
INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
ARRAYS = {
    "BOOL": numpy.array([[True, False, True]]),
    **{
        name.upper(): numpy.array([[numpy.iinfo(name).min, 1, numpy.iinfo(name).max]], dtype=name)
        for name in INTEGERS
    },
    "FP16": numpy.array([[-0.0, 65504, numpy.inf]], dtype=numpy.float16),
    "FP32": numpy.array([[numpy.nan, 1e-45, -numpy.inf]], dtype=numpy.float32),
    "FP64": numpy.array([[numpy.pi, -0.0, 1.7976931348623157e308]], dtype=numpy.float64),
    "BYTES": numpy.array([["", "Zürich", "東京" * 1000]], dtype=object),
}


def equal(datatype, sent, received):
    if datatype == "BYTES":
        return [text.decode() for text in received.flatten()] == list(sent.flatten())
    return sent.dtype == received.dtype and sent.tobytes() == received.tobytes()


def changed(module, client):
    inputs = []
    for name, array in ARRAYS.items():
        assert np_to_triton_dtype(array.dtype) == name
        tensor = module.InferInput(name, list(array.shape), name)
        tensor.set_data_from_numpy(array)
        inputs.append(tensor)
    result = client.infer(MODEL, inputs)
    return [name for name, array in ARRAYS.items() if not equal(name, array, result.as_numpy(f"{name}_out"))]


grpc = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{GRPC_PORT}")
http = tritonclient.http.InferenceServerClient(f"127.0.0.1:{HTTP_PORT}")
print(
    json.dumps(
        {
            "types": list(ARRAYS),
            "grpc": changed(tritonclient.grpc, grpc),
            "http": changed(tritonclient.http, http),
        }
    )
)

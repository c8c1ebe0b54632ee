"""What Triton's own client for Python sees of a server of one model, over gRPC and over HTTP, as JSON.

Usage: triton_client.py GRPC_PORT HTTP_PORT MODEL INPUT_JSON
"""

import json
import queue
import sys

import numpy
import tritonclient.grpc
import tritonclient.http
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc
from tritonclient.utils import InferenceServerException

GRPC_PORT, HTTP_PORT, MODEL, INPUT = sys.argv[1:5]
ROWS = numpy.array(json.loads(INPUT), dtype=numpy.float32)


def failure(call):
    """The status and the words with which a call fails."""
    try:
        call()
    except InferenceServerException as error:
        return {"status": str(error.status()), "message": error.message()}
    return None


def numbers(result):
    return {
        "label": result.as_numpy("label").tolist(),
        "probabilities": result.as_numpy("probabilities").tolist(),
    }


def inputs_for(module, rows=ROWS, **options):
    tensor = module.InferInput("X", list(rows.shape), "FP32")
    tensor.set_data_from_numpy(rows, **options)
    return [tensor]


def stream(client):
    """Three requests in one stream, of which the second one fails."""
    answers = queue.Queue()
    client.start_stream(lambda result, error: answers.put((result, error)))
    seen = []
    for name in [MODEL, "other", MODEL]:
        client.async_stream_infer(name, inputs_for(tritonclient.grpc), request_id=name)
    for _ in range(3):
        result, error = answers.get(timeout=20)
        seen.append(error.message() if error else numbers(result))
    client.stop_stream()
    return seen


def asynchronous(client):
    answers = queue.Queue()
    inputs = inputs_for(tritonclient.grpc)
    client.async_infer(MODEL, inputs, callback=lambda result, error: answers.put((result, error)))
    result, error = answers.get(timeout=20)
    return str(error) if error else numbers(result)


def typed():
    """Typed contents, as KServe's and MLServer's clients send them."""
    import grpc

    channel = grpc.insecure_channel(f"127.0.0.1:{GRPC_PORT}")
    stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
    request = service_pb2.ModelInferRequest(model_name=MODEL, id="typed")
    tensor = request.inputs.add(name="X", datatype="FP32", shape=ROWS.shape)
    tensor.contents.fp32_contents.extend(ROWS.flatten().tolist())
    answer = stub.ModelInfer(request)
    by_name = {output.name: output for output in answer.outputs}
    probabilities = by_name["probabilities"]
    return {
        "id": answer.id,
        "raw": len(answer.raw_output_contents),
        "label": list(by_name["label"].contents.int64_contents),
        "probabilities": numpy.reshape(
            list(probabilities.contents.fp32_contents), list(probabilities.shape)
        ).tolist(),
    }


def over_grpc():
    client = tritonclient.grpc.InferenceServerClient(f"127.0.0.1:{GRPC_PORT}")
    inputs = inputs_for(tritonclient.grpc)
    # More than any machine sends, runs and answers within a millisecond.
    much = inputs_for(tritonclient.grpc, numpy.tile(ROWS, (5000, 1)))
    classes = tritonclient.grpc.InferRequestedOutput("probabilities", class_count=2)
    seen = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "modelReady": [client.is_model_ready(MODEL), client.is_model_ready("other")],
        "server": client.get_server_metadata(as_json=True),
        "model": client.get_model_metadata(MODEL, as_json=True),
        "config": client.get_model_config(MODEL, as_json=True),
        "repository": client.get_model_repository_index(as_json=True),
        "plain": numbers(client.infer(MODEL, inputs)),
        "gzip": numbers(client.infer(MODEL, inputs, compression_algorithm="gzip")),
        "deflate": numbers(client.infer(MODEL, inputs, compression_algorithm="deflate")),
        "asynchronous": asynchronous(client),
        "id": client.infer(MODEL, inputs, request_id="row 7").get_response().id,
        "classes": client.infer(MODEL, inputs, outputs=[classes]).as_numpy("probabilities").tolist(),
        "stream": stream(client),
        "typed": typed(),
        "unknownModel": failure(lambda: client.infer("other", inputs)),
        "unknownInput": failure(
            lambda: client.infer(MODEL, [tritonclient.grpc.InferInput("Y", [1], "FP32")])
        ),
        "load": failure(lambda: client.load_model(MODEL)),
        "unload": failure(lambda: client.unload_model(MODEL)),
        "sharedMemory": failure(lambda: client.get_system_shared_memory_status()),
        "traces": failure(lambda: client.get_trace_settings()),
        "log": failure(lambda: client.get_log_settings()),
        "late": failure(lambda: client.infer(MODEL, much, client_timeout=0.001)),
    }
    seen["statistics"] = client.get_inference_statistics(MODEL, as_json=True)
    client.close()
    return {
        key: [[text.decode() if isinstance(text, bytes) else text for text in row] for row in value]
        if key == "classes"
        else value
        for key, value in seen.items()
    }


def over_http():
    client = tritonclient.http.InferenceServerClient(f"127.0.0.1:{HTTP_PORT}")
    http = tritonclient.http
    binary = inputs_for(http, binary_data=True)
    plain = inputs_for(http, binary_data=False)

    def wanted(is_binary):
        names = ["label", "probabilities"]
        return [http.InferRequestedOutput(name, binary_data=is_binary) for name in names]

    seen = {
        "live": client.is_server_live(),
        "ready": client.is_server_ready(),
        "modelReady": client.is_model_ready(MODEL),
        "server": client.get_server_metadata(),
        "model": client.get_model_metadata(MODEL),
        "config": client.get_model_config(MODEL),
        "repository": client.get_model_repository_index(),
        "json": numbers(client.infer(MODEL, plain, outputs=wanted(False))),
        "binary": numbers(client.infer(MODEL, binary, outputs=wanted(True))),
        "mixed": numbers(client.infer(MODEL, binary, outputs=wanted(False))),
        "gzip": numbers(
            client.infer(
                MODEL,
                binary,
                request_compression_algorithm="gzip",
                response_compression_algorithm="gzip",
            )
        ),
        "deflate": numbers(
            client.infer(
                MODEL,
                plain,
                request_compression_algorithm="deflate",
                response_compression_algorithm="deflate",
            )
        ),
        "classes": client.infer(
            MODEL, binary, outputs=[http.InferRequestedOutput("probabilities", class_count=2)]
        )
        .as_numpy("probabilities")
        .astype(str)
        .tolist(),
        "unknownModel": failure(lambda: client.infer("other", binary)),
        "statistics": client.get_inference_statistics(MODEL),
    }
    client.close()
    return seen


def described(file):
    """Name, number, type and repetition of every field of every message that a .proto file has."""
    found = {}

    def walk(message):
        if message.GetOptions().map_entry:
            return
        found[message.full_name] = {
            field.name: [field.number, field.type, field.is_repeated] for field in message.fields
        }
        for nested in message.nested_types:
            walk(nested)

    for message in file.message_types_by_name.values():
        walk(message)
    return found


print(
    json.dumps(
        {
            "grpc": over_grpc(),
            "http": over_http(),
            "messages": {**described(service_pb2.DESCRIPTOR), **described(model_config_pb2.DESCRIPTOR)},
        }
    )
)

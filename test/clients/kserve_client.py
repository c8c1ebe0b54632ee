"""What the clients of KServe's SDK see of a server of one model, and what gRPC's reflection for Python finds, as JSON.

Usage: kserve_client.py GRPC_PORT HTTP_PORT MODEL INPUT_JSON
"""

import asyncio
import json
import logging
import sys

import grpc
import httpx
import numpy
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)
from kserve import (
    InferenceGRPCClient,
    InferenceRESTClient,
    InferInput,
    InferRequest,
)
from kserve.inference_client import RESTConfig
from kserve.protocol.infer_type import RequestedOutput

GRPC_PORT, HTTP_PORT, MODEL, INPUT = sys.argv[1:5]
ROWS = numpy.array(json.loads(INPUT), dtype=numpy.float32)
ADDRESS = f"127.0.0.1:{GRPC_PORT}"
URL = f"http://127.0.0.1:{HTTP_PORT}"


def request_of(name="X", *, binary, outputs=None):
    tensor = InferInput(name, list(ROWS.shape), "FP32")
    tensor.set_data_from_numpy(ROWS, binary_data=binary)
    return InferRequest(
        model_name=MODEL, infer_inputs=[tensor], request_id="row 7", request_outputs=outputs
    )


def numbers(answer):
    by_name = {output.name: output.as_numpy().tolist() for output in answer.outputs}
    return {"id": answer.id, "model": answer.model_name, **by_name}


async def failure(call):
    """The status and the words with which a call fails."""
    try:
        await call
    except grpc.RpcError as error:
        return {"status": error.code().name, "message": error.details()}
    except httpx.HTTPStatusError as error:
        return {"status": error.response.status_code, "message": str(error)}
    return None


async def over_grpc():
    async with InferenceGRPCClient(ADDRESS) as client:
        return {
            "live": await client.is_server_live(),
            "ready": await client.is_server_ready(),
            "modelReady": await client.is_model_ready(MODEL),
            "typed": numbers(await client.infer(request_of(binary=False))),
            "raw": numbers(await client.infer(request_of(binary=True))),
            "unknownInput": await failure(client.infer(request_of("Y", binary=True))),
            "otherModelReady": await client.is_model_ready("other"),
        }


async def over_http():
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    wanted = [RequestedOutput(name, {"binary_data": True}) for name in ["label", "probabilities"]]
    seen = {
        "live": await client.is_server_live(URL),
        "ready": await client.is_server_ready(URL),
        "modelReady": await client.is_model_ready(URL, MODEL),
        "json": numbers(await client.infer(URL, request_of(binary=False), MODEL)),
        "binary": numbers(await client.infer(URL, request_of(binary=True), MODEL)),
        "binaryAnswer": numbers(
            await client.infer(URL, request_of(binary=True, outputs=wanted), MODEL)
        ),
        "unknownInput": await failure(client.infer(URL, request_of("Y", binary=False), MODEL)),
        "unknownModel": await failure(client.infer(URL, request_of(binary=False), "other")),
    }
    await client.close()
    return seen


def by_reflection():
    """Services and their methods, and an answer by messages that nobody has compiled."""
    from google.protobuf.message_factory import GetMessageClass

    channel = grpc.insecure_channel(ADDRESS)
    database = ProtoReflectionDescriptorDatabase(channel)
    pool = DescriptorPool(database)
    services = sorted(database.get_services())
    inference = pool.FindServiceByName("inference.GRPCInferenceService")
    ready = inference.FindMethodByName("ModelReady")
    question = GetMessageClass(ready.input_type)(name=MODEL)
    call = channel.unary_unary(
        f"/{inference.full_name}/{ready.name}",
        request_serializer=lambda message: message.SerializeToString(),
        response_deserializer=GetMessageClass(ready.output_type).FromString,
    )
    return {
        "services": services,
        "methods": sorted(method.name for method in inference.methods),
        "modelReady": call(question).ready,
    }


# The clients log what they also throw.
logging.disable(logging.CRITICAL)
print(
    json.dumps(
        {
            "grpc": asyncio.run(over_grpc()),
            "http": asyncio.run(over_http()),
            "reflection": by_reflection(),
        }
    )
)

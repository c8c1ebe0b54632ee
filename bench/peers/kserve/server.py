"""KServe's Python server with a model of one's own: one worker, REST and gRPC."""

import os

import kserve
import onnxruntime
from kserve import InferOutput, InferRequest, InferResponse
from kserve.utils.numpy_codec import from_np_dtype
from kserve.utils.utils import generate_uuid


class OnnxModel(kserve.Model):
    def __init__(self, name: str) -> None:
        super().__init__(name)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options, ["CPUExecutionProvider"])
        self.output_names = [value.name for value in self.session.get_outputs()]
        self.ready = True

    async def predict(self, payload: InferRequest, headers=None, response_headers=None) -> InferResponse:
        feeds = {tensor.name: tensor.as_numpy() for tensor in payload.inputs}
        values = self.session.run(self.output_names, feeds)
        outputs = []
        for name, value in zip(self.output_names, values):
            output = InferOutput(name, list(value.shape), from_np_dtype(value.dtype))
            output.set_data_from_numpy(value, binary_data=payload.use_binary_outputs)
            outputs.append(output)
        return InferResponse(payload.id or generate_uuid(), self.name, outputs, use_binary_outputs=payload.use_binary_outputs)


if __name__ == "__main__":
    server = kserve.ModelServer(
        http_port=int(os.environ["HTTP_PORT"]),
        grpc_port=int(os.environ["GRPC_PORT"]),
        workers=1,
        enable_latency_logging=False,
        access_log_format=None,
    )
    server.start([OnnxModel(os.environ["MODEL_NAME"])])

"""LitServe: one worker, its defaults otherwise (no batching)."""

import os

import litserve
import numpy as np
import onnxruntime

numpy_types = {"tensor(float)": np.float32, "tensor(int64)": np.int64}


class OnnxApi(litserve.LitAPI):
    def setup(self, device):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL_FILE"], options, ["CPUExecutionProvider"])
        self.input_types = {value.name: numpy_types[value.type] for value in self.session.get_inputs()}
        self.output_names = [value.name for value in self.session.get_outputs()]

    def decode_request(self, request):
        return {name: np.asarray(request["inputs"][name], kind) for name, kind in self.input_types.items()}

    def predict(self, feeds):
        return dict(zip(self.output_names, self.session.run(self.output_names, feeds)))

    def encode_response(self, outputs):
        return {"outputs": {name: value.tolist() for name, value in outputs.items()}}


if __name__ == "__main__":
    server = litserve.LitServer(OnnxApi(), accelerator="cpu", workers_per_device=1)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["HTTP_PORT"]),
        num_api_servers=1,
        log_level="warning",
        access_log=False,
        generate_client_file=False,
    )

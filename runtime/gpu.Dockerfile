# The model server's image with ONNX Runtime's provider for CUDA, for amd64. Build the other one first, then from the
# repository root: docker build -f runtime/gpu.Dockerfile --build-arg RUNTIME=<the other one> .
ARG RUNTIME=registry.example.com/headgate-runtime:0.1.0
FROM python:3.12-slim-bookworm AS cuda
COPY runtime/cuda-requirements.txt /cuda-requirements.txt
RUN pip install --no-cache-dir --no-deps --only-binary=:all: --target /packages -r /cuda-requirements.txt \
 && mkdir /providers /libraries \
 && mv /packages/onnxruntime/capi/libonnxruntime_providers_shared.so /packages/onnxruntime/capi/libonnxruntime_providers_cuda.so /providers/ \
 && find /packages/nvidia -type f -name 'lib*.so*' ! -name '*.alt.*' -exec mv -t /libraries {} +

FROM ${RUNTIME}
LABEL org.opencontainers.image.title="headgate-runtime-gpu" \
      org.opencontainers.image.description="Serves one ONNX model over the Open Inference Protocol, on NVIDIA GPUs"
# ONNX Runtime looks for its providers beside its own library.
COPY --from=cuda /providers/ node_modules/onnxruntime-node/bin/napi-v6/linux/x64/
COPY --from=cuda /libraries/ /usr/local/cuda/lib/
# The driver itself comes from the node: `compute` asks NVIDIA's container toolkit for it.
ENV LD_LIBRARY_PATH=/usr/local/cuda/lib \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility

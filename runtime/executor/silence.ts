/**
 * ONNX Runtime for Linux reports sessions, runs and errors to its maker, and writes an identifier of the machine to the
 * home folder, unless this is set before it is loaded. What the models of a company do is its own business.
 * https://github.com/microsoft/onnxruntime/pull/27379
 */
export const silence = { ORT_DISABLE_TELEMETRY: '1' } as const;

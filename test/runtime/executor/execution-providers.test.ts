import { describe, expect, it } from 'vitest';
import {
  openWithFirstUsable,
  ProviderMissingError,
  wordsOfProvider,
  type ExecutionProvider,
} from '../../../runtime/executor/execution-providers.ts';

const PLACE =
  '/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_call.cc:154 std::conditional_t<THRW, void, onnxruntime::common::Status> onnxruntime::CudaCall(ERRTYPE, const char*, const char*, SUCCTYPE, const char*, const char*, int) [with ERRTYPE = cudaError; bool THRW = true]';

describe('what ONNX Runtime says of a provider', () => {
  it.each<[string, string, string | undefined]>([
    [
      'no device',
      `${PLACE} CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=node-7 ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_execution_provider.cc ; line=280 ; expr=cudaSetDevice(info_.device_id); `,
      'CUDA failure 100: no CUDA-capable device is detected',
    ],
    [
      'a driver that is too old',
      `${PLACE} CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=0 ; hostname=node-7`,
      'CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version',
    ],
    [
      'a library amid a run',
      `Non-zero status code returned while running Conv node. Name:'' Status Message: CUDNN failure 5003: CUDNN_STATUS_EXECUTION_FAILED_CUDART ; GPU=0`,
      'CUDNN failure 5003: CUDNN_STATUS_EXECUTION_FAILED_CUDART',
    ],
    [
      'no room in its memory',
      'bfc_arena.cc:360 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 800000000000\n',
      'Failed to allocate memory for requested buffer of size 800000000000',
    ],
    [
      'a library that is not there',
      'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
      'OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library',
    ],
    [
      'a broken file, which is about the model',
      'Load model from broken.onnx failed:Protobuf parsing failed.',
      undefined,
    ],
    [
      'a value out of range, which is about the input',
      "Non-zero status code returned while running Gather node. Name:'' Status Message: indices element out of data bounds",
      undefined,
    ],
  ])('is told without the places in its source, nor the name of the machine: %s', (_, message, words) => {
    expect(wordsOfProvider(message)).toBe(words);
  });
});

describe('the first provider that can be used', () => {
  /** Fails with what the table says of a provider, else opens. */
  function opening(failures: Partial<Record<ExecutionProvider, string>>) {
    return (provider: ExecutionProvider, passedOver: readonly string[]) => {
      const failure = failures[provider];
      return failure === undefined
        ? Promise.resolve({ provider, passedOver })
        : Promise.reject(new Error(failure));
    };
  }

  const missing = 'Failed to load shared library';
  const noDevice = 'CUDA failure 100: no CUDA-capable device is detected ; GPU=-1';

  it('is told with those before it', async () => {
    const opened = await openWithFirstUsable(
      ['tensorrt', 'cuda', 'cpu'],
      opening({ tensorrt: missing, cuda: noDevice }),
    );
    expect(opened).toEqual({
      provider: 'cpu',
      passedOver: [
        'tensorrt: Failed to load shared library',
        'cuda: CUDA failure 100: no CUDA-capable device is detected',
      ],
    });
  });

  it('is the first, and no other is tried', async () => {
    const opened = await openWithFirstUsable(['cuda', 'cpu'], opening({ cpu: 'never asked' }));
    expect(opened).toEqual({ provider: 'cuda', passedOver: [] });
  });

  it('is none: all of them say why', async () => {
    const nothing = openWithFirstUsable(['tensorrt', 'cuda'], opening({ tensorrt: missing, cuda: noDevice }));
    await expect(nothing).rejects.toThrow(ProviderMissingError);
    await expect(nothing).rejects.toThrow(/^tensorrt: .*; cuda: CUDA failure 100/u);
  });

  it.each<[string, ExecutionProvider[], ExecutionProvider]>([
    ['on a GPU', ['cuda', 'cpu'], 'cuda'],
    ['on the CPU, whatever it says', ['cpu'], 'cpu'],
  ])('is not looked for further when the model is at fault %s', async (_, providers, failing) => {
    const fault = failing === 'cpu' ? missing : 'Protobuf parsing failed';
    await expect(openWithFirstUsable(providers, opening({ [failing]: fault }))).rejects.toThrow(fault);
  });
});

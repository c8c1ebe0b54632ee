import type { Datatype, ModelSignature, TensorSpecification } from '../tensor/datatype.ts';

/** In the form of Triton's model configuration, as far as it describes a model that is served here. */
export interface ModelConfig {
  readonly name: string;
  readonly platform: string;
  readonly backend: string;
  readonly version_policy: { readonly specific: { readonly versions: readonly number[] } };
  /** 0: the dimensions below are whole; from 1 on they are without the batch, which may have so many rows. */
  readonly max_batch_size: number;
  readonly input: readonly TensorConfig[];
  readonly output: readonly TensorConfig[];
  readonly instance_group: readonly { readonly kind: string; readonly count: number }[];
}

interface TensorConfig {
  readonly name: string;
  readonly data_type: string;
  readonly dims: readonly number[];
}

function dataType(datatype: Datatype): string {
  return datatype === 'BYTES' ? 'TYPE_STRING' : `TYPE_${datatype}`;
}

function toTensorConfig({ name, datatype, shape }: TensorSpecification): TensorConfig {
  const dims = shape.map((size) => (typeof size === 'number' ? size : -1));
  return { name, data_type: dataType(datatype), dims };
}

/** https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_configuration.md */
export function buildModelConfig(
  identity: { readonly name: string; readonly version: string; readonly platform: string },
  { inputs, outputs }: ModelSignature,
): ModelConfig {
  return {
    name: identity.name,
    platform: identity.platform,
    backend: 'onnxruntime',
    version_policy: { specific: { versions: [Number(identity.version)] } },
    max_batch_size: 0,
    input: inputs.map(toTensorConfig),
    output: outputs.map(toTensorConfig),
    instance_group: [{ kind: 'KIND_CPU', count: 1 }],
  };
}

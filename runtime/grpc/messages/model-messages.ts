import type { RepositoryEntry } from '../../inference/data-plane.ts';
import type { ModelConfig } from '../../inference/model-config.ts';
import type { ModelStatistics } from '../../inference/statistics.ts';
import { WireWriter } from '../protobuf/wire-writer.ts';

/** Triton's extensions about the model: configuration, statistics and repository. */

const dataTypes = [
  ...['TYPE_INVALID', 'TYPE_BOOL', 'TYPE_UINT8', 'TYPE_UINT16', 'TYPE_UINT32', 'TYPE_UINT64', 'TYPE_INT8'],
  ...['TYPE_INT16', 'TYPE_INT32', 'TYPE_INT64', 'TYPE_FP16', 'TYPE_FP32', 'TYPE_FP64', 'TYPE_STRING'],
];
const instanceKinds = ['KIND_AUTO', 'KIND_GPU', 'KIND_CPU', 'KIND_MODEL'];

type TensorConfig = ModelConfig['input'][number];
type Duration = ModelStatistics['inference_stats'][keyof ModelStatistics['inference_stats']];

/** ModelInput and ModelOutput, which number their dimensions differently. */
function tensorConfig({ name, data_type, dims }: TensorConfig, dimsField: 3 | 4) {
  return (writer: WireWriter): void => {
    writer.string(1, name).uint(2, dataTypes.indexOf(data_type)).packed(dimsField, dims);
  };
}

export function writeModelConfig(config: ModelConfig): Buffer {
  const response = new WireWriter();
  response.message(1, (writer) => {
    writer.string(1, config.name).string(2, config.platform);
    writer.message(3, (policy) =>
      policy.message(3, (specific) => specific.packed(1, config.version_policy.specific.versions)),
    );
    writer.uint(4, config.max_batch_size);
    for (const input of config.input) writer.message(5, tensorConfig(input, 4));
    for (const output of config.output) writer.message(6, tensorConfig(output, 3));
    for (const { kind, count } of config.instance_group)
      writer.message(7, (group) => group.uint(2, count).uint(4, instanceKinds.indexOf(kind)));
    writer.string(17, config.backend);
  });
  return response.finish();
}

function duration({ count, ns }: Duration) {
  return (writer: WireWriter): void => {
    writer.uint(1, count).uint(2, ns);
  };
}

export function writeModelStatistics(statistics: ModelStatistics): Buffer {
  const { inference_stats: all, batch_stats: batches } = statistics;
  const inOrder = [
    ...[all.success, all.fail, all.queue, all.compute_input, all.compute_infer],
    ...[all.compute_output, all.cache_hit, all.cache_miss],
  ];
  const response = new WireWriter();
  response.message(1, (writer) => {
    writer.string(1, statistics.name).string(2, statistics.version).uint(3, statistics.last_inference);
    writer.uint(4, statistics.inference_count).uint(5, statistics.execution_count);
    writer.message(6, (inner) => {
      for (const [index, each] of inOrder.entries()) inner.message(index + 1, duration(each));
    });
    for (const { batch_size, compute_input, compute_infer, compute_output } of batches)
      writer.message(7, (batch) =>
        batch
          .uint(1, batch_size)
          .message(2, duration(compute_input))
          .message(3, duration(compute_infer))
          .message(4, duration(compute_output)),
      );
  });
  return response.finish();
}

export function writeRepositoryIndex(entries: readonly RepositoryEntry[]): Buffer {
  const response = new WireWriter();
  for (const { name, version, state, reason } of entries)
    response.message(1, (entry) =>
      entry.string(1, name).string(2, version).string(3, state).string(4, reason),
    );
  return response.finish();
}

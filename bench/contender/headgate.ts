import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repository } from '../../test/bed/layout.ts';
import { runtimeEnvironment, runtimeNodeOptions } from '../../test/support/runtime-image.ts';
import { V2_PROBE_PATH, v2Wires, type Assignment, type Contender, type Launch } from './contender.ts';

interface Variant {
  /** Where a build lies; that of this tree by default. */
  readonly build?: string;
  /** Of Node, besides the image's own. */
  readonly nodeOptions?: readonly string[];
}

function launch(assignment: Assignment, { build = 'dist', nodeOptions = [] }: Variant): Launch {
  const { modelFile, modelName, httpPort, grpcPort, metricsPort, folder } = assignment;
  return {
    command: process.execPath,
    arguments: [...runtimeNodeOptions(), ...nodeOptions, resolve(repository, build, 'runtime/main.js')],
    environment: {
      ...runtimeEnvironment(),
      HEADGATE_MODEL_URI: pathToFileURL(modelFile).href,
      HEADGATE_MODEL_NAME: modelName,
      HEADGATE_REVISION: 'bench-0123456789',
      HEADGATE_PORT: String(httpPort),
      HEADGATE_GRPC_PORT: String(grpcPort),
      HEADGATE_MANAGEMENT_PORT: String(metricsPort),
      HEADGATE_THREADS: '1',
      HEADGATE_DRAIN_SECONDS: '0',
      // A decision record of every answer; none is kept by default.
      HEADGATE_RECORDS_SINK: 'File',
      HEADGATE_RECORDS_SAMPLE_PERCENT: '100',
      HEADGATE_RECORDS_DIRECTORY: join(folder, 'records'),
      HEADGATE_DOWNLOAD_DIRECTORY: folder,
      HEADGATE_TERMINATION_LOG: join(folder, 'termination-log'),
    },
  };
}

/** As the image starts it: compiled, with its defaults and decision records. */
export function headgateOf(variant: Variant = {}): Contender {
  return {
    name: 'Headgate',
    wires: v2Wires,
    program: process.execPath,
    probePath: V2_PROBE_PATH,
    prepare: (assignment) => launch(assignment, variant),
  };
}

export const headgate: Contender = headgateOf();

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { repository } from '../../test/bed/layout.ts';
import { v2Wires, type Contender } from './contender.ts';

/** As the image starts it: compiled, with its defaults. */
export const headgate: Contender = {
  name: 'Headgate',
  wires: v2Wires,
  program: process.execPath,
  prepare: ({ modelFile, modelName, httpPort, metricsPort, folder }) => ({
    command: process.execPath,
    arguments: [join(repository, 'dist/runtime/main.js')],
    environment: {
      NODE_ENV: 'production',
      HEADGATE_MODEL_URI: pathToFileURL(modelFile).href,
      HEADGATE_MODEL_NAME: modelName,
      HEADGATE_REVISION: 'bench-0123456789',
      HEADGATE_PORT: String(httpPort),
      HEADGATE_MANAGEMENT_PORT: String(metricsPort),
      HEADGATE_THREADS: '1',
      HEADGATE_DOWNLOAD_DIRECTORY: folder,
      HEADGATE_TERMINATION_LOG: join(folder, 'termination-log'),
    },
  }),
};

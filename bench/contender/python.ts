import { copyFile, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { repository } from '../../test/bed/layout.ts';
import {
  plainWires,
  V2_PROBE_PATH,
  v2Wires,
  v2WiresWithoutBinary,
  type Assignment,
  type Contender,
} from './contender.ts';

/** Where install.sh puts an environment for each. */
function environmentOf(peer: string): string {
  const cache = process.env['HEADGATE_CACHE'];
  if (cache === undefined) throw new Error('HEADGATE_CACHE is not set: start this with make bench-peers');
  return join(cache, 'bench-peers', peer);
}

function sourceOf(peer: string): string {
  return join(repository, 'bench/peers', peer);
}

function pythonEnvironment(
  { modelFile, modelName, httpPort, grpcPort, folder }: Assignment,
  peer: string,
): Readonly<Record<string, string>> {
  return {
    MODEL_FILE: modelFile,
    MODEL_NAME: modelName,
    HTTP_PORT: String(httpPort),
    GRPC_PORT: String(grpcPort),
    HOME: folder,
    OMP_NUM_THREADS: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    PATH: `${join(environmentOf(peer), 'bin')}:${process.env['PATH'] ?? ''}`,
  };
}

/** A server that is a Python file. */
function script(name: string, peer: string, speaks: Pick<Contender, 'wires' | 'probePath'>): Contender {
  const program = join(environmentOf(peer), 'bin/python');
  return {
    ...{ name, program, ...speaks },
    prepare: (assignment) => ({
      command: program,
      arguments: [join(sourceOf(peer), 'server.py')],
      environment: pythonEnvironment(assignment, peer),
    }),
  };
}

const bentoml: Contender = {
  name: 'BentoML',
  wires: plainWires,
  program: join(environmentOf('bentoml'), 'bin/bentoml'),
  probePath: '/livez',
  prepare: (assignment) => ({
    command: bentoml.program,
    arguments: [
      ...['serve', 'server:OnnxService', '--working-dir', sourceOf('bentoml'), '--quiet'],
      ...['--host', '127.0.0.1', '--port', String(assignment.httpPort)],
    ],
    environment: { ...pythonEnvironment(assignment, 'bentoml'), BENTOML_DO_NOT_TRACK: 'True' },
  }),
};

const mlserver: Contender = {
  name: 'MLServer',
  wires: v2WiresWithoutBinary,
  program: join(environmentOf('mlserver'), 'bin/mlserver'),
  probePath: V2_PROBE_PATH,
  prepare: async (assignment) => {
    const { modelFile, modelName, httpPort, grpcPort, metricsPort, folder } = assignment;
    const settings = {
      ...{ host: '127.0.0.1', http_port: httpPort, grpc_port: grpcPort, metrics_port: metricsPort },
      // A pool of processes for one model on one core only adds a hop; debug would log every request.
      ...{ debug: false, parallel_workers: 0 },
    };
    const model = {
      name: modelName,
      implementation: 'server.OnnxModel',
      parameters: { uri: modelFile },
    };
    await writeFile(join(folder, 'settings.json'), JSON.stringify(settings));
    await writeFile(join(folder, 'model-settings.json'), JSON.stringify(model));
    await copyFile(join(sourceOf('mlserver'), 'server.py'), join(folder, 'server.py'));
    return {
      command: mlserver.program,
      arguments: ['start', folder],
      environment: pythonEnvironment(assignment, 'mlserver'),
    };
  },
};

/** The folder `site-packages`, whose path has Python's version in it. */
async function sitePackages(peer: string): Promise<string> {
  const library = join(environmentOf(peer), 'lib');
  const [version = ''] = (await readdir(library)).filter((name) => name.startsWith('python'));
  return join(library, version, 'site-packages');
}

/** As pytriton does it: the backend with the program that runs models in this version of Python. */
async function linkPythonBackend(home: string, backends: string, python: string): Promise<void> {
  const target = join(backends, 'python');
  const source = join(home, 'backends/python');
  const stub = 'triton_python_backend_stub';
  await mkdir(target, { recursive: true });
  for (const file of await readdir(source)) await symlink(join(source, file), join(target, file));
  const version = python.replace('python', '');
  await symlink(join(home, 'python_backend_stubs', version, stub), join(target, stub));
}

const triton: Contender = {
  name: 'Triton',
  wires: v2Wires,
  program: join(environmentOf('triton'), 'bin/python'),
  probePath: V2_PROBE_PATH,
  prepare: async (assignment) => {
    const { modelName, httpPort, grpcPort, metricsPort, folder } = assignment;
    const packages = await sitePackages('triton');
    const home = join(packages, 'pytriton/tritonserver');
    const version = join(folder, 'repository', modelName, '1');
    await mkdir(version, { recursive: true });
    await copyFile(join(sourceOf('triton'), 'model.py'), join(version, 'model.py'));
    const modelFolder = join(version, '..');
    await writeFile(join(modelFolder, 'config.pbtxt'), 'backend: "python"\n');
    const backends = join(folder, 'backends');
    await linkPythonBackend(home, backends, basename(join(packages, '..')));
    return {
      command: join(home, 'bin/tritonserver'),
      arguments: [
        ...[`--model-repository=${join(folder, 'repository')}`, `--backend-directory=${backends}`],
        ...[`--http-port=${httpPort}`, `--grpc-port=${grpcPort}`, `--metrics-port=${metricsPort}`],
        ...['--http-address=127.0.0.1', '--grpc-address=127.0.0.1', '--log-info=false'],
      ],
      environment: {
        ...pythonEnvironment(assignment, 'triton'),
        PYTHONPATH: packages,
      },
    };
  },
};

export const pythonContenders: readonly Contender[] = [
  mlserver,
  triton,
  script('KServe', 'kserve', { wires: v2Wires, probePath: V2_PROBE_PATH }),
  bentoml,
  script('LitServe', 'litserve', { wires: plainWires, probePath: '/health' }),
  script('FastAPI', 'fastapi', { wires: plainWires, probePath: '/health' }),
];

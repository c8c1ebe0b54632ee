import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What looks back at a whole run, or takes its installation down, comes when all else is done, in order of names. */
class LastComesLast extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLast = ({ moduleId }: TestSpecification): boolean => moduleId.includes('/e2e/last/');
    const last = files.filter(isLast).sort((left, right) => left.moduleId.localeCompare(right.moduleId));
    return [...(await super.sort(files.filter((file) => !isLast(file)))), ...last];
  }
}

/** The tiers, cheapest first; `make test` runs all of them, `make test-fast` the first one. */
export default defineConfig({
  test: {
    reporters: ['default'],
    // By default one core is left free, on two cores half of the machine; many tests wait for processes anyway.
    maxWorkers: '100%',
    sequence: { sequencer: LastComesLast },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{operator,runtime,support,docs,demo,soak,fuzz}/**/*.test.ts'],
          // Many start processes, on machines that may be busy.
          testTimeout: 30_000,
        },
      },
      // Needs the helm and kubeconform that test/bed/build-parts.sh builds.
      { test: { name: 'charts', include: ['test/{charts,argocd}/**/*.test.ts'] } },
      // Needs the servers of models that test/bed/build-parts.sh installs.
      {
        test: {
          name: 'model-sources',
          include: ['test/model-sources/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      // Needs the Python clients that test/bed/build-parts.sh installs.
      {
        test: {
          name: 'clients',
          include: ['test/clients/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      // Needs the redis-server that scripts/install-packages.sh installs.
      { test: { name: 'redis', include: ['test/redis/**/*.test.ts'], testTimeout: 60_000 } },
      // Needs a GPU, which CI has not: `make test-gpu` alone runs it.
      ...(process.env['HEADGATE_GPU'] === undefined
        ? []
        : [{ test: { name: 'gpu', include: ['test/gpu/**/*.test.ts'], fileParallelism: false } }]),
      { test: { name: 'simulator', include: ['test/simulator/**/*.test.ts'], testTimeout: 1_200_000 } },
      {
        test: {
          name: 'api-server',
          include: ['test/api-server/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 300_000,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          globalSetup: ['test/e2e/support/global-setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});

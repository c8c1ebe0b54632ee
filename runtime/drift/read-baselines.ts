import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { StartFailure } from '../errors.ts';
import { parseBaselineFile, type BaselineFile } from './baseline-file.ts';
import type { BaselineSource } from './settings.ts';

const FILE_NAME = 'baseline.json';

/** Undefined where baselines are learned. Rejects with StartFailure for a file that is not there or no use. */
export async function readBaselines(
  source: BaselineSource,
  modelPath: string,
): Promise<BaselineFile | undefined> {
  if (source.kind === 'Learned') return undefined;
  const file = source.kind === 'File' ? source.path : path.join(path.dirname(modelPath), FILE_NAME);
  return parseBaselineFile(await readText(file));
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    throw new StartFailure(
      'ConfigurationInvalid',
      `the baseline of drift cannot be read from ${file} (${code}); put it there, or let it be learned`,
    );
  }
}

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { StartFailure } from '../errors.ts';
import { parseBaselineFile, type BaselineFile } from './baseline-file.ts';

const FILE_NAME = 'baseline.json';

export interface ShippedBaseline {
  readonly file: string;
  readonly baselines: BaselineFile;
}

/** Undefined where none is named and none lies beside the model. Rejects with StartFailure for one that is no use. */
export async function readShippedBaseline(
  modelPath: string,
  named: string | undefined,
): Promise<ShippedBaseline | undefined> {
  const file = named ?? path.join(path.dirname(modelPath), FILE_NAME);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (named === undefined && code === 'ENOENT') return undefined;
    throw new StartFailure(
      'ConfigurationInvalid',
      `the baseline of drift cannot be read from ${file}: ${code}`,
    );
  }
  return { file, baselines: parseBaselineFile(text) };
}

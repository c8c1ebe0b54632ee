import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fetchModel } from '../../runtime/model-source/model-source.ts';
import { modelSource } from '../runtime/model-source/source.ts';

/** Fetches a model from the address that is its argument and prints how many bytes of memory the process had at most. */
const [, , uri = ''] = process.argv;
const downloadDirectory = mkdtempSync(path.join(tmpdir(), 'headgate-comes-'));
try {
  await fetchModel(modelSource({ uri, downloadDirectory, maxBytes: 1e9 }));
  console.log(process.resourceUsage().maxRSS * 1024);
} finally {
  rmSync(downloadDirectory, { recursive: true });
}

#!/usr/bin/env node
import { messageOf } from '../controller/errors.ts';
import { lintCommand } from './lint-command.ts';

const USAGE = `headgate lint PATH...   finds mistakes in manifests without a cluster

PATH is a file, a folder with .yaml and .yml files, or - for standard input.
Exit code 0: no mistake; 1: mistakes, a line each as FILE:LINE:COLUMN; 2: called wrongly, or a file cannot be read.`;

async function main([command, ...paths]: readonly string[]): Promise<number> {
  if (command === '--help' || command === 'help') {
    console.log(USAGE);
    return 0;
  }
  if (command !== 'lint' || paths.length === 0 || paths.some((path) => path.startsWith('--'))) {
    console.error(USAGE);
    return 2;
  }
  const { lines, exitCode } = await lintCommand(paths);
  console.log(lines.join('\n'));
  return exitCode;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`headgate: ${messageOf(error)}`);
  process.exitCode = 2;
}

import type { Contender } from './contender.ts';
import { headgate } from './headgate.ts';
import { pythonContenders } from './python.ts';

/** Headgate first: everything is told as a ratio to it. */
export const contenders: readonly Contender[] = [headgate, ...pythonContenders];

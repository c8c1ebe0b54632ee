import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Tensor } from '../tensor/datatype.ts';
import { readTensorText } from './recorded-tensor.ts';

/** What was asked and answered once. */
export interface RecordedRequest {
  readonly requestId: string;
  readonly modelName: string;
  readonly latencyMs: number;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly RecordedOutput[];
}

export interface RecordedOutput {
  readonly tensor: Omit<Tensor, 'data'>;
  /** The first ones, where more were answered than are recorded. */
  readonly values: Tensor['data'];
}

/** Why a line is no use for replaying. */
export type Skipped = 'NoDecision' | 'NoAnswer' | 'NoInputs' | 'Redacted' | 'Unreadable';

interface Line {
  readonly type?: string;
  readonly requestId: string;
  readonly modelName: string;
  readonly latencyMs: number;
  readonly status: number;
  readonly inputs?: readonly RecordedTensor[];
  readonly outputs?: readonly RecordedTensor[];
}

interface RecordedTensor extends Omit<Tensor, 'data'> {
  readonly truncated?: boolean;
  readonly redacted?: boolean;
}

/** The texts of the objects in a JSON array, since JSON.parse would round 64-bit numbers. */
function splitTensors(line: string, member: 'inputs' | 'outputs', count: number): string[] {
  const start = line.indexOf(`"${member}":[`) + member.length + 4;
  const texts: string[] = [];
  let position = start;
  for (let index = 0; index < count; index++) {
    const end = endOfObject(line, position);
    texts.push(line.slice(position, end));
    position = end + 1;
  }
  return texts;
}

function endOfObject(text: string, start: number): number {
  let depth = 0;
  let isInText = false;
  for (let index = start; index < text.length; index++) {
    const character = text[index];
    if (isInText) {
      if (character === '\\') index++;
      else if (character === '"') isInText = false;
      continue;
    }
    if (character === '"') isInText = true;
    else if (character === '{') depth++;
    else if (character === '}' && --depth === 0) return index + 1;
  }
  return text.length;
}

function readOutput(text: string, { truncated }: RecordedTensor): RecordedOutput {
  if (truncated !== true) {
    const { data, ...tensor } = readTensorText(text);
    return { tensor, values: data };
  }
  const { shape, ...head } = JSON.parse(text) as Tensor;
  const whole = text.replace(',"truncated":true}', '}');
  const count = shapeOfCut(whole);
  const cut = whole.replace(`"shape":[${shape.join(',')}]`, `"shape":[${count}]`);
  return { tensor: { name: head.name, datatype: head.datatype, shape }, values: readTensorText(cut).data };
}

/** How many values a cut tensor still has. */
function shapeOfCut(text: string): number {
  const { data, raw, datatype } = JSON.parse(text) as { data?: unknown[]; raw?: string; datatype: string };
  if (data !== undefined) return data.length;
  const bytes = Buffer.from(raw ?? '', 'base64').length;
  return bytes / (bytesOf[datatype] ?? 1);
}

const bytesOf: Readonly<Record<string, number>> = { FP16: 2, FP32: 4, FP64: 8 };

export function parseRecordLine(line: string): RecordedRequest | Skipped {
  let parsed: Line;
  try {
    parsed = JSON.parse(line) as Line;
  } catch {
    return 'Unreadable';
  }
  const { type, requestId, modelName, latencyMs, status, inputs, outputs } = parsed;
  if (type !== 'decision') return 'NoDecision';
  if (status !== 200 || outputs === undefined) return 'NoAnswer';
  if (inputs === undefined) return 'NoInputs';
  if (inputs.some(({ redacted }) => redacted === true)) return 'Redacted';
  const outputTexts = splitTensors(line, 'outputs', outputs.length);
  return {
    requestId,
    modelName,
    latencyMs,
    inputs: splitTensors(line, 'inputs', inputs.length).map(readTensorText),
    outputs: outputs.map((output, index) => readOutput(outputTexts[index] ?? '', output)),
  };
}

/** The lines of a file, or of all .jsonl files of a folder in the order of their names. */
export async function* readLines(place: string): AsyncGenerator<string> {
  const isFolder = (await stat(place)).isDirectory();
  const names = isFolder ? (await readdir(place)).filter((name) => name.endsWith('.jsonl')).toSorted() : [''];
  for (const name of names) {
    yield* createInterface({ input: createReadStream(path.join(place, name)), crlfDelay: Infinity });
  }
}

import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { BodyBudget } from '../../../../runtime/body/budget.ts';
import { RequestError } from '../../../../runtime/errors.ts';
import { writeFrame } from '../../../../runtime/grpc/transport/frames.ts';
import { receiveOne } from '../../../../runtime/grpc/transport/receiver.ts';

const MEBIBYTE = 2 ** 20;

describe('a message that comes in', () => {
  it('can be refused by its length, before the rest of it is there, and nothing of it is held', async () => {
    const budget = new BodyBudget(MEBIBYTE, MEBIBYTE);
    const source = new PassThrough();
    const announced: number[] = [];
    const received = receiveOne(source, budget, (messageBytes) => {
      announced.push(messageBytes);
      throw new RequestError('Overloaded', 'not now', 1);
    });
    source.write(writeFrame(Buffer.alloc(MEBIBYTE), false).subarray(0, 1000));
    await expect(received).rejects.toMatchObject({ reason: 'Overloaded' });
    expect(announced).toEqual([MEBIBYTE]);
    // All of the memory is there for others.
    expect(() => budget.reserve(MEBIBYTE)).not.toThrow();
  });
});

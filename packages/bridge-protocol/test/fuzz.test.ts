import { describe, expect, test } from 'vitest';
import { FuzzFailure, fuzzBridge } from '../fuzz/bridge-fuzz.mjs';
import * as codec from '../src/index.js';

const targets = ['frames', 'control'] as const;

describe('the fuzzer', () => {
  test.each(targets)('finds nothing in %s, and some of its inputs are good', (target) => {
    const summary = fuzzBridge({ target, codec, runs: 10_000, seed: 7 });
    expect(summary.accepted).toBeGreaterThan(1000);
    expect(summary.refused).toBeGreaterThan(1000);
  });

  test('makes the same inputs for the same seed', () => {
    const run = { target: 'control', codec, runs: 2000, seed: 3 } as const;
    const { accepted, refused } = fuzzBridge(run);
    expect(fuzzBridge(run)).toMatchObject({ accepted, refused });
  });

  const broken = {
    'a cursor that takes trailing bytes': {
      target: 'frames',
      codec: { ...codec, FrameCursor: cursorThat((bytes) => bytes.subarray(0, bytes.length - 1)) },
    },
    'a cursor that copies': {
      target: 'frames',
      codec: { ...codec, FrameCursor: cursorThat((bytes) => bytes.slice()) },
    },
    'a cursor that throws': {
      target: 'frames',
      codec: {
        ...codec,
        FrameCursor: cursorThat((bytes) => {
          if (bytes[3] === 7) throw new RangeError('7');
          return bytes;
        }),
      },
    },
    'a parser that mends what is wrong': {
      target: 'control',
      codec: {
        ...codec,
        parseWorkerMessage: (text: string) =>
          codec.parseWorkerMessage(text.replace('"streamId":0', '"streamId":1')),
      },
    },
    'a writer that forgets a member': {
      target: 'control',
      codec: {
        ...codec,
        writeMessage: (message: Parameters<typeof codec.writeMessage>[0]) =>
          codec.writeMessage(message).replace('"streamId":1,', ''),
      },
    },
  } as const;

  test.each(Object.entries(broken))('finds %s, and makes the input again', (_, subject) => {
    const failure = failureOf(() => fuzzBridge({ ...subject, runs: 200_000, seed: 1 }));
    const index = Number(/index (\d+)/.exec(failure.message)?.[1]);
    const again = failureOf(() => fuzzBridge({ ...subject, runs: 1, seed: 1, first: index }));
    const lineOf = ({ message }: FuzzFailure): string => message.replace(/\n[^;]*/, '');
    expect(lineOf(again)).toBe(lineOf(failure));
  });
});

function cursorThat(change: (bytes: Uint8Array) => Uint8Array): typeof codec.FrameCursor {
  return class extends codec.FrameCursor {
    override open(bytes: Uint8Array): ReturnType<codec.FrameCursor['open']> {
      return super.open(change(bytes));
    }
  };
}

function failureOf(run: () => unknown): FuzzFailure {
  try {
    run();
  } catch (error) {
    if (error instanceof FuzzFailure) return error;
    throw error;
  }
  throw new Error('The fuzzer found nothing');
}

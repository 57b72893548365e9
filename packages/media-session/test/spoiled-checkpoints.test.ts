import { generateTone } from '@earshot/dtmf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding, StreamCheckpoint, StreamIdentity } from '../src/index.js';
import { CLOSE_MODE, findingEvent, parseStreamCheckpoint, WARM_UP_FRAMES } from '../src/index.js';
import type { TestFrame } from './signals.js';
import { join, Listener, room, toFrames, voice } from './signals.js';
import { StubSpeechModel } from './stub-speech-model.js';

// A checkpoint comes out of a store. Whatever is in it, the stream goes on from there, in as many steps
// as it has frames: a number that can't be true must not become the bound of a loop, nor of a finding.

const STREAM: StreamIdentity = {
  ...{ callId: 'c', mediaId: 'm', epoch: 1, streamId: 1, ordinal: 0, sourceId: '7' },
  ...{ kind: 'unmixed', codec: 'pcm16' },
};
const KINDS = ['beep', 'busy', 'dial', 'faxCng'] as const;

function tone(hz: number, ms: number): Int16Array {
  return Int16Array.from({ length: ms * 16 }, (_, n) =>
    Math.round(5000 * Math.sin((2 * Math.PI * hz * n) / 16_000)),
  );
}

/** Quieter than the tone before it for no longer than 10 ms at a time, however far one looks back. */
function flutter(ms: number): Int16Array {
  return tone(425, ms).map((sample, n) => (n % 320 < 80 || n % 320 >= 240 ? sample * 0.6 : 0));
}

const SOUND: readonly TestFrame[] = toFrames(
  join(
    room(100),
    voice(500),
    generateTone({ digit: '5', durationMs: 300, sampleRateHz: 16_000 }),
    room(100),
    tone(425, 1000),
    flutter(500),
    voice(300),
    generateTone({ digit: '#', durationMs: 200, sampleRateHz: 16_000 }),
    room(500),
  ),
);
/** So far it is heard again after a checkpoint: 50 frames. */
const HEARD_ON = 50;

const models = { level: () => undefined, model: () => new StubSpeechModel() } as const;
type ModelName = keyof typeof models;

/** Some of them while a digit, another tone, speech or a damaged frame is open. */
function checkpointsOf(speechModel: ModelName): readonly StreamCheckpoint[] {
  const listener = new Listener({ tones: KINDS, speechModel: models[speechModel]() });
  return SOUND.slice(0, -HEARD_ON).flatMap((frame, n) => {
    const isDamaged = n % 50 === 23 || n % 50 === 24;
    listener.hear(isDamaged ? { ...frame, payload: new Uint8Array(5) } : frame);
    const stored = JSON.stringify(listener.counters.checkpoint()?.checkpoint ?? null);
    const checkpoint = parseStreamCheckpoint(JSON.parse(stored));
    return n % 5 === 0 && checkpoint !== undefined ? [checkpoint] : [];
  });
}
const CHECKPOINTS = { level: checkpointsOf('level'), model: checkpointsOf('model') } as const;

const GREATEST = 2 ** 64 / 10_000;
/** What a number may turn into on its way: mostly what is wrong, or would be hard to count on from. */
const junk: fc.Arbitrary<number | null> = fc.oneof(
  fc.constantFrom(null, GREATEST, -GREATEST, 2 ** 50, -(2 ** 50), 2 ** 31, -(2 ** 31), 1e-300, -1),
  fc.constantFrom(1100, 1080, 2000, 1e9, -1e9, 1e12, 0.5, 1),
  fc.integer({ min: -3, max: 17 }),
  fc.double({ min: -GREATEST, max: GREATEST, noNaN: true }),
);

interface Spoiled {
  readonly speechModel: ModelName;
  readonly checkpoint: StreamCheckpoint;
  readonly first: number;
  readonly lost: ReadonlySet<number>;
}

const spoiled: fc.Arbitrary<Spoiled> = fc
  .record({
    speechModel: fc.constantFrom<ModelName>('level', 'model'),
    which: fc.nat(CHECKPOINTS.level.length - 1),
    end: fc.option(junk, { nil: undefined, freq: 3 }),
    changes: fc.array(fc.tuple(fc.nat(), junk), { minLength: 1, maxLength: 40 }),
    warmUp: fc.nat(WARM_UP_FRAMES),
    lost: fc.array(fc.nat(HEARD_ON + WARM_UP_FRAMES), { maxLength: 12 }),
  })
  .map(({ speechModel, which, end, changes, warmUp, lost }) => {
    const whole = CHECKPOINTS[speechModel][which]!;
    const state = [...whole.state];
    for (const [at, value] of changes) state[at % state.length] = value;
    const value = { ...whole, state, endMs: end === undefined ? whole.endMs : end };
    const checkpoint = parseStreamCheckpoint(value);
    if (checkpoint === undefined) throw new Error('what is spoiled must be readable');
    const first = Math.max(0, checkpoint.position - warmUp);
    return { speechModel, checkpoint, first, lost: new Set(lost.map((n) => first + n)) };
  });

function goOn({ speechModel, checkpoint, first, lost }: Spoiled): readonly Finding[] {
  const listener = new Listener({
    ...{ firstSequence: first, checkpoint, tones: KINDS },
    speechModel: models[speechModel](),
  });
  const last = checkpoint.position + HEARD_ON;
  listener.hear(...SOUND.slice(first, last).filter(({ sequence }) => !lost.has(sequence)));
  return listener.close(CLOSE_MODE.end, last).findings;
}

describe('a stream that goes on from a spoiled checkpoint', () => {
  it('ends, with findings that can be', () => {
    fc.assert(
      fc.property(spoiled, (one) => {
        const findings = goOn(one);
        // A tone a frame and speech every other would be more than any sound has.
        expect(findings.length).toBeLessThan(2 * (HEARD_ON + WARM_UP_FRAMES));
        const heardMs = (one.checkpoint.position + HEARD_ON) * 20;
        const latestMs = Math.max(one.checkpoint.endMs ?? 0, heardMs) + 1000;
        for (const finding of findings) expectPossible(finding, latestMs);
      }),
      { numRuns: 150 },
    );
  });

  it('follows no tone further back than it has heard', () => {
    const inTone = CHECKPOINTS.level.filter(({ endMs }) => endMs! > 1600 && endMs! <= 2000);
    expect(inTone.length).toBeGreaterThan(3);
    for (const checkpoint of inTone) {
      for (const [at, value] of checkpoint.state.entries()) {
        // Wherever the end of the tone may be among the numbers.
        if (value === null || value < 1000) continue;
        const state = checkpoint.state.with(at, -GREATEST);
        const one = { ...checkpoint, state };
        const { position } = one;
        const findings = goOn({
          ...{ speechModel: 'level', checkpoint: one, first: position - WARM_UP_FRAMES },
          lost: new Set(),
        });
        for (const finding of findings) expectPossible(finding, position * 20 + 2000);
      }
    }
  });
});

function expectPossible(finding: Finding, latestMs: number): void {
  if (finding.kind === 'closed') return;
  for (const value of Object.values(finding)) {
    expect(value).toBeDefined();
    if (typeof value === 'number') expect(value).not.toBeNaN();
  }
  const { startMs } = finding;
  const endMs =
    'durationMs' in finding
      ? startMs + finding.durationMs
      : 'endMs' in finding
        ? finding.endMs
        : startMs;
  expect(endMs).toBeGreaterThanOrEqual(startMs);
  expect(endMs).toBeLessThanOrEqual(latestMs);
  // No more than the longest time that a call's media clock runs.
  expect(endMs - startMs).toBeLessThanOrEqual(2 ** 31 + 2000);
  findingEvent(STREAM, finding);
}

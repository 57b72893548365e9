import { CODEC } from '@earshot/bridge-protocol';
import { generateTone } from '@earshot/dtmf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding, StreamCheckpoint } from '../src/index.js';
import { CLOSE_MODE, parseStreamCheckpoint, WARM_UP_FRAMES } from '../src/index.js';
import type { TestFrame } from './signals.js';
import { join, Listener, room, toFrames, voice } from './signals.js';

// A stream whose worker dies is heard on by another, from the checkpoint that was stored. In PCM16,
// where no decoder needs time to settle, it must find exactly what the first would have found.

const FIRST = 0xffff_ffff - 40;
const SOUND = toFrames(
  join(
    room(200),
    generateTone({ digit: '5', durationMs: 100, sampleRateHz: 16_000 }),
    room(200),
    voice(900),
    generateTone({ digit: '#', durationMs: 1100, sampleRateHz: 16_000 }),
    voice(500),
    room(600),
  ),
  FIRST,
  -333.3,
);
const NEXT = (FIRST + SOUND.length) >>> 0;

const fate = fc.constantFrom(
  ...Array.from({ length: 20 }, () => 'kept'),
  ...['lost', 'lost', 'longLost', 'damaged', 'silent', 'repeated', 'jump'],
);
const journey: fc.Arbitrary<TestFrame[]> = fc
  .array(fate, { minLength: SOUND.length, maxLength: SOUND.length })
  .map(travel);

/** The sound as it arrives: frames lost, damaged, silenced, sent again, and breaks of the source. */
function travel(fates: readonly string[]): TestFrame[] {
  let lost = 0;
  let lateMs = 0;
  return SOUND.flatMap((frame, n) => {
    const how = fates[n] ?? 'kept';
    if (how === 'jump') lateMs += n % 2 === 0 ? 130 : 4000;
    if (how === 'longLost') lost = 9;
    lost -= 1;
    if (how === 'lost' || lost >= 0) return [];
    const moved = { ...frame, mediaTimeMs: frame.mediaTimeMs + lateMs };
    if (how === 'damaged') return [{ ...moved, payload: new Uint8Array(5) }];
    if (how === 'silent') return [{ ...moved, codec: CODEC.silence, payload: new Uint8Array(0) }];
    return how === 'repeated' ? [moved, moved] : [moved];
  });
}

interface Cut {
  readonly checkpoint: StreamCheckpoint;
  /** What was found before it. */
  readonly findings: number;
}

/** Hears all of it, and keeps each checkpoint as it would be stored. */
function hearWhole(frames: readonly TestFrame[]): { listener: Listener; cuts: Cut[] } {
  const listener = new Listener({ firstSequence: FIRST });
  const cuts: Cut[] = [];
  for (const frame of frames) {
    listener.hear(frame);
    const newest = listener.counters.checkpoint();
    if (newest === undefined || newest.checkpoint.position === cuts.at(-1)?.checkpoint.position) {
      continue;
    }
    const stored = parseStreamCheckpoint(JSON.parse(JSON.stringify(newest.checkpoint)));
    if (stored === undefined) throw new Error('a checkpoint must be readable');
    cuts.push({ checkpoint: stored, findings: newest.findings });
  }
  listener.close(CLOSE_MODE.end, NEXT);
  return { listener, cuts };
}

function before(position: number, frames = WARM_UP_FRAMES): number {
  const available = (position - FIRST) >>> 0;
  return (position - Math.min(frames, available)) >>> 0;
}

function isFrom(first: number): (frame: TestFrame) => boolean {
  return ({ sequence }) => ((sequence - first) | 0) >= 0;
}

/** Another worker: all that the host sends again from `first` on. */
function continueAt(checkpoint: StreamCheckpoint, frames: readonly TestFrame[]): Listener {
  const firstSequence = before(checkpoint.position);
  const listener = new Listener({ firstSequence, checkpoint });
  listener.hear(...frames.filter(isFrom(firstSequence)));
  return listener.close(CLOSE_MODE.end, NEXT);
}

function told(findings: readonly Finding[]): Finding[] {
  return findings.filter(({ kind }) => kind !== 'closed');
}

function expectAgreement({ counters }: Listener, firstSequence: number): void {
  const of = counters.get.bind(counters);
  expect(of('received')).toBe(of('decoded') + of('silent') + of('corrupt') + of('unheard'));
  expect((of('expected') - firstSequence) >>> 0).toBe(
    of('received') + of('missing') + of('dropped') + of('warmed') + of('warmedMissing'),
  );
  expect(of('recovered')).toBeLessThanOrEqual(of('concealed'));
  expect(of('concealed')).toBeLessThanOrEqual(of('missing') + of('dropped') + of('corrupt'));
  expect(counters.lost).toBe(of('missing') + of('warmedMissing'));
}

describe('a stream that is continued elsewhere', () => {
  it('finds what the undisturbed one finds after the checkpoint, wherever it is cut', () => {
    fc.assert(
      fc.property(journey, (frames) => {
        const { listener: whole, cuts } = hearWhole(frames);
        for (const { checkpoint, findings } of cuts) {
          const second = continueAt(checkpoint, frames);
          expect(told(second.findings)).toEqual(told(whole.findings).slice(findings));
          expectAgreement(second, before(checkpoint.position));
        }
      }),
      { numRuns: 15 },
    );
  });

  it('finds it also when it is cut again and again', () => {
    fc.assert(
      fc.property(journey, fc.integer({ min: 3, max: 60 }), (frames, life) => {
        const { listener: whole } = hearWhole(frames);
        const all = new Map<string, Finding>();
        const keep = (found: readonly Finding[]): void => {
          for (const finding of told(found)) {
            if (finding.kind === 'closed') continue;
            const id = `${finding.kind} ${finding.startMs}`;
            expect(all.get(id) ?? finding).toEqual(finding);
            all.set(id, finding);
          }
        };
        let checkpoint: StreamCheckpoint | undefined;
        for (let lives = 0; lives < 200; lives += 1) {
          const first: number = checkpoint === undefined ? FIRST : before(checkpoint.position);
          const listener = new Listener({
            firstSequence: first,
            ...(checkpoint === undefined ? {} : { checkpoint }),
          });
          const left = frames.filter(isFrom(first));
          listener.hear(...left.slice(0, life + WARM_UP_FRAMES + 5));
          if (left.length <= life + WARM_UP_FRAMES + 5) listener.close(CLOSE_MODE.end, NEXT);
          keep(listener.findings);
          if (listener.findings.at(-1)?.kind === 'closed') break;
          checkpoint = listener.counters.checkpoint()?.checkpoint;
        }
        expect([...all.values()]).toEqual(told(whole.findings));
      }),
      { numRuns: 25 },
    );
  });

  it('tells a tone once, as long as it was, when the cut is in the middle of it', () => {
    const { listener: whole, cuts } = hearWhole(SOUND);
    const [, long] = whole.of('tone');
    if (long === undefined) throw new Error('there must be a second tone');
    const inTone = cuts.filter(({ checkpoint: { endMs } }) => {
      return endMs !== null && endMs > long.startMs && endMs < long.startMs + long.durationMs;
    });
    // Longer than the warm-up reaches back: what is known of its beginning is in the checkpoint.
    expect(long.durationMs).toBeGreaterThan(WARM_UP_FRAMES * 20);
    expect(inTone.length).toBeGreaterThanOrEqual(6);
    for (const { checkpoint } of inTone) {
      expect(continueAt(checkpoint, SOUND).of('tone')).toEqual([long]);
    }
  });

  it('shows speech that was open, and ends it with its first start', () => {
    const { listener: whole, cuts } = hearWhole(SOUND);
    const { startMs } = whole.of('speechStarted')[0]!;
    const { checkpoint } = cuts.find((cut) => cut.findings === 2)!;
    const second = new Listener({ firstSequence: before(checkpoint.position), checkpoint });
    expect(second.counters.get('speaking')).toBe(1);
    expect(second.counters.get('speechStartMs') | 0).toBe(Math.round(startMs));
    expect(continueAt(checkpoint, SOUND).findings[0]).toMatchObject({
      kind: 'speechEnded',
      startMs,
    });
  });

  it('counts what is missing before the position apart, and after it as a gap', () => {
    const { cuts } = hearWhole(SOUND);
    const { checkpoint } = cuts[8]!;
    const { position, endMs } = checkpoint;
    const kept = SOUND.filter(isFrom((position + 4) >>> 0));
    const first = before(position);
    const second = new Listener({ firstSequence: first, checkpoint });
    second.hear(...SOUND.filter(isFrom(first)).slice(0, WARM_UP_FRAMES - 5));
    // The host's window lost the rest, on both sides of the position.
    second.pipeline.discarded((position - 5) >>> 0, 9, 0);
    second.hear(...kept).close(CLOSE_MODE.end, NEXT);
    expect(second.of('gap')).toMatchObject([
      { cause: 'discarded', missingFrames: 4, startMs: endMs },
    ]);
    expect(second.counters.get('warmed')).toBe(WARM_UP_FRAMES - 5);
    expect(second.counters.get('warmedMissing')).toBe(5);
    expect(second.counters.lost).toBe(9);
    expectAgreement(second, first);
  });

  it.each([
    ['is lost', (position: number) => position + 25],
    ['is not there', (position: number) => position],
  ])('goes on at the position when all before it %s', (_, firstOf) => {
    const { cuts } = hearWhole(SOUND);
    const { checkpoint } = cuts[3]!;
    const { position, endMs } = checkpoint;
    const first = firstOf(position) >>> 0;
    const second = new Listener({ firstSequence: first, checkpoint });
    const left = SOUND.filter(isFrom(first));
    second.hear(...left);
    const missing = (left[0]!.sequence - position) >>> 0;
    expect(second.counters.get('missing')).toBe(missing);
    expect(second.of('gap')).toMatchObject(
      missing === 0 ? [] : [{ missingFrames: missing, startMs: endMs }],
    );
    expectAgreement(second, position);
  });

  it('has dropped what overflow took, before the position too', () => {
    const { cuts } = hearWhole(SOUND);
    const { checkpoint } = cuts[8]!;
    const first = before(checkpoint.position);
    const left = SOUND.filter(isFrom(first));
    const second = new Listener({ firstSequence: first, checkpoint });
    const next = WARM_UP_FRAMES + 5;
    const overflown = { ...left[next]!, droppedBefore: 20 };
    second.hear(...left.slice(0, next - 20), overflown, ...left.slice(next + 1));
    expect(second.of('gap')).toMatchObject([{ cause: 'overflow', missingFrames: 5 }]);
    expect(second.counters.get('dropped')).toBe(20);
    expect(second.counters.lost).toBe(0);
    expectAgreement(second, first);
  });

  it('warms up once more when its thread dies at it, and goes on as it should', () => {
    const { listener: whole, cuts } = hearWhole(SOUND);
    for (const { checkpoint, findings } of cuts.slice(8)) {
      const first = before(checkpoint.position);
      const left = SOUND.filter(isFrom(first));
      const dead = new Listener({ firstSequence: first, checkpoint }).hear(...left.slice(0, 9));
      expect(dead.findings).toEqual([]);
      const next = new Listener({ shared: dead.shared }).hear(...left.slice(9));
      next.close(CLOSE_MODE.end, NEXT);
      expect(told(next.findings)).toEqual(told(whole.findings).slice(findings));
      expect(next.counters.get('warmed')).toBe(WARM_UP_FRAMES);
      expectAgreement(next, first);
    }
  });

  it('leaves its checkpoint as it was when it is closed before the position', () => {
    const { cuts } = hearWhole(SOUND);
    const { checkpoint } = cuts.at(-8)!;
    const first = before(checkpoint.position);
    const frames = SOUND.filter(isFrom(first)).slice(0, 9);
    const left = new Listener({ firstSequence: first, checkpoint }).hear(...frames);
    left.close(CLOSE_MODE.abandon);
    expect(left.findings).toMatchObject([{ kind: 'closed', endMs: checkpoint.endMs }]);
    expect(left.counters.checkpoint()?.checkpoint).toEqual(checkpoint);
    const ended = new Listener({ firstSequence: first, checkpoint }).hear(...frames);
    ended.pipeline.fail(3);
    ended.pipeline.publish();
    expect(ended.counters.get('speaking')).toBe(0);
    expectAgreement(ended, first);
  });
});

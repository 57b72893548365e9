import { CODEC } from '@earshot/bridge-protocol';
import { generateTone } from '@earshot/dtmf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClosedFinding, Finding, Listening } from '../src/index.js';
import { CLOSE_MODE, FrameRing, StreamRunner } from '../src/index.js';
import type { TestFrame } from './signals.js';
import { join, Listener, room, toFrames, voice } from './signals.js';
import { DAMAGED_PACKET, DTX_PACKET, packet } from './stub-decoders.js';

const SOUND = toFrames(
  join(
    room(200),
    generateTone({ digit: '5', durationMs: 100, sampleRateHz: 16_000 }),
    room(300),
    voice(800),
    room(600),
  ),
);

/** Anything at all as a frame: sequence, time, codec, flags and payload are a peer's whim. */
const whim: fc.Arbitrary<TestFrame> = fc.record({
  sequence: fc.oneof(fc.nat(60), fc.integer({ min: 0, max: 0xffff_ffff })),
  mediaTimeMs: fc.oneof(fc.nat(2000), fc.integer({ min: -1e12, max: 1e12 })),
  codec: fc.constantFrom(CODEC.silence, CODEC.pcm16, CODEC.opus, 99),
  flags: fc.nat(255),
  payload: fc.oneof(
    fc.constantFrom(...SOUND.map((frame) => frame.payload ?? new Uint8Array(0))),
    fc.constantFrom(DTX_PACKET, DAMAGED_PACKET, packet(90), packet(90, 60)),
    fc.uint8Array({ maxLength: 1275 }),
  ),
  droppedBefore: fc.nat(20),
});

/** A meeting's sound with frames lost, damaged, silenced and repeated on the way. */
const fate = fc.constantFrom('kept', 'kept', 'kept', 'lost', 'damaged', 'silent', 'repeated');
const journey: fc.Arbitrary<TestFrame[]> = fc
  .array(fate, { minLength: SOUND.length, maxLength: SOUND.length })
  .map((fates) => SOUND.flatMap((frame, n) => suffer(frame, fates[n] ?? 'kept')));

function suffer(frame: TestFrame, how: string): TestFrame[] {
  switch (how) {
    case 'lost':
      return [];
    case 'damaged':
      return [{ ...frame, payload: new Uint8Array(5) }];
    case 'silent':
      return [{ ...frame, codec: CODEC.silence, payload: new Uint8Array(0) }];
    case 'repeated':
      return [frame, frame];
    default:
      return [frame];
  }
}

function closedOf(findings: readonly Finding[]): ClosedFinding {
  const last = findings.at(-1);
  if (last?.kind !== 'closed') throw new Error('the last finding must be the close');
  return last;
}

function expectConservation(listener: Listener, firstSequence: number): void {
  const { totals } = closedOf(listener.findings);
  expect(totals.framesReceived).toBe(
    totals.framesDecoded + totals.framesSilent + totals.framesCorrupt + totals.framesUnheard,
  );
  const advance = (listener.counters.get('expected') - firstSequence) >>> 0;
  const passed = totals.framesReceived + totals.framesMissing + totals.framesDropped;
  expect(passed >>> 0).toBe(advance);
  const gaps = listener.of('gap');
  expect(totals.gaps).toBe(gaps.length);
  const sumOf = (of: 'missingFrames' | 'concealedFrames', causes: readonly string[]): number =>
    gaps.reduce((sum, gap) => sum + (causes.includes(gap.cause) ? gap[of] : 0), 0);
  expect(sumOf('missingFrames', ['lost', 'discarded']) >>> 0).toBe(totals.framesMissing);
  expect(sumOf('missingFrames', ['overflow'])).toBe(totals.framesDropped);
  expect(sumOf('missingFrames', ['corrupt'])).toBe(totals.framesCorrupt);
  const all = ['lost', 'discarded', 'overflow', 'corrupt'];
  expect(sumOf('concealedFrames', all)).toBe(totals.framesConcealed);
  expect(totals.framesRecovered).toBeLessThanOrEqual(totals.framesConcealed);
  expect(totals).toEqual(listener.counters.totals());
}

function expectPairedSpeech(findings: readonly Finding[]): void {
  let openMs: number | undefined;
  for (const finding of findings) {
    if (finding.kind === 'speechStarted') {
      expect(openMs).toBeUndefined();
      openMs = finding.startMs;
    } else if (finding.kind === 'speechEnded') {
      expect(finding.startMs).toBe(openMs);
      expect(finding.endMs).toBeGreaterThanOrEqual(finding.startMs);
      openMs = undefined;
    }
  }
  expect(openMs).toBeUndefined();
}

describe('a stream', () => {
  it('accounts for every frame slot, whatever a peer sends', () => {
    fc.assert(
      fc.property(
        fc.array(whim, { maxLength: 80 }),
        fc.oneof(fc.nat(10), fc.integer({ min: 0, max: 0xffff_ffff })),
        fc.option(fc.integer({ min: 0, max: 0xffff_ffff }), { nil: undefined }),
        fc.constantFrom(CODEC.pcm16, CODEC.opus),
        fc.constantFrom<Listening>('findings', 'none'),
        (frames, firstSequence, nextSequence, codec, listening) => {
          const listener = new Listener({ firstSequence, codec, listening }).hear(...frames);
          listener.close(CLOSE_MODE.end, nextSequence);
          const { totals } = closedOf(listener.findings);
          expect(totals.framesReceived + totals.framesDuplicate).toBe(frames.length);
          expectConservation(listener, firstSequence);
          expectPairedSpeech(listener.findings);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives the same findings when it is replayed, also with frames sent again', () => {
    fc.assert(
      fc.property(journey, fc.array(fc.nat(100), { maxLength: 5 }), (frames, breaks) => {
        const whole = new Listener().hear(...frames);
        whole.close(CLOSE_MODE.end, SOUND.length);
        const resent = new Listener();
        let from = 0;
        for (const at of [...breaks.map((n) => n % frames.length).sort((a, b) => a - b)]) {
          resent.hear(...frames.slice(from, at));
          from = Math.max(0, at - 7);
        }
        resent.hear(...frames.slice(from));
        resent.close(CLOSE_MODE.end, SOUND.length);
        expect(resent.findings.slice(0, -1)).toEqual(whole.findings.slice(0, -1));
        expectConservation(whole, 0);
        expectConservation(resent, 0);
        expectPairedSpeech(whole.findings);
      }),
      { numRuns: 25 },
    );
  });

  it('gives the same findings through its ring, however the threads take turns', () => {
    fc.assert(
      fc.property(journey, fc.array(fc.integer({ min: 1, max: 30 })), (frames, turns) => {
        const direct = new Listener().hear(...frames);
        direct.close(CLOSE_MODE.end, SOUND.length);

        const shared = FrameRing.allocate(32);
        const writer = new FrameRing(shared);
        const through = new Listener();
        const runner = new StreamRunner({
          ring: new FrameRing(shared),
          pipeline: through.pipeline,
        });
        let turn = 0;
        for (const frame of frames) {
          push(writer, frame);
          if (writer.waiting >= (turns[turn % turns.length] ?? 32)) {
            through.drain(runner, 7 + turn);
            for (let n = 0; writer.waiting > 20 && n < 32; n += 1) through.drain(runner, 5);
            turn += 1;
          }
        }
        writer.close(CLOSE_MODE.end, SOUND.length);
        through.drain(runner);
        expect(runner.finished).toBe(true);
        expect(through.findings).toEqual(direct.findings);
      }),
      { numRuns: 25 },
    );
  });

  it('loses to overflow only what it counts', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 110 }), (busy) => {
        const shared = FrameRing.allocate(4);
        const writer = new FrameRing(shared);
        const listener = new Listener();
        const runner = new StreamRunner({
          ring: new FrameRing(shared),
          pipeline: listener.pipeline,
        });
        SOUND.forEach((frame, n) => {
          push(writer, frame);
          if (busy[n] === false) listener.drain(runner, 3);
        });
        writer.close(CLOSE_MODE.end, SOUND.length);
        listener.drain(runner);
        const { totals } = closedOf(listener.findings);
        expect(totals.framesReceived + totals.framesDropped).toBe(SOUND.length);
        expect(totals.framesMissing).toBe(0);
        expectConservation(listener, 0);
      }),
      { numRuns: 50 },
    );
  });

  it('counts an overflow right before a word of the host', () => {
    const shared = FrameRing.allocate(4);
    const writer = new FrameRing(shared);
    const listener = new Listener();
    const runner = new StreamRunner({ ring: new FrameRing(shared), pipeline: listener.pipeline });
    for (const frame of SOUND.slice(0, 2)) push(writer, frame);
    listener.drain(runner, 4);
    for (const frame of SOUND.slice(2, 6)) push(writer, frame);
    writer.pushDiscarded(6, 1);
    for (const frame of SOUND.slice(7, 10)) push(writer, frame);
    writer.close(CLOSE_MODE.end, 10);
    listener.drain(runner);
    expect(closedOf(listener.findings).totals).toMatchObject({
      framesReceived: 5,
      framesDropped: 4,
      framesMissing: 1,
    });
  });
});

function push(writer: FrameRing, frame: TestFrame): void {
  const payload = frame.payload ?? new Uint8Array(0);
  const { sequence, mediaTimeMs, codec = CODEC.pcm16, flags = 0 } = frame;
  writer.push(sequence, mediaTimeMs, codec, flags, payload, 0, payload.length);
}

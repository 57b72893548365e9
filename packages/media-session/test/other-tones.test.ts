import { CODEC, FLAG } from '@earshot/bridge-protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Finding, StreamIdentity } from '../src/index.js';
import { CLOSE_MODE, findingEvent, parseStreamCheckpoint } from '../src/index.js';
import type { TestFrame } from './signals.js';
import { join, Listener, toFrames, voice } from './signals.js';

const STREAM: StreamIdentity = {
  callId: 'c',
  mediaId: 'm',
  epoch: 1,
  streamId: 1,
  ordinal: 0,
  kind: 'unmixed',
  sourceId: '7',
  codec: 'pcm16',
};

function tone(hz: number, ms: number): Int16Array {
  return Int16Array.from({ length: ms * 16 }, (_, n) =>
    Math.round(5000 * Math.sin((2 * Math.PI * hz * n) / 16_000)),
  );
}

const pause = (ms: number): Int16Array => new Int16Array(ms * 16);

/** A voice, a beep, and busy. */
const SOUND: readonly TestFrame[] = toFrames(
  join(
    voice(600),
    pause(400),
    tone(1000, 400),
    pause(600),
    ...[0, 1, 2].flatMap(() => [tone(425, 500), pause(500)]),
  ),
);
const KINDS = ['beep', 'busy'] as const;

function idsOf(findings: readonly Finding[]): string[] {
  return findings.map((finding) => findingEvent(STREAM, finding).id);
}

describe('other tones', () => {
  it('are told as events of their own kind, with an id of source and media time', () => {
    const listener = new Listener({ tones: KINDS }).hear(...SOUND).close(CLOSE_MODE.end);
    const events = listener.of('otherTone').map((finding) => findingEvent(STREAM, finding));
    expect(events).toMatchObject([
      {
        id: 'c.m.tone.beep.7.1000',
        type: 'tone.detected',
        sourceId: '7',
        data: { kind: 'beep', digit: null, startMs: 1000, durationMs: 400, twistDb: null },
      },
      {
        id: 'c.m.tone.busy.7.2000',
        data: { kind: 'busy', digit: null, startMs: 2000, durationMs: 1500, origin: 'inBand' },
      },
    ]);
  });

  it('are not told when none is asked for', () => {
    const without = new Listener().hear(...SOUND).close(CLOSE_MODE.end);
    expect(without.of('otherTone')).toEqual([]);
  });

  it('are no speech', () => {
    const startsOf = (listener: Listener): number[] =>
      listener.of('speechStarted').map(({ startMs }) => startMs);
    const told = new Listener({ tones: ['sit'] }).hear(...SOUND).close(CLOSE_MODE.end);
    expect(startsOf(told)).toEqual([0]);
    // By its level alone each burst is a short word.
    const without = new Listener().hear(...SOUND).close(CLOSE_MODE.end);
    expect(startsOf(without)).toEqual([0, 1000, 2000, 3000, 4000]);
  });

  it('are asked for, and no more, while the stream goes on', () => {
    const listener = new Listener({ tones: ['busy'] }).hear(...SOUND.slice(0, 80));
    listener.pipeline.listenForTones(['beep']);
    listener.hear(...SOUND.slice(80)).close(CLOSE_MODE.end);
    expect(listener.of('otherTone').map(({ tone }) => tone)).toEqual(['beep']);
    const off = new Listener({ tones: KINDS }).hear(...SOUND.slice(0, 120));
    off.pipeline.listenForTones([]);
    expect(
      off
        .hear(...SOUND.slice(120))
        .of('otherTone')
        .map(({ tone }) => tone),
    ).toEqual(['beep']);
  });

  it('go on elsewhere, from any frame, with the same ids', () => {
    const whole = new Listener({ tones: KINDS }).hear(...SOUND).close(CLOSE_MODE.end);
    fc.assert(
      fc.property(fc.integer({ min: 45, max: SOUND.length - 1 }), (cut) => {
        const before = new Listener({ tones: KINDS }).hear(...SOUND.slice(0, cut));
        const newest = before.counters.checkpoint();
        const checkpoint = parseStreamCheckpoint(JSON.parse(JSON.stringify(newest?.checkpoint)));
        if (newest === undefined || checkpoint === undefined) throw new Error('no checkpoint');
        const told = before.findings.slice(0, newest.findings);
        const first = Math.max(0, checkpoint.position - 40);
        const after = new Listener({ tones: KINDS, firstSequence: first, checkpoint });
        after.hear(...SOUND.slice(first)).close(CLOSE_MODE.end);
        expect(idsOf([...told, ...after.findings])).toEqual(idsOf(whole.findings));
      }),
      { numRuns: 40 },
    );
  });

  it('are heard where pauses are sent as silence, or not at all', () => {
    const isQuiet = ({ payload }: TestFrame): boolean =>
      payload?.every((byte) => byte === 0) ?? true;
    const flagged = SOUND.map((frame) =>
      isQuiet(frame)
        ? { ...frame, codec: CODEC.silence, flags: FLAG.silence, payload: new Uint8Array(0) }
        : frame,
    );
    const left = SOUND.filter((frame) => !isQuiet(frame)).map((frame, sequence) => ({
      ...frame,
      sequence,
    }));
    for (const frames of [flagged, left]) {
      const listener = new Listener({ tones: KINDS }).hear(...frames).close(CLOSE_MODE.end);
      expect(listener.of('otherTone')).toMatchObject([
        { tone: 'beep', startMs: 1000 },
        { tone: 'busy', startMs: 2000 },
      ]);
    }
  });

  it('are bridged over lost frames, and not heard in what was made up', () => {
    const lost = SOUND.filter(({ sequence }) => sequence < 58 || sequence > 60);
    const bridged = new Listener({ tones: KINDS }).hear(...lost).close(CLOSE_MODE.end);
    expect(bridged.of('otherTone')).toMatchObject([
      { tone: 'beep', startMs: 1000, durationMs: 400, acrossGap: true },
      { tone: 'busy' },
    ]);
    const most = SOUND.filter(({ sequence }) => sequence < 55 || sequence > 69);
    const gone = new Listener({ tones: ['beep'] }).hear(...most).close(CLOSE_MODE.end);
    expect(gone.of('otherTone')).toEqual([]);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOSE_MODE } from '../src/frame-ring.js';
import { PCM_RECORD, PcmRecord, PcmRing } from '../src/pcm-ring.js';
import type { UtteranceResume, UtteranceStart } from '../src/utterance-cutter.js';
import { UtteranceCutter } from '../src/utterance-cutter.js';

/** Per frame of 20 ms: speech, silence, or sound that was lost; `_` is time that no frame tells of. */
type Script = string;

interface Cut extends UtteranceStart {
  endMs: number;
  isWhole: boolean;
  frames: number;
  lost: number[];
}

const ONSET_FRAMES = 3;
const HANGOVER_FRAMES = 15;

function sound(ring: PcmRing, ms: number, sequence: number, pcm: Int16Array): void {
  ring.timeMs[0] = ms;
  ring.sound(sequence, pcm);
}

/** Plays a stream as a pipeline does: marks come late, between the frames. */
function play(ring: PcmRing, script: Script, afterEach: () => void): void {
  let spoken = 0;
  let quiet = 0;
  let isSpeaking = false;
  let lastEndMs = 0;
  [...script].forEach((frame, n) => {
    const ms = n * 20;
    if (frame === '_') return;
    if (frame === 's') sound(ring, ms, n + 1, new Int16Array(320).fill(1000 + n));
    else ring.note(frame === 'x' ? PCM_RECORD.lost : PCM_RECORD.silence, ms, 20, n + 1);
    afterEach();
    if (frame === 's') {
      spoken += 1;
      quiet = 0;
      lastEndMs = ms + 20;
      if (!isSpeaking && spoken === ONSET_FRAMES) {
        isSpeaking = true;
        ring.note(PCM_RECORD.speechStarted, ms - (ONSET_FRAMES - 1) * 20, 0, n + 1);
      }
    } else {
      quiet += 1;
      if (!isSpeaking) spoken = 0;
      if (isSpeaking && quiet === HANGOVER_FRAMES) {
        isSpeaking = false;
        spoken = 0;
        ring.note(PCM_RECORD.speechEnded, lastEndMs, 0, n + 1);
      }
    }
    afterEach();
  });
  if (isSpeaking) ring.note(PCM_RECORD.speechEnded, lastEndMs, 0, script.length);
  ring.note(PCM_RECORD.closed, script.length * 20, CLOSE_MODE.end, script.length);
  afterEach();
}

function cut(
  script: Script,
  options: { slots?: number; popAfter?: readonly number[]; endpointMs?: number } = {},
): { cuts: Cut[]; cutter: UtteranceCutter } {
  const { slots = 4096, popAfter = [1], endpointMs = 500 } = options;
  const shared = PcmRing.allocate(slots);
  const writer = new PcmRing(shared);
  const reader = new PcmRing(shared);
  const cuts: Cut[] = [];
  const last = (): Cut => cuts.at(-1)!;
  const cutter = new UtteranceCutter(
    { endpointMs, maxUtteranceMs: 4000 },
    {
      began: (start) => cuts.push({ ...start, endMs: -1, isWhole: false, frames: 0, lost: [] }),
      sound: () => {
        last().frames += 1;
      },
      lost: (startMs) => last().lost.push(startMs),
      ended: (endMs, isWhole) => Object.assign(last(), { endMs, isWhole }),
    },
  );
  const record = new PcmRecord();
  let steps = 0;
  play(writer, script, () => {
    const pops = popAfter[steps++ % popAfter.length]!;
    for (let n = 0; n < pops && reader.pop(record); n += 1) cutter.take(record);
  });
  while (reader.pop(record)) cutter.take(record);
  return { cuts, cutter };
}

type Told = Map<string, { endMs: number; soundFromMs: number; resume: UtteranceResume }>;

function recordsOf(script: Script): PcmRecord[] {
  const shared = PcmRing.allocate(16);
  const reader = new PcmRing(shared);
  const record = new PcmRecord();
  const pcm = new Int16Array(320);
  const records: PcmRecord[] = [];
  play(new PcmRing(shared), script, () => {
    while (reader.pop(record)) records.push({ ...record, pcm });
  });
  return records;
}

/** Cuts for long enough to tell of what ended by then. */
function run(
  records: readonly PcmRecord[],
  resume?: UtteranceResume,
): { told: Told; settledMs: number } {
  const told: Told = new Map();
  let open: UtteranceStart | undefined;
  const cutter = new UtteranceCutter(
    { endpointMs: 500, maxUtteranceMs: 2000 },
    {
      began: (start) => {
        open = start;
      },
      sound: () => {},
      lost: () => {},
      ended: (endMs, _, how) => {
        const { startMs, piece, soundFromMs } = open!;
        told.set(`${startMs} ${piece}`, { endMs, soundFromMs, resume: how });
      },
    },
    resume,
  );
  for (const record of records) cutter.take(record);
  return { told, settledMs: cutter.settledMs };
}

function whole(records: readonly PcmRecord[]): Told {
  return run(records).told;
}

/** One run stops after some records; another goes on, from some records before what was settled. */
function takenOver(records: readonly PcmRecord[], stopAt: number, back: number): Told {
  const first = run(records.slice(0, stopAt));
  const isHeard = ({ kind }: PcmRecord) => kind <= PCM_RECORD.lost;
  const settled = records.filter(
    (record) => isHeard(record) && record.mediaTimeMs + record.durationMs <= first.settledMs,
  );
  const last = settled.at(-1 - back);
  if (last === undefined) return new Map([...first.told, ...whole(records)]);
  const at = records.indexOf(last) + 1;
  const fromMs = last.mediaTimeMs + last.durationMs;
  const within = [...first.told.values()].findLast(
    ({ soundFromMs, resume }) => soundFromMs < fromMs && fromMs <= resume.untilMs,
  );
  // As pipelines do, that go on where another was.
  const mark = Object.assign(new PcmRecord(), {
    kind: PCM_RECORD.speechStarted,
    mediaTimeMs: last.speechStartMs,
  });
  const marks = Number.isNaN(last.speechStartMs) ? [] : [mark];
  const second = run([...marks, ...records.slice(at)], within?.resume);
  return new Map([...first.told, ...second.told]);
}

describe('an utterance', () => {
  it('begins a little before speech, and ends with it', () => {
    const { cuts } = cut(`${'.'.repeat(50)}${'s'.repeat(50)}${'.'.repeat(50)}`);
    expect(cuts).toMatchObject([
      { startMs: 1000, piece: 1, soundFromMs: 700, endMs: 2000, isWhole: true, lost: [] },
    ]);
    // Pre-roll, speech, and the pause that ended it.
    expect(cuts[0]!.frames).toBe(15 + 50 + 25);
  });

  it('goes on across a pause that is shorter than its endpoint, and not across one that is not', () => {
    const short = `${'s'.repeat(50)}${'.'.repeat(20)}${'s'.repeat(50)}`;
    expect(cut(short).cuts).toMatchObject([{ startMs: 0, endMs: 2400 }]);
    const long = `${'s'.repeat(50)}${'.'.repeat(30)}${'s'.repeat(50)}`;
    expect(cut(long).cuts).toMatchObject([
      { startMs: 0, endMs: 1000 },
      { startMs: 1600, soundFromMs: 1500, endMs: 2600 },
    ]);
  });

  it('counts a pause that no frame tells of', () => {
    const { cuts } = cut(`${'s'.repeat(50)}${'.'.repeat(15)}${'_'.repeat(200)}${'s'.repeat(20)}`);
    expect(cuts).toMatchObject([
      { startMs: 0, endMs: 1000 },
      { startMs: 5300, soundFromMs: 5300 },
    ]);
  });

  it('that is too long is cut, and loses nothing', () => {
    const { cuts } = cut(`${'s'.repeat(500)}${'.'.repeat(50)}`);
    expect(cuts).toMatchObject([
      { startMs: 0, piece: 1, soundFromMs: 0, endMs: 4000 },
      { startMs: 0, piece: 2, soundFromMs: 4000, endMs: 8000 },
      { startMs: 0, piece: 3, soundFromMs: 8000, endMs: 10_000 },
    ]);
    expect(cuts.reduce((sum, { frames }) => sum + frames, 0)).toBe(525);
  });

  it('knows what was lost in it', () => {
    const { cuts } = cut(`${'s'.repeat(20)}xx${'s'.repeat(20)}${'.'.repeat(40)}xx`);
    expect(cuts).toMatchObject([{ lost: [400, 420], startMs: 0, endMs: 840 }]);
  });

  it('is not whole when the stream goes on elsewhere', () => {
    const { cutter, cuts } = cut('s'.repeat(1));
    const record = new PcmRecord();
    Object.assign(record, { kind: PCM_RECORD.speechStarted, mediaTimeMs: 0 });
    cutter.take(record);
    expect(cutter.settledMs).toBe(0);
    Object.assign(record, { kind: PCM_RECORD.closed, durationMs: CLOSE_MODE.abandon });
    cutter.take(record);
    expect(cuts).toMatchObject([{ isWhole: false }]);
  });

  it('that was begun elsewhere has a name of its own, from where it is heard', () => {
    const record = new PcmRecord();
    const cuts: UtteranceStart[] = [];
    const cutter = new UtteranceCutter(
      { endpointMs: 500, maxUtteranceMs: 4000 },
      { began: (start) => cuts.push(start), sound: () => {}, lost: () => {}, ended: () => {} },
    );
    const take = (kind: number, mediaTimeMs: number): void => {
      cutter.take(Object.assign(record, { kind, mediaTimeMs, durationMs: 20 }));
    };
    for (let n = 0; n < 40; n += 1) take(PCM_RECORD.sound, 9000 + n * 20);
    take(PCM_RECORD.speechStarted, 3000);
    expect(cuts).toEqual([{ startMs: 9800, piece: 1, soundFromMs: 9800 }]);
  });

  it('ends where the clock is set back, and is not heard of again', () => {
    const record = new PcmRecord();
    const cuts: UtteranceStart[] = [];
    const ends: number[] = [];
    const cutter = new UtteranceCutter(
      { endpointMs: 500, maxUtteranceMs: 4000 },
      {
        began: (start) => cuts.push(start),
        sound: () => {},
        lost: () => {},
        ended: (endMs) => ends.push(endMs),
      },
    );
    const take = (kind: number, mediaTimeMs: number): void => {
      cutter.take(Object.assign(record, { kind, mediaTimeMs, durationMs: 20 }));
    };
    for (let n = 0; n < 10; n += 1) take(PCM_RECORD.sound, 1e9 + n * 20);
    take(PCM_RECORD.speechStarted, 1e9);
    for (let n = 0; n < 10; n += 1) take(PCM_RECORD.sound, n * 20);
    take(PCM_RECORD.speechStarted, 40);
    expect(ends).toEqual([1e9 + 200]);
    expect(cuts.map(({ soundFromMs }) => soundFromMs)).toEqual([1e9, 0]);
  });

  it('does not wait for what others told of when that is further than anything reaches', () => {
    const cuts: UtteranceStart[] = [];
    for (const untilMs of [2 ** 50, Number.POSITIVE_INFINITY, Number.NaN]) {
      const sink = {
        began: (start: UtteranceStart) => cuts.push(start),
        sound: () => {},
        lost: () => {},
        ended: () => {},
      };
      const resume = { untilMs, next: null };
      const cutter = new UtteranceCutter({ endpointMs: 500, maxUtteranceMs: 4000 }, sink, resume);
      const record = new PcmRecord();
      const take = (kind: number, mediaTimeMs: number): void => {
        cutter.take(Object.assign(record, { kind, mediaTimeMs, durationMs: 20 }));
      };
      for (let n = 0; n < 10; n += 1) take(PCM_RECORD.sound, n * 20);
      take(PCM_RECORD.speechStarted, 0);
    }
    expect(cuts).toHaveLength(3);
  });

  it('is never given more than twice its longest, whatever the times are', () => {
    const start = fc.oneof(
      fc.constantFrom(0, 100, -100, 5000, 2 ** 31, -(2 ** 31), 2 ** 60, -(2 ** 60), 1e15),
      fc.double({ min: -1e9, max: 1e9, noNaN: true }),
    );
    interface Run {
      readonly startMs: number;
      readonly stepMs: number;
      readonly frames: number;
      readonly kind: number;
      readonly speechStartMs: number;
      readonly droppedBefore: number;
      readonly markMs: number;
      readonly mark: number;
    }
    const run: fc.Arbitrary<Run> = fc.record({
      startMs: start,
      stepMs: fc.constantFrom(20, 20, 20, 10, 0, -20, 400),
      frames: fc.integer({ min: 1, max: 500 }),
      kind: fc.constantFrom(PCM_RECORD.sound, PCM_RECORD.sound, PCM_RECORD.silence),
      speechStartMs: fc.option(start, { nil: Number.NaN }),
      droppedBefore: fc.constantFrom(0, 0, 3),
      markMs: start,
      mark: fc.constantFrom(PCM_RECORD.speechStarted, PCM_RECORD.speechEnded),
    });
    const plain = { kind: PCM_RECORD.sound, speechStartMs: Number.NaN, droppedBefore: 0 };
    const mark = PCM_RECORD.speechStarted;
    // Times that a frame does not move, and one that leaps before speech is told of.
    const sticking = [{ ...plain, startMs: -(2 ** 60), stepMs: 0, frames: 500, markMs: 0, mark }];
    const leaping = [
      { ...plain, startMs: 0, stepMs: 400, frames: 44, markMs: 0, mark: PCM_RECORD.speechEnded },
      { ...plain, startMs: 2 ** 31, stepMs: 20, frames: 300, markMs: 0, mark },
    ];
    fc.assert(
      fc.property(fc.array(run, { minLength: 1, maxLength: 6 }), (runs) => {
        let frames = 0;
        const cutter = new UtteranceCutter(
          { endpointMs: 500, maxUtteranceMs: 4000 },
          {
            began: () => {
              frames = 0;
            },
            sound: () => {
              frames += 1;
              if (frames > 600) throw new Error('an utterance must end');
            },
            lost: () => {},
            ended: () => {},
          },
        );
        const record = new PcmRecord();
        for (const { startMs, stepMs, mark, markMs, ...rest } of runs) {
          for (let n = 0; n < rest.frames; n += 1) {
            const droppedBefore = n === 0 ? rest.droppedBefore : 0;
            const { kind, speechStartMs } = rest;
            const mediaTimeMs = startMs + n * stepMs;
            cutter.take(
              Object.assign(record, {
                kind,
                mediaTimeMs,
                durationMs: 20,
                speechStartMs,
                droppedBefore,
              }),
            );
            if (n !== 3) continue;
            cutter.take(
              Object.assign(record, {
                kind: mark,
                mediaTimeMs: markMs,
                durationMs: 0,
                droppedBefore: 0,
              }),
            );
          }
        }
      }),
      { numRuns: 60, examples: [[sticking], [leaping]] },
    );
  });

  it('is the same however many records its reader takes at a time', () => {
    const run = fc.tuple(fc.constantFrom('s', '.', 'x', '_'), fc.integer({ min: 1, max: 60 }));
    fc.assert(
      fc.property(
        fc.array(run, { minLength: 1, maxLength: 20 }),
        fc.array(fc.nat(40), { minLength: 1, maxLength: 8 }),
        (runs, popAfter) => {
          const script = runs.map(([frame, times]) => frame.repeat(times)).join('');
          expect(cut(script, { popAfter }).cuts).toEqual(cut(script).cuts);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('is the same wherever another run takes over', () => {
    const run = fc.tuple(fc.constantFrom('s', '.', 'x', '_'), fc.integer({ min: 1, max: 60 }));
    // Longer than an utterance may be.
    const monologue = fc.tuple(fc.constant('s'), fc.integer({ min: 100, max: 300 }));
    fc.assert(
      fc.property(
        fc.array(fc.oneof(run, monologue), { minLength: 1, maxLength: 12 }),
        fc.nat({ max: 1000 }),
        fc.nat({ max: 20 }),
        (runs, permille, back) => {
          const script = runs.map(([frame, times]) => frame.repeat(times)).join('');
          const records = recordsOf(script);
          const stopAt = Math.floor((records.length * permille) / 1000);
          expect(takenOver(records, stopAt, back)).toEqual(whole(records));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('survives that marks are dropped, with what is lost counted as lost', () => {
    // The reader sleeps while speech begins and ends again.
    const script = `${'.'.repeat(10)}${'s'.repeat(40)}${'.'.repeat(60)}${'s'.repeat(20)}`;
    const { cuts } = cut(script, { slots: 16, popAfter: [0] });
    expect(cuts).toHaveLength(1);
    expect(cuts[0]).toMatchObject({ startMs: 2200, soundFromMs: 2200, endMs: 2600, lost: [2200] });
  });
});

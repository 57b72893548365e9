import { CLOSE_MODE, PCM_RECORD, PcmRing } from '@earshot/media-session';
import type { Recognizer, RecognizerSession } from '@earshot/recognition';
import { describe, expect, it } from 'vitest';
import type { ListenTask, RecognizerReport } from '../src/recognition/recognition-messages.js';
import { RecognizerHost } from '../src/recognition/recognizer-host.js';
import { PLAIN_DICTATION } from './plain-dictation.js';

const TASK: ListenTask = {
  task: { kind: 'dictation', partials: true },
  language: 'en-US',
  engines: null,
  endpointMs: 500,
  maxUtteranceMs: 20_000,
};

/** Nothing was told of the stream before. */
const ANEW = { resumes: [], known: [] };

/** More than any of these tests takes. */
const MOST_TURNS = 1_000_000;

const SPOKEN_FRAMES = 100;
const PAUSE_FRAMES = 50;
const ROUND_FRAMES = SPOKEN_FRAMES + PAUSE_FRAMES;

type Finished = Extract<RecognizerReport, { kind: 'finished' }>;

interface Speaker {
  readonly ring: PcmRing;
  /** Frames later than the first one. */
  readonly offset: number;
}

/**
 * A recognizer host on a clock that stands still but for what its recognizer takes: `factor` of the
 * time of the sound. Speakers talk for 2 s and pause for 1 s, by the same clock.
 */
class Bench {
  readonly reports: RecognizerReport[] = [];
  readonly host: RecognizerHost;
  readonly #speakers: Speaker[] = [];
  nowMs = 0;
  #spokenMs = 0;
  mostSessions = 0;

  constructor(factor: number, speakers: number, limits = { backlogMs: 4000, maxSessions: 8 }) {
    this.host = new RecognizerHost({
      recognizers: { recognizerFor: () => recognizer, close: async () => {} },
      limits,
      nowMs: () => this.nowMs,
      after: () => () => {},
      wake: () => {},
      post: (report) => this.reports.push(report),
      worksFor: () => {},
    });
    const recognizer = this.#recognizer(factor);
    for (let handle = 0; handle < speakers; handle += 1) {
      const ring = PcmRing.allocate(4096);
      this.host.listen({ kind: 'listen', handle, ring, tasks: [TASK], eager: false, ...ANEW });
      this.#speakers.push({ ring: new PcmRing(ring), offset: handle * 40 });
    }
  }

  get finished(): Finished[] {
    return this.reports.filter((report): report is Finished => report.kind === 'finished');
  }

  outcomes(): string[] {
    return this.finished.map(({ outcome }) =>
      outcome.kind === 'skipped' ? outcome.reason : outcome.kind,
    );
  }

  /** Lets people speak for so long, while the host works. */
  async run(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    while (this.nowMs < untilMs) {
      for (; this.#spokenMs < this.nowMs; this.#spokenMs += 20) this.#speak(this.#spokenMs / 20);
      const before = this.nowMs;
      await this.#turn();
      if (this.nowMs === before) this.nowMs += 20;
    }
  }

  /** Everybody hangs up; resolves once all is told of. */
  async end(): Promise<void> {
    for (const { ring } of this.#speakers) ring.note(PCM_RECORD.closed, 0, CLOSE_MODE.end, 0);
    // Counted: what waits for promises alone lets no time limit of a test come due.
    for (let turns = 0; this.host.streams > 0; turns += 1) {
      if (turns === MOST_TURNS) throw new Error('all that was said must be told of');
      await this.#turn();
    }
  }

  async #turn(): Promise<void> {
    this.host.turn();
    // What recognizers promised.
    for (let n = 0; n < 8; n += 1) await Promise.resolve();
  }

  #speak(frame: number): void {
    for (const { ring, offset } of this.#speakers) {
      const at = (frame + offset) % ROUND_FRAMES;
      if (at === 3) ring.note(PCM_RECORD.speechStarted, (frame - 3) * 20, 0, frame);
      if (at === SPOKEN_FRAMES + 15) {
        ring.note(PCM_RECORD.speechEnded, (frame - 15) * 20, 0, frame);
      }
      if (at < SPOKEN_FRAMES) {
        ring.timeMs[0] = frame * 20;
        ring.sound(frame, new Int16Array(320).fill(500));
      } else ring.note(PCM_RECORD.silence, frame * 20, 20, frame);
    }
  }

  #recognizer(factor: number): Recognizer {
    let sessions = 0;
    const open = (options: Parameters<Recognizer['open']>[0]): RecognizerSession => {
      let isOpen = true;
      sessions += 1;
      this.mostSessions = Math.max(this.mostSessions, sessions);
      const result = (kind: 'partial' | 'final') => ({
        kind,
        engine: 'test',
        text: 'words',
        startMs: 0,
        endMs: 0,
        words: [],
        confidence: null,
        language: 'en-US',
      });
      return {
        backlogMs: 0,
        push: (pcm) => {
          this.nowMs += (pcm.length / 16) * factor;
          const { task } = options;
          if (task.kind === 'dictation' && task.partials) options.onResult(result('partial'));
        },
        gap: () => {},
        endUtterance: async () => options.onResult(result('final')),
        restart: () => {},
        close: async () => {
          if (isOpen) sessions -= 1;
          isOpen = false;
        },
      };
    };
    return {
      name: 'test',
      capabilities: { ...PLAIN_DICTATION, partials: true },
      open: async (options) => open(options),
      close: async () => {},
    };
  }
}

describe('a recognizer thread', () => {
  it('that keeps up recognizes all, with partials', async () => {
    const bench = new Bench(0.1, 4);
    await bench.run(30_000);
    await bench.end();
    expect(new Set(bench.outcomes())).toEqual(new Set(['recognized']));
    expect(bench.outcomes().length).toBeGreaterThanOrEqual(4 * 9);
    expect(bench.finished.every(({ partials }) => partials > 0)).toBe(true);
  });

  it('that is given too much for a while lets it wait, without partials, and skips nothing', async () => {
    const bench = new Bench(0.4, 4, { backlogMs: 20_000, maxSessions: 8 });
    await bench.run(30_000);
    await bench.end();
    expect(new Set(bench.outcomes())).toEqual(new Set(['recognized']));
    expect(bench.finished.some(({ partials }) => partials === 0)).toBe(true);
    const load = bench.reports.findLast((report) => report.kind === 'load');
    expect(load?.load.timesPartialsOff).toBeGreaterThan(0);
  });

  it('that is given far too much skips whole utterances, and tells of each', async () => {
    const bench = new Bench(1.2, 6);
    await bench.run(60_000);
    await bench.end();
    const began = bench.reports.filter(({ kind }) => kind === 'began').length;
    const outcomes = bench.outcomes();
    expect(outcomes).toHaveLength(began);
    const skipped = outcomes.filter((outcome) => outcome === 'overCapacity').length;
    expect(skipped).toBeGreaterThan(began / 3);
    expect(outcomes.filter((outcome) => outcome === 'recognized').length).toBeGreaterThan(10);
    // What waits is bounded: nobody is recognized much later than the bound.
    const loads = bench.reports.flatMap((report) => (report.kind === 'load' ? [report.load] : []));
    expect(Math.max(...loads.map(({ backlogMs }) => backlogMs))).toBeLessThan(20_000);
  });

  it('has no more sessions than it may have, and others wait for one', async () => {
    const bench = new Bench(0.05, 6, { backlogMs: 30_000, maxSessions: 2 });
    await bench.run(30_000);
    await bench.end();
    expect(bench.mostSessions).toBe(2);
    expect(new Set(bench.outcomes())).toEqual(new Set(['recognized']));
  });

  it('tells how far a stream is only when all before is told', async () => {
    const bench = new Bench(0.3, 2);
    await bench.run(20_000);
    await bench.end();
    const openAt = new Map<string, number>();
    for (const report of bench.reports) {
      if (report.kind === 'began' || report.kind === 'finished') {
        const key = `${report.handle} ${report.utterance.startMs}`;
        if (report.kind === 'began') openAt.set(key, report.utterance.soundFromMs);
        else openAt.delete(key);
      }
      if (report.kind !== 'settled') continue;
      const open = [...openAt].filter(([key]) => key.startsWith(`${report.handle} `));
      for (const [, soundFromMs] of open) expect(report.beforeMs).toBeLessThanOrEqual(soundFromMs);
    }
    expect(openAt.size).toBe(0);
  });
});

describe('a stream in virtual time', () => {
  const SPEECH_MS = 18_000;

  /** Somebody talks for long, and the host waits for each frame to be taken out of a small ring. */
  async function hear(recognizerFor: () => Recognizer | undefined): Promise<Finished[]> {
    const reports: RecognizerReport[] = [];
    let nowMs = 0;
    const host = new RecognizerHost({
      recognizers: { recognizerFor, close: async () => {} },
      limits: { backlogMs: 4000, maxSessions: 8 },
      nowMs: () => nowMs,
      after: () => () => {},
      wake: () => {},
      post: (report) => reports.push(report),
      worksFor: () => {},
    });
    const shared = PcmRing.allocate(64);
    const ring = new PcmRing(shared);
    host.listen({ kind: 'listen', handle: 1, ring: shared, tasks: [TASK], eager: true, ...ANEW });
    const turn = async (): Promise<void> => {
      nowMs += 1;
      host.turn();
      for (let n = 0; n < 8; n += 1) await Promise.resolve();
    };
    for (let frame = 0; frame < SPEECH_MS / 20; frame += 1) {
      for (let turns = 0; ring.waiting > 8; turns += 1) {
        if (turns > 10_000) throw new Error(`the stream stands still at ${frame * 20} ms`);
        await turn();
      }
      ring.timeMs[0] = frame * 20;
      ring.sound(frame, new Int16Array(320).fill(500));
      if (frame === 3) ring.note(PCM_RECORD.speechStarted, 0, 0, frame);
    }
    ring.note(PCM_RECORD.speechEnded, SPEECH_MS, 0, 0);
    ring.note(PCM_RECORD.closed, SPEECH_MS, CLOSE_MODE.end, 0);
    for (let turns = 0; host.streams > 0; turns += 1) {
      if (turns > 10_000) throw new Error('the stream must end');
      await turn();
    }
    return reports.filter((report): report is Finished => report.kind === 'finished');
  }

  function recognizer(open: Recognizer['open']): Recognizer {
    return {
      name: 'test',
      capabilities: PLAIN_DICTATION,
      open,
      close: async () => {},
    };
  }

  it('goes on while a recognizer waits for the end of a long utterance', async () => {
    let backlogMs = 0;
    const [finished, ...others] = await hear(() =>
      recognizer(async () => ({
        get backlogMs() {
          return backlogMs;
        },
        push: (pcm) => {
          backlogMs += pcm.length / 16;
        },
        gap: () => {},
        endUtterance: async () => {
          backlogMs = 0;
        },
        restart: () => {},
        close: async () => {},
      })),
    );
    expect(others).toEqual([]);
    expect(finished).toMatchObject({ outcome: { kind: 'recognized' }, endMs: SPEECH_MS });
  });

  const failed = { outcome: { kind: 'skipped', reason: 'engineFailed' }, endMs: SPEECH_MS };

  it('goes on where nobody can recognize it, and tells of it in whole', async () => {
    expect(await hear(() => undefined)).toMatchObject([failed]);
    const refusing = recognizer(() => Promise.reject(new Error('nobody is there')));
    expect(await hear(() => refusing)).toMatchObject([failed]);
  });

  it('goes on where a recognizer cannot even be made', async () => {
    const finished = await hear(() => {
      throw new RangeError('must have a region');
    });
    expect(finished).toMatchObject([failed]);
  });
});

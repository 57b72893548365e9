import { CLOSE_MODE, PCM_RECORD, PcmRing } from '@earshot/media-session';
import type { Recognizer, RecognizerResult } from '@earshot/recognition';
import { describe, expect, it } from 'vitest';
import type { ListenTask, RecognizerReport } from '../src/recognition/recognition-messages.js';
import { RecognizerHost } from '../src/recognition/recognizer-host.js';
import { PLAIN_DICTATION } from './plain-dictation.js';

const TASK: ListenTask = {
  task: { kind: 'dictation', partials: false },
  language: 'en-US',
  engines: null,
  endpointMs: 500,
  maxUtteranceMs: 20_000,
};

const SPOKEN_FRAMES = 200;
const FRAMES = 260;

/** What was told of one utterance. */
interface Told {
  readonly startMs: number;
  readonly piece: number;
  readonly endMs: number;
  readonly text: string;
}

/** Understands how much sound it is given, ms. */
const measuring: Recognizer = {
  name: 'measuring',
  capabilities: PLAIN_DICTATION,
  async open({ onResult, language, startMs }) {
    let samples = 0;
    return {
      backlogMs: 0,
      push: (pcm) => {
        samples += pcm.length;
      },
      gap: () => {},
      async endUtterance() {
        const shared = { engine: 'measuring', words: [], confidence: null, language };
        const times = { startMs, endMs: startMs };
        const final: RecognizerResult = {
          kind: 'final',
          text: `${samples / 16}`,
          ...times,
          ...shared,
        };
        onResult(final);
      },
      restart: () => {
        samples = 0;
      },
      close: async () => {},
    };
  },
  close: async () => {},
};

/** One worker that hears somebody talk for 4 s, on a clock that is the test's. */
class Worker {
  readonly told: Told[] = [];
  readonly host: RecognizerHost;
  readonly #ring: PcmRing;
  #nowMs = 0;

  constructor() {
    this.host = new RecognizerHost({
      recognizers: { recognizerFor: () => measuring, close: async () => {} },
      limits: { backlogMs: 4000, maxSessions: 8 },
      nowMs: () => this.#nowMs,
      after: () => () => {},
      wake: () => {},
      post: (report) => this.#take(report),
      worksFor: () => {},
    });
    const ring = PcmRing.allocate(1024);
    this.#ring = new PcmRing(ring);
    const anew = { resumes: [], known: [] };
    this.host.listen({ kind: 'listen', handle: 1, ring, tasks: [TASK], eager: false, ...anew });
  }

  /** Hears frames as they are spoken. */
  async hear(from: number, to: number): Promise<void> {
    const ring = this.#ring;
    for (let frame = from; frame < to; frame += 1) {
      const ms = frame * 20;
      ring.timeMs[0] = ms;
      if (frame < SPOKEN_FRAMES) ring.sound(frame, new Int16Array(320).fill(500));
      else ring.note(PCM_RECORD.silence, ms, 20, frame);
      if (frame === 3) ring.note(PCM_RECORD.speechStarted, 0, 0, frame);
      if (frame === SPOKEN_FRAMES + 15) {
        ring.note(PCM_RECORD.speechEnded, SPOKEN_FRAMES * 20, 0, frame);
      }
      await this.#pass(20);
    }
  }

  /** Nothing comes for so long. */
  async wait(ms: number): Promise<void> {
    for (let passedMs = 0; passedMs < ms; passedMs += 100) await this.#pass(100);
  }

  async end(mode: number): Promise<void> {
    this.#ring.note(PCM_RECORD.closed, 0, mode, 0);
    for (let turns = 0; this.host.streams > 0; turns += 1) {
      if (turns > 1000) throw new Error('the stream must end');
      await this.#pass(20);
    }
  }

  async #pass(ms: number): Promise<void> {
    this.#nowMs += ms;
    this.host.turn();
    // What recognizers promised.
    for (let n = 0; n < 8; n += 1) await Promise.resolve();
  }

  #take(report: RecognizerReport): void {
    if (report.kind !== 'finished' || report.outcome.kind !== 'recognized') return;
    const { utterance, endMs, outcome } = report;
    const text = outcome.finals.map((final) => final.text).join(' ');
    this.told.push({ startMs: utterance.startMs, piece: utterance.piece, endMs, text });
  }
}

/** Of several workers' tellings, what consumers are given: the first of each id. */
function delivered(...workers: readonly Worker[]): Told[] {
  const byId = new Map<string, Told>();
  for (const told of workers.flatMap((worker) => worker.told)) {
    const id = `${told.startMs} ${told.piece}`;
    if (!byId.has(id)) byId.set(id, told);
  }
  return [...byId.values()];
}

async function undisturbed(): Promise<Told[]> {
  const worker = new Worker();
  await worker.hear(0, FRAMES);
  await worker.end(CLOSE_MODE.end);
  expect(worker.told).toHaveLength(1);
  return worker.told;
}

describe('an utterance in the middle of which the link is away for long', () => {
  it('is one utterance when its host comes back to the worker', async () => {
    const worker = new Worker();
    await worker.hear(0, 100);
    await worker.wait(10_000);
    await worker.hear(100, FRAMES);
    await worker.end(CLOSE_MODE.end);
    expect(worker.told).toEqual(await undisturbed());
  });

  it('is told in whole by the worker that takes the call over, and by no other', async () => {
    const [first, second] = [new Worker(), new Worker()];
    await first.hear(0, 50);
    await first.wait(10_000);
    // All of it is sent again: it is not told of yet.
    await second.hear(0, FRAMES);
    await first.end(CLOSE_MODE.abandon);
    await second.end(CLOSE_MODE.end);
    expect(delivered(first, second)).toEqual(await undisturbed());
  });

  it('does not wait for a source of which its host sends nothing', async () => {
    const worker = new Worker();
    await worker.hear(0, 100);
    await worker.wait(2400);
    worker.host.stalled(1);
    await worker.wait(100);
    expect(worker.told).toEqual([]);
    worker.host.stalled(1);
    await worker.wait(100);
    expect(worker.told).toMatchObject([{ startMs: 0, piece: 1, endMs: 2000, text: '2000' }]);
  });

  it('is told as far as it was heard when nobody comes back', async () => {
    const worker = new Worker();
    await worker.hear(0, 100);
    await worker.wait(10_000);
    await worker.end(CLOSE_MODE.end);
    expect(worker.told).toMatchObject([{ startMs: 0, piece: 1, endMs: 2000, text: '2000' }]);
  });
});

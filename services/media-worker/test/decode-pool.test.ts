import { VirtualClock } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { CODEC } from '@earshot/bridge-protocol';
import type { ClosedFinding, Finding } from '@earshot/media-session';
import { CLOSE_MODE, parseStreamCheckpoint, WARM_UP_FRAMES } from '@earshot/media-session';
import { afterEach, describe, expect, it } from 'vitest';
import type { DecodePoolOptions, DecodeStream, OpenStreamOptions } from '../dist/decode-pool.js';
// The threads are files of their own, so these tests run what was built.
import { DecodePool } from '../dist/decode-pool.js';
import { nowMicros } from '../dist/thread-clock.js';
import { encode, join, silence, voice } from './sound.js';

const SILENT_LOG = { debug() {}, info() {}, warn() {}, error() {} };
const PACKETS = encode(join(silence(300), voice(1500), silence(200)));

let pool: DecodePool;
let over = new AbortController();

afterEach(async () => {
  over.abort();
  over = new AbortController();
  await pool.close();
});

async function start(options: Partial<DecodePoolOptions> = {}): Promise<DecodePool> {
  pool = await DecodePool.start({
    threads: 1,
    ringFrames: 128,
    maxStreams: 8,
    opusEngine: 'wasm',
    speechModel: 'silero',
    clock: systemClock,
    log: SILENT_LOG,
    onProgress() {},
    ...options,
  });
  return pool;
}

/** A stream of the pool with what was found in it. */
class Sender {
  readonly findings: Finding[] = [];
  readonly closed: Promise<ClosedFinding>;
  readonly stream: DecodeStream;
  sequence = 0;

  constructor(options: Partial<OpenStreamOptions> = {}) {
    let resolve: (finding: ClosedFinding) => void = () => {};
    this.closed = new Promise((settle) => {
      resolve = settle;
    });
    this.stream = pool.openStream({
      firstSequence: 0,
      codec: CODEC.opus,
      eager: false,
      onFinding: (finding) => {
        this.findings.push(finding);
        if (finding.kind === 'closed') resolve(finding);
      },
      ...options,
    });
  }

  /** The next frame, over and over from the same sound. */
  send(packets: readonly Uint8Array[] = PACKETS): void {
    const packet = packets[this.sequence % packets.length]!;
    const mediaTimeMs = this.sequence * 20;
    const { ring } = this.stream;
    const stamp = nowMicros();
    ring.push(this.sequence, mediaTimeMs, CODEC.opus, 0, packet, 0, packet.length, stamp);
    this.stream.touch();
    this.sequence += 1;
  }

  close(): Promise<ClosedFinding> {
    this.stream.close(CLOSE_MODE.end, this.sequence);
    return this.closed;
  }
}

/** Lets threads and messages have their way. */
function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Resolves when `condition` holds; rejects once the test is over. */
async function until(condition: () => boolean): Promise<void> {
  const { signal } = over;
  while (!condition()) {
    signal.throwIfAborted();
    await breathe();
  }
}

describe('a decode thread that dies', () => {
  it('in the middle of a batch leaves numbers that agree, to the frame', async () => {
    await start();
    const senders = Array.from({ length: 6 }, () => new Sender());
    const deaths = 5;
    for (let death = 0; death < deaths; death += 1) {
      await until(() => pool.restarts === death);
      for (let burst = 0; burst < 20; burst += 1) {
        for (let n = 0; n < 6; n += 1) for (const sender of senders) sender.send();
        pool.ringDoorbells();
        // Somewhere within the work that the bell began, and another place each time.
        if (burst === 8 + death) pool.threads[0]!.terminate();
        await breathe();
      }
    }
    await until(() => pool.restarts === deaths);
    const closed = await Promise.all(senders.map((sender) => sender.close()));
    let missing = 0;
    for (const [index, { totals }] of closed.entries()) {
      const { framesReceived, framesMissing, framesDropped } = totals;
      const { findings, sequence } = senders[index]!;
      expect(framesReceived + framesMissing + framesDropped).toBe(sequence);
      expect(framesReceived).toBe(
        totals.framesDecoded + totals.framesSilent + totals.framesCorrupt,
      );
      const gaps = findings.filter((finding) => finding.kind === 'gap');
      const told = gaps.reduce((sum, gap) => sum + gap.missingFrames, 0);
      expect(told).toBe(framesMissing + framesDropped);
      missing += framesMissing;
    }
    // At most the batch that it was at, each time.
    expect(missing).toBeLessThanOrEqual(deaths * 32);
    expect(pool.streams).toBe(0);
  });

  it('costs no finding that was found before: its settled position can be reached', async () => {
    await start();
    const sender = new Sender();
    for (let n = 0; n < PACKETS.length; n += 1) sender.send();
    pool.ringDoorbells();
    await until(() => sender.stream.counters.get('received') === PACKETS.length);
    pool.threads[0]!.terminate();
    await until(() => pool.restarts === 1);
    for (let n = 0; n < 50; n += 1) sender.send();
    const { totals } = await sender.close();
    expect(totals.framesReceived).toBe(PACKETS.length + 50);
    const { counters } = sender.stream;
    const found = sender.findings.filter(({ kind }) => kind !== 'closed').length;
    expect(found).toBeGreaterThanOrEqual(counters.get('settledFindings'));
  });
});

describe('the watch over decode threads', () => {
  const hanging = new URL('./hanging-thread.mjs', import.meta.url);

  /** Moves time on until the thread was replaced; returns how far. */
  async function untilReplaced(clock: VirtualClock): Promise<number> {
    const startMs = clock.nowMs();
    await until(() => {
      clock.advance(100);
      return pool.restarts > 0;
    });
    return clock.nowMs() - startMs;
  }

  it('replaces one that stands still with work waiting, and its streams go on', async () => {
    const clock = new VirtualClock();
    await start({ clock, entry: hanging });
    const sender = new Sender();
    for (let n = 0; n < PACKETS.length; n += 1) sender.send();
    pool.ringDoorbells();
    expect(pool.oldestFrameMs()).toBeGreaterThan(0);
    // Told while it hangs: for readiness, long before it is replaced.
    pool.stillMs();
    clock.advance(1000);
    expect(pool.stillMs()).toBeGreaterThanOrEqual(1000);
    // Twice looked at, 5 s apart, and the pause before the replacement.
    expect(await untilReplaced(clock)).toBeGreaterThanOrEqual(4050);
    const { totals } = await sender.close();
    expect(pool.stillMs()).toBe(0);
    expect(pool.oldestFrameMs()).toBe(0);
    expect(pool.engine.version).toContain('libopus');
    expect(totals).toMatchObject({ framesReceived: PACKETS.length, framesMissing: 0 });
    expect(sender.findings.some(({ kind }) => kind === 'speechStarted')).toBe(true);
  });

  it('lets one be that has nothing to do, or does it', async () => {
    const clock = new VirtualClock();
    await start({ clock });
    const sender = new Sender();
    for (let beat = 0; beat < 5; beat += 1) {
      sender.send();
      pool.ringDoorbells();
      await until(() => sender.stream.counters.get('received') === sender.sequence);
      await until(() => pool.threads.every((thread) => thread.answered));
      clock.advance(5000);
    }
    clock.advance(60_000);
    await breathe();
    expect(pool.restarts).toBe(0);
    expect((await sender.close()).totals.framesReceived).toBe(5);
  });
});

describe('a stream that another worker left', () => {
  const SPEECH = encode(join(silence(300), voice(4000), silence(700)));

  function sendAll(sender: Sender, until: number): void {
    while (sender.sequence < until) sender.send(SPEECH);
    pool.ringDoorbells();
  }

  it('goes on at the checkpoint, in the middle of speech, with the same findings', async () => {
    await start({ ringFrames: 512 });
    const whole = new Sender();
    sendAll(whole, SPEECH.length);
    await whole.close();
    const cut = new Sender();
    sendAll(cut, 123);
    await until(() => cut.stream.checkpoint()?.position === 120);
    const checkpoint = parseStreamCheckpoint(JSON.parse(JSON.stringify(cut.stream.checkpoint())));
    expect(cut.stream.counters.get('speaking')).toBe(1);
    await pool.close();

    await start({ ringFrames: 512 });
    const firstSequence = 120 - WARM_UP_FRAMES;
    const next = new Sender({ firstSequence, ...(checkpoint === undefined ? {} : { checkpoint }) });
    next.sequence = firstSequence;
    expect(next.stream.checkpoint()).toEqual(checkpoint);
    sendAll(next, SPEECH.length);
    const { totals } = await next.close();
    expect(totals.framesReceived).toBe(SPEECH.length - 120);
    expect(next.stream.counters.get('warmed')).toBe(WARM_UP_FRAMES);
    const told = ({ findings }: Sender): Finding[] =>
      findings.filter(({ kind }) => kind !== 'closed');
    const [started, ended] = told(whole);
    expect(told(cut)).toEqual([started]);
    expect(told(next)).toEqual([ended]);
  });

  it('has no checkpoint before the findings up to it were handed on', async () => {
    await start({ ringFrames: 512 });
    const sender = new Sender();
    let before = 0;
    while (sender.sequence < SPEECH.length) {
      sendAll(sender, sender.sequence + 3);
      const checkpoint = sender.stream.checkpoint();
      if (checkpoint === undefined) {
        await breathe();
        continue;
      }
      expect(checkpoint.position).toBeGreaterThanOrEqual(before);
      expect(checkpoint.position).toBeLessThanOrEqual(sender.stream.counters.get('expected'));
      before = checkpoint.position;
      const spoke = sender.findings.some(({ kind }) => kind === 'speechStarted');
      // The speech of this sound begins before frame 40, and is found before frame 60.
      if (before >= 60) expect(spoke).toBe(true);
      await breathe();
    }
    await sender.close();
    expect(sender.stream.checkpoint()?.position).toBeGreaterThan(SPEECH.length - 6);
  });
});

describe('a pool', () => {
  it.each(['wasm', 'opusscript'] as const)('decodes with %s, and says so', async (opusEngine) => {
    await start({ opusEngine });
    expect(pool.engine).toEqual({ name: opusEngine, version: expect.stringContaining('libopus') });
    const sender = new Sender();
    for (let n = 0; n < PACKETS.length; n += 1) sender.send();
    const { totals } = await sender.close();
    expect(totals).toMatchObject({ framesReceived: PACKETS.length, framesCorrupt: 0 });
    expect(sender.findings.some(({ kind }) => kind === 'speechStarted')).toBe(true);
  });

  it('does not start without its engine, and says which', async () => {
    const entry = new URL('./engineless-thread.mjs', import.meta.url);
    await expect(start({ threads: 2, opusEngine: 'native', entry })).rejects.toMatchObject({
      code: 'opus_engine_unavailable',
      message: expect.stringContaining('Cannot load the Opus engine native'),
    });
    await start();
  });

  it('passes on without listening where nobody wants to know', async () => {
    await start();
    const sender = new Sender({ listening: 'none' });
    for (let n = 0; n < 100; n += 1) sender.send();
    sender.sequence += 2;
    const { totals } = await sender.close();
    expect(totals).toMatchObject({ framesReceived: 100, framesDecoded: 0, framesMissing: 2 });
    expect(totals.framesUnheard + totals.framesSilent).toBe(100);
    expect(sender.findings.map(({ kind }) => kind)).toEqual(['gap', 'closed']);
  });

  it('knows how long frames took', async () => {
    await start({ threads: 2 });
    const senders = [new Sender(), new Sender()];
    const startMicros = nowMicros();
    for (const sender of senders) for (let n = 0; n < 50; n += 1) sender.send();
    await Promise.all(senders.map((sender) => sender.close()));
    const latencies = pool.latencies();
    const mostMicros = (nowMicros() - startMicros) | 0;
    expect(latencies.count).toBe(100);
    expect(latencies.quantileMs(0.5)).toBeGreaterThan(0);
    expect(latencies.sumMicros).toBeLessThanOrEqual(100 * mostMicros);
    expect(pool.threads.every((thread) => thread.codecMicros > 0)).toBe(true);
  });

  it('has numbers for its streams again once they are closed', async () => {
    await start({ maxStreams: 2 });
    for (let n = 0; n < 5; n += 1) {
      const senders = [new Sender(), new Sender()];
      expect(pool.hasRoom).toBe(false);
      expect(() => new Sender()).toThrow('hears at most 2');
      for (const sender of senders) sender.send();
      const closed = await Promise.all(senders.map((sender) => sender.close()));
      expect(closed.map(({ totals }) => totals.framesReceived)).toEqual([1, 1]);
    }
  });
});

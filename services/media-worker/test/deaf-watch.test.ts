import { VirtualClock } from '@earshot/async';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeafWatch } from '../src/deaf-watch.js';

const DEAF_AFTER_MS = 60_000;

/** A watch in virtual time, checked every second. */
class Bench {
  readonly clock = new VirtualClock();
  unmuted: number | undefined = 1;
  readonly told: string[] = [];
  readonly watch = new DeafWatch({
    deafAfterMs: DEAF_AFTER_MS,
    clock: this.clock,
    unmuted: async () => {
      if (this.unmuted === undefined) throw new Error('away');
      return this.unmuted;
    },
    onDeaf: (reason, quietMs, unmuted) => this.told.push(`deaf ${reason} ${quietMs} ${unmuted}`),
    onRecovered: (deafMs) => this.told.push(`recovered ${deafMs}`),
  });

  async pass(seconds: number, signs: { frames?: number; sounding?: number; linked?: boolean }) {
    for (let n = 0; n < seconds; n += 1) {
      this.clock.advance(1000);
      this.watch.check({ frames: 0, sounding: 0, linked: true, ...signs });
      // The answer of the roster.
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
  }
}

describe('a call in which somebody is not muted', () => {
  it('is not deaf as long as the room can be heard', async () => {
    const bench = new Bench();
    await bench.pass(600, { frames: 50, sounding: 50 });
    expect(bench.told).toEqual([]);
  });

  it.each([
    ['frames of zeros alone', { frames: 50 }, 'digitalSilence'],
    ['no frame', {}, 'noFrames'],
    ['no link', { linked: false }, 'noLink'],
  ])('is deaf after a minute of %s, told once', async (_name, signs, reason) => {
    const bench = new Bench();
    await bench.pass(59, signs);
    expect(bench.told).toEqual([]);
    await bench.pass(300, signs);
    expect(bench.told).toEqual([`deaf ${reason} 60000 1`]);
    expect(bench.watch.isDeaf).toBe(true);
  });

  it('is deaf once, however late the roster answers', async () => {
    const clock = new VirtualClock();
    const answers: ((unmuted: number) => void)[] = [];
    const told: string[] = [];
    const watch = new DeafWatch({
      deafAfterMs: DEAF_AFTER_MS,
      clock,
      unmuted: () => new Promise((resolve) => answers.push(resolve)),
      onDeaf: (reason) => told.push(reason),
      onRecovered: () => told.push('recovered'),
    });
    for (let second = 0; second < 80; second += 1) {
      clock.advance(1000);
      watch.check({ frames: 0, sounding: 0, linked: true });
    }
    expect(answers).toHaveLength(1);
    for (const answer of answers) answer(1);
    await Promise.resolve();
    await Promise.resolve();
    expect(told).toEqual(['noFrames']);
  });

  it('recovers with the first sound, and may be deaf again', async () => {
    const bench = new Bench();
    await bench.pass(90, {});
    await bench.pass(1, { frames: 50, sounding: 1 });
    expect(bench.watch.isDeaf).toBe(false);
    await bench.pass(60, { frames: 50 });
    expect(bench.told).toEqual([
      'deaf noFrames 60000 1',
      'recovered 91000',
      'deaf digitalSilence 60000 1',
    ]);
  });
});

it('waits anew while all are muted: whoever unmutes has a minute to be heard', async () => {
  const bench = new Bench();
  bench.unmuted = 0;
  await bench.pass(150, {});
  bench.unmuted = 2;
  await bench.pass(29, {});
  expect(bench.told).toEqual([]);
  await bench.pass(1, {});
  expect(bench.told).toEqual(['deaf noFrames 60000 2']);
});

it('asks again when the roster can not be asked', async () => {
  const bench = new Bench();
  bench.unmuted = undefined;
  await bench.pass(70, {});
  expect(bench.told).toEqual([]);
  bench.unmuted = 1;
  await bench.pass(5, {});
  expect(bench.told).toEqual(['deaf noFrames 75000 1']);
});

it('never says deaf within a minute of sound, nor twice without a recovery between', async () => {
  const second = fc.record({ sounding: fc.constantFrom(0, 0, 0, 5), unmuted: fc.nat(1) });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(second, fc.nat(70)), { maxLength: 12 }), async (spans) => {
      const bench = new Bench();
      let soundAtMs = bench.clock.nowMs();
      for (const [{ sounding, unmuted }, seconds] of spans) {
        bench.unmuted = unmuted;
        for (let n = 0; n < seconds; n += 1) {
          const before = bench.told.length;
          await bench.pass(1, { frames: 5, sounding });
          const said = bench.told.slice(before);
          if (sounding > 0) soundAtMs = bench.clock.nowMs();
          const isDeaf = said.some((line) => line.startsWith('deaf'));
          if (isDeaf && bench.clock.nowMs() - soundAtMs < DEAF_AFTER_MS) return false;
        }
      }
      const kinds = bench.told.map((line) => line.split(' ')[0]);
      return kinds.every((kind, n) => kind === (n % 2 === 0 ? 'deaf' : 'recovered'));
    }),
    { numRuns: 50 },
  );
});

import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { delay, every } from '../src/clock.js';
import { systemClock } from '../src/system.js';
import { VirtualClock } from '../src/virtual-clock.js';

describe('VirtualClock', () => {
  it('runs calls in deadline order, ties in the order made (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 30 }), (deadlines) => {
        const clock = new VirtualClock();
        const ran: [number, number][] = [];
        deadlines.forEach((deadlineMs, index) => {
          clock.at(deadlineMs, () => ran.push([deadlineMs, index]));
        });
        clock.advance(20);
        expect(ran).toEqual([...ran].sort(([a, i], [b, j]) => a - b || i - j));
        expect([ran.length, clock.pending]).toEqual([deadlines.length, 0]);
      }),
    );
  });

  it('runs what a call schedules, when it falls due on the way', () => {
    const clock = new VirtualClock();
    const at: number[] = [];
    clock.at(10, () => clock.at(15, () => at.push(clock.nowMs())));
    clock.advance(20);
    expect(at).toEqual([15]);
  });

  it('forgets what was cancelled', () => {
    const clock = new VirtualClock();
    const cancel = clock.at(5, () => expect.unreachable());
    cancel();
    cancel();
    clock.advance(10);
    expect(clock.pending).toBe(0);
  });

  it('shows a wall clock that moves with it', () => {
    const clock = new VirtualClock(1_000);
    clock.advance(250);
    expect(clock.wallclockMs()).toBe(1_250);
  });
});

describe('every', () => {
  it('keeps its beat and stops', () => {
    const clock = new VirtualClock();
    const beats: number[] = [];
    const stop = every(clock, 20, () => beats.push(clock.nowMs()));
    clock.advance(65);
    stop();
    clock.advance(100);
    expect(beats).toEqual([20, 40, 60]);
  });

  it('refuses an interval that would spin', () => {
    expect(() => every(new VirtualClock(), 0, () => {})).toThrow(/positive/);
  });
});

describe('delay', () => {
  it('resolves when its time has passed', async () => {
    const clock = new VirtualClock();
    const waiting = delay(clock, 30).then(() => clock.nowMs());
    clock.advance(30);
    expect(await waiting).toBe(30);
  });

  it('waits on the real clock', async () => {
    const startMs = systemClock.nowMs();
    await delay(systemClock, 15);
    // Node's timers may fire up to a millisecond early.
    expect(systemClock.nowMs() - startMs).toBeGreaterThan(13);
  });
});

describe("the machine's clock", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    ['soon', 1000],
    ['in 115 days, as a service may ask one to wait', 1e10],
  ])('runs a call %s, and not before', (_, delayMs) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    let ran = 0;
    const call = (): void => {
      ran += 1;
    };
    systemClock.at(systemClock.nowMs() + delayMs, call);
    const cancel = systemClock.at(systemClock.nowMs() + delayMs, call);
    vi.advanceTimersByTime(delayMs - 1);
    expect(ran).toBe(0);
    cancel();
    vi.advanceTimersByTime(1);
    expect(ran).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});

import { VirtualClock } from '@earshot/async';
import type { HealthReport } from '@earshot/telemetry';
import { Health } from '@earshot/telemetry';
import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../src/latency-histogram.js';
import { WORKER_HEALTH_CHECKS, workerHealthChecks } from '../src/worker-health.js';

/** What a worker would say of itself; tests change it. */
function stand() {
  const clock = new VirtualClock();
  const latencies = new LatencyHistogram(LatencyHistogram.allocate());
  const state = {
    calls: { draining: false, size: 10, deaf: 0 },
    outbox: { waiting: 0, capacity: 100, oldestMs: 0 },
    redis: { awaySeconds: 0 },
    eventLoop: { p99Seconds: 0 },
    recognizers: { share: 0 },
    frameMs: 0,
    stillMs: 0,
    frameMicros: 500,
  };
  const health = new Health({
    clock,
    log: { info() {}, warn() {} },
    clearAfterMs: 5000,
    checks: workerHealthChecks({
      ...state,
      pool: {
        latencies: () => latencies.read(),
        oldestFrameMs: () => state.frameMs,
        stillMs: () => state.stillMs,
      },
      publisher: state,
    }),
  });
  return {
    state,
    health,
    /** Lets seconds pass, with 50 frames in each. */
    pass(seconds: number): { live: HealthReport; ready: HealthReport } {
      for (let second = 0; second < seconds; second += 1) {
        for (let frame = 0; frame < 50; frame += 1) latencies.record(state.frameMicros);
        clock.advance(1000);
        health.look();
      }
      return { live: health.liveness(), ready: health.readiness() };
    },
  };
}

type State = ReturnType<typeof stand>['state'];

/** What trips each check, after so many seconds, and what heals it after how many at the most. */
const CASES: Record<
  string,
  { trip(state: State): void; heal(state: State): void; within: number }
> = {
  decode_thread_stuck_seconds: {
    trip: (state) => Object.assign(state, { stillMs: 60_001 }),
    heal: (state) => Object.assign(state, { stillMs: 0 }),
    within: 1,
  },
  decode_thread_still_seconds: {
    trip: (state) => Object.assign(state, { stillMs: 3001 }),
    heal: (state) => Object.assign(state, { stillMs: 0 }),
    within: 1,
  },
  frame_age_seconds: {
    trip: (state) => Object.assign(state, { frameMs: 1001 }),
    heal: (state) => Object.assign(state, { frameMs: 20 }),
    within: 1,
  },
  frame_to_finding_p99_seconds: {
    trip: (state) => Object.assign(state, { frameMicros: 700_000 }),
    heal: (state) => Object.assign(state, { frameMicros: 500 }),
    within: 5,
  },
  event_loop_delay_p99_seconds: {
    trip: (state) => Object.assign(state.eventLoop, { p99Seconds: 0.6 }),
    heal: (state) => Object.assign(state.eventLoop, { p99Seconds: 0 }),
    within: 6,
  },
  outbox_full_ratio: {
    trip: (state) => Object.assign(state.outbox, { waiting: 81 }),
    heal: (state) => Object.assign(state.outbox, { waiting: 60 }),
    within: 1,
  },
  outbox_age_seconds: {
    trip: (state) => Object.assign(state.outbox, { oldestMs: 10_001 }),
    heal: (state) => Object.assign(state.outbox, { oldestMs: 0 }),
    within: 1,
  },
  redis_away_seconds: {
    trip: (state) => Object.assign(state.redis, { awaySeconds: 5.1 }),
    heal: (state) => Object.assign(state.redis, { awaySeconds: 0 }),
    within: 1,
  },
  calls_deaf_ratio: {
    trip: (state) => Object.assign(state.calls, { deaf: 6 }),
    heal: (state) => Object.assign(state.calls, { deaf: 2 }),
    within: 1,
  },
  recognizers_busy_ratio: {
    trip: (state) => Object.assign(state.recognizers, { share: 0.91 }),
    heal: (state) => Object.assign(state.recognizers, { share: 0.7 }),
    within: 1,
  },
  draining: {
    trip: (state) => Object.assign(state.calls, { draining: true }),
    heal: (state) => Object.assign(state.calls, { draining: false }),
    within: 1,
  },
};

describe('the health of a worker', () => {
  it('has a test for each check', () => {
    expect(Object.keys(CASES).sort()).toEqual([...WORKER_HEALTH_CHECKS].sort());
  });

  it.each(Object.entries(CASES))('turns red and green again by %s', (name, one) => {
    const { state, pass } = stand();
    expect(pass(20)).toMatchObject({ live: { status: 'alive' }, ready: { status: 'ready' } });
    one.trip(state);
    const red = pass(one.within);
    // Who can do less than all is not to be left alone.
    const status = name === 'recognizers_busy_ratio' ? 'degraded' : 'not_ready';
    expect(red.ready).toMatchObject({ status, checks: { [name]: { failing: true } } });
    // Only what a new process would heal is a reason to start one.
    expect(red.live.status).toBe(name === 'decode_thread_stuck_seconds' ? 'dead' : 'alive');
    one.heal(state);
    if (name !== 'draining') expect(pass(2).ready.status).toBe(status);
    // The window of 10 s, and 5 s of hysteresis.
    expect(pass(17).ready.status).toBe('ready');
  });

  it('stays ready with a few deaf calls, or half of many', () => {
    const { state, pass } = stand();
    Object.assign(state.calls, { size: 2, deaf: 2 });
    expect(pass(3).ready.status).toBe('ready');
    Object.assign(state.calls, { size: 10, deaf: 5 });
    expect(pass(3).ready.status).toBe('ready');
  });
});

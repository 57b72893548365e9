import { VirtualClock } from '@earshot/async';
import type { HealthReport } from '@earshot/telemetry';
import { Health } from '@earshot/telemetry';
import { metricRows } from '@earshot/test-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallbackBacklog } from '../src/calls/callback-backlog.js';
import { SIGNALING_HEALTH_CHECKS, signalingHealthChecks } from '../src/health.js';
import { Harness } from './support/harness.js';

const HOST = {
  hostId: 'h',
  capacity: 10,
  activeCalls: 0,
  level: 'normal',
} as const;

/** What a service would say of itself; tests change it. */
function stand() {
  const clock = new VirtualClock();
  const backlog = new CallbackBacklog(clock);
  const state = {
    backlog,
    outbox: { waiting: 0, capacity: 100, oldestMs: 0 },
    redis: { awaySeconds: 0 },
    eventLoop: { p99Seconds: 0 },
    hosts: [{ ...HOST, draining: false }],
    workers: { taking: 1, leastLoad: 0.2 },
  };
  const health = new Health({
    clock,
    log: { info() {}, warn() {} },
    clearAfterMs: 5000,
    checks: signalingHealthChecks({
      ...state,
      publisher: state,
      hostLink: { hosts: () => state.hosts },
    }),
  });
  return {
    state,
    pass(seconds: number): { live: HealthReport; ready: HealthReport } {
      for (let second = 0; second < seconds; second += 1) {
        clock.advance(1000);
        health.look();
      }
      return { live: health.liveness(), ready: health.readiness() };
    },
  };
}

type State = ReturnType<typeof stand>['state'];

const CASES: Record<
  string,
  { trip(state: State): void; heal(state: State): void; within: number }
> = {
  event_loop_delay_p99_seconds: {
    trip: ({ eventLoop }) => Object.assign(eventLoop, { p99Seconds: 0.6 }),
    heal: ({ eventLoop }) => Object.assign(eventLoop, { p99Seconds: 0.01 }),
    within: 6,
  },
  redis_away_seconds: {
    trip: ({ redis }) => Object.assign(redis, { awaySeconds: 5.1 }),
    heal: ({ redis }) => Object.assign(redis, { awaySeconds: 0 }),
    within: 1,
  },
  outbox_full_ratio: {
    trip: ({ outbox }) => Object.assign(outbox, { waiting: 81 }),
    heal: ({ outbox }) => Object.assign(outbox, { waiting: 64 }),
    within: 1,
  },
  outbox_age_seconds: {
    trip: ({ outbox }) => Object.assign(outbox, { oldestMs: 10_001 }),
    heal: ({ outbox }) => Object.assign(outbox, { oldestMs: 0 }),
    within: 1,
  },
  callback_age_seconds: {
    trip: ({ backlog }) => backlog.accepted('c_1'),
    heal: ({ backlog }) => backlog.taking('c_1').done(),
    within: 11,
  },
  media_hosts_absent: {
    trip: (state) => Object.assign(state, { hosts: [{ ...HOST, draining: true }] }),
    heal: (state) => Object.assign(state, { hosts: [{ ...HOST, draining: false }] }),
    within: 6,
  },
  media_workers_absent: {
    trip: ({ workers }) => Object.assign(workers, { taking: 0 }),
    heal: ({ workers }) => Object.assign(workers, { taking: 1 }),
    within: 6,
  },
  media_worker_load_min_ratio: {
    trip: ({ workers }) => Object.assign(workers, { leastLoad: 0.9 }),
    heal: ({ workers }) => Object.assign(workers, { leastLoad: 0.5 }),
    within: 6,
  },
};

describe('the health of signaling', () => {
  it('has a test for each check', () => {
    expect(Object.keys(CASES).sort()).toEqual([...SIGNALING_HEALTH_CHECKS].sort());
  });

  it.each(Object.entries(CASES))('tells of %s, and of its end', (name, one) => {
    const { state, pass } = stand();
    expect(pass(10).ready.status).toBe('ready');
    one.trip(state);
    const { live, ready } = pass(one.within);
    expect(ready.checks[name]?.failing).toBe(true);
    expect(ready.status).toBe(name.startsWith('media_') ? 'degraded' : 'not_ready');
    expect(live.status).toBe('alive');
    one.heal(state);
    expect(pass(4).ready.checks[name]?.failing).toBe(true);
    expect(pass(2).ready.status).toBe('ready');
  });
});

describe('a backlog of callbacks', () => {
  it('keeps what came while notifications were taken', () => {
    const clock = new VirtualClock();
    const backlog = new CallbackBacklog(clock);
    const early = backlog.taking('c_1');
    backlog.accepted('c_1');
    clock.advance(1000);
    backlog.accepted('c_1');
    early.done();
    expect(backlog.oldestMs).toBe(1000);
    backlog.taking('c_1').done();
    expect(backlog).toMatchObject({ calls: 0, oldestMs: 0 });
  });
});

describe('over HTTP', () => {
  let harness: Harness;

  beforeAll(async () => {
    harness = await Harness.open();
    await harness.start({
      environment: {
        EARSHOT_HEALTH_LIMITS: 'redis_away_seconds=0.5,event_loop_delay_p99_seconds=off',
        EARSHOT_HEALTH_CLEAR_MS: '100',
      },
    });
  });

  afterAll(() => harness.close());

  async function probe(path: string): Promise<{ code: number; report: HealthReport }> {
    const response = await fetch(harness.signaling.url + path);
    const report: HealthReport = JSON.parse(await response.text());
    return { code: response.status, report };
  }

  it('serves the metrics that docs/metrics.md lists', async () => {
    const response = await fetch(`${harness.signaling.url}/metrics`);
    const { documented, served } = await metricRows('signaling', await response.text());
    expect(documented).toEqual(served);
  });

  it('is degraded without hosts and workers, red without Redis, and green again', async () => {
    const wait = { timeout: 40_000 };
    await expect
      .poll(() => probe('/readyz'), wait)
      .toMatchObject({ code: 200, report: { status: 'degraded' } });
    await harness.host();
    await harness.worker();
    await expect.poll(() => probe('/readyz'), wait).toMatchObject({ report: { status: 'ready' } });
    await harness.redis.kill();
    await expect
      .poll(() => probe('/readyz'), wait)
      .toMatchObject({
        code: 503,
        report: {
          status: 'not_ready',
          checks: { redis_away_seconds: { failing: true, limit: 0.5, effect: 'unready' } },
        },
      });
    expect(await probe('/livez')).toEqual({ code: 200, report: { status: 'alive', checks: {} } });
    await harness.redis.restart();
    await harness.worker();
    await expect
      .poll(() => probe('/readyz'), wait)
      .toMatchObject({
        code: 200,
        report: { checks: { redis_away_seconds: { failing: false } } },
      });
  }, 180_000);
});

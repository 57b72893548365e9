import { VirtualClock } from '@earshot/async';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AnswerWatch } from '../src/answer-watch.js';
import type { HealthReport } from '../src/health.js';
import { addHealthRoutes, Health } from '../src/health.js';
import type { HealthCheckOptions } from '../src/health-check.js';
import { HealthCheck } from '../src/health-check.js';
import { parseHealthLimits } from '../src/health-limits.js';
import { createMetrics } from '../src/metrics.js';

const NO_LOG = { info() {}, warn() {} };

function bench(more: Partial<HealthCheckOptions> = {}) {
  const clock = new VirtualClock();
  const state = { value: 0 };
  const options: HealthCheckOptions = {
    name: 'lag_seconds',
    help: 'Lag.',
    effect: 'unready',
    limit: 10,
    read: () => state.value,
    ...more,
  };
  return { clock, state, options };
}

/** Asks as a probe does, without a server. */
function probe(health: Health, wanted: string): { code: number; report: HealthReport } {
  const answers: { code: number; report: HealthReport }[] = [];
  const get: Parameters<typeof addHealthRoutes>[0]['get'] = (path, handler) => {
    if (path !== wanted) return;
    handler(undefined, { code: (code) => ({ send: (report) => answers.push({ code, report }) }) });
  };
  addHealthRoutes({ get }, health);
  const [answer] = answers;
  if (answer === undefined) throw new Error('the route must answer');
  return answer;
}

describe('HealthCheck', () => {
  it('fails at once above its limit, and passes only when well below it for long', () => {
    const { clock, state, options } = bench({ clearAfterMs: 5000 });
    const check = new HealthCheck(options);
    const at = (value: number, passMs: number): boolean => {
      clock.advance(passMs);
      state.value = value;
      check.look(clock.nowMs());
      return check.failing;
    };
    expect(at(10, 0)).toBe(false);
    expect(at(10.1, 1)).toBe(true);
    // Just below the limit is not well below it.
    expect(at(9, 60_000)).toBe(true);
    expect(at(8, 1)).toBe(true);
    expect(at(8, 4999)).toBe(true);
    expect(at(9, 0)).toBe(true);
    expect(at(0, 4999)).toBe(true);
    expect(at(0, 5000)).toBe(false);
  });

  it('fails only after `failAfterMs` above its limit without a break', () => {
    const { clock, state, options } = bench({ failAfterMs: 3000 });
    const check = new HealthCheck(options);
    for (const [value, passMs, failing] of [
      [11, 0, false],
      [11, 2999, false],
      [10, 1, false],
      [11, 2999, false],
      [11, 3000, true],
      [0, 0, false],
    ] as const) {
      clock.advance(passMs);
      state.value = value;
      check.look(clock.nowMs());
      expect(check.failing).toBe(failing);
    }
  });

  it('changes no more often than its times allow, whatever the value does', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 20 }), fc.nat(3000)), {
      maxLength: 100,
    });
    fc.assert(
      fc.property(steps, (script) => {
        const { clock, state, options } = bench({ failAfterMs: 1000, clearAfterMs: 5000 });
        const check = new HealthCheck(options);
        let failedAtMs = Number.NEGATIVE_INFINITY;
        for (const [value, passMs] of script) {
          clock.advance(passMs);
          state.value = value;
          if (!check.look(clock.nowMs())) continue;
          if (check.failing) failedAtMs = clock.nowMs();
          else expect(clock.nowMs() - failedAtMs).toBeGreaterThanOrEqual(5000);
        }
      }),
    );
  });
});

describe('Health', () => {
  const effects = ['dead', 'unready', 'degraded'] as const;

  it.each([
    ['dead', 'dead', 503, 'not_ready', 503],
    ['unready', 'alive', 200, 'not_ready', 503],
    ['degraded', 'alive', 200, 'degraded', 200],
  ] as const)(
    'answers %s with %s [%i] and %s [%i]',
    async (effect, live, liveStatus, ready, readyStatus) => {
      const { clock, state, options } = bench({ effect });
      const others = effects.map((each) => ({
        ...options,
        name: `other_${each}`,
        effect: each,
        read: () => 0,
      }));
      const metrics = createMetrics({ service: 'test', process: false });
      const lines: unknown[] = [];
      const note = (_text: string, fields?: object): void => void lines.push(fields);
      const health = new Health({
        clock,
        log: { info: note, warn: note },
        checks: [options, ...others],
        clearAfterMs: 2000,
        metrics,
      });
      const stop = health.start();
      expect(health.liveness().status).toBe('alive');
      expect(health.readiness().status).toBe('ready');
      state.value = 11.0004;
      clock.advance(1000);
      expect(lines).toEqual([{ check: 'lag_seconds', value: 11, limit: 10 }]);
      expect(probe(health, '/livez')).toMatchObject({ code: liveStatus, report: { status: live } });
      const { code, report } = probe(health, '/readyz');
      expect(code).toBe(readyStatus);
      expect(report.status).toBe(ready);
      expect(report.checks['lag_seconds']).toEqual({
        failing: true,
        value: 11,
        limit: 10,
        effect,
      });
      expect(Object.keys(report.checks)).toHaveLength(4);
      expect(await metrics.text()).toContain(
        'earshot_health_check_failing{check="lag_seconds",service="test"} 1',
      );
      state.value = 0;
      clock.advance(3000);
      expect(health.readiness().status).toBe('ready');
      expect(lines).toHaveLength(2);
      stop();
    },
  );

  it('takes limits from outside, and leaves out what is off', () => {
    const { clock, state, options } = bench();
    state.value = 7;
    const health = new Health({
      clock,
      log: NO_LOG,
      checks: [options, { ...options, name: 'deaf_ratio', limit: 0 }],
      limits: parseHealthLimits('lag_seconds=5, deaf_ratio=off', ['lag_seconds', 'deaf_ratio']),
    });
    expect(health.readiness()).toEqual({
      status: 'not_ready',
      checks: { lag_seconds: { failing: true, value: 7, limit: 5, effect: 'unready' } },
    });
  });

  it.each(['lag_seconds', 'lag_seconds=', 'lag_seconds=-1', 'lag_seconds=x', 'other=1'])(
    'refuses the limits %j',
    (text) => {
      expect(() => parseHealthLimits(text, ['lag_seconds'])).toThrow(
        expect.objectContaining({ code: 'invalid_config' }),
      );
    },
  );
});

describe('AnswerWatch', () => {
  it('tells how long there was no answer', async () => {
    const clock = new VirtualClock();
    let ask = (): Promise<void> => Promise.resolve();
    const watch = new AnswerWatch(clock, () => ask());
    const stop = watch.start();
    const pass = async (durationMs: number): Promise<number> => {
      clock.advance(durationMs);
      await Promise.resolve();
      await Promise.resolve();
      return watch.awaySeconds;
    };
    expect(await pass(1000)).toBe(0);
    ask = () => Promise.reject(new Error('refused'));
    expect(await pass(1000)).toBe(0);
    expect(await pass(1000)).toBe(1);
    expect(await pass(2000)).toBe(3);
    let answer = (): void => {};
    ask = () =>
      new Promise((resolve) => {
        answer = resolve;
      });
    expect(await pass(1000)).toBe(4);
    // One that never answers is not asked again, and counts as much.
    expect(await pass(10_000)).toBe(14);
    answer();
    expect(await pass(0)).toBe(0);
    stop();
  });
});

import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type { HealthCheckOptions, HealthCheckReport, HealthEffect } from './health-check.js';
import { HealthCheck } from './health-check.js';
import type { HealthLimits } from './health-limits.js';
import type { Log } from './log.js';
import type { Metrics } from './metrics.js';

export interface HealthOptions {
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn'>;
  readonly checks: readonly HealthCheckOptions[];
  /** In place of the checks' own limits. */
  readonly limits?: HealthLimits;
  /** In place of the checks' own, where they have one that is not 0. */
  readonly clearAfterMs?: number;
  /** Gets `earshot_health_check_failing`. */
  readonly metrics?: Metrics;
}

/** The answer to a probe. */
export interface HealthReport {
  readonly status: 'alive' | 'dead' | 'ready' | 'degraded' | 'not_ready';
  /** By name. */
  readonly checks: Readonly<Record<string, HealthCheckReport>>;
}

const LOOK_INTERVAL_MS = 1000;
/** Long enough that one good moment among bad ones does not count. */
export const DEFAULT_CLEAR_AFTER_MS = 5000;

/** All checks of a service, looked at once a second and with each probe. */
export class Health {
  readonly #options: HealthOptions;
  readonly #checks: readonly HealthCheck[];

  constructor(options: HealthOptions) {
    const { checks, limits, clearAfterMs = DEFAULT_CLEAR_AFTER_MS, metrics } = options;
    this.#options = options;
    this.#checks = checks
      .filter(({ name }) => limits?.get(name) !== 'off')
      .map((check) => new HealthCheck(withLimit(check, limits, clearAfterMs)));
    if (metrics === undefined) return;
    metrics.gauge({
      name: 'health_check_failing',
      help: '1 while the check of /livez or /readyz fails.',
      labelNames: ['check'],
      readAll: () =>
        this.#checks.map(({ options: { name }, failing }) => ({
          labels: { check: name },
          value: failing ? 1 : 0,
        })),
    });
  }

  /** Looks from now on, until cancelled. */
  start(): Cancel {
    return every(this.#options.clock, LOOK_INTERVAL_MS, () => this.look());
  }

  look(): void {
    const { clock, log } = this.#options;
    const nowMs = clock.nowMs();
    for (const check of this.#checks) {
      if (!check.look(nowMs)) continue;
      const { value, limit } = check.report();
      const fields = { check: check.options.name, value, limit };
      if (check.failing) log.warn('health check fails', fields);
      else log.info('health check passes again', fields);
    }
  }

  /** Whether any of these checks fails. */
  isFailing(names: readonly string[]): boolean {
    return this.#checks.some(({ failing, options: { name } }) => failing && names.includes(name));
  }

  /** For `/livez`: only what a new process would heal. */
  liveness(): HealthReport {
    this.look();
    const status = this.#has('dead') ? 'dead' : 'alive';
    return { status, checks: this.#report((effect) => effect === 'dead') };
  }

  /** For `/readyz`. */
  readiness(): HealthReport {
    this.look();
    return { status: this.#readiness(), checks: this.#report(() => true) };
  }

  #readiness(): HealthReport['status'] {
    if (this.#has('dead') || this.#has('unready')) return 'not_ready';
    return this.#has('degraded') ? 'degraded' : 'ready';
  }

  #has(effect: HealthEffect): boolean {
    return this.#checks.some((check) => check.failing && check.options.effect === effect);
  }

  #report(wanted: (effect: HealthEffect) => boolean): Record<string, HealthCheckReport> {
    return Object.fromEntries(
      this.#checks
        .filter(({ options: { effect } }) => wanted(effect))
        .map((check) => [check.options.name, check.report()]),
    );
  }
}

/** What the routes need of an HTTP server; fastify's instance is one. */
export interface HealthServer {
  get(path: string, handler: (request: unknown, reply: HealthReply) => unknown): unknown;
}

export interface HealthReply {
  code(status: number): { send(report: HealthReport): unknown };
}

/** Adds `/livez` and `/readyz`: 200 or 503, with all checks in the body. */
export function addHealthRoutes(app: HealthServer, health: Health): void {
  app.get('/livez', (_request, reply) => answer(reply, health.liveness()));
  app.get('/readyz', (_request, reply) => answer(reply, health.readiness()));
}

function answer(reply: HealthReply, report: HealthReport): unknown {
  const isRed = report.status === 'dead' || report.status === 'not_ready';
  return reply.code(isRed ? 503 : 200).send(report);
}

function withLimit(
  check: HealthCheckOptions,
  limits: HealthLimits | undefined,
  clearAfterMs: number,
): HealthCheckOptions {
  const limit = limits?.get(check.name);
  return {
    ...check,
    clearAfterMs: check.clearAfterMs ?? clearAfterMs,
    ...(typeof limit === 'number' && { limit }),
  };
}

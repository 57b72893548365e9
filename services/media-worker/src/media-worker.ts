import type { Clock } from '@earshot/async';
import { CloseStack, every } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import { MediaLinkServer } from '@earshot/bridge';
import type { PublisherOptions } from '@earshot/events';
import { EventPublisher } from '@earshot/events';
import { MediaTokens } from '@earshot/media-token';
import { Registry } from '@earshot/registry';
import { HTTP_LIMITS, listen } from '@earshot/service-process';
import type { Tracer } from '@earshot/telemetry';
import {
  AnswerWatch,
  createLog,
  createTracer,
  EventLoopDelay,
  Health,
  tracedBatches,
} from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';
import { CallTable } from './call-table.js';
import type { MediaWorkerConfig } from './config.js';
import { DecodePool } from './decode-pool.js';
import { Heartbeat } from './heartbeat.js';
import { LevelsStream } from './levels-stream.js';
import type { LinkClaims } from './link-tokens.js';
import { LinkTokens } from './link-tokens.js';
import { ListeningDesk } from './listening-desk.js';
import type { WorkerLog } from './log.js';
import { PlayDesk } from './play/play-desk.js';
import { RecognizerPool } from './recognition/recognizer-pool.js';
import { RecognizerUse } from './recognition/recognizer-use.js';
import { addRoutes } from './routes.js';
import { PIPELINE_CHECKS, workerHealthChecks } from './worker-health.js';
import { WorkerMetrics } from './worker-metrics.js';

export interface MediaWorkerDeps {
  readonly clock?: Clock;
  readonly log?: WorkerLog;
  /** Closed by whoever made it. */
  readonly tracer?: Tracer;
  /** A module that exports `createRecognizers`, in place of the worker's own recognizers. */
  readonly recognizers?: URL;
  /**
   * How long work of its own that takes moments is waited for, ms: what a host that comes back sent
   * before, an attachment that gives way, the last events.
   *
   * @defaultValue 1000
   */
  readonly patienceMs?: number;
}

/** A running media worker. */
export interface MediaWorker {
  readonly workerId: string;
  /** Base of its HTTP API. */
  readonly url: string;
  /** Where media hosts dial. */
  readonly mediaUrl: string;
  /** The decode threads, for diagnosis. */
  readonly pool: DecodePool;
  /**
   * Takes no more calls, lets those it has finish within the drain time, publishes what is left
   * and stops. Idempotent.
   */
  close(): Promise<void>;
  /** How long closing may take in the worst case, ms. */
  readonly closeDeadlineMs: number;
}

const MEDIA_PATH = '/v1/media-link';

const DEAFNESS_INTERVAL_MS = 1000;

const PATIENCE_MS = 1000;
/** After the drain time and the last events, how long closing Redis, threads and the port may take. */
const CLOSE_MS = 3000;

/**
 * Starts a media worker; on failure nothing is left running.
 *
 * @throws CodedError `redis_unreachable`, `port_taken`, `opus_engine_unavailable`,
 * `decode_thread_failed`.
 */
export async function startMediaWorker(
  config: MediaWorkerConfig,
  deps: MediaWorkerDeps = {},
): Promise<MediaWorker> {
  const closers = new CloseStack();
  try {
    return await start(config, deps, closers);
  } catch (error) {
    await closers.close().catch(() => {});
    throw error;
  }
}

async function start(
  config: MediaWorkerConfig,
  deps: MediaWorkerDeps,
  closers: CloseStack,
): Promise<MediaWorker> {
  const clock = deps.clock ?? systemClock;
  const log = deps.log ?? createLog({ service: 'media-worker', level: config.logLevel });
  const tracer = deps.tracer ?? (await openTracer(config, closers));
  const { patienceMs = PATIENCE_MS } = deps;
  const { registry, publisher } = await connectToRedis(
    config,
    { clock, log, tracer, patienceMs, onFenced: (attachment) => calls.fenced(attachment) },
    closers,
  );
  const pool = await DecodePool.start({
    threads: config.decodeThreads,
    ringFrames: config.ringFrames,
    maxStreams: config.maxStreams,
    opusEngine: config.opusEngine,
    speechModel: config.speechModel,
    clock,
    log,
    onProgress: () => calls.tellEager(),
  });
  closers.defer(() => pool.close());
  const recognizers = new RecognizerPool({
    threads: config.recognizerThreads,
    module: deps.recognizers,
    engines: config.engines,
    limits: { backlogMs: config.recognizerBacklogMs, maxSessions: config.recognizerSessions },
    clock,
    log,
    onProgress: () => calls.tellEager(),
  });
  closers.defer(() => recognizers.close());
  const creditFrames = (config.ringFrames / 4) * 3;
  const { workerId, linkGraceMs, attributionWaitMs, deafAfterMs } = config;
  const linkTokens = new LinkTokens({
    tokens: new MediaTokens({ key: config.bridgeKey, clock }),
    workerId,
    clock,
  });
  const calls = new CallTable({
    workerId,
    registry,
    sink: publisher,
    pool,
    recognizers,
    clock,
    log,
    tracer,
    creditFrames,
    linkGraceMs,
    attributionWaitMs,
    deafAfterMs,
    patienceMs,
    onOver: (attachment) => linkTokens.forget(attachment),
  });

  const app = fastify({ ...HTTP_LIMITS, forceCloseConnections: true });
  closers.defer(() => app.close());
  const links = openLinkServer(app, config, { calls, linkTokens, clock, log, creditFrames });
  closers.defer(() => links.close());
  const levels = new LevelsStream(calls, clock);
  closers.defer(() => levels.close());
  const recognizerUse = new RecognizerUse({
    threads: config.recognizerThreads,
    backlogMs: config.recognizerBacklogMs,
    nowMs: clock.nowMs(),
    load: () => recognizers.load(),
  });
  const heartbeat = new Heartbeat({
    workerId,
    registry,
    pool,
    recognizers: recognizerUse,
    maxStreams: config.maxStreams,
    clock,
    log,
    memoryLimitBytes: config.memoryLimitBytes,
    isDraining: () => calls.draining,
    isOverwhelmed: () => health.isFailing(PIPELINE_CHECKS),
  });
  const metrics = new WorkerMetrics({ calls, pool, recognizers, publisher, heartbeat });
  const health = watchHealth(
    config,
    { calls, pool, recognizers: recognizerUse, publisher, registry, metrics, clock, log },
    closers,
  );
  const parts = { workerId, calls, pool, recognizers, publisher };
  addRoutes(app, { ...parts, health, heartbeat, levels, metrics });

  const address = await listen(app, config.listen, 'the media worker');
  const mediaUrl = config.advertisedUrl ?? `ws://${address}${MEDIA_PATH}`;
  closers.defer(every(clock, DEAFNESS_INTERVAL_MS, () => calls.checkDeafness()));
  closers.defer(calls.tellProgress());
  closers.defer(await new PlayDesk({ registry, clock, log, calls: () => calls.calls() }).start());
  const listening = new ListeningDesk({ registry, clock, log, calls: () => calls.calls() });
  closers.defer(await listening.start());
  await heartbeat.start(mediaUrl);
  closers.defer(() => heartbeat.close());
  const { drainMs } = config;
  closers.defer(() => leave({ calls, heartbeat, clock, log, drainMs, patienceMs }));
  const { name: opusEngine, version: opusVersion } = pool.engine;
  const { speechModel } = config;
  log.info('media worker is ready', { workerId, mediaUrl, opusEngine, opusVersion, speechModel });
  return {
    workerId,
    url: `http://${address}`,
    mediaUrl,
    pool,
    close: () => closers.close(),
    closeDeadlineMs: drainMs + patienceMs + CLOSE_MS,
  };
}

async function openTracer(
  { otlpEndpoint }: MediaWorkerConfig,
  closers: CloseStack,
): Promise<Tracer> {
  const tracer = await createTracer({ service: 'media-worker', endpoint: otlpEndpoint });
  closers.defer(() => tracer.close());
  return tracer;
}

async function connectToRedis(
  { redisUrl }: MediaWorkerConfig,
  {
    clock,
    log,
    tracer,
    patienceMs,
    onFenced,
  }: Required<Omit<MediaWorkerDeps, 'recognizers'>> & Required<Pick<PublisherOptions, 'onFenced'>>,
  closers: CloseStack,
): Promise<{ registry: Registry; publisher: EventPublisher }> {
  const registry = new Registry({ redisUrl, clock });
  closers.defer(() => registry.close());
  const publisher = new EventPublisher({
    redisUrl,
    clock,
    onFenced,
    ...tracedBatches(tracer),
    onError: (error) => log.warn('events wait for Redis', { error: String(error) }),
  });
  closers.defer(() => publisher.close({ deadlineMs: patienceMs }));
  await Promise.all([registry.ready(), publisher.ready()]);
  return { registry, publisher };
}

interface HealthParts {
  readonly calls: CallTable;
  readonly pool: DecodePool;
  readonly recognizers: RecognizerUse;
  readonly publisher: EventPublisher;
  readonly registry: Registry;
  readonly metrics: WorkerMetrics;
  readonly clock: Clock;
  readonly log: WorkerLog;
}

function watchHealth(
  { healthLimits, healthClearMs }: MediaWorkerConfig,
  { registry, metrics, clock, log, ...parts }: HealthParts,
  closers: CloseStack,
): Health {
  const redis = new AnswerWatch(clock, () => registry.ping());
  const eventLoop = new EventLoopDelay();
  const health = new Health({
    clock,
    log,
    checks: workerHealthChecks({ ...parts, redis, eventLoop }),
    limits: healthLimits,
    clearAfterMs: healthClearMs,
    metrics: metrics.set,
  });
  closers.defer(redis.start());
  closers.defer(eventLoop.start(clock));
  closers.defer(health.start());
  return health;
}

interface LinkServerParts {
  readonly calls: CallTable;
  readonly linkTokens: LinkTokens;
  readonly clock: Clock;
  readonly log: WorkerLog;
  readonly creditFrames: number;
}

function openLinkServer(
  app: FastifyInstance,
  { workerId, maxPendingPerAddress }: MediaWorkerConfig,
  { calls, linkTokens, clock, log, creditFrames }: LinkServerParts,
): MediaLinkServer<LinkClaims> {
  return new MediaLinkServer({
    server: app.server,
    path: MEDIA_PATH,
    workerId,
    clock,
    log,
    creditFrames,
    wayBack: true,
    limits: { maxPendingPerAddress },
    authorize: (bearer) => linkTokens.authorize(bearer),
    accept: (hello, claims) => linkTokens.accept(claims, () => calls.accept(hello)),
  });
}

interface LeaveParts {
  readonly calls: CallTable;
  readonly heartbeat: Heartbeat;
  readonly clock: Clock;
  readonly log: WorkerLog;
  readonly drainMs: number;
  readonly patienceMs: number;
}

/** Has placement and hosts leave this worker, and waits for its calls, but not for ever. */
async function leave(parts: LeaveParts): Promise<void> {
  const { calls, heartbeat, clock, log, drainMs, patienceMs } = parts;
  const deadlineMs = clock.nowMs() + drainMs;
  const drained = calls.drain(deadlineMs);
  heartbeat
    .beat()
    .catch((error: unknown) => log.warn('heartbeat failed', { error: String(error) }));
  let cancel = (): void => {};
  const tooLate = new Promise<void>((resolve) => {
    cancel = clock.at(deadlineMs + patienceMs, resolve);
  });
  await Promise.race([drained, tooLate]);
  cancel();
  if (calls.size === 0) return;
  log.error('calls were cut off', { calls: calls.size });
  calls.abandon();
}

import type { EventPublisher } from '@earshot/events';
import type { Health } from '@earshot/telemetry';
import { addHealthRoutes } from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import type { CallTable } from './call-table.js';
import type { DecodePool } from './decode-pool.js';
import type { Heartbeat } from './heartbeat.js';
import type { Latencies } from './latency-histogram.js';
import type { LevelsStream } from './levels-stream.js';
import { recognitionStats } from './recognition/recognition-stats.js';
import type { RecognizerPool } from './recognition/recognizer-pool.js';
import type { WorkerMetrics } from './worker-metrics.js';

export interface RouteParts {
  readonly workerId: string;
  readonly calls: CallTable;
  readonly pool: DecodePool;
  readonly recognizers: RecognizerPool;
  readonly publisher: EventPublisher;
  readonly health: Health;
  readonly heartbeat: Heartbeat;
  readonly levels: LevelsStream;
  readonly metrics: WorkerMetrics;
}

/** What people and orchestrators may ask of the worker over HTTP. */
export function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  const { workerId, calls, pool, recognizers, publisher } = parts;
  const { health, heartbeat, levels, metrics } = parts;
  addHealthRoutes(app, health);
  app.get('/metrics', async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.text()),
  );
  app.get('/v1/stats', () => ({
    workerId,
    load: heartbeat.load,
    loadShares: heartbeat.shares,
    draining: calls.draining,
    decodeThreads: pool.threads.length,
    decodeThreadRestarts: pool.restarts,
    decodeEngine: pool.engine,
    failedStreams: pool.failedStreams,
    frameToFinding: summary(pool.latencies()),
    streams: pool.streams,
    totals: calls.totals(),
    recognition: recognitionStats(recognizers),
    events: publisher.stats,
    calls: calls.calls().map((call) => ({
      callId: call.callId,
      epoch: call.epoch,
      linked: call.linked,
      streams: call.streams.liveCount,
      strayFrames: call.strayFrames,
      framesBeyondCredit: call.streams.beyondCredit,
      totals: call.totals,
      dominantSourceId: call.findings.talk.dominant,
      talk: call.findings.talk.speakers,
    })),
  }));
  app.get('/v1/levels', (_request, reply) => {
    reply.hijack();
    levels.watch(reply.raw);
  });
}

/** Since the start. */
function summary(latencies: Latencies): { frames: number; p50Ms: number; p99Ms: number } {
  return {
    frames: latencies.count,
    p50Ms: latencies.quantileMs(0.5),
    p99Ms: latencies.quantileMs(0.99),
  };
}

import { z } from 'zod';
import {
  codec,
  epoch,
  id,
  pingIntervalMs,
  sampleRateHz,
  streamId,
  text,
  ticks,
  token,
  traceparent,
  u32,
  version,
  withPcmRate,
  word,
} from './fields.js';
import type { MediaHostMessage, WorkerMessage } from './media-messages.js';
import { LIMITS } from './protocol.js';
import type { SchemaTable } from './schema-table.js';
import { HOST_SEND_SCHEMAS, sendCapability, WORKER_SEND_SCHEMAS } from './send-schemas.js';

const errorMessage = z.object({ type: z.literal('error'), code: word, message: text });

/** Every message that a host sends to a worker, by its type. */
export const MEDIA_HOST_SCHEMAS: SchemaTable<MediaHostMessage> = {
  hello: z.object({
    type: z.literal('hello'),
    version,
    callId: id,
    mediaId: id,
    epoch,
    mediaEpochTicks: ticks,
    clockNowTicks: ticks,
    replayWindowMs: u32,
    virtualTime: z.boolean().exactOptional(),
    send: sendCapability.exactOptional(),
    traceparent: traceparent.exactOptional(),
  }),
  streamOpen: withPcmRate(
    z.object({
      type: z.literal('streamOpen'),
      streamId,
      kind: z.enum(['mixed', 'unmixed']),
      sourceId: id.exactOptional(),
      codec,
      sampleRateHz,
      firstSequence: u32,
    }),
  ),
  streamClose: z.object({ type: z.literal('streamClose'), streamId, nextSequence: u32 }),
  tone: z.object({
    type: z.literal('tone'),
    tone: word,
    sourceId: id.exactOptional(),
    captureTicks: ticks,
  }),
  dominantSpeaker: z.object({
    type: z.literal('dominantSpeaker'),
    sourceId: id.nullable(),
    captureTicks: ticks,
  }),
  discarded: z.object({
    type: z.literal('discarded'),
    streamId,
    firstSequence: u32,
    frames: u32,
    reason: word,
  }),
  ping: z.object({ type: z.literal('ping'), id: u32, clockNowTicks: ticks }),
  bye: z.object({
    type: z.literal('bye'),
    reason: z.enum(['callEnded', 'released', 'shutdown', 'reattach']),
  }),
  ...HOST_SEND_SCHEMAS,
};

/** Every message that a worker sends to a host, by its type. */
export const WORKER_SCHEMAS: SchemaTable<WorkerMessage> = {
  welcome: z.object({
    type: z.literal('welcome'),
    version,
    workerId: id,
    creditFrames: u32,
    pingIntervalMs,
    resume: z.array(z.object({ streamId, durableSequence: u32 })).max(LIMITS.maxListedStreams),
    send: z.boolean().exactOptional(),
    resumeToken: token.exactOptional(),
  }),
  progress: z.object({
    type: z.literal('progress'),
    streams: z
      .array(
        z.object({
          streamId,
          received: u32,
          durable: u32,
          lost: u32.exactOptional(),
          dropped: u32.exactOptional(),
        }),
      )
      .max(LIMITS.maxListedStreams),
    creditFrames: u32,
  }),
  drain: z.object({ type: z.literal('drain'), reason: text }),
  pong: z.object({ type: z.literal('pong'), id: u32, clockNowTicks: ticks.exactOptional() }),
  unsupported: z.object({ type: z.literal('unsupported'), what: text }),
  error: errorMessage,
  finished: z.object({ type: z.literal('finished') }),
  ...WORKER_SEND_SCHEMAS,
};

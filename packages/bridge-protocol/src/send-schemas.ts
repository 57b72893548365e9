import { z } from 'zod';
import { codec, id, sampleRateHz, streamId, ticks, u32, withPcmRate, word } from './fields.js';
import { LIMITS } from './protocol.js';
import type { SchemaTable } from './schema-table.js';
import type { HostSendMessage, SendCapability, WorkerSendMessage } from './send-messages.js';

/** `send` of a `hello`. */
export const sendCapability: z.ZodType<SendCapability> = z.object({
  codecs: z.array(codec).min(1).max(8),
  maxStreams: z.int().min(1).max(LIMITS.maxStreams),
  bufferFrames: z.int().min(1).max(LIMITS.maxSendBufferFrames),
});

/** The way back's messages that a worker sends to a host, by type. */
export const WORKER_SEND_SCHEMAS: SchemaTable<WorkerSendMessage> = {
  sendOpen: withPcmRate(
    z.object({
      type: z.literal('sendOpen'),
      streamId,
      sendId: id,
      codec,
      sampleRateHz,
      firstSequence: u32,
    }),
  ),
  sendClose: z.object({ type: z.literal('sendClose'), streamId, nextSequence: u32 }),
  mark: z.object({ type: z.literal('mark'), streamId, name: id, sequence: u32 }),
  clear: z.object({ type: z.literal('clear'), streamId }),
};

/** The way back's messages that a host sends to a worker, by type. */
export const HOST_SEND_SCHEMAS: SchemaTable<HostSendMessage> = {
  sendOpened: z.object({
    type: z.literal('sendOpened'),
    streamId,
    nextSequence: u32,
    creditFrames: u32,
  }),
  sendProgress: z.object({
    type: z.literal('sendProgress'),
    streams: z
      .array(
        z.object({
          streamId,
          received: u32,
          played: u32,
          creditFrames: u32,
          underrunFrames: u32.exactOptional(),
        }),
      )
      .max(LIMITS.maxStreams),
  }),
  marked: z.object({
    type: z.literal('marked'),
    streamId,
    name: id,
    outcome: z.enum(['played', 'cleared']),
    clockTicks: ticks,
  }),
  cleared: z.object({ type: z.literal('cleared'), streamId, firstSequence: u32, frames: u32 }),
  sendClosed: z.object({ type: z.literal('sendClosed'), streamId, reason: word, played: u32 }),
};

import { z } from 'zod';
import {
  epoch,
  id,
  pingIntervalMs,
  text,
  token,
  traceparent,
  u32,
  version,
  word,
} from './fields.js';
import type { HostMessage, SignalingMessage } from './host-messages.js';
import type { SchemaTable } from './schema-table.js';

const WORKER_URL = /^wss?:\/\/[\x21-\x7e]+$/;

const ping = z.object({ type: z.literal('ping'), id: u32 });
const pong = z.object({ type: z.literal('pong'), id: u32 });

/** Every message that a host sends to signaling, by its type. */
export const HOST_SCHEMAS: SchemaTable<HostMessage> = {
  hello: z.object({
    type: z.literal('hello'),
    version,
    hostId: id,
    capacity: u32,
    mediaKinds: z.array(z.enum(['unmixed', 'mixed'])).max(8),
    sdkVersion: text.exactOptional(),
  }),
  health: z.object({
    type: z.literal('health'),
    activeCalls: u32,
    level: z.enum(['normal', 'heavilyLoaded', 'overloaded']),
  }),
  // The blob is opaque and has no bound of its own: the message has one.
  allocated: z.object({
    type: z.literal('allocated'),
    requestId: id,
    mediaId: id,
    blob: z.string().min(1),
  }),
  refused: z.object({ type: z.literal('refused'), requestId: id, code: word, message: text }),
  attached: z.object({
    type: z.literal('attached'),
    requestId: id.exactOptional(),
    mediaId: id,
    epoch,
  }),
  mediaState: z.object({
    type: z.literal('mediaState'),
    mediaId: id,
    state: z.enum(['inactive', 'active', 'failed', 'ended']),
    detail: text.exactOptional(),
  }),
  draining: z.object({ type: z.literal('draining') }),
  ping,
  pong,
};

/** Every message that signaling sends to a host, by its type. */
export const SIGNALING_SCHEMAS: SchemaTable<SignalingMessage> = {
  welcome: z.object({ type: z.literal('welcome'), version, pingIntervalMs }),
  allocate: z.object({ type: z.literal('allocate'), requestId: id, callId: id }),
  attach: z.object({
    type: z.literal('attach'),
    requestId: id,
    mediaId: id,
    callId: id,
    workerUrl: z.string().max(2048).regex(WORKER_URL),
    token,
    epoch,
    traceparent: traceparent.exactOptional(),
  }),
  release: z.object({ type: z.literal('release'), mediaId: id }),
  ping,
  pong,
  error: z.object({ type: z.literal('error'), code: word, message: text }),
};

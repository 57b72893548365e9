import { z } from 'zod';
import { PROTOCOL_VERSION } from './protocol.js';
import { isTickText } from './ticks.js';

// Ids become keys of stores and parts of log lines: visible ASCII only, and short.
const ID = /^[\x21-\x7e]{1,128}$/;

// What an HTTP header can carry after `Bearer`.
const TOKEN = /^[\x21-\x7e]{1,8192}$/;

// W3C Trace Context, version 00: always 55 characters.
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

const PCM_RATE_HZ = 16_000;

/** An identifier made by either side. */
export const id: z.ZodType<string> = z.string().regex(ID);
/** A bearer token, opaque to whoever hands it on. */
export const token: z.ZodType<string> = z.string().regex(TOKEN);
/** Names the span of a trace that a message belongs to. */
export const traceparent: z.ZodType<string> = z.string().regex(TRACEPARENT);
/** A short machine-readable word: a code or a reason. */
export const word: z.ZodType<string> = z.string().min(1).max(64);
/** Free text for people. */
export const text: z.ZodType<string> = z.string().max(4096);
/** A number that wraps or counts: u32. */
export const u32: z.ZodType<number> = z.int().min(0).max(0xffff_ffff);
/** A fencing number: grows with each placement of a call. */
export const epoch: z.ZodType<number> = z.int().min(0);
/** A stream's number on its link; 0 is reserved. */
export const streamId: z.ZodType<number> = z.int().min(1).max(0xffff);
/** What the frames of a stream carry, besides silence. */
export const codec: z.ZodType<'opus' | 'pcm16'> = z.enum(['opus', 'pcm16']);
/** Rates of Opus (RFC 6716 §2); `withPcmRate` narrows them for the other codec. */
export const sampleRateHz: z.ZodType<number> = z.literal([8000, 12_000, 16_000, 24_000, 48_000]);
/** 100-ns ticks, u64 in canonical decimal. */
export const ticks: z.ZodType<string> = z.string().max(20).refine(isTickText);
/** The message of a stream's opening, held to the one rate that PCM has. */
export function withPcmRate<Message extends { codec: string; sampleRateHz: number }>(
  schema: z.ZodType<Message>,
): z.ZodType<Message> {
  return schema.refine((m) => m.codec !== 'pcm16' || m.sampleRateHz === PCM_RATE_HZ, {
    path: ['sampleRateHz'],
    error: 'pcm16 is 16000 Hz',
  });
}

/** The protocol's version. */
export const version: z.ZodType<1> = z.literal(PROTOCOL_VERSION);
/** How often a peer asks for pings; bounded so that nobody can ask for a storm or for none. */
export const pingIntervalMs: z.ZodType<number> = z.int().min(100).max(60_000);

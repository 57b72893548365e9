import { z } from 'zod';
import { PROTOCOL_VERSION } from './protocol.js';
import { isTickText } from './ticks.js';

// Ids become keys of stores and parts of log lines: visible ASCII only, and short.
const ID = /^[\x21-\x7e]{1,128}$/;

/** An identifier made by either side. */
export const id: z.ZodType<string> = z.string().regex(ID);
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
/** 100-ns ticks, u64 in canonical decimal. */
export const ticks: z.ZodType<string> = z.string().max(20).refine(isTickText);
/** The protocol's version. */
export const version: z.ZodType<1> = z.literal(PROTOCOL_VERSION);
/** How often a peer asks for pings; bounded so that nobody can ask for a storm or for none. */
export const pingIntervalMs: z.ZodType<number> = z.int().min(100).max(60_000);

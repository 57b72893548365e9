import { setTimeout as sleep } from 'node:timers/promises';
import type { SignalingClient } from './signaling-client.js';

const POLL_MS = 50;

/** Leaves every meeting and waits until Graph confirmed it, at most `deadlineMs`; never throws. */
export async function hangUpAll(client: SignalingClient, deadlineMs: number): Promise<void> {
  const untilMs = Date.now() + deadlineMs;
  try {
    for (const call of await openCalls(client)) await client.hangUp(call);
    while (Date.now() < untilMs && (await openCalls(client)).length > 0) await sleep(POLL_MS);
  } catch {
    // Everything is about to be stopped: what signaling can't end, ends with its services.
  }
}

async function openCalls(client: SignalingClient): Promise<string[]> {
  return (await client.list()).filter(({ state }) => state !== 'terminated').map(({ id }) => id);
}

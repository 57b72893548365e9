import { setTimeout as sleep } from 'node:timers/promises';
import { CodedError } from '@earshot/async';
import type { ListeningChange } from '@earshot/listening';
import { signalingClient } from '../connection.js';

const POLL_MS = 250;
/** Signaling gives up on a call that is not established after 75 s. */
const DEADLINE_MS = 90_000;

export interface JoinOptions {
  /** What is listened for; what it does not name is as the service has it. */
  readonly listen?: ListeningChange;
}

/** `earshot join <url>`: posts the URL to the running signaling service, follows the joining. */
export async function join(joinUrl: string, { listen }: JoinOptions): Promise<void> {
  const client = signalingClient();
  const call = await client.join(joinUrl, listen);
  console.log(`${call.id} ${call.state}`);
  let { state } = call;
  const deadlineMs = Date.now() + DEADLINE_MS;
  while (state !== 'established' && Date.now() < deadlineMs) {
    await sleep(POLL_MS);
    const next = (await client.read(call.id)).state;
    if (next !== state) console.log(`${call.id} ${next}`);
    state = next;
    if (state === 'terminated') break;
  }
  if (state !== 'established') {
    throw new CodedError(
      'not_established',
      `Cannot join: the call must become established, got ${state}`,
      { fix: `See why: npm run earshot -- calls show ${call.id}` },
    );
  }
}

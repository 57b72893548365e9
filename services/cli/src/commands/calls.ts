import { signalingClient } from '../connection.js';

/** `earshot calls list`: id and state, one call a line. */
export async function callsList(): Promise<void> {
  for (const call of await signalingClient().list()) console.log(`${call.id} ${call.state}`);
}

/** `earshot calls show <id>`: the call as signaling shows it, as JSON. */
export async function callsShow(callId: string): Promise<void> {
  console.log(JSON.stringify(await signalingClient().read(callId), null, 2));
}

/** `earshot calls hang-up <id>`: leaves the meeting. */
export async function callsHangUp(callId: string): Promise<void> {
  await signalingClient().hangUp(callId);
}

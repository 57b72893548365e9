import process from 'node:process';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { MediaLinkClient } from '@earshot/bridge';
import { CODEC, FrameBatchWriter } from '@earshot/bridge-protocol';
import { makePayload } from './frame-messages.js';
import type { SendPlan } from './messages.js';

/** Half of what a link lets wait: no message is refused, so none is written in vain. */
const MOST_WAITING_BYTES = 524_288;

/** Sends messages as a host does, frame by frame; resolves with the CPU time of it, µs. */
export async function sendMessages(client: MediaLinkClient, plan: SendPlan): Promise<number> {
  const { messages, framesPerMessage, messagesPerTurn } = plan;
  const writer = new FrameBatchWriter();
  const payload = makePayload();
  const cpu = process.cpuUsage();
  for (let sent = 0; sent < messages; ) {
    for (let i = 0; i < messagesPerTurn && sent < messages; i += 1, sent += 1) {
      writer.reset();
      for (let streamId = 1; streamId <= framesPerMessage; streamId += 1) {
        writer.append(streamId, CODEC.opus, 0, sent, 0, sent, payload);
      }
      if (!client.sendFrames(writer.finish())) throw new Error('The link must take the message');
    }
    await nextTurn();
    while (client.bufferedBytes > MOST_WAITING_BYTES) await sleep(1);
  }
  const { user, system } = process.cpuUsage(cpu);
  return user + system;
}

// The process that sends: ready-made bytes, to load a receiver; or as a media host does.
import { once } from 'node:events';
import process from 'node:process';
import { makeMessage, makeWire } from './frame-messages.js';
import { sendMessages } from './frame-sender.js';
import { LiveStreams } from './live-streams.js';
import type { RawLink } from './media-host.js';
import { connectHost, connectRaw } from './media-host.js';
import type { SenderCommand, SenderReport } from './messages.js';

/** Written at once; the receiver reads 64 KiB at most. */
const WIRE_BYTES = 131_072;

let link: RawLink | undefined;
let live = new LiveStreams();

process.on('message', (command: SenderCommand) => void take(command));
process.on('disconnect', () => process.exit(0));
tell({ kind: 'ready' });

async function take(command: SenderCommand): Promise<void> {
  switch (command.kind) {
    case 'connect':
      link?.close();
      link = await connectRaw(command.port, command.path);
      tell({ kind: 'connected' });
      return;
    case 'blast':
      await blast(command.messages, command.framesPerMessage);
      return;
    case 'send': {
      const client = await connectHost(command.plan.port, 'frames', 'c_1');
      const cpuMicros = await sendMessages(client, command.plan);
      await client.close();
      tell({ kind: 'sent', cpuMicros });
      return;
    }
    case 'openStreams':
      live = new LiveStreams();
      await live.open(command.port, command.streams);
      tell({ kind: 'streaming', links: live.links });
      return;
    case 'closeStreams':
      tell({ kind: 'streamed', ...(await live.close()) });
      return;
  }
}

async function blast(messages: number, framesPerMessage: number): Promise<void> {
  if (link === undefined) throw new Error('A link must be open');
  const { transport } = link;
  const message = makeMessage(framesPerMessage);
  const times = Math.max(1, Math.floor(WIRE_BYTES / message.length));
  const wire = makeWire(message, times);
  const frameBytes = wire.length / times;
  for (let left = messages; left > 0; left -= times) {
    const chunk = left >= times ? wire : wire.subarray(0, left * frameBytes);
    if (!transport.write(chunk)) await once(transport, 'drain');
  }
}

function tell(report: SenderReport): void {
  process.send?.(report);
}

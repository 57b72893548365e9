import { setTimeout as sleep } from 'node:timers/promises';
import { coreBusyMs } from '../pipeline/cores.js';
import { say } from '../progress.js';
import type { BridgeProcesses } from './bridge-processes.js';
import { RECEIVER_CORE } from './bridge-processes.js';
import type { TimedWindow } from './messages.js';

const STREAMS = 500;
const WARM_UP_MS = 1000;

export interface LatencyFigures extends TimedWindow {
  readonly streams: number;
  readonly links: number;
  readonly durationMs: number;
  /** Time of the receiver's core that went to anybody else: a frame may have waited for it. */
  readonly othersShare: number;
  /** That the sender's sockets did not take. */
  readonly refused: number;
}

/** How old frames are when the handler gets them, at the load of a full worker. */
export async function measureBridgeLatency(
  processes: BridgeProcesses,
  { durationMs }: { readonly durationMs: number },
): Promise<LatencyFigures> {
  say(`bridge: ${STREAMS} streams in real time`);
  const links = await processes.openStreams(STREAMS);
  await sleep(WARM_UP_MS);
  await processes.beginTimed();
  const busyMs = coreBusyMs(RECEIVER_CORE);
  await sleep(durationMs);
  const timed = await processes.endTimed();
  const othersMs = coreBusyMs(RECEIVER_CORE) - busyMs - timed.cpuMicros / 1000;
  const othersShare = Math.max(0, othersMs / durationMs);
  const { refused } = await processes.closeStreams();
  return { ...timed, streams: STREAMS, links, durationMs, othersShare, refused };
}

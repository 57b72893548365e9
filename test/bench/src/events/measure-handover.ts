import { Deployment, writeMeeting } from '@earshot/chaos';
import type { EarshotEvent } from '@earshot/events';
import { monotonicMs } from '../pipeline/monotonic.js';
import { say } from '../progress.js';

/** How long calls are without a worker. */
export interface HandoverFigures {
  /** From SIGTERM to a worker until it has exited and all its calls are attached elsewhere. */
  readonly drainSeconds: number;
  /** From SIGKILL of it until another has published something of each of its calls. */
  readonly failoverSeconds: number;
  /** Frames that no worker heard, over all calls and both. */
  readonly lostFrames: number;
}

const DURATION_MS = 40_000;
/** Somebody speaks all the time, with pauses. */
const SPEECH = Array.from({ length: 19 }, (_, i) => ({
  startMs: 1_000 + i * 2_000,
  endMs: 2_400 + i * 2_000,
}));

/** A worker that leaves in order, and one that is killed, with so many calls in real time. */
export async function measureHandover(calls: number): Promise<HandoverFigures> {
  const meetingFolder = await writeMeeting({
    durationMs: DURATION_MS,
    participants: { ada: { speech: SPEECH } },
  });
  const deployment = await Deployment.start({ meetingFolder });
  try {
    const first = await deployment.addWorker();
    say(`events: ${calls} calls join`);
    const ids = await Promise.all(Array.from({ length: calls }, () => deployment.join()));
    await deployment.until(() => ids.every((id) => has(deployment, id, 'speech.started', 1)));
    const second = await deployment.addWorker();

    say('events: their worker leaves');
    const termMs = monotonicMs();
    first.signal('SIGTERM');
    const attached = deployment.until(() =>
      ids.every((id) => has(deployment, id, 'media.started', 2)),
    );
    const [code] = await Promise.all([first.exited, attached]);
    const drainSeconds = (monotonicMs() - termMs) / 1_000;
    if (code !== 0) throw new Error(`A worker that leaves must exit with 0, got ${code}`);

    await deployment.addWorker();
    say('events: their worker is killed');
    const killMs = monotonicMs();
    second.signal('SIGKILL');
    await deployment.until(() => ids.every((id) => has(deployment, id, undefined, 3)));
    const failoverSeconds = (monotonicMs() - killMs) / 1_000;

    say('events: the calls end');
    await Promise.all(ids.map((id) => deployment.ended(id)));
    const gaps = ids.flatMap((id) => deployment.of(id, 'media.gap'));
    const lostFrames = gaps.reduce((sum, { data }) => sum + data.missingFrames, 0);
    return { drainSeconds, failoverSeconds, lostFrames };
  } finally {
    await deployment.close();
  }
}

function has(
  { events }: Deployment,
  callId: string,
  type: EarshotEvent['type'] | undefined,
  epoch: number,
): boolean {
  return events.some(
    (event) =>
      event.callId === callId &&
      event.source === 'media' &&
      event.epoch >= epoch &&
      (type === undefined || event.type === type),
  );
}

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@earshot/async/system';
import { HostLinkServer } from '@earshot/bridge';
import { createLog } from '@earshot/telemetry';
import type { Stage, StageOptions } from './test-stage.js';
import { openStage } from './test-stage.js';
import { TestWorker } from './test-worker.js';
import { Watched } from './watched.js';

const HOST_KEY = 'a-key-for-media-hosts';

export interface LinkedStageOptions extends StageOptions {
  readonly creditFrames?: number;
}

/** A stage with both links: the smallest signaling and worker that are real on the wire. */
export interface LinkedStage extends Stage {
  readonly worker: TestWorker;
  /** Where the worker's link is. */
  readonly workerUrl: string;
  readonly hostLink: HostLinkServer;
  /** What the host said of its sessions, with the details. */
  readonly mediaStates: Watched<string>;
  /**
   * Joins a meeting as signaling does; returns once the audio is attached.
   *
   * @param setUp lets the time pass that Graph takes, where the clock is the test's
   */
  join(
    joinUrl: string,
    key: string,
    setUp?: () => void,
  ): Promise<{ graphCallId: string; mediaId: string }>;
}

export async function openLinkedStage(options: LinkedStageOptions = {}): Promise<LinkedStage> {
  const stage = await openStage(options);
  const { sandbox, bot, closers } = stage;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const base = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { creditFrames = 200, clock = systemClock } = options;
  const worker = new TestWorker({ server, clock, creditFrames });
  closers.defer(() => worker.close());
  const mediaStates = new Watched<string>();
  const hostLink = new HostLinkServer({
    server,
    path: '/v1/host-link',
    authorize: (bearer) => bearer === HOST_KEY,
    clock,
    log: createLog({ service: 'test', level: 'silent' }),
    onMediaState: ({ state, detail }) => mediaStates.add(detail ? `${state} ${detail}` : state),
  });
  closers.defer(() => hostLink.close());
  const { hostId } = await sandbox.connectHost(`${base}/v1/host-link`, HOST_KEY);

  const workerUrl = `${base}/v1/media-link`;

  return {
    ...stage,
    worker,
    workerUrl,
    hostLink,
    mediaStates,
    async join(joinUrl, key, setUp) {
      const callId = `c_${key}`;
      const { mediaId, blob } = await hostLink.allocate(hostId, callId);
      const graphCallId = await stage.create(joinUrl, key, blob);
      setUp?.();
      await bot.untilState(key, 'established');
      await hostLink.attach(hostId, { mediaId, callId, workerUrl, token: `${callId}.1`, epoch: 1 });
      return { graphCallId, mediaId };
    },
  };
}

import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Cancel } from '@earshot/async';
import { CloseStack, every } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { Sandbox } from '@earshot/sandbox';
import { readConfig, startSandbox } from '@earshot/sandbox';
import type { HostSession, HostSuiteOptions } from '../src/index.js';

const KEY = 'the-host-key-of-the-conformance-tests';
const REPLAY_WINDOW_MS = 2000;
const FRAME_MS = 20;
/** One of three leaves soon. */
const LEAVES_AFTER = 20;

type Media = NonNullable<ReturnType<Sandbox['mediaHost']['claim']>>;
type Participant = Parameters<Media['join']>[0];

/** Our own host simulator, and what the suite needs to check it. */
export async function startHostBench(): Promise<{
  options: HostSuiteOptions;
  close(): Promise<void>;
}> {
  const closers = new CloseStack();
  const folder = await mkdtemp(path.join(os.tmpdir(), 'earshot-conformance-'));
  closers.defer(() => rm(folder, { recursive: true, force: true }));
  const config = readConfig({ EARSHOT_DATA_DIR: folder, EARSHOT_LOG_LEVEL: 'silent' });
  const sandbox = await startSandbox(config, { replayWindowMs: REPLAY_WINDOW_MS });
  closers.defer(() => sandbox.close());
  let hostLinkUrl = '';
  return {
    options: {
      listen: { host: '127.0.0.1', port: 0 },
      key: KEY,
      clock: systemClock,
      onListening: (url) => {
        hostLinkUrl = url;
        void sandbox.connectHost(url, KEY);
      },
      restart: async () => {
        await sandbox.connectHost(hostLinkUrl, KEY);
      },
      activate: async (session) => play(sandbox, session, closers),
    },
    close: () => closers.close(),
  };
}

/** Plays two who speak, of whom one loses frames and is muted now and then, until it is over. */
function play(sandbox: Sandbox, { blob }: HostSession, closers: CloseStack): void {
  const media = sandbox.mediaHost.claim(blob, () => {});
  if (media === undefined) throw new Error('the sandbox must know its own blob');
  const speakers = [speaker('ada', '201'), speaker('bob', '202')];
  const leaver = speaker('cyd', '203');
  media.begin();
  for (const one of [...speakers, leaver]) media.join(one);
  let frame = 0;
  const stop: Cancel = every(systemClock, FRAME_MS, () => {
    if (media.isEnded) stop();
    for (const one of speakers) playFrame(media, one, frame);
    if (frame < LEAVES_AFTER) playFrame(media, leaver, frame);
    if (frame === LEAVES_AFTER) media.leave(leaver);
    media.tick(frame * FRAME_MS);
    media.flush();
    frame += 1;
  });
  closers.defer(stop);
}

function playFrame(media: Media, one: Participant, frame: number): void {
  const isMuted = one.key === 'bob' && frame % 50 >= 5 && frame % 50 < 15;
  if (isMuted) return;
  if (one.key === 'bob' && frame % 50 === 30) media.missing(one);
  else media.frame(one, frame % one.packets.length, frame * FRAME_MS);
}

function speaker(key: string, sourceId: string): Participant {
  return {
    key,
    displayName: key,
    kind: 'user',
    identityId: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
    sourceId,
    joinAtMs: 0,
    leaveAtMs: 3_600_000,
    muted: [],
    missing: new Set(),
    packets: Array.from({ length: 1000 }, (_, n) => Uint8Array.of(0x48, n >> 8, n & 0xff, 0xaa)),
  };
}

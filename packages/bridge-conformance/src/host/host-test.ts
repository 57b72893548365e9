import { randomBytes } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type { MediaHostMessage, MediaPingMessage } from '@earshot/bridge-protocol';
import { NotApplicable } from '../outcome.js';
import type { Rule } from '../rule.js';
import { Attachment } from './attachment.js';
import type { HostStage } from './host-stage.js';
import type { MediaManner, MediaPeer } from './media-peer.js';
import type { SignalingPeer } from './signaling-peer.js';

/** A media session that the host allocated. */
export interface HostSession {
  readonly mediaId: string;
  readonly callId: string;
  /** Secret. */
  readonly blob: string;
}

export interface HostTestOptions {
  readonly stage: HostStage;
  readonly clock: Clock;
  readonly replyMs: number;
  readonly quietMs: number;
  readonly redialMs: number;
  readonly noDialMs: number;
  readonly audioMs: number;
  readonly patienceMs: number;
  /** Makes audio come, as Graph does once it has the blob. */
  activate(session: HostSession): Promise<void>;
  /** Starts the host anew; undefined when the run can't. */
  readonly restart: (() => Promise<void>) | undefined;
}

/** A rule about hosts. */
export type HostRule = Rule<HostTest>;

/** What one rule has for itself: its media sessions on the host. */
export class HostTest {
  readonly stage: HostStage;
  readonly clock: Clock;
  /** How long an answer may take. */
  readonly replyMs: number;
  /** How long nothing must come to be taken for nothing. */
  readonly quietMs: number;
  /** How long a host may take to dial a broken media link again. */
  readonly redialMs: number;
  /** How long no dial must come to be taken for none. */
  readonly noDialMs: number;
  /** How long audio may take to come. */
  readonly audioMs: number;
  /** The longest that a rule waits for a full window. */
  readonly patienceMs: number;
  readonly #options: HostTestOptions;
  readonly #sessions: HostSession[] = [];
  readonly #attachments: Attachment[] = [];
  #lastEpoch = 0;

  constructor(options: HostTestOptions) {
    this.stage = options.stage;
    this.clock = options.clock;
    this.replyMs = options.replyMs;
    this.quietMs = options.quietMs;
    this.redialMs = options.redialMs;
    this.noDialMs = options.noDialMs;
    this.audioMs = options.audioMs;
    this.patienceMs = options.patienceMs;
    this.#options = options;
  }

  /** The host link, up. */
  link(): Promise<SignalingPeer> {
    return this.stage.hostLink();
  }

  /** @throws NotApplicable when the host allocates none. */
  async allocate(): Promise<HostSession> {
    const link = await this.link();
    const callId = newId('c');
    const requestId = link.request({ type: 'allocate', callId });
    const answer = await link.answer(requestId, this.replyMs);
    if (answer?.type !== 'allocated') {
      throw new NotApplicable('the host allocates no session', 'H-2');
    }
    const session = { mediaId: answer.mediaId, callId, blob: answer.blob };
    this.#sessions.push(session);
    return session;
  }

  /** Has the host attach a session, and does not wait. */
  async attach(
    { mediaId, callId }: { readonly mediaId: string; readonly callId: string },
    {
      epoch = this.#lastEpoch + 1,
      ...manner
    }: Partial<MediaManner> & { readonly epoch?: number } = {},
    refusals: readonly number[] = [],
  ): Promise<Attachment> {
    this.#lastEpoch = Math.max(this.#lastEpoch, epoch);
    const { replyMs, clock } = this;
    const token = newId('t');
    const attachment = new Attachment({ epoch, token, clock, manner: { replyMs, ...manner } });
    attachment.refusals.push(...refusals);
    attachment.url = this.stage.addMedia(attachment.handler);
    this.#attachments.push(attachment);
    const link = await this.link();
    const workerUrl = attachment.url;
    attachment.requestId = link.request({
      type: 'attach',
      mediaId,
      callId,
      workerUrl,
      token,
      epoch,
    });
    return attachment;
  }

  /** A session whose media link is open. @throws NotApplicable when the host opens none. */
  async attached(
    manner: Partial<MediaManner> = {},
  ): Promise<{ session: HostSession; attachment: Attachment; peer: MediaPeer }> {
    return await this.#attachedTo(await this.allocate(), manner);
  }

  /** As `attached`, with audio made to come; whether it does is for the rule to see. */
  async withAudioExpected(
    manner: Partial<MediaManner> = {},
  ): Promise<{ session: HostSession; attachment: Attachment; peer: MediaPeer }> {
    const session = await this.allocate();
    await this.#options.activate(session);
    return await this.#attachedTo(session, manner);
  }

  /** As `withAudio`, and bad messages count as much as frames. */
  async withAudioOrBad(frames: number): Promise<{ peer: MediaPeer }> {
    const { peer } = await this.withAudioExpected();
    const isThere = (): boolean =>
      peer.frames.length >= frames || peer.heard.items.some(({ kind }) => kind === 'badFrames');
    await peer.heard.find(isThere, this.audioMs);
    if (isThere()) return { peer };
    throw new NotApplicable(`no audio came within ${this.audioMs} ms`);
  }

  /** As `attached`, with audio that comes. @throws NotApplicable when none comes. */
  async withAudio(
    manner: Partial<MediaManner> = {},
    frames = 1,
  ): Promise<{ session: HostSession; attachment: Attachment; peer: MediaPeer }> {
    const { session, attachment, peer } = await this.withAudioExpected(manner);
    if (await peer.hasFrames(frames, this.audioMs)) return { session, attachment, peer };
    throw new NotApplicable(
      `${peer.frames.length} frames came within ${this.audioMs} ms where ${frames} are needed`,
    );
  }

  /** The first link of an attachment, once the host took its welcome. */
  async opened(attachment: Attachment, n = 0, withinMs: number = this.replyMs): Promise<MediaPeer> {
    const peer = await attachment.peer(n, withinMs, n === 0 ? 'H-3' : 'R-12');
    await peer.hello();
    return peer;
  }

  /** Waits until the host has taken the welcome of a link: from then on it pings. */
  async taken(peer: MediaPeer): Promise<void> {
    const isPing = (message: MediaHostMessage): message is MediaPingMessage =>
      message.type === 'ping';
    if ((await peer.message(isPing)) !== undefined) return;
    peer.requireOpen();
    throw new NotApplicable('the host does not ping', 'P-1');
  }

  async #attachedTo(
    session: HostSession,
    manner: Partial<MediaManner>,
  ): Promise<{ session: HostSession; attachment: Attachment; peer: MediaPeer }> {
    const attachment = await this.attach(session, manner);
    const peer = await this.opened(attachment);
    // What signaling says next must not overtake the welcome: they go over different links.
    if (manner.welcomes !== false) {
      await (await this.link()).answer(attachment.requestId, this.replyMs);
    }
    return { session, attachment, peer };
  }

  /** Has the host started anew after it was sent away, if the run knows how. */
  async restart(): Promise<void> {
    const { restart } = this.#options;
    if (restart === undefined) return;
    await restart();
    this.stage.isDismissed = false;
  }

  /** Releases all sessions of the rule. */
  async close(): Promise<void> {
    if (this.#sessions.length > 0) {
      const link = await this.link().catch(() => undefined);
      for (const { mediaId } of this.#sessions) link?.say({ type: 'release', mediaId });
    }
    const peers = this.#attachments.flatMap(({ peers }) => peers.items);
    // A host says good-bye to the links that are open; those that were made mute must not wait.
    for (const peer of peers) {
      peer.isAnswering = true;
      peer.change({ finishes: true });
    }
    await Promise.all(peers.map((peer) => peer.bye(this.quietMs).then(() => peer.wire.break())));
  }
}

function newId(kind: string): string {
  return `${kind}_${randomBytes(12).toString('base64url')}`;
}

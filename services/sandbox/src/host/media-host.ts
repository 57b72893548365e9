import { randomBytes } from 'node:crypto';
import type { Cancel, Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import { HostLinkClient } from '@earshot/bridge';
import type { MediaState } from '@earshot/bridge-protocol';
import type { DecoderPool } from '@earshot/opus';
import type { Log } from '@earshot/telemetry';
import { readBlob, writeBlob } from './blob.js';
import { CallArchive } from './call-archive.js';
import type { FramesSent } from './frame-sender.js';
import type { Attachment } from './media-link.js';
import { MediaSession } from './media-session.js';

/** How long a blob waits for Graph to use it. Teams' own figure is not known. */
const BLOB_LIFETIME_MS = 5 * 60_000;

export interface MediaHostOptions {
  readonly hostId: string;
  /** Most calls at a time. */
  readonly capacity: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly replayWindowMs: number;
  /** Of each stream. */
  readonly replayWindowBytes: number;
  readonly virtualTime: boolean;
  /** For audio into the meetings: 16 kHz, mono, `maxKept` for each call. */
  readonly decoders: DecoderPool;
  /** Told of each change, as signaling is. */
  onState?(mediaId: string, state: MediaState, detail: string | undefined): void;
}

/** What the host has done, for the metrics. */
export interface MediaHostStats extends Readonly<FramesSent> {
  readonly activeCalls: number;
  /** Streams of which worker and host counted different losses. */
  readonly accountMismatches: number;
}

interface Allocation {
  readonly session: MediaSession;
  readonly key: string;
  /** Set once Graph has used the blob. */
  onRoom: (() => void) | undefined;
  cancelExpiry: Cancel | undefined;
}

/** The simulated media host: makes blobs, takes meetings' audio, dials signaling and workers. */
export class MediaHost {
  readonly hostId: string;
  readonly #options: MediaHostOptions;
  readonly #allocations = new Map<string, Allocation>();
  readonly #sent: FramesSent = { frames: 0, replayed: 0, messages: 0 };
  #link: HostLinkClient | undefined;
  /** Calls that are over, for those who ask later. */
  readonly #archive = new CallArchive();
  #accountMismatches = 0;

  constructor(options: MediaHostOptions) {
    this.hostId = options.hostId;
    this.#options = options;
  }

  /** False while the link to signaling is wanted, and down. */
  get isLinked(): boolean {
    return this.#link?.isUp ?? true;
  }

  get stats(): MediaHostStats {
    return {
      ...this.#sent,
      activeCalls: this.#allocations.size,
      accountMismatches: this.#accountMismatches,
    };
  }

  /**
   * Dials signaling's host link, in place of an earlier one; resolves when the link is up for
   * the first time. From then on it reconnects by itself.
   */
  async connect(url: string, token: string): Promise<void> {
    await this.#link?.close();
    const { clock, random, log, capacity } = this.#options;
    const link = new HostLinkClient({
      url,
      token,
      hostId: this.hostId,
      capacity,
      clock,
      random,
      log,
      handlers: {
        allocate: async (callId) => this.allocate(callId),
        attach: (request) => this.attach(request.mediaId, request),
        release: (mediaId) => this.release(mediaId),
      },
    });
    this.#link = link;
    link.start();
    await link.connected;
    this.#tellHealth();
  }

  /** Prepares a call's audio. @throws CodedError `host_full` */
  allocate(callId: string): { mediaId: string; blob: string } {
    const { capacity, clock } = this.#options;
    if (this.#allocations.size >= capacity) {
      throw new CodedError(
        'host_full',
        `Cannot take another call: the media host has room for ${capacity}, got one more`,
      );
    }
    const mediaId = `m_${randomBytes(16).toString('base64url')}`;
    const key = randomBytes(16).toString('base64url');
    const allocation: Allocation = {
      session: this.#createSession(mediaId, callId),
      key,
      onRoom: undefined,
      cancelExpiry: clock.at(clock.nowMs() + BLOB_LIFETIME_MS, () => this.release(mediaId)),
    };
    this.#allocations.set(mediaId, allocation);
    this.#tellHealth();
    return { mediaId, blob: writeBlob({ mediaId, key }) };
  }

  /**
   * Graph's side: takes the session that a blob stands for, once.
   *
   * @param onRoom called when virtual time may go on, and when the session is over.
   * @param graphCallId Graph's name for the call.
   * @returns undefined when the blob is not of this host, used before, or too old.
   */
  claim(blob: string, onRoom: () => void, graphCallId?: string): MediaSession | undefined {
    const content = readBlob(blob);
    if (content === undefined) return undefined;
    const allocation = this.#allocations.get(content.mediaId);
    if (allocation === undefined || allocation.key !== content.key) return undefined;
    if (allocation.onRoom !== undefined) return undefined;
    allocation.onRoom = onRoom;
    allocation.cancelExpiry?.();
    allocation.session.graphCallId = graphCallId;
    return allocation.session;
  }

  /** A call by Graph's id, by that of the bot's, or by its media id; also one that is over lately. */
  find(id: string): MediaSession | undefined {
    for (const { session } of this.#allocations.values()) if (session.isCalled(id)) return session;
    return this.#archive.find(id);
  }

  /** @throws CodedError `media_not_found`; what the worker's refusal says. */
  async attach(mediaId: string, attachment: Attachment): Promise<void> {
    const allocation = this.#allocations.get(mediaId);
    if (allocation !== undefined) return allocation.session.attach(attachment);
    throw new CodedError(
      'media_not_found',
      'Cannot attach: the media id must be of a call of this host, got another',
    );
  }

  release(mediaId: string): void {
    this.#allocations.get(mediaId)?.session.release();
  }

  /** Leaves all calls and signaling. */
  async close(): Promise<void> {
    const allocations = [...this.#allocations.values()];
    this.#allocations.clear();
    for (const { cancelExpiry } of allocations) cancelExpiry?.();
    await Promise.all(allocations.map(({ session }) => session.shutDown()));
    await this.#link?.close();
  }

  #createSession(mediaId: string, callId: string): MediaSession {
    const { clock, random, log, replayWindowMs, replayWindowBytes, virtualTime, decoders } =
      this.#options;
    return new MediaSession({
      mediaId,
      callId,
      clock,
      random,
      log: log.child({ callId }),
      replayWindowMs,
      replayWindowBytes,
      virtualTime,
      sent: this.#sent,
      decoders,
      onState: (state, detail) => this.#onState(mediaId, state, detail),
      onRoom: () => this.#allocations.get(mediaId)?.onRoom?.(),
      onMismatch: (account) => {
        this.#accountMismatches += 1;
        log.warn('losses counted differently by worker and host', { callId, ...account });
      },
    });
  }

  #onState(mediaId: string, state: MediaState, detail: string | undefined): void {
    this.#options.onState?.(mediaId, state, detail);
    this.#link?.sendMediaState({ mediaId, state, ...(detail === undefined ? {} : { detail }) });
    if (state !== 'ended') return;
    const allocation = this.#allocations.get(mediaId);
    if (allocation === undefined) return;
    allocation.cancelExpiry?.();
    this.#allocations.delete(mediaId);
    if (allocation.onRoom !== undefined) this.#archive.add(allocation.session);
    this.#tellHealth();
  }

  #tellHealth(): void {
    this.#link?.sendHealth({ activeCalls: this.#allocations.size, level: 'normal' });
  }
}

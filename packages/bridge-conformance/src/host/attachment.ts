import type { IncomingMessage } from 'node:http';
import type { Clock } from '@earshot/async';
import { Mailbox } from '../mailbox.js';
import { NotApplicable } from '../outcome.js';
import type { MediaHandler } from './host-stage.js';
import type { MediaManner } from './media-peer.js';
import { MediaPeer } from './media-peer.js';

/** One attempt of the host to open a media link. */
export interface MediaDial {
  readonly request: IncomingMessage;
  readonly atMs: number;
}

export interface AttachmentOptions {
  readonly epoch: number;
  readonly token: string;
  readonly clock: Clock;
  readonly manner: MediaManner;
}

/** One epoch of a call at a worker: everything the host dials for one `attach`. */
export class Attachment {
  readonly epoch: number;
  readonly token: string;
  readonly dials: Mailbox<MediaDial>;
  readonly peers: Mailbox<MediaPeer>;
  /** Statuses with which the next dials are refused. */
  readonly refusals: number[] = [];
  /** How links to come behave. */
  manner: MediaManner;
  url = '';
  requestId = '';
  readonly #clock: Clock;

  constructor({ epoch, token, clock, manner }: AttachmentOptions) {
    this.epoch = epoch;
    this.token = token;
    this.#clock = clock;
    this.manner = manner;
    this.dials = new Mailbox(clock);
    this.peers = new Mailbox(clock);
  }

  /** Takes the host's dials. */
  readonly handler: MediaHandler = (accept, request, refuse) => {
    this.dials.push({ request, atMs: this.#clock.nowMs() });
    const refusal = this.refusals.shift();
    if (refusal !== undefined) {
      refuse(refusal);
      return;
    }
    accept((socket) => {
      const peer = new MediaPeer(socket, request, this.#clock);
      peer.begin(this.manner);
      this.peers.push(peer);
    });
  };

  /** The n-th link, from 0 on. @throws NotApplicable when the host doesn't dial it. */
  async peer(n: number, withinMs: number, blockedBy: string): Promise<MediaPeer> {
    const peer = await this.peers.find(() => true, withinMs, n);
    if (peer !== undefined) return peer;
    throw new NotApplicable(`the host does not dial media link ${n + 1}`, blockedBy);
  }
}

import type { HelloMessage, SendCapability, WorkerMessage } from '@earshot/bridge-protocol';
import { writeMessage } from '@earshot/bridge-protocol';
import type { Link } from './link.js';
import type { MediaLinkSession } from './media-link-server.js';

const OF_WAY_BACK: ReadonlySet<WorkerMessage['type']> = new Set([
  'sendOpen',
  'sendClose',
  'mark',
  'clear',
]);

/** What the handlers of an open media link hold. */
export class OpenSession implements MediaLinkSession {
  readonly callId: string;
  readonly epoch: number;
  readonly hello: HelloMessage;
  readonly wayBack: SendCapability | undefined;
  /** Set once `welcome` may be followed by something. */
  welcomed = false;
  readonly #link: Link;

  constructor(link: Link, hello: HelloMessage, wayBack: SendCapability | undefined) {
    this.#link = link;
    this.callId = hello.callId;
    this.epoch = hello.epoch;
    this.hello = hello;
    this.wayBack = wayBack;
  }

  get bufferedBytes(): number {
    return this.#link.bufferedBytes;
  }

  send(message: WorkerMessage): void {
    this.#requireWelcome();
    if (this.wayBack === undefined && OF_WAY_BACK.has(message.type)) return;
    this.#link.sendText(writeMessage(message));
  }

  sendFrames(bytes: Uint8Array): boolean {
    this.#requireWelcome();
    return this.wayBack !== undefined && this.#link.sendBinary(bytes);
  }

  close(code: number, reason: string): void {
    this.#link.close(code, reason);
  }

  #requireWelcome(): void {
    if (!this.welcomed) throw new Error('Cannot send on a media link before open returned');
  }
}

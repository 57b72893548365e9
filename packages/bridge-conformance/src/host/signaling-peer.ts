import type { HostHelloMessage, HostMessage } from '@earshot/bridge-protocol';
import { parseHostMessage } from '@earshot/bridge-protocol';
import { Mailbox } from '../mailbox.js';
import { NotApplicable } from '../outcome.js';
import type { WireItem } from '../wire.js';
import { Peer } from './peer.js';

export interface SignalingPeerOptions {
  readonly replyMs: number;
  /** What `welcome` says; undefined: the rule answers hello itself. */
  readonly pingIntervalMs: number | undefined;
}

/** Signaling's end of one host link. Answers hello and pings by itself. */
export class SignalingPeer extends Peer {
  readonly messages: Mailbox<HostMessage> = new Mailbox(this.clock);
  /** Texts that are no message of the protocol, with the reason. */
  readonly faults: string[] = [];
  #options: SignalingPeerOptions = { replyMs: 0, pingIntervalMs: undefined };
  #lastRequest = 0;
  #lastPing = 1000;

  begin(options: SignalingPeerOptions): void {
    this.#options = options;
    void this.run();
  }

  /** @throws NotApplicable when the host says none. */
  async hello(): Promise<HostHelloMessage> {
    const isHello = (message: HostMessage): message is HostHelloMessage => message.type === 'hello';
    const hello = await this.messages.find(isHello, this.#options.replyMs);
    if (hello !== undefined) return hello;
    throw new NotApplicable('the host says no valid hello', 'O-1');
  }

  welcome(pingIntervalMs: number): void {
    this.say({ type: 'welcome', version: 1, pingIntervalMs });
  }

  /** Sends a request with an id of its own, and gives the id. */
  request(message: Readonly<Record<string, unknown>>): string {
    this.#lastRequest += 1;
    const requestId = `r_${this.#lastRequest}`;
    this.say({ ...message, requestId });
    return requestId;
  }

  /** The answer to a request; undefined when there is none in time. */
  answer(requestId: string, withinMs: number): Promise<HostMessage | undefined> {
    return this.messages.find((m) => 'requestId' in m && m.requestId === requestId, withinMs);
  }

  /** Waits until the host has handled all that was sent. @throws Mismatch when it closed instead. */
  async settle(): Promise<void> {
    this.#lastPing += 1;
    const id = this.#lastPing;
    this.say({ type: 'ping', id });
    const { replyMs } = this.#options;
    const isPong = (m: HostMessage): boolean => m.type === 'pong' && m.id === id;
    if ((await this.messages.find(isPong, replyMs)) !== undefined) return;
    this.requireOpen();
    throw new NotApplicable('the host answers no ping', 'P-3.pong');
  }

  protected receive(item: WireItem): void {
    if (item.kind !== 'text') return;
    const parsed = parseHostMessage(item.text);
    if (!parsed.ok) {
      if (parsed.code !== 'unsupported_type') this.faults.push(`${parsed.code}: ${parsed.detail}`);
      return;
    }
    const { message } = parsed;
    const { pingIntervalMs } = this.#options;
    if (message.type === 'hello' && pingIntervalMs !== undefined) this.welcome(pingIntervalMs);
    if (message.type === 'ping' && this.isAnswering) this.say({ type: 'pong', id: message.id });
    this.messages.push(message);
  }
}

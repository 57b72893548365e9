import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type {
  HelloMessage,
  MediaHostMessage,
  StreamOpenMessage,
  WelcomeMessage,
  WorkerMessage,
} from '@earshot/bridge-protocol';
import { parseWorkerMessage } from '@earshot/bridge-protocol';
import type { FrameParts } from '../frame-bytes.js';
import { frameMessage } from '../frame-bytes.js';
import { Mismatch, NotApplicable } from '../outcome.js';
import type { Wire, WireClose, WireItem } from '../wire.js';
import { closeText } from '../wire.js';

/** A stream's positions as the worker last told them. */
export interface Position {
  readonly received: number;
  readonly durable: number;
  /** Slots before `received` that never came; a worker need not count them. */
  readonly lost?: number;
  /** Frames that came and that it had no room for; it need not count them. */
  readonly dropped?: number;
}

export interface WorkerLinkOptions {
  readonly clock: Clock;
  /** How long an answer may take. */
  readonly replyMs: number;
  readonly hello: HelloMessage;
}

/** The host's end of one media link, as the suite plays it: says whatever it is told to. */
export class WorkerLink {
  readonly wire: Wire;
  readonly hello: HelloMessage;
  /** All messages of the worker so far that the protocol knows, in order. */
  readonly messages: WorkerMessage[] = [];
  /** Of its welcome. */
  resumeToken: string | undefined;
  readonly #clock: Clock;
  readonly #replyMs: number;
  readonly #open = new Set<number>();
  readonly #positions = new Map<number, Position>();
  /** Apart from the ids that rules make up. */
  #lastPingId = 0x4000_0000;
  #stopPings: Cancel = () => {};
  #hasProgress = false;

  constructor(wire: Wire, { clock, replyMs, hello }: WorkerLinkOptions) {
    this.wire = wire;
    this.hello = hello;
    this.#clock = clock;
    this.#replyMs = replyMs;
  }

  /** Says hello, with fields changed or added, and takes the worker's welcome. */
  async open(changes: Readonly<Record<string, unknown>> = {}): Promise<WelcomeMessage> {
    const welcome = await this.#welcomed(changes);
    if (welcome !== undefined) return welcome;
    throw new NotApplicable('the worker gave no valid welcome', 'O-4');
  }

  /** As `open`, where the hello is what is being checked. @throws Mismatch without a welcome. */
  async opens(changes: Readonly<Record<string, unknown>>): Promise<WelcomeMessage> {
    const welcome = await this.#welcomed(changes);
    if (welcome !== undefined) return welcome;
    const isOther = this.wire.seen.some(
      (item) => item.kind === 'text' && item.text.includes('"welcome"'),
    );
    if (isOther) throw new NotApplicable('the worker gave no valid welcome', 'O-4');
    const { closed } = this.wire;
    throw new Mismatch('welcome', closed === undefined ? 'nothing' : closeText(closed));
  }

  /** Pings no more by itself: from now on only the rule speaks. */
  beSilent(): void {
    this.#stopPings();
  }

  /** Sends a control message, also one that is none. */
  say(message: MediaHostMessage | Readonly<Record<string, unknown>>): void {
    const { type, streamId } = message as { readonly type?: unknown; readonly streamId?: unknown };
    if (type === 'streamOpen' && typeof streamId === 'number') this.#open.add(streamId);
    if (type === 'streamClose' && typeof streamId === 'number') this.#open.delete(streamId);
    this.wire.send(JSON.stringify(message));
  }

  /** Opens a stream of silence. */
  openStream(streamId: number, changes: Partial<StreamOpenMessage> = {}): void {
    this.say({
      type: 'streamOpen',
      streamId,
      kind: 'unmixed',
      sourceId: String(900 + streamId),
      codec: 'opus',
      sampleRateHz: 16_000,
      firstSequence: 0,
      ...changes,
    });
  }

  closeStream(streamId: number, nextSequence: number): void {
    this.say({ type: 'streamClose', streamId, nextSequence });
  }

  sendFrames(frames: readonly FrameParts[]): void {
    this.wire.send(frameMessage(frames));
  }

  /** The next message that `isWanted`; undefined when the link ended or none came in time. */
  async take(
    isWanted: (message: WorkerMessage) => boolean,
    withinMs: number = this.#replyMs,
  ): Promise<WorkerMessage | undefined> {
    const deadlineMs = this.#clock.nowMs() + withinMs;
    for (;;) {
      const item = await this.wire.next(deadlineMs - this.#clock.nowMs());
      if (item === undefined || item.kind === 'close') return undefined;
      const message = this.#read(item);
      if (message !== undefined && isWanted(message)) return message;
    }
  }

  /**
   * Waits until the worker has handled all that was sent: a ping comes after it.
   *
   * @throws Mismatch when the worker has closed the link instead.
   */
  async settle(): Promise<void> {
    const id = this.#ping();
    const pong = await this.take((message) => message.type === 'pong' && message.id === id);
    if (pong !== undefined) return;
    this.requireOpen();
    throw new NotApplicable('the worker answers no ping', 'P-2');
  }

  /** @throws Mismatch when the worker has closed the link. */
  requireOpen(): void {
    const { closed } = this.wire;
    if (closed !== undefined) throw new Mismatch('the link to stay open', closeText(closed));
  }

  /**
   * Takes what comes until the worker closes.
   *
   * @throws Mismatch when it does not, or with another code, or with another reason.
   */
  async closes(
    codes: readonly number[],
    { reason, withinMs = this.#replyMs }: { reason?: string; withinMs?: number } = {},
  ): Promise<WireClose> {
    const expected = `close ${codes.join(' or ')}${reason === undefined ? '' : ` ${reason}`}`;
    const deadlineMs = this.#clock.nowMs() + withinMs;
    for (;;) {
      const item = await this.wire.next(deadlineMs - this.#clock.nowMs());
      if (item === undefined) {
        throw new Mismatch(expected, `an open link after ${Math.round(withinMs)} ms`);
      }
      if (item.kind !== 'close') {
        this.#read(item);
        continue;
      }
      const isRight = codes.includes(item.code) && (reason === undefined || item.reason === reason);
      if (isRight) return item;
      throw new Mismatch(expected, closeText(item));
    }
  }

  /** @throws Mismatch when the worker has closed the link, NotApplicable when it tells nothing. */
  requireProgress(): void {
    this.requireOpen();
    if (!this.#hasProgress) throw new NotApplicable('the worker tells no progress', 'C-3');
  }

  /** What the worker last said of a stream. */
  position(streamId: number): Position | undefined {
    return this.#positions.get(streamId);
  }

  /**
   * Waits until the worker tells that it has received all before `sequence`.
   *
   * @throws Mismatch when it does not.
   */
  async received(streamId: number, sequence: number): Promise<void> {
    const isThere = (): boolean => this.#positions.get(streamId)?.received === sequence;
    if (!isThere()) await this.take(isThere);
    if (isThere()) return;
    this.requireProgress();
    const told = this.#positions.get(streamId)?.received;
    throw new Mismatch(`received ${sequence}`, told === undefined ? 'none' : `received ${told}`);
  }

  /** @throws Mismatch when the worker counts lost slots, and another number of them. */
  requireLost(streamId: number, slots: number): void {
    const lost = this.#positions.get(streamId)?.lost;
    if (lost === undefined || lost === slots) return;
    throw new Mismatch(`lost ${slots}`, `lost ${lost}`);
  }

  /** Closes what is open in good order, so that a call shared with other rules holds nothing. */
  async end(): Promise<void> {
    this.#stopPings();
    for (const streamId of this.#open) {
      const nextSequence = this.#positions.get(streamId)?.received ?? 0;
      this.wire.send(JSON.stringify({ type: 'streamClose', streamId, nextSequence }));
    }
    await this.wire.close(1000, 'rule_over');
  }

  async #welcomed(changes: Readonly<Record<string, unknown>>): Promise<WelcomeMessage | undefined> {
    this.say({ ...this.hello, ...changes });
    const welcome = await this.take((message) => message.type === 'welcome');
    if (welcome?.type !== 'welcome') return undefined;
    // As hosts do (P-1), so that no rule fails for our own silence; twice as often, to be sure.
    this.#stopPings = every(this.#clock, welcome.pingIntervalMs / 2, () => this.#ping());
    return welcome;
  }

  #ping(): number {
    this.#lastPingId = (this.#lastPingId + 1) >>> 0;
    const id = this.#lastPingId;
    this.say({ type: 'ping', id, clockNowTicks: this.hello.clockNowTicks });
    return id;
  }

  #read(item: Exclude<WireItem, WireClose>): WorkerMessage | undefined {
    if (item.kind === 'binary') return undefined;
    const parsed = parseWorkerMessage(item.text);
    if (!parsed.ok) return undefined;
    this.messages.push(parsed.message);
    if (parsed.message.type === 'progress') {
      this.#hasProgress = true;
      for (const stream of parsed.message.streams) this.#positions.set(stream.streamId, stream);
    }
    return parsed.message;
  }
}

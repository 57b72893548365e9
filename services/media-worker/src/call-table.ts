import type { Cancel, Clock } from '@earshot/async';
import { delay, every } from '@earshot/async';
import type { MediaLinkHandlers, MediaLinkRefusal } from '@earshot/bridge';
import type { HelloMessage } from '@earshot/bridge-protocol';
import { CLOSE, FrameBatchWriter, KIND } from '@earshot/bridge-protocol';
import type { ListeningSettings } from '@earshot/listening';
import { DEFAULT_LISTENING } from '@earshot/listening';
import type { StreamTotals } from '@earshot/media-session';
import { sumTotals } from '@earshot/media-session';
import type { Registry, StreamPosition } from '@earshot/registry';
import type { Tracer } from '@earshot/telemetry';
import { Attribution } from './attribution.js';
import { CallAudio } from './call-audio.js';
import type { EventSink } from './call-journal.js';
import { CallJournal } from './call-journal.js';
import { parseCallMemory } from './call-memory.js';
import type { DecodePool } from './decode-pool.js';
import type { WorkerLog } from './log.js';
import { CallPlays } from './play/call-plays.js';
import { PlayCounts } from './play/play-counts.js';
import { ProgressTurns } from './progress-turns.js';
import type { RecognizerPool } from './recognition/recognizer-pool.js';

/** A lease not renewed for so long is free for another worker. */
const LEASE_TTL_MS = 15_000;

/** Attachments remembered after their end, so that they can't begin again: oldest forgotten. */
const MAX_ENDED = 1000;

/** Keeps events of a call's former owners out; the publisher of @earshot/events. */
export interface EventFence {
  /** `stale` when the call has an owner with a newer epoch. */
  claim(callId: string, epoch: number): Promise<'ok' | 'stale'>;
}

export interface CallTableOptions {
  readonly workerId: string;
  readonly registry: Registry;
  readonly sink: EventSink & EventFence;
  readonly pool: DecodePool;
  readonly recognizers: RecognizerPool;
  readonly clock: Clock;
  readonly log: WorkerLog;
  readonly tracer: Tracer;
  readonly creditFrames: number;
  readonly linkGraceMs: number;
  readonly attributionWaitMs: number;
  readonly deafAfterMs: number;
  /**
   * How long an older attachment may take to store where it stopped before a newer one begins, and
   * what a host sent before it came back to be processed, ms.
   */
  readonly patienceMs: number;
  /** An attachment is over: nothing may go on with it. */
  onOver(attachment: { readonly callId: string; readonly epoch: number }): void;
}

/** What a call goes on from. */
interface Claimed {
  readonly positions: readonly StreamPosition[];
  readonly listening: ListeningSettings;
  /** What the attachment before knew of the call, as it was stored. */
  readonly memory: unknown;
}

interface Entry {
  readonly call: CallAudio;
  stopRenewing(): void;
}

/** The calls that this worker hears: who may begin, and who must end. */
export class CallTable {
  readonly playCounts: PlayCounts = new PlayCounts();
  readonly #options: CallTableOptions;
  /** The newest attachment of each call. */
  readonly #entries = new Map<string, Entry>();
  /** All that are not over: those of `#entries`, and those that gave way and still finish. */
  readonly #unfinished = new Set<CallAudio>();
  readonly #turns = new ProgressTurns();
  readonly #ended = new Set<string>();
  readonly #sendWriter = new FrameBatchWriter(undefined, KIND.send);
  #endedTotals: StreamTotals = sumTotals([]);
  #endedBeyondCredit = 0;
  #endedTonesFolded = 0;
  #draining = false;
  #whenEmpty: () => void = () => {};

  constructor(options: CallTableOptions) {
    this.#options = options;
  }

  get draining(): boolean {
    return this.#draining;
  }

  get size(): number {
    return this.#unfinished.size;
  }

  calls(): CallAudio[] {
    return [...this.#unfinished];
  }

  /** Totals of all calls since the start. */
  totals(): StreamTotals {
    return sumTotals([this.#endedTotals, ...this.calls().map((call) => call.totals)]);
  }

  /** Frames of all calls since the start that came though there was no credit for them. */
  get framesBeyondCredit(): number {
    return this.calls().reduce(
      (frames, call) => frames + call.streams.beyondCredit,
      this.#endedBeyondCredit,
    );
  }

  /** Reports of tones of all calls since the start that told of one already told. */
  get tonesFolded(): number {
    return this.calls().reduce(
      (n, { findings }) => n + findings.tonesFolded,
      this.#endedTonesFolded,
    );
  }

  /** Decides on a link whose token fits its hello: claims the call's lease, finds or makes the call. */
  async accept(hello: HelloMessage): Promise<MediaLinkHandlers | MediaLinkRefusal> {
    const before = this.#refusalOf(hello);
    if (before !== undefined) return before;
    await this.#giveWay(hello);
    const claimed = await this.#claim(hello);
    if ('code' in claimed) return claimed;
    return this.#refusalOf(hello) ?? this.#attach(hello, claimed);
  }

  /** Calls of which nothing is heard though somebody could speak. */
  get deaf(): number {
    let deaf = 0;
    for (const call of this.#unfinished) if (call.isDeaf) deaf += 1;
    return deaf;
  }

  /** Events of an attachment were kept out: the call is another's by now. */
  fenced({ callId, epoch }: { readonly callId: string; readonly epoch: number }): void {
    for (const call of this.#unfinished) {
      if (call.callId === callId && call.epoch === epoch) void call.end('leaseLost');
    }
  }

  /** Looks whether calls are heard; call it about once a second. */
  checkDeafness(): void {
    for (const call of this.#unfinished) call.checkDeafness();
  }

  /** Sends progress to hosts several times a second, until undone by the result. */
  tellProgress(): Cancel {
    return this.#turns.start(this.#options.clock);
  }

  /** Sends progress to hosts that wait for it. */
  tellEager(): void {
    for (const call of this.#unfinished) if (call.virtualTime) call.sendProgress();
  }

  /**
   * Takes no more calls, asks hosts to leave, and resolves once all calls are over; those that
   * are not at the deadline are ended, to be heard elsewhere.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    if (this.#unfinished.size === 0) return;
    for (const call of this.#unfinished) call.askToLeave('shutdown');
    const { clock } = this.#options;
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    const cancel = clock.at(deadlineMs, () => {
      for (const call of this.#unfinished) void call.end('drained');
    });
    await empty;
    cancel();
  }

  /** Gives up what calls have not published: the process must go. */
  abandon(): void {
    for (const call of this.#unfinished) call.abandon();
  }

  #refusalOf(hello: HelloMessage): MediaLinkRefusal | undefined {
    if (this.#draining)
      return refusal(CLOSE.draining, 'draining', 'the worker must not be leaving');
    if (this.#ended.has(attachmentKey(hello))) {
      return refusal(CLOSE.conflict, 'attachment_over', 'an attachment that ended must not return');
    }
    const call = this.#entries.get(hello.callId)?.call;
    if (call === undefined) {
      if (this.#options.pool.hasRoom) return undefined;
      return refusal(CLOSE.busy, 'worker_busy', 'the worker must have room for another stream');
    }
    if (hello.epoch < call.epoch) return staleEpoch(hello.epoch);
    if (hello.epoch > call.epoch) return undefined;
    if (call.ending) return refusal(CLOSE.conflict, 'call_ending', 'the call must not be ending');
    if (call.continues(hello)) return undefined;
    return refusal(CLOSE.protocolError, 'media_epoch_changed', 'mediaEpochTicks must not change');
  }

  /** An older attachment ends before it is fenced, so that it can still say how far it came. */
  async #giveWay({ callId, epoch }: HelloMessage): Promise<void> {
    const older = this.#entries.get(callId);
    if (older === undefined || older.call.epoch >= epoch) return;
    older.stopRenewing();
    const { clock, patienceMs } = this.#options;
    await Promise.race([older.call.end('leaseLost'), delay(clock, patienceMs)]);
  }

  /** Takes the call; nobody else moves its positions or tells events of it from then on. */
  async #claim({ callId, mediaId, epoch }: HelloMessage): Promise<MediaLinkRefusal | Claimed> {
    const { registry, sink, log } = this.#options;
    try {
      const result = await this.#renew(callId, epoch);
      if (result === 'stale' || (await sink.claim(callId, epoch)) === 'stale') {
        return staleEpoch(epoch);
      }
      const own = this.#entries.get(callId)?.call;
      if (own?.epoch === epoch) {
        // It knows them better than Redis.
        await own.caughtUp(this.#options.patienceMs);
        return { positions: [], listening: own.listening, memory: undefined };
      }
      const [positions, listening = DEFAULT_LISTENING, memory] = await Promise.all([
        registry.positions(callId, mediaId),
        registry.listening(callId),
        registry.callMemory(callId, mediaId),
      ]);
      return { positions, listening, memory };
    } catch (error) {
      log.error('lease not claimed', { callId, error: String(error) });
      return refusal(CLOSE.internal, 'registry_unreachable', 'the registry must answer');
    }
  }

  #attach(hello: HelloMessage, claimed: Claimed): MediaLinkHandlers {
    const existing = this.#entries.get(hello.callId);
    if (existing?.call.epoch === hello.epoch) return existing.call.attach();
    if (existing !== undefined) {
      existing.stopRenewing();
      void existing.call.end('leaseLost');
    }
    const call = this.#create(hello, claimed);
    this.#unfinished.add(call);
    this.#turns.add(call);
    this.#entries.set(hello.callId, { call, stopRenewing: this.#keepRenewing(call) });
    return call.attach();
  }

  #create(hello: HelloMessage, { positions, listening, memory }: Claimed): CallAudio {
    const { registry, workerId, sink, pool, clock, log, creditFrames, linkGraceMs } = this.#options;
    const { callId, mediaId, epoch } = hello;
    const lease = { callId, workerId, epoch };
    const attribution = new Attribution({
      lookUp: async (sourceId) =>
        (await registry.sourceOwners(callId, [sourceId])).get(sourceId) ?? [],
      clock,
      waitMs: this.#options.attributionWaitMs,
    });
    const span = this.#options.tracer.start('media.session', {
      parent: hello.traceparent,
      attributes: { callId, epoch },
    });
    const { traceparent } = span;
    const journal = new CallJournal({ callId, epoch, sink, attribution, traceparent, clock, log });
    const plays = new CallPlays({
      callId,
      epoch,
      mediaEpochTicks: hello.mediaEpochTicks,
      store: registry.plays,
      journal,
      writer: this.#sendWriter,
      counts: this.playCounts,
      clock,
      log,
    });
    return new CallAudio({
      hello,
      pool,
      recognizers: this.#options.recognizers,
      journal,
      attribution,
      plays,
      clock,
      log,
      listening,
      creditFrames,
      linkGraceMs,
      deafAfterMs: this.#options.deafAfterMs,
      isOurs: async () => (await this.#renew(callId, epoch)) === 'ok',
      unmuted: () => registry.unmuted(callId),
      noteSpeech: (atMs) => registry.noteSpeech(callId, atMs),
      positions,
      memory: parseCallMemory(memory),
      storePositions: (marked, known) => registry.storePositions(lease, mediaId, marked, known),
      forgetPositions: () => registry.forgetPositions(lease),
      onClosing: (call) => this.#remember(attachmentKey(call)),
      onOver: (call, reason) => {
        span.set({ reason });
        span.end();
        return this.#over(call);
      },
    });
  }

  #keepRenewing(call: CallAudio): () => void {
    const { clock, log } = this.#options;
    return every(clock, LEASE_TTL_MS / 3, () => {
      this.#renew(call.callId, call.epoch).then(
        (result) => {
          // Placed elsewhere, as was asked for: the host says good-bye before it goes there.
          if (result === 'stale' && !call.isLeaving) void call.end('leaseLost');
        },
        // Away: nobody else can claim either, so the call goes on.
        (error: unknown) => log.warn('lease not renewed', { error: String(error) }),
      );
    });
  }

  /** Claiming again also takes back a lease that ran out while the registry was away. */
  #renew(callId: string, epoch: number): Promise<'ok' | 'stale'> {
    const { registry, workerId } = this.#options;
    return registry.claimLease(callId, workerId, epoch, LEASE_TTL_MS);
  }

  async #over(call: CallAudio): Promise<void> {
    const { registry, workerId, log } = this.#options;
    this.#endedTotals = sumTotals([this.#endedTotals, call.totals]);
    this.#endedBeyondCredit += call.streams.beyondCredit;
    this.#endedTonesFolded += call.findings.tonesFolded;
    this.#options.onOver(call);
    this.#unfinished.delete(call);
    this.#turns.remove(call);
    const entry = this.#entries.get(call.callId);
    if (entry?.call === call) {
      entry.stopRenewing();
      this.#entries.delete(call.callId);
    }
    try {
      await registry.releaseLease(call.callId, workerId, call.epoch);
    } catch (error) {
      log.warn('lease not released', { callId: call.callId, error: String(error) });
    }
    if (this.#unfinished.size === 0) this.#whenEmpty();
  }

  #remember(key: string): void {
    this.#ended.add(key);
    if (this.#ended.size <= MAX_ENDED) return;
    for (const oldest of this.#ended) {
      this.#ended.delete(oldest);
      return;
    }
  }
}

function attachmentKey({ callId, epoch }: { callId: string; epoch: number }): string {
  return `${callId} ${epoch}`;
}

function staleEpoch(epoch: number): MediaLinkRefusal {
  return refusal(
    CLOSE.conflict,
    'stale_epoch',
    `the epoch must be the call's newest, got ${epoch}`,
  );
}

function refusal(closeCode: number, code: string, rule: string): MediaLinkRefusal {
  return { closeCode, code, message: `Cannot attach: ${rule}` };
}

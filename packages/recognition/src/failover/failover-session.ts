import type { Cancel, Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type {
  RecognizerFault,
  RecognizerResult,
  RecognizerSession,
  RecognizerSessionOptions,
} from '../recognizer.js';
import { RECOGNIZER_SAMPLE_RATE_HZ } from '../recognizer.js';
import type { Turn } from '../turn-queue.js';
import { TurnQueue } from '../turn-queue.js';
import { isRetryable } from '../vendor-fault.js';
import type { Member, RecognizerGroup } from './recognizer-group.js';

const SAMPLES_PER_MS = RECOGNIZER_SAMPLE_RATE_HZ / 1000;

const NAME = 'failover';

/** One recognizer gave way to another in a session. */
export interface FailoverSwitch {
  readonly from: string;
  /** Null: there was no other. */
  readonly to: string | null;
  /** Code of the fault; `preferred` when one that is wanted more works again. */
  readonly reason: string;
}

export interface FailoverLimits {
  /** Most time to open a session, ms. */
  readonly openMs: number;
  /** Most time from the end of an utterance to its last final, ms. */
  readonly finalMs: number;
  /** Most that a recognizer may lag behind, ms of sound. */
  readonly maxBacklogMs: number;
  /** Most sound of an utterance that is kept to be given to another, ms. */
  readonly maxUtteranceMs: number;
}

export interface FailoverSessionOptions {
  readonly group: RecognizerGroup;
  readonly session: RecognizerSessionOptions;
  readonly limits: FailoverLimits;
  readonly clock: Clock;
  switched(change: FailoverSwitch): void;
  closed(): void;
}

/** The session with the recognizer at work. */
interface Active {
  readonly member: Member;
  readonly session: RecognizerSession;
}

/** The first utterance at the recognizer at work. */
interface Progress {
  readonly turn: Turn;
  /** Recognizers that failed with it. */
  readonly failed: Set<Member>;
  /** All before is in finals. */
  finalSample: number;
  /** It was given all that there is, and what comes is given at once. */
  isFed: boolean;
  isEndGiven: boolean;
}

/**
 * A stream with the first recognizer that works. When it fails, or is too slow, the next is given what
 * is in no final yet; between utterances, one that is wanted more is turned to when it may work again.
 */
export class FailoverSession implements RecognizerSession {
  readonly #options: FailoverSessionOptions;
  readonly #turns: TurnQueue;
  #active: Active | undefined;
  #progress: Progress | undefined;
  readonly #unsuitable = new Set<Member>();
  #isOpening = false;
  #isOver = false;
  /** Why the last recognizer was left. */
  #fault: RecognizerFault = NO_RECOGNIZER;
  #left: Member | undefined;
  #cancelWait: Cancel = () => {};

  constructor(options: FailoverSessionOptions) {
    this.#options = options;
    const { session, limits } = options;
    this.#turns = new TurnQueue(session.startMs, limits.maxUtteranceMs, 0);
  }

  /** @throws CodedError of the last recognizer that was tried. */
  async connect(): Promise<void> {
    const failed = new Set<Member>();
    const { session } = this.#options;
    if (await this.#open(failed, session.startMs)) return;
    throw new CodedError(this.#fault.code, this.#fault.message);
  }

  get backlogMs(): number {
    const { session } = this.#active ?? {};
    let samples = 0;
    for (const turn of this.#turns.turns) {
      if (turn !== this.#progress?.turn || !this.#progress.isFed) samples += turn.audio.length;
    }
    return samples / SAMPLES_PER_MS + (session?.backlogMs ?? 0);
  }

  push(pcm: Int16Array): void {
    if (this.#isOver) return;
    if (!this.#turns.push(pcm)) this.#overflow();
    else this.#given((session) => session.push(pcm));
  }

  gap(durationMs: number): void {
    if (this.#isOver) return;
    const isBefore = this.#turns.turns.at(-1)?.isEnded !== false;
    if (!this.#turns.gap(durationMs)) this.#overflow();
    else if (!isBefore) this.#given((session) => session.gap(durationMs));
  }

  endUtterance(): Promise<void> {
    if (this.#isOver) return Promise.resolve();
    const ended = this.#turns.end();
    this.#advance();
    return ended;
  }

  restart(mediaTimeMs: number): void {
    const dropped = this.#turns.restart(mediaTimeMs);
    if (dropped !== undefined && this.#progress?.turn === dropped) this.#progress = undefined;
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.#cancelWait();
    this.#turns.clear();
    this.#options.closed();
    await this.#active?.session.close();
  }

  /** What was just kept is given to the recognizer at work, or waits for it. */
  #given(give: (session: RecognizerSession) => void): void {
    const progress = this.#progress;
    const isCurrent = progress?.isFed && progress.turn === this.#turns.turns.at(-1);
    if (!isCurrent || this.#active === undefined) {
      this.#advance();
      return;
    }
    const { member, session } = this.#active;
    give(session);
    const { maxBacklogMs } = this.#options.limits;
    if (session.backlogMs > maxBacklogMs) this.#tooSlow(member, `lag behind by ${maxBacklogMs} ms`);
  }

  #advance(): void {
    const turn = this.#turns.first;
    if (this.#isOver || this.#isOpening || turn === undefined) return;
    const progress = this.#progressOf(turn);
    this.#preferBetter(progress);
    if (this.#active === undefined) {
      void this.#reopen(progress);
      return;
    }
    const { session } = this.#active;
    if (!progress.isFed) {
      progress.isFed = true;
      session.restart(turn.audio.mediaMsAt(progress.finalSample));
      turn.audio.replay(progress.finalSample, session);
    }
    // It may have failed with that.
    if (progress.isFed && turn.isEnded && !progress.isEndGiven) this.#end(progress);
  }

  #progressOf(turn: Turn): Progress {
    if (this.#progress?.turn === turn) return this.#progress;
    const failed = new Set<Member>();
    this.#progress = { turn, failed, finalSample: 0, isFed: false, isEndGiven: false };
    return this.#progress;
  }

  /** At the begin of an utterance. */
  #preferBetter({ isFed, failed }: Progress): void {
    const active = this.#active;
    if (active === undefined || isFed) return;
    const { group } = this.#options;
    const better = this.#best(failed);
    if (better === undefined || better === active.member) return;
    if (group.members.indexOf(better) > group.members.indexOf(active.member)) return;
    this.#leave(active);
    this.#fault = { code: 'preferred', message: '', retryable: true };
  }

  #end(progress: Progress): void {
    const active = this.#active;
    if (active === undefined) return;
    const { clock, limits, group } = this.#options;
    progress.isEndGiven = true;
    this.#cancelWait = clock.at(clock.nowMs() + limits.finalMs, () => {
      this.#tooSlow(active.member, `give its finals later than after ${limits.finalMs} ms`);
    });
    const ended = (): void => {
      if (this.#active !== active || this.#progress !== progress) return;
      this.#cancelWait();
      group.succeeded(active.member);
      this.#progress = undefined;
      this.#turns.shift();
      this.#advance();
    };
    active.session.endUtterance().then(ended, () => this.#faulted(active.member, BROKEN));
  }

  async #reopen(progress: Progress): Promise<void> {
    this.#isOpening = true;
    const { audio } = progress.turn;
    const isOpen = await this.#open(progress.failed, audio.mediaMsAt(progress.finalSample));
    this.#isOpening = false;
    if (this.#isOver) return;
    if (isOpen) this.#advance();
    else this.#fail();
  }

  /** Opens the first recognizer that can be; false when there is none. */
  async #open(failed: Set<Member>, startMs: number): Promise<boolean> {
    const { group } = this.#options;
    for (let next = this.#best(failed); next !== undefined; next = this.#best(failed)) {
      group.attempted(next);
      const session = await this.#try(next, startMs);
      if (this.#isOver) {
        await session?.close();
        return false;
      }
      if (session === undefined) {
        failed.add(next);
        continue;
      }
      this.#active = { member: next, session };
      this.#tellSwitch(next);
      return true;
    }
    this.#tellSwitch(undefined);
    return false;
  }

  async #try(member: Member, startMs: number): Promise<RecognizerSession | undefined> {
    const { session: asked, limits, clock } = this.#options;
    let isLate = false;
    const opening = member.recognizer.open({
      ...asked,
      startMs,
      onResult: (result) => this.#result(member, result),
      onFault: (fault) => this.#faulted(member, fault),
    });
    const late = new Promise<never>((_resolve, reject) => {
      this.#cancelWait = clock.at(clock.nowMs() + limits.openMs, () => {
        isLate = true;
        reject(new CodedError('recognizer_slow', `Cannot open ${member.recognizer.name} in time`));
      });
    });
    try {
      return await Promise.race([opening, late]);
    } catch (error) {
      if (isLate) void opening.then((session) => session.close()).catch(() => {});
      this.#fault = faultOf(error);
      this.#failed(member);
      this.#left ??= member;
      return undefined;
    } finally {
      this.#cancelWait();
    }
  }

  #result(member: Member, result: RecognizerResult): void {
    if (this.#isOver || this.#active?.member !== member || this.#progress === undefined) return;
    if (result.kind === 'final') {
      const progress = this.#progress;
      const sample = progress.turn.audio.sampleAt(result.endMs);
      progress.finalSample = Math.max(progress.finalSample, sample);
    }
    this.#options.session.onResult(result);
  }

  #faulted(member: Member, fault: RecognizerFault): void {
    const active = this.#active;
    if (this.#isOver || active === undefined || active.member !== member) return;
    this.#fault = fault;
    this.#failed(member);
    this.#leave(active);
    const progress = this.#progress;
    if (progress === undefined) return;
    progress.failed.add(member);
    // Not from within the session that failed.
    queueMicrotask(() => this.#advance());
  }

  /** What is wrong with what this session asks for says nothing of others. */
  #failed(member: Member): void {
    const { code, retryable } = this.#fault;
    if (OF_THIS_SESSION.has(code)) this.#unsuitable.add(member);
    else this.#options.group.failed(member, !retryable);
  }

  /** The best of those that suit this session. */
  #best(failed: ReadonlySet<Member>): Member | undefined {
    return this.#options.group.best(new Set([...failed, ...this.#unsuitable]));
  }

  #tooSlow(member: Member, what: string): void {
    const message = `Cannot recognize with ${member.recognizer.name}: it must not ${what}`;
    this.#faulted(member, { code: 'recognizer_slow', message, retryable: true });
  }

  #leave({ member, session }: Active): void {
    this.#cancelWait();
    this.#active = undefined;
    this.#left = member;
    if (this.#progress !== undefined) {
      this.#progress.isFed = false;
      this.#progress.isEndGiven = false;
    }
    closeQuietly(session);
  }

  #tellSwitch(to: Member | undefined): void {
    const left = this.#left;
    this.#left = undefined;
    if (left === undefined || left === to) return;
    const { name } = left.recognizer;
    const { code } = this.#fault;
    this.#options.switched({ from: name, to: to?.recognizer.name ?? null, reason: code });
  }

  #overflow(): void {
    const { maxUtteranceMs } = this.#options.limits;
    const message = `Cannot recognize: an utterance must be no longer than ${maxUtteranceMs} ms`;
    this.#fault = { code: 'recognizer_slow', message, retryable: true };
    this.#fail();
  }

  #fail(): void {
    this.#isOver = true;
    this.#cancelWait();
    this.#turns.clear();
    if (this.#active !== undefined) closeQuietly(this.#active.session);
    this.#options.session.onFault(this.#fault);
  }
}

const OF_THIS_SESSION = new Set(['recognizer_unsuitable', 'language_unsupported']);

const NO_RECOGNIZER: RecognizerFault = {
  code: 'recognizer_unavailable',
  message: `Cannot recognize with ${NAME}: a recognizer must work, all are left alone after failures`,
  retryable: true,
};

const BROKEN: RecognizerFault = {
  code: 'recognizer_failed',
  message: `Cannot recognize with ${NAME}: a recognizer must not reject the end of an utterance`,
  retryable: true,
};

/** It is of no more use, whatever becomes of it. */
function closeQuietly(session: RecognizerSession): void {
  session.close().catch(() => {});
}

function faultOf(error: unknown): RecognizerFault {
  const code = error instanceof CodedError ? error.code : 'recognizer_unavailable';
  const message = error instanceof CodedError ? error.message : 'Cannot open a recognizer';
  return { code, message, retryable: isRetryable(code) };
}

import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import { PTIME_MS } from '@earshot/audio';
import type { Meeting, MeetingParticipant } from './meeting.js';

/** Who is in the meeting now. */
export interface Attendance {
  readonly participant: MeetingParticipant;
  /** By themselves, or by a bot. */
  readonly isMuted: boolean;
  /** By a bot. */
  readonly isServerMuted: boolean;
}

/** Where a run's audio goes; called in the order of the meeting's clock. */
export interface RunSink {
  join(participant: MeetingParticipant): void;
  leave(participant: MeetingParticipant): void;
  /** Packet number `frame` of the participant was captured at `captureMs`. */
  frame(participant: MeetingParticipant, frame: number, captureMs: number): void;
  /** 20 ms of the meeting begin, of which nothing was given yet. */
  tick(timeMs: number): void;
  /** A packet is known to be lost. */
  missing(participant: MeetingParticipant): void;
  /** All of this moment has been given; send it. */
  flush(): void;
}

export interface MeetingRunOptions {
  readonly meeting: Meeting;
  readonly sink: RunSink;
  readonly clock: Clock;
  /** Times real time; above 1 the clock is virtual and stands still while `hasRoom` says no. */
  readonly speed: number;
  /** Asked in virtual time only, before each frame time. */
  hasRoom(): boolean;
  onRoster(attendance: readonly Attendance[]): void;
  /** The meeting's clock has come to `timeMs`: for what is done beside the script. */
  onTime?(timeMs: number): void;
  /** The script is over; everyone has left. */
  onOver(): void;
}

/**
 * One playing of a meeting's script for one bot, frame time by frame time. In real time it
 * follows the clock whatever the receiver does; in virtual time it never runs ahead of it.
 */
export class MeetingRun {
  readonly #options: MeetingRunOptions;
  readonly #present = new Map<MeetingParticipant, Presence>();
  readonly #waiting: MeetingParticipant[];
  #timeMs = 0;
  #anchorTimeMs = 0;
  #anchorNowMs = 0;
  #stopBeat: Cancel | undefined;
  #state: 'new' | 'running' | 'over' = 'new';

  constructor(options: MeetingRunOptions) {
    this.#options = options;
    this.#waiting = [...options.meeting.participants].sort((a, b) => a.joinAtMs - b.joinAtMs);
  }

  /** The meeting's clock, ms. */
  get mediaTimeMs(): number {
    return this.#timeMs;
  }

  get isVirtual(): boolean {
    return this.#options.speed > 1;
  }

  attendance(): Attendance[] {
    return [...this.#present].map(([participant, { isMuted, isServerMuted }]) => ({
      participant,
      isMuted: isMuted || isServerMuted,
      isServerMuted,
    }));
  }

  /** Lets somebody in who is not in the script, with no audio of their own. */
  admit(participant: MeetingParticipant): void {
    if (this.#state === 'over') return;
    this.#present.set(participant, { isMuted: false, isServerMuted: false, nextFrame: 0 });
    this.#options.sink.join(participant);
    this.#options.onRoster(this.attendance());
  }

  /** Puts somebody out before their time. */
  expel(participant: MeetingParticipant): void {
    if (!this.#present.delete(participant)) return;
    this.#options.sink.leave(participant);
    this.#options.onRoster(this.attendance());
  }

  /** Mutes somebody for good: bots can't take that back. */
  mute(participant: MeetingParticipant): void {
    const presence = this.#present.get(participant);
    if (presence === undefined) return;
    presence.isServerMuted = true;
    this.#options.onRoster(this.attendance());
  }

  /** Starts the meeting's clock. */
  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'running';
    this.#anchorNowMs = this.#options.clock.nowMs();
    this.#stopBeat = every(this.#options.clock, PTIME_MS, () => this.advance());
    this.advance();
  }

  /** Ends the run without the rest of the script; nothing is called any more. */
  stop(): void {
    this.#state = 'over';
    this.#stopBeat?.();
  }

  /** Plays what is due; call it when there may be room again. */
  advance(): void {
    if (this.#state !== 'running') return;
    const { clock, speed, meeting, sink } = this.#options;
    const nowMs = clock.nowMs();
    const dueMs = this.#anchorTimeMs + (nowMs - this.#anchorNowMs) * speed;
    while (this.#timeMs <= dueMs && this.#timeMs < meeting.durationMs) {
      if (this.isVirtual && !this.#options.hasRoom()) {
        // What was waited for is not caught up: the run never exceeds its speed.
        this.#anchorTimeMs = this.#timeMs;
        this.#anchorNowMs = nowMs;
        break;
      }
      this.#play(this.#timeMs);
      this.#timeMs += PTIME_MS;
      if (this.#state !== 'running') return;
    }
    if (this.#timeMs >= meeting.durationMs && dueMs >= meeting.durationMs) this.#finish();
    else sink.flush();
  }

  #play(timeMs: number): void {
    this.#options.sink.tick(timeMs);
    if (this.#updateRoster(timeMs)) this.#options.onRoster(this.attendance());
    this.#options.onTime?.(timeMs);
    if (this.#state !== 'running') return;
    for (const [participant, presence] of this.#present) {
      this.#playFrames(participant, presence, timeMs + PTIME_MS);
    }
  }

  /** True when somebody came, left, muted or unmuted. */
  #updateRoster(timeMs: number): boolean {
    let changed = false;
    for (const [participant, presence] of this.#present) {
      if (participant.leaveAtMs <= timeMs) {
        this.#present.delete(participant);
        this.#options.sink.leave(participant);
        changed = true;
        continue;
      }
      const isMuted = isMutedAt(participant, timeMs);
      if (isMuted !== presence.isMuted) {
        presence.isMuted = isMuted;
        changed = true;
      }
    }
    for (let next = this.#waiting[0]; next !== undefined; next = this.#waiting[0]) {
      if (next.joinAtMs >= timeMs + PTIME_MS) break;
      this.#waiting.shift();
      this.#present.set(next, {
        isMuted: isMutedAt(next, timeMs),
        isServerMuted: false,
        nextFrame: 0,
      });
      this.#options.sink.join(next);
      changed = true;
    }
    return changed;
  }

  #playFrames(participant: MeetingParticipant, presence: Presence, untilMs: number): void {
    const { sink } = this.#options;
    const endMs = Math.min(untilMs, participant.leaveAtMs);
    while (presence.nextFrame < participant.packets.length) {
      const frame = presence.nextFrame;
      const captureMs = participant.joinAtMs + frame * PTIME_MS;
      if (captureMs >= endMs) return;
      presence.nextFrame += 1;
      if (presence.isServerMuted || isMutedAt(participant, captureMs)) continue;
      if (participant.missing.has(frame)) sink.missing(participant);
      else sink.frame(participant, frame, captureMs);
    }
  }

  #finish(): void {
    this.stop();
    for (const participant of this.#present.keys()) this.#options.sink.leave(participant);
    this.#present.clear();
    this.#options.onRoster([]);
    this.#options.sink.flush();
    this.#options.onOver();
  }
}

interface Presence {
  isMuted: boolean;
  isServerMuted: boolean;
  nextFrame: number;
}

function isMutedAt(participant: MeetingParticipant, timeMs: number): boolean {
  for (const span of participant.muted) {
    if (timeMs >= span.startMs && timeMs < span.endMs) return true;
  }
  return false;
}

import { randomUUID } from 'node:crypto';
import type { Cancel, Clock } from '@earshot/async';
import type { CallState, ResultInfo } from '@earshot/call';
import type { Meeting, MeetingParticipant } from '../meetings/meeting.js';
import type { RunSink } from '../meetings/meeting-run.js';
import { MeetingRun } from '../meetings/meeting-run.js';
import type { CallScript } from '../scenario/call-script.js';
import type { Step } from '../scenario/scenario.js';
import type { ToneName } from '../scenario/tones.js';
import { CallOperations } from './call-operations.js';
import type { CallRequest } from './call-request.js';
import { RESULTS, resultBody } from './call-results.js';
import { calleeAnswer, silentParticipant } from './callees.js';
import type { Notification } from './notifications.js';
import { callNotification, rosterDeltaNotification, rosterNotification } from './notifications.js';
import type { BotAttendance, GraphParticipant } from './roster.js';
import { Roster } from './roster.js';
import { SILENT_MEDIA } from './silent-media.js';
import { StepPlayer } from './step-player.js';

/** From the answer to POST until the media are connected. */
const SET_UP_MS = 120;
const ESTABLISHING_MS = 10;
/** How long the lobby keeps a bot that nobody lets in. */
const LOBBY_MS = 15 * 60_000;
/** A call without a keepAlive for this long is ended. */
export const KEEP_ALIVE_MS: number = 45 * 60_000;
/** Of each state on the way to another party. */
const TRANSFER_MS = 200;
/** Somebody new in one call, at most. */
const MAX_JOINERS = 1_000;

/** The audio of a call, on the media host's side. */
export interface CallMedia extends RunSink {
  begin(): void;
  hasRoom(): boolean;
  end(): void;
}

/** Ids that a call has before it is set up: it rang. */
export interface CallIdentity {
  readonly id: string;
  readonly callChainId: string;
  readonly myParticipantId: string;
}

export interface SimulatedCallOptions {
  readonly request: CallRequest;
  /** @defaultValue fresh ids */
  readonly identity?: CallIdentity | undefined;
  /** Undefined when the target is of no meeting: the service finds that out after its answer. */
  readonly meeting: Meeting | undefined;
  /** What a scenario has in store. */
  readonly script: CallScript;
  readonly clock: Clock;
  readonly speed: number;
  /** Connects to the media host that made the blob; undefined when there is none. */
  connectMedia(blob: string, onRoom: () => void): CallMedia | undefined;
  /** Sends a notification to the bot. */
  notify(notification: Notification): void;
  /** Whether all notifications have been delivered. */
  isNotified(): boolean;
  onEnded(): void;
}

/** One bot's leg in a meeting as Graph sees it: its states, roster, operations and end. */
export class SimulatedCall {
  readonly id: string;
  readonly callChainId: string;
  readonly myParticipantId: string;
  readonly request: CallRequest;
  readonly script: CallScript;
  readonly operations: CallOperations;
  readonly #options: SimulatedCallOptions;
  readonly #roster: Roster;
  readonly #steps: StepPlayer;
  readonly #joiners = new Map<string, MeetingParticipant>();
  #state: CallState = 'establishing';
  #isMuted = false;
  #isInLobby = false;
  #isSharing = false;
  #recordingStatus: string | undefined;
  #hearsTones = false;
  #tones = 0;
  #media: CallMedia | undefined;
  #run: MeetingRun | undefined;
  #cancelNext: Cancel | undefined;
  #cancelKeepAlive: Cancel | undefined;

  constructor(options: SimulatedCallOptions) {
    this.#options = options;
    const { identity } = options;
    this.id = identity?.id ?? randomUUID();
    this.callChainId = identity?.callChainId ?? randomUUID();
    this.myParticipantId = identity?.myParticipantId ?? randomUUID();
    this.request = options.request;
    this.script = options.script;
    this.operations = new CallOperations(options.clock, this.id, options.notify);
    this.#roster = new Roster(options.request.tenantId, randomUUID);
    this.#steps = new StepPlayer(options.script.rule.steps, (step) => this.#perform(step));
  }

  get state(): CallState {
    return this.#state;
  }

  get isInLobby(): boolean {
    return this.#isInLobby;
  }

  /** More than two may be in it: it has a roster. */
  get isGroup(): boolean {
    const { kind } = this.request.target;
    return kind !== 'peer' && kind !== 'phone';
  }

  /** Sets the call up, in its own time. */
  start(): void {
    const { setup } = this.script.rule;
    this.keepAlive();
    this.#after(ESTABLISHING_MS, () => {
      this.#notifyCall({ state: 'establishing' });
      if (setup?.hang) return;
      this.#after(setup?.takesMs ?? SET_UP_MS, () => this.#connect());
    });
  }

  /** The bot's sign of life. */
  keepAlive(): void {
    const { clock } = this.#options;
    this.#cancelKeepAlive?.();
    this.#cancelKeepAlive = clock.at(clock.nowMs() + KEEP_ALIVE_MS, () =>
      this.end(RESULTS.keepAliveTimeout),
    );
  }

  /** Mutes or unmutes the bot; everyone is told. */
  setMuted(isMuted: boolean): void {
    this.#isMuted = isMuted;
    this.#notifyRoster();
  }

  /** The bot begins or ends to share its screen; everyone is told. */
  setSharing(isSharing: boolean): void {
    this.#isSharing = isSharing;
    this.#notifyRoster();
  }

  /** What the bot declares of recording; everyone is told. */
  setRecordingStatus(status: string): void {
    this.#recordingStatus = status;
    this.#notifyRoster();
  }

  /** From now on keys that are pressed are told. */
  subscribeToTones(): void {
    this.#hearsTones = true;
  }

  /** Somebody presses a key. */
  pressTone(tone: ToneName): void {
    if (!this.#hearsTones) return;
    this.#tones += 1;
    const toneInfo = { '@odata.type': '#microsoft.graph.toneInfo', sequenceId: this.#tones, tone };
    this.#notifyCall({ state: this.#state, toneInfo });
  }

  /** The participant with this id of the roster, the bot not among them. */
  findParticipant(id: string): MeetingParticipant | undefined {
    return this.#roster.find(id, this.#run?.attendance() ?? []);
  }

  /** Somebody comes in, without audio. */
  admit(joiner: {
    readonly key?: string;
    readonly displayName: string;
    readonly kind: MeetingParticipant['kind'];
    readonly identityId?: string;
  }): void {
    if (this.#joiners.size >= MAX_JOINERS) return;
    const number = this.#joiners.size;
    const { key = `joiner-${number}`, ...rest } = joiner;
    const participant = silentParticipant({ ...rest, key, number: 100 + number });
    this.#joiners.set(key, participant);
    this.#run?.admit(participant);
  }

  /** Somebody is put out. */
  expel(participant: MeetingParticipant): void {
    this.#run?.expel(participant);
  }

  /** Somebody is muted for all. */
  mute(participant: MeetingParticipant): void {
    this.#run?.mute(participant);
  }

  /** The other party is handed on and the bot's leg ends; with a failure, the call goes on. */
  transfer(failure: ResultInfo | undefined): void {
    this.#setState('transferring');
    this.#after(TRANSFER_MS, () => {
      if (failure !== undefined) {
        this.#setState('established', { resultInfo: resultBody(failure) });
        return;
      }
      this.#setState('transferAccepted');
      this.#after(TRANSFER_MS, () => this.end(RESULTS.transferred));
    });
  }

  /** The bot leaves. */
  hangUp(): void {
    this.#setState('terminating');
    this.end(RESULTS.endedByBot);
  }

  /** Ends the call with a result. Idempotent. */
  end(result: ResultInfo): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.drop();
    const { callChainId } = this;
    const last = { state: 'terminated', callChainId, resultInfo: resultBody(result) };
    this.#options.notify(callNotification(this.id, 'deleted', last));
    this.#options.onEnded();
  }

  /** Forgets the call without a word to the bot. */
  drop(): void {
    this.#cancelNext?.();
    this.#cancelKeepAlive?.();
    this.operations.drop();
    this.#run?.stop();
    this.#media?.end();
  }

  /** The roster as it stands. */
  participants(): GraphParticipant[] {
    return this.#roster.current(this.#bot(), this.#run?.attendance() ?? []);
  }

  /** Undelivered notifications have gone out: virtual time may go on. */
  wake(): void {
    this.#run?.advance();
  }

  #connect(): void {
    const { meeting } = this.#options;
    const { setup, callee } = this.script.rule;
    this.#media = meeting === undefined ? undefined : this.#connectMedia();
    if (setup?.fail !== undefined) this.end(setup.fail);
    else if (meeting === undefined) this.end(this.#noSuchMeeting());
    else if (this.#media === undefined) this.end(RESULTS.noMediaHost);
    else if (meeting.setupFailure !== undefined) this.end(meeting.setupFailure);
    else if ('callees' in this.request.target) {
      const media = this.#media;
      const { afterMs, refusal } = calleeAnswer(callee);
      this.#after(afterMs, () => {
        if (refusal === undefined) this.#establish(meeting, media);
        else this.end(refusal);
      });
    } else this.#establish(meeting, this.#media);
  }

  #connectMedia(): CallMedia | undefined {
    const { media } = this.request;
    if (media.hosted === 'service') return SILENT_MEDIA;
    return this.#options.connectMedia(media.blob, () => this.wake());
  }

  #noSuchMeeting(): ResultInfo {
    return this.request.target.kind === 'token' ? RESULTS.invalidToken : RESULTS.noSuchMeeting;
  }

  #establish(meeting: Meeting, media: CallMedia): void {
    const lobby = this.script.rule.lobby ?? meeting.lobby;
    this.#isInLobby = lobby !== undefined;
    this.#setState('established', {
      mediaState: mediaState(this.#isInLobby ? 'inactive' : 'active'),
      callChainId: this.callChainId,
    });
    this.#notifyRoster();
    if (lobby === undefined) this.#enter(meeting, media);
    else this.#waitInLobby(meeting, media, lobby);
  }

  #waitInLobby(meeting: Meeting, media: CallMedia, lobby: LobbyStay): void {
    const { admitAfterMs, removeAfterMs = LOBBY_MS, result = RESULTS.notAdmitted } = lobby;
    if (admitAfterMs === undefined) this.#after(removeAfterMs, () => this.end(result));
    else this.#after(admitAfterMs, () => this.#admitBot(meeting, media));
  }

  #admitBot(meeting: Meeting, media: CallMedia): void {
    this.#isInLobby = false;
    this.#setState('established', { mediaState: mediaState('active') });
    this.#notifyRoster();
    this.#enter(meeting, media);
  }

  #enter(meeting: Meeting, media: CallMedia): void {
    const { clock, speed } = this.#options;
    const usualEnd = this.isGroup ? RESULTS.allOthersLeft : RESULTS.peerHungUp;
    this.#run = new MeetingRun({
      meeting,
      sink: media,
      clock,
      speed,
      // Time must not run ahead of what the bot has been told, nor of what the worker can take.
      hasRoom: () => this.#options.isNotified() && media.hasRoom(),
      onRoster: () => this.#notifyRoster(),
      onTime: (timeMs) => this.#steps.playUntil(timeMs),
      onOver: () => this.end(meeting.endResult ?? usualEnd),
    });
    media.begin();
    this.#run.start();
  }

  #perform(step: Step): void {
    if (step.end !== undefined) this.end(step.end);
    else if (step.removeBot) this.end(RESULTS.removedByParticipant);
    else if (step.muteBot !== undefined) this.setMuted(step.muteBot);
    else if (step.join !== undefined) this.admit(step.join);
    else if (step.tone !== undefined) this.pressTone(step.tone);
    else if (step.tell !== undefined) this.#notifyCall({ state: this.#state, ...step.tell });
    else if (step.leave !== undefined) this.#withKey(step.leave, (one) => this.expel(one));
    else if (step.mute !== undefined) this.#withKey(step.mute, (one) => this.mute(one));
  }

  #withKey(key: string, act: (participant: MeetingParticipant) => void): void {
    const found = this.#run?.attendance().find(({ participant }) => participant.key === key);
    if (found !== undefined) act(found.participant);
  }

  #after(delayMs: number, run: () => void): void {
    const { clock } = this.#options;
    this.#cancelNext = clock.at(clock.nowMs() + delayMs, run);
  }

  #setState(state: CallState, properties: Readonly<Record<string, unknown>> = {}): void {
    this.#state = state;
    this.#notifyCall({ state, ...properties });
  }

  #notifyCall(properties: Readonly<Record<string, unknown>>): void {
    this.#options.notify(callNotification(this.id, 'updated', properties));
  }

  /** Calls between two have no roster. */
  #notifyRoster(): void {
    if (!this.isGroup || this.#state === 'terminated') return;
    const attendance = this.#run?.attendance() ?? [];
    this.#options.notify(
      this.request.isDeltaRoster
        ? rosterDeltaNotification(this.id, this.#roster.delta(this.#bot(), attendance))
        : rosterNotification(this.id, this.#roster.snapshot(this.#bot(), attendance)),
    );
  }

  #bot(): BotAttendance {
    return {
      participantId: this.myParticipantId,
      identity: this.request.bot,
      tenantId: this.request.tenantId,
      isMuted: this.#isMuted,
      isInLobby: this.#isInLobby,
      isSharing: this.#isSharing,
      recordingStatus: this.#recordingStatus,
    };
  }
}

interface LobbyStay {
  readonly admitAfterMs?: number | undefined;
  readonly removeAfterMs?: number | undefined;
  readonly result?: ResultInfo | undefined;
}

function mediaState(audio: 'active' | 'inactive'): Record<string, unknown> {
  return { '@odata.type': '#microsoft.graph.callMediaState', audio };
}

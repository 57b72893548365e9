import { randomUUID } from 'node:crypto';
import type { Cancel, Clock } from '@earshot/async';
import type { CallState, ResultInfo } from '@earshot/call';
import type { Meeting } from '../meetings/meeting.js';
import type { RunSink } from '../meetings/meeting-run.js';
import { MeetingRun } from '../meetings/meeting-run.js';
import type { CallRequest } from './call-request.js';
import { callNotification, rosterNotification } from './notifications.js';
import type { BotAttendance, GraphParticipant } from './roster.js';
import { Roster } from './roster.js';

/** From the answer to POST until the media are connected. */
const SET_UP_MS = 120;
const ESTABLISHING_MS = 10;
/** How long the lobby keeps a bot that nobody lets in. */
const LOBBY_MS = 15 * 60_000;
/** A call without a keepAlive for this long is ended. */
export const KEEP_ALIVE_MS: number = 45 * 60_000;

const ALL_OTHERS_LEFT: ResultInfo = {
  code: 200,
  subcode: 5002,
  message: 'All other participants have left the call.',
};
const ENDED_BY_BOT: ResultInfo = {
  code: 200,
  subcode: 7000,
  message: 'The call has been ended by the bot.',
};
const KEEP_ALIVE_TIMEOUT: ResultInfo = {
  code: 408,
  subcode: 8537,
  message: 'Keep alive timeout: the call was not kept alive for 45 minutes.',
};
const NOT_ADMITTED: ResultInfo = {
  code: 200,
  subcode: 5855,
  message: 'Removed from the lobby after the timeout.',
};
const NO_SUCH_MEETING: ResultInfo = {
  code: 400,
  subcode: 8527,
  message: 'The meeting was not found.',
};
const NO_MEDIA_HOST: ResultInfo = {
  code: 500,
  subcode: 7112,
  message: 'MediaControllerConversationAddParticipantFailed: the blob leads to no media host.',
};

/** The audio of a call, on the media host's side. */
export interface CallMedia extends RunSink {
  begin(): void;
  hasRoom(): boolean;
  end(): void;
}

export interface SimulatedCallOptions {
  readonly request: CallRequest;
  /** Undefined when the thread is of no meeting: the service finds that out after its answer. */
  readonly meeting: Meeting | undefined;
  readonly clock: Clock;
  readonly speed: number;
  /** Connects to the media host that made the blob; undefined when there is none. */
  connectMedia(onRoom: () => void): CallMedia | undefined;
  /** Posts a body to the bot. */
  notify(body: unknown): void;
  /** Whether all notifications have been delivered. */
  isNotified(): boolean;
  onEnded(): void;
}

/** One bot's leg in a meeting as Graph sees it: its states, roster and end. */
export class SimulatedCall {
  readonly id: string = randomUUID();
  readonly callChainId: string = randomUUID();
  readonly myParticipantId: string = randomUUID();
  readonly request: CallRequest;
  readonly #options: SimulatedCallOptions;
  readonly #roster: Roster;
  #state: CallState = 'establishing';
  #isMuted = false;
  #isInLobby = false;
  #media: CallMedia | undefined;
  #run: MeetingRun | undefined;
  #cancelNext: Cancel | undefined;
  #cancelKeepAlive: Cancel | undefined;

  constructor(options: SimulatedCallOptions) {
    this.#options = options;
    this.request = options.request;
    this.#roster = new Roster(options.request.tenantId, randomUUID);
  }

  get state(): CallState {
    return this.#state;
  }

  get isInLobby(): boolean {
    return this.#isInLobby;
  }

  /** Sets the call up, in its own time. */
  start(): void {
    this.keepAlive();
    this.#after(ESTABLISHING_MS, () => {
      this.#notifyCall({ state: 'establishing' });
      this.#after(SET_UP_MS, () => this.#connect());
    });
  }

  /** The bot's sign of life. */
  keepAlive(): void {
    const { clock } = this.#options;
    this.#cancelKeepAlive?.();
    this.#cancelKeepAlive = clock.at(clock.nowMs() + KEEP_ALIVE_MS, () =>
      this.end(KEEP_ALIVE_TIMEOUT),
    );
  }

  /** Mutes or unmutes the bot; everyone is told. */
  setMuted(isMuted: boolean): void {
    this.#isMuted = isMuted;
    this.#notifyRoster();
  }

  /** The bot leaves. */
  hangUp(): void {
    this.#state = 'terminating';
    this.#notifyCall({ state: 'terminating' });
    this.end(ENDED_BY_BOT);
  }

  /** Ends the call with a result. Idempotent. */
  end(result: ResultInfo): void {
    if (this.#state === 'terminated') return;
    this.#state = 'terminated';
    this.drop();
    this.#options.notify(
      callNotification(this.id, 'deleted', {
        state: 'terminated',
        callChainId: this.callChainId,
        resultInfo: { '@odata.type': '#microsoft.graph.resultInfo', ...result },
      }),
    );
    this.#options.onEnded();
  }

  /** Forgets the call without a word to the bot. */
  drop(): void {
    this.#cancelNext?.();
    this.#cancelKeepAlive?.();
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
    const { meeting, connectMedia } = this.#options;
    this.#media = meeting === undefined ? undefined : connectMedia(() => this.wake());
    if (meeting === undefined) this.end(NO_SUCH_MEETING);
    else if (this.#media === undefined) this.end(NO_MEDIA_HOST);
    else if (meeting.setupFailure !== undefined) this.end(meeting.setupFailure);
    else this.#establish(meeting, this.#media);
  }

  #establish(meeting: Meeting, media: CallMedia): void {
    this.#state = 'established';
    this.#isInLobby = meeting.lobby !== undefined;
    this.#notifyCall({
      state: 'established',
      mediaState: {
        '@odata.type': '#microsoft.graph.callMediaState',
        audio: this.#isInLobby ? 'inactive' : 'active',
      },
      callChainId: this.callChainId,
    });
    this.#notifyRoster();
    if (meeting.lobby === undefined) this.#enter(meeting, media);
    else this.#waitInLobby(meeting, media, meeting.lobby.admitAfterMs);
  }

  #waitInLobby(meeting: Meeting, media: CallMedia, admitAfterMs: number | undefined): void {
    if (admitAfterMs === undefined) this.#after(LOBBY_MS, () => this.end(NOT_ADMITTED));
    else this.#after(admitAfterMs, () => this.#admit(meeting, media));
  }

  #admit(meeting: Meeting, media: CallMedia): void {
    this.#isInLobby = false;
    this.#notifyCall({
      state: 'established',
      mediaState: { '@odata.type': '#microsoft.graph.callMediaState', audio: 'active' },
    });
    this.#notifyRoster();
    this.#enter(meeting, media);
  }

  #enter(meeting: Meeting, media: CallMedia): void {
    const { clock, speed } = this.#options;
    this.#run = new MeetingRun({
      meeting,
      sink: media,
      clock,
      speed,
      // Time must not run ahead of what the bot has been told, nor of what the worker can take.
      hasRoom: () => this.#options.isNotified() && media.hasRoom(),
      onRoster: () => this.#notifyRoster(),
      onOver: () => this.end(meeting.endResult ?? ALL_OTHERS_LEFT),
    });
    media.begin();
    this.#run.start();
  }

  #after(delayMs: number, run: () => void): void {
    const { clock } = this.#options;
    this.#cancelNext = clock.at(clock.nowMs() + delayMs, run);
  }

  #notifyCall(properties: Readonly<Record<string, unknown>>): void {
    this.#options.notify(callNotification(this.id, 'updated', properties));
  }

  #notifyRoster(): void {
    const attendance = this.#run?.attendance() ?? [];
    const roster = this.#roster.snapshot(this.#bot(), attendance);
    this.#options.notify(rosterNotification(this.id, roster));
  }

  #bot(): BotAttendance {
    return {
      participantId: this.myParticipantId,
      identity: this.request.bot,
      tenantId: this.request.tenantId,
      isMuted: this.#isMuted,
      isInLobby: this.#isInLobby,
    };
  }
}

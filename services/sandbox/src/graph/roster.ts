import type { MeetingParticipant } from '../meetings/meeting.js';
import type { Attendance } from '../meetings/meeting-run.js';
import type { BotIdentity } from './call-request.js';

const GRAPH = '#microsoft.graph.';
/** The app's name in rosters, as its registration would have it. */
const APP_NAME = 'Earshot (sandbox app)';
/** The bot's own sources; participants' sources start well above. */
const BOT_SOURCE_ID = '1';
const BOT_SHARING_SOURCE_ID = '2';

/** The bot's own place in a roster. */
export interface BotAttendance {
  readonly participantId: string;
  readonly identity: BotIdentity;
  readonly tenantId: string;
  readonly isMuted: boolean;
  readonly isInLobby: boolean;
  /** Its screen, as far as it has one. */
  readonly isSharing: boolean;
  /** What it declared; absent in calls without policy recording. */
  readonly recordingStatus?: string | undefined;
}

/** A participant as Graph writes it: `microsoft.graph.participant`. */
export interface GraphParticipant {
  readonly id: string;
  readonly [property: string]: unknown;
}

/** Gives each of a call's participants its id and writes snapshots with growing numbers. */
export class Roster {
  readonly #tenantId: string;
  readonly #newId: () => string;
  readonly #ids = new Map<MeetingParticipant, string>();
  #told: ReadonlyMap<string, string> = new Map();
  #sequence = 0;

  constructor(tenantId: string, newId: () => string) {
    this.#tenantId = tenantId;
    this.#newId = newId;
  }

  /** The whole roster, the bot first; everyone carries the snapshot's number. */
  snapshot(bot: BotAttendance, attendance: readonly Attendance[]): GraphParticipant[] {
    this.#sequence += 1;
    return this.current(bot, attendance);
  }

  /**
   * What changed since the last delta: `microsoft.graph.deltaParticipants`. Those who left carry a
   * `removedState`.
   */
  delta(
    bot: BotAttendance,
    attendance: readonly Attendance[],
  ): { readonly sequenceNumber: number; readonly participants: readonly GraphParticipant[] } {
    this.#sequence += 1;
    const all = this.current(bot, attendance);
    const before = this.#told;
    this.#told = new Map(all.map((participant) => [participant.id, fingerprint(participant)]));
    const changed = all.filter((one) => before.get(one.id) !== fingerprint(one));
    const gone = [...before.keys()].filter((id) => !this.#told.has(id));
    return {
      sequenceNumber: this.#sequence,
      participants: [...changed, ...gone.map((id) => removed(id, this.#sequence))],
    };
  }

  /** As the last snapshot, with its number. */
  current(bot: BotAttendance, attendance: readonly Attendance[]): GraphParticipant[] {
    return [
      this.#participant({
        id: bot.participantId,
        identity: botIdentity(bot),
        streams: botStreams(bot),
        isMuted: bot.isMuted,
        isInLobby: bot.isInLobby,
        recordingStatus: bot.recordingStatus,
      }),
      ...attendance.map(({ participant, isMuted, isServerMuted }) =>
        this.#participant({
          id: this.#idOf(participant),
          identity: identityOf(participant, this.#tenantId),
          streams: [audioStream(participant.sourceId, isServerMuted)],
          isMuted,
          isInLobby: false,
        }),
      ),
    ];
  }

  /** Who has this id of a roster. */
  find(id: string, attendance: readonly Attendance[]): MeetingParticipant | undefined {
    return attendance.find(({ participant }) => this.#ids.get(participant) === id)?.participant;
  }

  #idOf(participant: MeetingParticipant): string {
    let id = this.#ids.get(participant);
    if (id === undefined) {
      id = this.#newId();
      this.#ids.set(participant, id);
    }
    return id;
  }

  #participant(entry: RosterEntry): GraphParticipant {
    return {
      '@odata.type': `${GRAPH}participant`,
      id: entry.id,
      info: {
        '@odata.type': `${GRAPH}participantInfo`,
        identity: { '@odata.type': `${GRAPH}identitySet`, ...entry.identity },
        countryCode: null,
        endpointType: 'default',
        languageId: null,
        region: null,
        participantId: entry.id,
      },
      mediaStreams: entry.streams,
      isMuted: entry.isMuted,
      isInLobby: entry.isInLobby,
      metadata: null,
      recordingInfo: entry.recordingStatus === undefined ? null : recordingInfo(entry),
      removedState: null,
      restrictedExperience: null,
      rosterSequenceNumber: this.#sequence,
    };
  }
}

interface RosterEntry {
  readonly id: string;
  readonly identity: Readonly<Record<string, unknown>>;
  readonly streams: readonly Readonly<Record<string, unknown>>[];
  readonly isMuted: boolean;
  readonly isInLobby: boolean;
  readonly recordingStatus?: string | undefined;
}

/** All but the snapshot's number. */
function fingerprint({ rosterSequenceNumber: _, ...participant }: GraphParticipant): string {
  return JSON.stringify(participant);
}

function removed(id: string, rosterSequenceNumber: number): GraphParticipant {
  return {
    '@odata.type': `${GRAPH}participant`,
    id,
    removedState: { '@odata.type': `${GRAPH}removedState`, reason: 'Removed' },
    rosterSequenceNumber,
  };
}

function audioStream(sourceId: string, serverMuted = false): Record<string, unknown> {
  return {
    '@odata.type': `${GRAPH}mediaStream`,
    mediaType: 'audio',
    label: 'main-audio',
    sourceId,
    direction: 'sendReceive',
    serverMuted,
  };
}

/** In the lobby there are no streams yet. */
function botStreams({ isInLobby, isSharing }: BotAttendance): Record<string, unknown>[] {
  if (isInLobby) return [];
  const audio = audioStream(BOT_SOURCE_ID);
  if (!isSharing) return [audio];
  const screen = {
    ...audioStream(BOT_SHARING_SOURCE_ID),
    mediaType: 'videoBasedScreenSharing',
    label: 'applicationsharing-video',
    direction: 'sendOnly',
  };
  return [audio, screen];
}

function recordingInfo({ identity, recordingStatus }: RosterEntry): Record<string, unknown> {
  return {
    '@odata.type': `${GRAPH}recordingInfo`,
    recordingStatus,
    initiator: {
      '@odata.type': `${GRAPH}participantInfo`,
      identity: { '@odata.type': `${GRAPH}identitySet`, ...identity },
    },
  };
}

function botIdentity({ identity, tenantId }: BotAttendance): Record<string, unknown> {
  const facet = {
    '@odata.type': `${GRAPH}identity`,
    id: identity.id,
    displayName: identity.displayName ?? APP_NAME,
  };
  return identity.kind === 'guest' ? { guest: facet } : { [identity.kind]: { ...facet, tenantId } };
}

/** Each kind under its own facet: only directory users are under `user`. */
function identityOf(participant: MeetingParticipant, tenantId: string): Record<string, unknown> {
  const facet = {
    '@odata.type': `${GRAPH}identity`,
    id: participant.identityId,
    displayName: participant.displayName,
  };
  switch (participant.kind) {
    case 'user':
      return { user: { ...facet, tenantId, identityProvider: 'AAD' } };
    case 'applicationInstance':
      return { applicationInstance: { ...facet, tenantId } };
    default:
      return { [participant.kind]: facet };
  }
}

import type { MeetingParticipant } from '../meetings/meeting.js';
import type { Attendance } from '../meetings/meeting-run.js';
import type { BotIdentity } from './call-request.js';

const GRAPH = '#microsoft.graph.';
/** The app's name in rosters, as its registration would have it. */
const APP_NAME = 'Earshot (sandbox app)';
/** The bot's own source; participants' sources start well above. */
const BOT_SOURCE_ID = '1';

/** The bot's own place in a roster. */
export interface BotAttendance {
  readonly participantId: string;
  readonly identity: BotIdentity;
  readonly tenantId: string;
  readonly isMuted: boolean;
  readonly isInLobby: boolean;
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

  /** As the last snapshot, with its number. */
  current(bot: BotAttendance, attendance: readonly Attendance[]): GraphParticipant[] {
    return [
      this.#participant({
        id: bot.participantId,
        identity: botIdentity(bot),
        sourceId: BOT_SOURCE_ID,
        isMuted: bot.isMuted,
        isInLobby: bot.isInLobby,
      }),
      ...attendance.map(({ participant, isMuted }) =>
        this.#participant({
          id: this.#idOf(participant),
          identity: identityOf(participant, this.#tenantId),
          sourceId: participant.sourceId,
          isMuted,
          isInLobby: false,
        }),
      ),
    ];
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
      // In the lobby there are no streams yet.
      mediaStreams: entry.isInLobby ? [] : [audioStream(entry)],
      isMuted: entry.isMuted,
      isInLobby: entry.isInLobby,
      metadata: null,
      recordingInfo: null,
      removedState: null,
      restrictedExperience: null,
      rosterSequenceNumber: this.#sequence,
    };
  }
}

interface RosterEntry {
  readonly id: string;
  readonly identity: Readonly<Record<string, unknown>>;
  readonly sourceId: string;
  readonly isMuted: boolean;
  readonly isInLobby: boolean;
}

function audioStream({ sourceId }: RosterEntry): Record<string, unknown> {
  return {
    '@odata.type': `${GRAPH}mediaStream`,
    mediaType: 'audio',
    label: 'main-audio',
    sourceId,
    direction: 'sendReceive',
    serverMuted: false,
  };
}

function botIdentity({ identity, tenantId }: BotAttendance): Record<string, unknown> {
  const facet = {
    '@odata.type': `${GRAPH}identity`,
    id: identity.id,
    displayName: identity.displayName ?? APP_NAME,
  };
  return identity.kind === 'guest' ? { guest: facet } : { application: { ...facet, tenantId } };
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

import type { ParticipantData } from './call-notification.js';
import { flagOf, integerOf, numericIdOf, objectOf, textOf } from './lenient.js';
import { parseIdentity } from './parse-identity.js';

/** What the media platform says when there is no source. */
const NO_SOURCE = '4294967295';

type Stream = Readonly<Record<string, unknown>>;

/**
 * A `microsoft.graph.participant`; undefined when it has no id. Reads without a schema: a roster
 * holds a thousand, and comes whole with every change.
 */
export function parseParticipant(value: unknown): ParticipantData | undefined {
  const entry = objectOf(value);
  const id = textOf(entry?.['id']);
  if (entry === undefined || id === undefined) return undefined;
  const identity = parseIdentity(objectOf(entry['info'])?.['identity']);
  const isInLobby = flagOf(entry['isInLobby']);
  const isMuted = flagOf(entry['isMuted']);
  const rosterSequence = integerOf(entry['rosterSequenceNumber']);
  const removedState = objectOf(entry['removedState']);
  const removedReason = textOf(removedState?.['reason']);
  return {
    id,
    isRemoved: removedState !== undefined,
    ...(removedReason === undefined ? {} : { removedReason }),
    ...(identity === undefined ? {} : { identity }),
    ...(isInLobby === undefined ? {} : { isInLobby }),
    ...(isMuted === undefined ? {} : { isMuted }),
    ...audioOf(entry['mediaStreams']),
    ...(rosterSequence === undefined ? {} : { rosterSequence }),
  };
}

function audioOf(value: unknown): Pick<ParticipantData, 'isServerMuted' | 'audioSourceIds'> {
  if (!Array.isArray(value)) return {};
  const audioSourceIds: string[] = [];
  let isServerMuted = false;
  for (const streamValue of value) {
    const stream = objectOf(streamValue);
    if (stream === undefined || !isAudio(stream)) continue;
    if (flagOf(stream['serverMuted']) === true) isServerMuted = true;
    const sourceId = numericIdOf(stream['sourceId']);
    if (sourceId === undefined || sourceId === NO_SOURCE) continue;
    if (!audioSourceIds.includes(sourceId)) audioSourceIds.push(sourceId);
  }
  return { isServerMuted, audioSourceIds };
}

function isAudio(stream: Stream): boolean {
  const medium = textOf(stream['mediaType']) ?? textOf(stream['label']) ?? '';
  const lower = medium.toLowerCase();
  return lower === 'audio' || lower === 'main-audio';
}

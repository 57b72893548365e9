import { z } from 'zod';
import type { ParticipantData } from './call-notification.js';
import { defined, flag, integer, numericId, objectOf, text } from './lenient.js';
import { parseIdentity } from './parse-identity.js';

/** What the media platform says when there is no source. */
const NO_SOURCE = '4294967295';

const participantSchema = z.object({
  id: z.string().min(1),
  info: z.object({ identity: z.unknown().optional() }).optional().catch(undefined),
  isInLobby: flag,
  isMuted: flag,
  mediaStreams: z.array(z.unknown()).optional().catch(undefined),
  rosterSequenceNumber: integer,
  removedState: z.unknown().optional(),
});

const streamSchema = z.object({
  mediaType: text,
  label: text,
  sourceId: numericId,
  serverMuted: flag,
});

type Stream = z.infer<typeof streamSchema>;

/** A `microsoft.graph.participant`; undefined when it has no id. */
export function parseParticipant(value: unknown): ParticipantData | undefined {
  const parsed = participantSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { id, info, isInLobby, isMuted, mediaStreams, rosterSequenceNumber } = parsed.data;
  const audio = mediaStreams?.flatMap(audioStreamOf);
  return {
    id,
    isRemoved: objectOf(parsed.data.removedState) !== undefined,
    ...defined({
      identity: parseIdentity(info?.identity),
      isInLobby,
      isMuted,
      isServerMuted: audio?.some(({ serverMuted }) => serverMuted === true),
      audioSourceIds: audio === undefined ? undefined : sourceIdsOf(audio),
      rosterSequence: rosterSequenceNumber,
    }),
  };
}

function audioStreamOf(value: unknown): Stream[] {
  const parsed = streamSchema.safeParse(value);
  if (!parsed.success) return [];
  const { mediaType, label } = parsed.data;
  const isAudio = (mediaType ?? label ?? '').toLowerCase();
  return isAudio === 'audio' || isAudio === 'main-audio' ? [parsed.data] : [];
}

function sourceIdsOf(streams: readonly Stream[]): string[] {
  const ids = streams.flatMap(({ sourceId }) => sourceId ?? []);
  return [...new Set(ids)].filter((id) => id !== NO_SOURCE);
}

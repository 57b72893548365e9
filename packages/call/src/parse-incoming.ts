import { z } from 'zod';
import { callStateOf } from './call-state.js';
import type {
  BotData,
  BotDataUser,
  IncomingBody,
  IncomingCall,
  IncomingContext,
  IncomingScenario,
  IncomingSource,
} from './incoming-call.js';
import { defined, numericId, objectOf, text, textOf } from './lenient.js';
import { parseCallData } from './parse-call-data.js';
import { parseIdentity } from './parse-identity.js';
import { graphCallIdOf } from './resource-path.js';

const POLICY_RECORDING = 'policybasedrecording';
/** Lists of other recorders are short; longer ones are cut. */
const MAX_LISTED = 16;
const JOINING = /participantJoiningNotification$/i;
const LEFT = /participantLeftNotification$/i;

const callSchema = z.object({
  id: text,
  source: z.unknown().optional(),
  meetingInfo: z.unknown().optional(),
  incomingContext: z.unknown().optional(),
  applicationMetadata: z.unknown().optional(),
  botData: z.unknown().optional(),
});
const sourceSchema = z.object({ id: numericId, participantId: numericId, region: text });
const contextSchema = z.object({
  observedParticipantId: numericId,
  sourceParticipantId: numericId,
});
const userSchema = z.object({
  id: numericId,
  participantId: numericId,
  tenantId: text,
  participationMethod: text,
  clientLocation: text,
});
const botDataSchema = z.object({ mediaHostedRegion: text, policyIdentifier: text });

/**
 * Reads what Graph sends about calls that come in. Lenient as `parseNotifications` is: what is of
 * another kind than expected counts as absent.
 */
export function parseIncoming(body: unknown): IncomingBody {
  const object = objectOf(body);
  if (object === undefined) return { kind: 'unreadable' };
  const items = Array.isArray(object['value']) ? object['value'] : [object];
  for (const item of items) {
    const change = recordedChange(objectOf(item));
    if (change !== undefined) return change;
  }
  const isGraph = Array.isArray(object['value']) || 'resourceUrl' in object;
  if (!isGraph) return { kind: 'legacy' };
  return { kind: 'notifications', calls: items.flatMap((item) => incomingCall(item) ?? []) };
}

type Json = Readonly<Record<string, unknown>>;

/** Such a notification may stand alone or in the usual envelope. */
function recordedChange(item: Json | undefined): IncomingBody | undefined {
  if (item === undefined) return undefined;
  const data = objectOf(item['resourceData']) ?? item;
  const type = textOf(data['@odata.type']) ?? '';
  const kind = JOINING.test(type) ? 'joining' : LEFT.test(type) ? 'left' : undefined;
  if (kind === undefined) return undefined;
  const call = objectOf(data['call']) ?? {};
  const named = textOf(data['participantId']);
  return {
    kind,
    graphCallId: graphCallIdOf(item) ?? textOf(call['id']),
    participantId: named ?? parseSource(call['source'])?.participantId ?? observedOf(call),
  };
}

function observedOf(call: Json): string | undefined {
  const context = parseContext(call['incomingContext']);
  return context?.observedParticipantId ?? context?.sourceParticipantId;
}

function incomingCall(item: unknown): IncomingCall | undefined {
  const notification = objectOf(item);
  const data = objectOf(notification?.['resourceData']);
  if (notification === undefined || data === undefined) return undefined;
  if (callStateOf(textOf(data['state']) ?? '') !== 'incoming') return undefined;
  const graphCallId = graphCallIdOf(notification) ?? textOf(data['id']);
  const parsed = callSchema.safeParse(data);
  if (graphCallId === undefined || !parsed.success) return undefined;
  const { source, meetingInfo, incomingContext, applicationMetadata } = parsed.data;
  const { tenantId, myParticipantId, callChainId, chatInfo } = parseCallData(data);
  const botData = parseBotData(objectOf(applicationMetadata)?.['botData'] ?? parsed.data.botData);
  const context = parseContext(incomingContext);
  const hasMeeting = chatInfo !== undefined || objectOf(meetingInfo) !== undefined;
  return {
    graphCallId,
    scenario: scenarioOf(botData, context, hasMeeting),
    ...defined({
      tenantId,
      myParticipantId,
      callChainId,
      chatInfo,
      meetingToken: textOf(objectOf(meetingInfo)?.['token']),
      source: parseSource(source),
      context,
      botData,
    }),
  };
}

/** Only a recording policy invites to observe somebody. */
function scenarioOf(
  botData: BotData | undefined,
  context: IncomingContext | undefined,
  hasMeeting: boolean,
): IncomingScenario {
  const reasons = botData?.inviteReasons ?? [];
  if (reasons.some((reason) => reason.toLowerCase() === POLICY_RECORDING)) return 'policyRecording';
  if (reasons.length === 0 && context?.observedParticipantId !== undefined) {
    return 'policyRecording';
  }
  return hasMeeting ? 'group' : 'user';
}

function parseSource(value: unknown): IncomingSource | undefined {
  const parsed = sourceSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { id, participantId = id, region } = parsed.data;
  return defined({ participantId, identity: parseIdentity(objectOf(value)?.['identity']), region });
}

function parseContext(value: unknown): IncomingContext | undefined {
  const parsed = contextSchema.safeParse(value);
  const context = objectOf(value);
  if (!parsed.success || context === undefined) return undefined;
  return defined({
    ...parsed.data,
    onBehalfOf: parseIdentity(context['onBehalfOf']),
    transferor: parseIdentity(context['transferor']),
  });
}

function parseBotData(value: unknown): BotData | undefined {
  const parsed = botDataSchema.safeParse(value);
  const data = objectOf(value);
  if (!parsed.success || data === undefined) return undefined;
  return {
    ...defined({
      ...parsed.data,
      user: parseUser(data['user']),
      otherSideUser: parseUser(data['otherSideUser']),
    }),
    inviteReasons: listOf(data['inviteReasons'], textOf),
    pairedRecorders: listOf(data['pairedRecorders'], parseUser),
    otherRecorders: listOf(data['otherRecorders'], parseUser),
  };
}

function parseUser(value: unknown): BotDataUser | undefined {
  const parsed = userSchema.safeParse(value);
  return parsed.success ? defined(parsed.data) : undefined;
}

function listOf<Item>(value: unknown, parse: (item: unknown) => Item | undefined): Item[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, MAX_LISTED).flatMap((item) => parse(item) ?? []);
}

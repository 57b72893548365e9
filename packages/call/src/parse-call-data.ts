import { z } from 'zod';
import type { ChatInfo } from './call-model.js';
import type { CallData, ToneInfo } from './call-notification.js';
import { callStateOf } from './call-state.js';
import { defined, integer, oneOf, text } from './lenient.js';
import type { ResultInfo } from './result-info.js';

const MEDIA_STATES = ['active', 'inactive'] as const;

const callSchema = z.object({
  state: text,
  myParticipantId: text,
  callChainId: text,
  tenantId: text,
  subject: text,
  mediaState: z.object({ audio: text }).optional().catch(undefined),
  chatInfo: z.unknown().optional(),
  resultInfo: z.unknown().optional(),
  toneInfo: z.unknown().optional(),
});

const resultSchema = z.object({ code: integer, subcode: integer, message: text });
const toneSchema = z.object({ sequenceId: integer, tone: text });
const chatSchema = z.object({ threadId: text, messageId: text });

/** A `microsoft.graph.call`, whole or in part. */
export function parseCallData(value: unknown): CallData {
  const parsed = callSchema.safeParse(value);
  if (!parsed.success) return {};
  const { state, mediaState, chatInfo, resultInfo, toneInfo, ...texts } = parsed.data;
  return defined({
    ...texts,
    state: state === undefined ? undefined : callStateOf(state),
    mediaState: oneOf(MEDIA_STATES, mediaState?.audio),
    chatInfo: parseChatInfo(chatInfo),
    resultInfo: parseResultInfo(resultInfo),
    toneInfo: parseToneInfo(toneInfo),
  });
}

/** A `microsoft.graph.resultInfo`; undefined when neither number is there. */
export function parseResultInfo(value: unknown): ResultInfo | undefined {
  const parsed = resultSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { code, subcode, message } = parsed.data;
  if (code === undefined && subcode === undefined) return undefined;
  return { code: code ?? 0, subcode: subcode ?? 0, ...defined({ message }) };
}

function parseToneInfo(value: unknown): ToneInfo | undefined {
  const parsed = toneSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { sequenceId, tone } = parsed.data;
  return sequenceId === undefined || tone === undefined ? undefined : { sequenceId, tone };
}

function parseChatInfo(value: unknown): ChatInfo | undefined {
  const parsed = chatSchema.safeParse(value);
  if (!parsed.success) return undefined;
  const { threadId, messageId } = parsed.data;
  return threadId === undefined ? undefined : { threadId, ...defined({ messageId }) };
}

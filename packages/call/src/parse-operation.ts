import { z } from 'zod';
import type { Operation } from './call-model.js';
import type { OperationData } from './call-notification.js';
import { defined, oneOf, text } from './lenient.js';
import { parseResultInfo } from './parse-call-data.js';

const OPERATION_STATUSES = ['notStarted', 'running', 'completed', 'failed'] as const;

const operationSchema = z.object({
  id: text,
  '@odata.type': text,
  status: text,
  clientContext: text,
  resultInfo: z.unknown().optional(),
});

/**
 * A `microsoft.graph.commsOperation`, as an action on a call is answered; undefined when it has
 * no id. Without a status it has not started: a notification tells how it ended.
 */
export function parseOperation(value: unknown): Operation | undefined {
  const id = operationSchema.safeParse(value).data?.id;
  return id === undefined ? undefined : { status: 'notStarted', ...parseOperationData(id, value) };
}

/** What a notification says of the operation `id`. */
export function parseOperationData(id: string, value: unknown): OperationData {
  const parsed = operationSchema.safeParse(value);
  if (!parsed.success) return { id };
  const { clientContext, resultInfo } = parsed.data;
  return {
    id,
    ...defined({
      type: parsed.data['@odata.type']?.replace(/^#?(?:microsoft\.graph\.)?/i, ''),
      status: oneOf(OPERATION_STATUSES, parsed.data.status),
      clientContext,
      result: parseResultInfo(resultInfo),
    }),
  };
}

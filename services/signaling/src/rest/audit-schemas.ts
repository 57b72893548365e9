import { z } from 'zod';

// What crosses the REST API of the audit log.

/** An entry as the REST API shows it. */
export interface AuditRecordView {
  readonly id: string;
  /** Redis' clock, ISO 8601 in UTC. */
  readonly at: string;
  readonly action: string;
  readonly actor: string;
  readonly callId?: string | undefined;
  readonly outcome: 'ok' | 'refused' | 'failed';
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  readonly detail?: Readonly<Record<string, string | number | boolean>> | undefined;
}

/** A page of entries. */
export interface AuditListView {
  readonly records: readonly AuditRecordView[];
  readonly nextCursor?: string | undefined;
}

/** Query of `GET /v1/audit`. */
export interface ListAuditQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** Checks `ListAuditQuery`. */
export const listAuditQuery: z.ZodType<ListAuditQuery> = z.object({
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z.string().max(40).optional(),
});

/** Describes `AuditListView`. */
export const auditListView: z.ZodType<AuditListView> = z.object({
  records: z.array(
    z.object({
      id: z.string(),
      at: z.iso.datetime(),
      action: z.string().describe('Method and route, or a stable name'),
      actor: z.string().describe('Id of the API key, or of the part of Earshot'),
      callId: z.string().optional(),
      outcome: z.enum(['ok', 'refused', 'failed']),
      status: z.number().optional().describe('HTTP status of the answer'),
      code: z.string().optional().describe('Code of the refusal or failure'),
      detail: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
    }),
  ),
  nextCursor: z.string().optional(),
});

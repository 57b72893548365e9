import type { AuditStore } from '@earshot/registry';
import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { AuditListView } from './audit-schemas.js';
import { auditListView, listAuditQuery } from './audit-schemas.js';
import type { PathKit } from './tap-paths.js';
import { validate } from './validate.js';

type Json = Readonly<Record<string, unknown>>;

/** `/v1/audit`: who did what, newest first. */
export function addAuditRoutes(app: FastifyInstance, store: AuditStore): void {
  const options = { config: { scope: 'audit:read' } } as const;
  app.get('/v1/audit', options, async ({ query }): Promise<AuditListView> => {
    const { limit, cursor } = validate(listAuditQuery, query, 'query');
    const page = await store.list({ limit, ...(cursor === undefined ? {} : { cursor }) });
    return {
      records: page.records.map(({ atMs, ...record }) => ({
        ...record,
        at: new Date(atMs).toISOString(),
      })),
      ...(page.cursor === undefined ? {} : { nextCursor: page.cursor }),
    };
  });
}

/** What the audit log adds to the named schemas. */
export const AUDIT_SCHEMAS: Readonly<Record<string, z.ZodType>> = { AuditList: auditListView };

/** The paths of the audit log. */
export function auditPaths({ answers, queryParameters }: PathKit): Json {
  return {
    '/v1/audit': {
      get: {
        summary: 'Who did what, newest first',
        parameters: queryParameters(listAuditQuery),
        responses: answers(200, 'A page of the audit log', 'AuditList'),
      },
    },
  };
}

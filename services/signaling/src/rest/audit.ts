import type { AuditStore } from '@earshot/registry';
import type { FastifyInstance } from 'fastify';
import type { AuditListView } from './audit-schemas.js';
import { listAuditQuery } from './audit-schemas.js';
import { validate } from './validate.js';

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

import { auditListView, listAuditQuery } from '../audit-schemas.js';
import type { NamedSchemas, RouteDescriptions } from './route-description.js';

/** The audit log. */
export const AUDIT_ROUTES: RouteDescriptions = {
  'GET /v1/audit': {
    tag: 'deployment',
    summary: 'Who did what, newest first',
    query: listAuditQuery,
    answer: { status: 200, description: 'A page of the audit log', schema: 'AuditList' },
    problems: ['invalid_cursor'],
  },
};

export const AUDIT_SCHEMAS: NamedSchemas = { AuditList: auditListView };

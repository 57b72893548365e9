import { admissionView } from '../admission.js';
import { healthView, hostListView, workerListView } from '../deployment-schemas.js';
import { pageQuery } from '../paging.js';
import type { NamedSchemas, RouteDescriptions } from './route-description.js';

const TEXT = { schema: { type: 'string' } } as const;
const OBJECT = { schema: { type: 'object' } } as const;

/** The parts of the deployment, and what is open to probes and tools. */
export const DEPLOYMENT_ROUTES: RouteDescriptions = {
  'GET /v1/hosts': {
    tag: 'deployment',
    summary: 'Media hosts of the deployment',
    query: pageQuery,
    answer: { status: 200, description: 'A page of hosts, by id', schema: 'HostList' },
    problems: ['invalid_cursor'],
  },
  'GET /v1/admission': {
    tag: 'deployment',
    summary: "What the app has used of Graph's limits, over all processes",
    answer: { status: 200, description: 'Used, limits and pauses', schema: 'Admission' },
  },
  'GET /v1/workers': {
    tag: 'deployment',
    summary: 'Media workers of the deployment',
    query: pageQuery,
    answer: { status: 200, description: 'A page of workers, by id', schema: 'WorkerList' },
    problems: ['invalid_cursor'],
  },
  'GET /v1/health': {
    tag: 'deployment',
    summary: 'How this process and what lies around it are',
    description: '200 whatever it says; probes ask `/livez` and `/readyz`.',
    answer: { status: 200, description: 'A summary', schema: 'Health' },
  },
  'GET /livez': {
    tag: 'service',
    summary: 'Whether the process must be started anew: 503 then',
    answer: { status: 200, description: 'It lives', content: { 'application/json': OBJECT } },
  },
  'GET /readyz': {
    tag: 'service',
    summary: 'Whether requests should be sent here: 503 if not',
    answer: { status: 200, description: 'They should', content: { 'application/json': OBJECT } },
  },
  'GET /metrics': {
    tag: 'service',
    summary: 'Metrics, for Prometheus',
    answer: { status: 200, description: 'All of them', content: { 'text/plain': TEXT } },
  },
  'GET /openapi.json': {
    tag: 'service',
    summary: 'This document',
    answer: { status: 200, description: 'OpenAPI 3.1', content: { 'application/json': OBJECT } },
  },
  'GET /docs': {
    tag: 'service',
    summary: 'This document, to browse',
    answer: { status: 200, description: 'A page', content: { 'text/html': TEXT } },
  },
  'GET /docs/{asset}': {
    tag: 'service',
    summary: 'What the page loads',
    answer: {
      status: 200,
      description: 'Script or style',
      content: { 'text/javascript': TEXT, 'text/css': TEXT },
    },
    problems: ['route_not_found'],
  },
};

export const DEPLOYMENT_SCHEMAS: NamedSchemas = {
  HostList: hostListView,
  Admission: admissionView,
  WorkerList: workerListView,
  Health: healthView,
};

import type { HostLinkServer } from '@earshot/bridge';
import type { Registry } from '@earshot/registry';
import type { Health } from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import type { HostDirectory } from '../calls/host-directory.js';
import type { HealthView, HostListView, WorkerListView } from './deployment-schemas.js';
import { paged, pageQuery } from './paging.js';
import { validate } from './validate.js';

/** What the routes stand on. */
export interface DeploymentRoutesOptions {
  readonly registry: Registry;
  readonly hostLink: HostLinkServer;
  readonly directory: HostDirectory;
  readonly health: Health;
}

const HOSTS_READ = { config: { scope: 'hosts:read' } } as const;

/** `/v1/hosts`, `/v1/workers` and `/v1/health`: the parts of the deployment and how they are. */
export function addDeploymentRoutes(app: FastifyInstance, options: DeploymentRoutesOptions): void {
  const { registry, hostLink, directory, health } = options;

  app.get('/v1/hosts', HOSTS_READ, async (request): Promise<HostListView> => {
    const hosts = await directory.list();
    const page = paged(hosts, ({ hostId }) => hostId, pageOf(request.query));
    return { hosts: page.items, ...page.next };
  });

  app.get('/v1/workers', HOSTS_READ, async (request): Promise<WorkerListView> => {
    const workers = await registry.workers();
    const page = paged(workers, ({ workerId }) => workerId, pageOf(request.query));
    return {
      workers: page.items.map(({ workerId, load, streams, draining }) => ({
        workerId,
        load,
        streams,
        draining,
      })),
      ...page.next,
    };
  });

  app.get('/v1/health', HOSTS_READ, async (): Promise<HealthView> => {
    const hosts = hostLink.hosts();
    const [workers, openCalls] = await Promise.all([registry.workers(), registry.openCalls()]);
    return {
      ...health.readiness(),
      hosts: {
        connected: hosts.length,
        draining: hosts.filter(({ draining }) => draining).length,
        capacity: sum(hosts.map(({ capacity }) => capacity)),
        activeCalls: sum(hosts.map(({ activeCalls }) => activeCalls)),
      },
      workers: {
        alive: workers.length,
        draining: workers.filter(({ draining }) => draining).length,
        streams: sum(workers.map(({ streams }) => streams)),
      },
      calls: { open: openCalls.length },
    };
  });
}

function pageOf(query: unknown) {
  return validate(pageQuery, query, 'query');
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

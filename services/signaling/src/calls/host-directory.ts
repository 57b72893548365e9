import type { Cancel, Clock } from '@earshot/async';
import { every } from '@earshot/async';
import type { HostInfo } from '@earshot/bridge';
import type { HostNews, Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import type { HostListView } from '../rest/deployment-schemas.js';
import type { HostAssignments } from './host-picker.js';
import { pickHost } from './host-picker.js';

const INTERVAL_MS = 5_000;
/** A process that died keeps its hosts from being looked for elsewhere no longer than this. */
const TTL_MS = 15_000;

/** What the directory stands on. */
export interface HostDirectoryOptions {
  readonly registry: Pick<Registry, 'hosts'>;
  readonly hostLink: { hosts(): HostInfo[] };
  readonly assignments: HostAssignments;
  readonly clock: Clock;
  readonly log: Log;
  /** Names this process among those that share Redis. */
  readonly processId: string;
}

/** The media hosts of all processes: those connected here as they are, the others as they told. */
export class HostDirectory {
  readonly #options: HostDirectoryOptions;
  #cancel: Cancel | undefined;

  constructor(options: HostDirectoryOptions) {
    this.#options = options;
  }

  /** Tells of the hosts here, now and from then on. */
  start(): void {
    this.#cancel = every(this.#options.clock, INTERVAL_MS, () => this.tell());
    this.tell();
  }

  /** Stops telling. Idempotent. */
  stop(): void {
    this.#cancel?.();
  }

  /** Tells the other processes of the hosts here, without waiting for the outcome. */
  tell(): void {
    const { registry, processId, hostLink } = this.#options;
    this.#try(registry.hosts.announce(processId, hostLink.hosts().map(newsOf), TTL_MS));
  }

  /** Tells that a host has left this process, without waiting for the outcome. */
  tellGone(hostId: string): void {
    this.#try(this.#options.registry.hosts.remove(this.#options.processId, hostId));
  }

  /** The host here that is to take the next call; undefined when none can. */
  pickHere(except: ReadonlySet<string> = new Set()): string | undefined {
    const { hostLink, assignments } = this.#options;
    const hosts = hostLink.hosts().filter(({ hostId }) => !except.has(hostId));
    return pickHost(hosts, (hostId) => assignments.countOf(hostId))?.hostId;
  }

  /** Whether some other process has a host that can take a call. */
  async isAnyElsewhere(except: ReadonlySet<string> = new Set()): Promise<boolean> {
    const hosts = await this.#elsewhere();
    const left = hosts.filter(({ hostId }) => !except.has(hostId));
    return pickHost(left, () => 0) !== undefined;
  }

  /** All hosts, by id. */
  async list(): Promise<HostListView['hosts']> {
    const here = this.#options.hostLink.hosts().map((host) => ({ ...newsOf(host), isHere: true }));
    const elsewhere = (await this.#elsewhere()).map(({ processId: _, ...host }) => ({
      ...host,
      isHere: false,
    }));
    return [...here, ...elsewhere].sort((a, b) => (a.hostId < b.hostId ? -1 : 1));
  }

  async #elsewhere() {
    const { registry, hostLink, processId } = this.#options;
    const here = new Set(hostLink.hosts().map(({ hostId }) => hostId));
    const hosts = await registry.hosts.list();
    return hosts.filter((host) => host.processId !== processId && !here.has(host.hostId));
  }

  #try(done: Promise<void>): void {
    done.catch((error: unknown) => {
      this.#options.log.warn('media hosts could not be announced', { error });
    });
  }
}

function newsOf({ hostId, capacity, activeCalls, level, draining, rttMs }: HostInfo): HostNews {
  const rtt = rttMs === undefined ? {} : { rttMs };
  return { hostId, capacity, activeCalls, level, draining, ...rtt };
}

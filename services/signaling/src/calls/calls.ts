import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Clock } from '@earshot/async';
import { HostLinkServer } from '@earshot/bridge';
import type { EventPublisher } from '@earshot/events';
import { GraphCalls } from '@earshot/graph';
import { MediaTokens } from '@earshot/media-token';
import type { Registry } from '@earshot/registry';
import type { Log, Tracer } from '@earshot/telemetry';
import { Admission } from '../admission/admission.js';
import { PlaceKeeper } from '../admission/place-keeper.js';
import type { SignalingConfig } from '../config.js';
import { Answerer } from '../incoming/answerer.js';
import { RecordedParties } from '../incoming/recorded-parties.js';
import type { SignalingMetrics } from '../metrics.js';
import { OperationDesk } from '../operations/operation-desk.js';
import { RecordingDesk } from '../recording/recording-desk.js';
import { sameSecret } from '../rest/bearer.js';
import { AttemptWork } from './attempt-work.js';
import { AutoLeaver } from './auto-leaver.js';
import { CallDriver } from './call-driver.js';
import { CallJoiner } from './call-joiner.js';
import { CallStarter } from './call-starter.js';
import { CallWork } from './call-work.js';
import type { CallbackBacklog } from './callback-backlog.js';
import { HostDirectory } from './host-directory.js';
import { HostAssignments } from './host-picker.js';
import { HostPresence } from './host-presence.js';
import { MediaAttacher } from './media-attacher.js';
import { MediaCalls } from './media-calls.js';
import { MediaStates } from './media-states.js';
import { OrphanLegs } from './orphan-legs.js';
import { RosterReader } from './roster-reader.js';
import { SourceBinder } from './source-binder.js';
import { StartedCalls } from './started-calls.js';

const GRAPH_TIMEOUT_MS = 15_000;

/** What the parts stand on. */
export interface CallsOptions {
  readonly config: SignalingConfig;
  /** By the way that Graph is reached. */
  readonly fetch: typeof fetch;
  readonly tokens: { token(tenantId: string): Promise<string> };
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly tracer: Tracer;
  readonly registry: Registry;
  readonly publisher: EventPublisher;
  readonly metrics: SignalingMetrics;
  readonly backlog: CallbackBacklog;
  /** Takes the host link's upgrades. */
  readonly server: Server;
  readonly hostLinkPath: string;
  readonly closing: AbortSignal;
  publicUrl(): string;
}

/** The parts that make calls, drive them and reach their media hosts. */
export interface Calls {
  readonly starter: CallStarter;
  readonly driver: CallDriver;
  readonly desk: OperationDesk;
  readonly hostLink: HostLinkServer;
  readonly mediaStates: MediaStates;
  readonly orphans: OrphanLegs;
  readonly admission: Admission;
  readonly places: PlaceKeeper;
  readonly directory: HostDirectory;
  /** Looks at a call that another process has something to say of. */
  lookAt(callId: string): void;
  readonly parties: RecordedParties;
}

/** Puts the parts together; nothing runs yet. */
export function wireCalls(options: CallsOptions): Calls {
  const { config, clock, registry, log } = options;
  const processId = randomUUID();
  const hosts = new HostPresence({ registry, clock, processId });
  const assignments = new HostAssignments();
  const hostLink = new HostLinkServer({
    server: options.server,
    path: options.hostLinkPath,
    maxPendingPerAddress: config.maxPendingPerAddress,
    authorize: (bearer) => sameSecret(bearer, config.hostKey),
    clock,
    log,
    onHostUp({ hostId }) {
      hosts.up(hostId);
      directory.tell();
      driver.sweep();
    },
    onHostDown(hostId) {
      hosts.down(hostId);
      directory.tellGone(hostId);
      driver.sweep();
    },
    onRoundTrip: (rttMs) => options.metrics.hostLinkRtt.observe(rttMs / 1000),
    onMediaState: (state) => mediaStates.told(state),
    onAttached: (session) => mediaStates.attached(session),
  });
  const graph = new GraphCalls({
    endpoints: config.graph,
    tokens: options.tokens,
    fetch: options.fetch,
    timeoutMs: GRAPH_TIMEOUT_MS,
  });
  const store = registry.admission(config.clientId);
  const admission = new Admission({ ...options, store, limits: config.admission });
  const directory = new HostDirectory({ ...options, hostLink, assignments, processId });
  const shared = { ...options, graph, hostLink, assignments, admission, directory };
  const mediaCalls = new MediaCalls(registry);
  const mediaStates: MediaStates = new MediaStates({
    ...options,
    mediaCalls,
    wake: (callId) => driver.wake(callId),
  });
  const mediaTokens = new MediaTokens({ key: config.bridgeKey, clock });
  const joiner = new CallJoiner({ ...shared, wake: (callId) => driver.wake(callId) });
  const sources = new SourceBinder(options);
  const work = new CallWork({
    ...shared,
    attempts: new AttemptWork({ ...shared, hosts, joiner }),
    attacher: new MediaAttacher({ ...shared, mediaTokens, mediaStates }),
    autoLeaver: new AutoLeaver(options),
    rosterReader: new RosterReader({ ...shared, sources }),
    mediaCalls,
    sources,
    answerer: new Answerer({
      ...shared,
      processId,
      incoming: config.incoming,
    }),
    recording: new RecordingDesk({ ...shared, processId }),
    hosts,
    processId,
  });
  const driver = new CallDriver({ ...options, work, hosts });
  const started = new StartedCalls(options);
  const starter = new CallStarter({
    ...shared,
    joiner,
    started,
    driver,
    defaultTenantId: config.tenantId,
    rejoin: config.rejoin,
    autoLeave: config.autoLeave,
    listening: config.listening,
  });
  const desk = new OperationDesk({ ...shared, wake: (callId) => driver.wake(callId) });
  const places = new PlaceKeeper({ ...options, store, admission, processId });
  return {
    starter,
    driver,
    desk,
    hostLink,
    mediaStates,
    orphans: new OrphanLegs(shared),
    admission,
    places,
    directory,
    lookAt(callId) {
      started.heard(callId);
      driver.wake(callId);
    },
    parties: new RecordedParties(shared),
  };
}

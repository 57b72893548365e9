import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Clock } from '@earshot/async';
import { CloseStack, CodedError } from '@earshot/async';
import { systemClock } from '@earshot/async/system';
import type { OpusEngine } from '@earshot/opus';
import { createOpusEngine } from '@earshot/opus';
import { listen, reachableAt } from '@earshot/service-process';
import type { Log, Metrics } from '@earshot/telemetry';
import { createLog, Health } from '@earshot/telemetry';
import type { FastifyInstance } from 'fastify';
import { createCertificate } from './certificate.js';
import type { SandboxConfig } from './config.js';
import { writeCaFile } from './data-folder.js';
import { AppTokens } from './graph/app-tokens.js';
import { CallDesk } from './graph/call-desk.js';
import { CallGate } from './graph/call-gate.js';
import { addCallRoutes } from './graph/call-routes.js';
import { CALLBACK_ISSUER, CALLBACK_OPENID_PATH, CallbackSigner } from './graph/callback-signer.js';
import { GraphLimits } from './graph/graph-limits.js';
import { createGraphServer } from './graph/graph-server.js';
import { addTokenEndpoint, DEFAULT_ROLES } from './graph/token-endpoint.js';
import { DirectMedia } from './host/direct-media.js';
import { MediaHost } from './host/media-host.js';
import { SEND_CAPABILITY } from './host/media-session.js';
import { MEETING_RATE_HZ } from './host/send-decoder.js';
import { maxKept } from './host/send-streams.js';
import { IncomingDesk } from './incoming/incoming-desk.js';
import { addIncomingRoutes } from './incoming/incoming-routes.js';
import { createCustomMeeting } from './meetings/custom-meeting.js';
import { audioOfFolder, loadMeeting } from './meetings/load-meeting.js';
import { createMeeting } from './meetings/meeting.js';
import type { MeetingSummary } from './meetings/meeting-book.js';
import { MeetingBook, summaryOf } from './meetings/meeting-book.js';
import { parseDefinition } from './meetings/meeting-definition.js';
import { createSandboxMetrics } from './sandbox-metrics.js';
import { addSandboxRoutes } from './sandbox-routes.js';
import { readScenario } from './scenario/parse-scenario.js';
import { ScenarioBook } from './scenario/scenario-book.js';
import { addScenarioRoutes } from './scenario/scenario-routes.js';

const HOST_CAPACITY = 200;
/** Of each stream: more than the window holds, but for the largest Opus packets. */
const REPLAY_WINDOW_BYTES = 2 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;
const HOST_LINK_PATIENCE_MS = 2000;
const BUNDLED_MEETING = fileURLToPath(new URL('../meeting/', import.meta.url));

/** What a bot needs to know to be pointed at the sandbox. */
export interface SandboxReady {
  /** `https://host:port` of the Graph simulator. */
  readonly url: string;
  readonly graphBaseUrl: string;
  readonly authorityUrl: string;
  readonly callbackOpenIdUrl: string;
  readonly callbackIssuer: string;
  /** PEM file for `NODE_EXTRA_CA_CERTS`. */
  readonly caFile: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly tenantId: string;
  readonly meetings: readonly MeetingSummary[];
}

export interface SandboxDeps {
  /** @defaultValue the machine's clock */
  readonly clock?: Clock;
  /** A number in [0, 1) for jitter. @defaultValue Math.random */
  readonly random?: () => number;
  /** @defaultValue standard error */
  readonly log?: Log;
  /** How long frames are kept for a worker that is away, ms. @defaultValue 30 s */
  readonly replayWindowMs?: number;
  /** The same bound in bytes, for each stream. @defaultValue 2 MiB */
  readonly replayWindowBytes?: number;
  /** Permissions granted in a tenant; undefined for the sandbox's usual ones. */
  rolesOf?(tenantId: string): readonly string[] | undefined;
}

/** The sandbox, running. */
export interface Sandbox {
  readonly ready: SandboxReady;
  /** The media host, for tests that need no host link. */
  readonly mediaHost: MediaHost;
  /** What goes wrong, and when: scenarios are loaded and taken out here. */
  readonly scenarios: ScenarioBook;
  meetings(): MeetingSummary[];
  /** Adds a meeting; its audio is inline, or files of the bundled meeting. */
  addMeeting(definition: unknown): Promise<MeetingSummary>;
  /**
   * Connects the media host to signaling's host link.
   *
   * @throws CodedError `host_link_unreachable`
   */
  connectHost(url: string, token: string): Promise<{ hostId: string }>;
  /** Ends everything; nothing is told to bots. Idempotent. */
  close(): Promise<void>;
}

/**
 * Starts Graph and a media host of our own making.
 *
 * @throws CodedError `port_taken`, `not_listening`, `data_folder_unwritable`, and those of
 * meetings and audio files.
 */
export async function startSandbox(
  config: SandboxConfig,
  deps: SandboxDeps = {},
): Promise<Sandbox> {
  const closers = new CloseStack();
  try {
    return await start(config, deps, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

async function start(
  config: SandboxConfig,
  deps: SandboxDeps,
  closers: CloseStack,
): Promise<Sandbox> {
  const { clock = systemClock } = deps;
  const log = deps.log ?? createLog({ service: 'sandbox', level: config.logLevel });
  const [opus, meetings, scenarios, tokens, signer, certificate] = await Promise.all([
    createOpusEngine(),
    openMeetings(config),
    openScenarios(config),
    AppTokens.create(clock),
    CallbackSigner.create(clock),
    createCertificate(config.listen.host, clock.wallclockMs()),
  ]);
  const caFile = await writeCaFile(config.dataDir, certificate.certificate, closers);
  const mediaHost = createMediaHost(config, deps, { clock, log, opus });
  const { random = Math.random } = deps;
  const limits = new GraphLimits(clock, () => scenarios.limits());
  const desk = new CallDesk({
    meetings,
    scenarios,
    limits,
    signer,
    clock,
    random,
    speed: config.speed,
    log,
    connectMedia: (blob, onRoom, graphCallId) => mediaHost.claim(blob, onRoom, graphCallId),
  });
  const incoming = new IncomingDesk({ ...config, desk, meetings, signer, clock, log });
  const directMedia = new DirectMedia({
    host: mediaHost,
    clock,
    speed: config.speed,
    findMeeting: (name) => meetings.findByName(name),
  });
  const addMeeting = async (definition: unknown): Promise<MeetingSummary> => {
    const packetsOf = audioOfFolder(meetingFolderOf(config));
    const meeting = await createMeeting(parseDefinition(definition), config.tenantId, packetsOf);
    meetings.add(meeting);
    return summaryOf(meeting);
  };

  const app = createGraphServer({ ...certificate, clock });
  const metrics = createSandboxMetrics(desk, mediaHost);
  const health = watchHealth(mediaHost, metrics, { clock, log });
  closers.defer(health.start());
  addRoutes(app, {
    metrics,
    health,
    config,
    deps,
    clock,
    meetings,
    scenarios,
    tokens,
    signer,
    desk,
    gate: new CallGate({ desk, tokens, scenarios, limits, clock }),
    incoming,
    mediaHost,
    directMedia,
    addMeeting,
  });
  closers.defer(() => app.close());
  const url = `https://${await listen(app, config.listen, 'the sandbox')}`;
  closers.defer(() => mediaHost.close());
  closers.defer(() => desk.close());
  closers.defer(() => incoming.close());
  closers.defer(() => directMedia.close());

  const connectHost: Sandbox['connectHost'] = async (hostUrl, token) => {
    await withinTime(clock, mediaHost.connect(hostUrl, token));
    return { hostId: mediaHost.hostId };
  };
  if (config.hostLink !== undefined) {
    connectHost(config.hostLink.url, config.hostLink.token).catch((error: unknown) =>
      log.warn('host link not up yet; it is tried on', { error }),
    );
  }
  return {
    ready: readyOf(config, url, caFile, meetings.summaries()),
    mediaHost,
    scenarios,
    meetings: () => meetings.summaries(),
    addMeeting,
    connectHost,
    close: () => closers.close(),
  };
}

/** Red once the host link, if one is wanted, has been down for longer than it takes to dial again. */
function watchHealth(host: MediaHost, metrics: Metrics, { clock, log }: HealthParts): Health {
  return new Health({
    clock,
    log,
    metrics,
    checks: [
      {
        name: 'host_link_down',
        help: '1 while the link to signaling is wanted, and down.',
        effect: 'unready',
        limit: 0,
        failAfterMs: HOST_LINK_PATIENCE_MS,
        clearAfterMs: 0,
        read: () => (host.isLinked ? 0 : 1),
      },
    ],
  });
}

interface HealthParts {
  readonly clock: Clock;
  readonly log: Log;
}

interface RouteParts {
  readonly metrics: Metrics;
  readonly health: Health;
  readonly config: SandboxConfig;
  readonly deps: SandboxDeps;
  readonly clock: Clock;
  readonly meetings: MeetingBook;
  readonly scenarios: ScenarioBook;
  readonly tokens: AppTokens;
  readonly signer: CallbackSigner;
  readonly desk: CallDesk;
  readonly gate: CallGate;
  readonly incoming: IncomingDesk;
  readonly mediaHost: MediaHost;
  readonly directMedia: DirectMedia;
  addMeeting(definition: unknown): Promise<MeetingSummary>;
}

/** Entra ID, Graph, the keys of callbacks, and what is the sandbox's own. */
function addRoutes(app: FastifyInstance, parts: RouteParts): void {
  const {
    config,
    deps,
    clock,
    meetings,
    scenarios,
    tokens,
    signer,
    desk,
    gate,
    incoming,
    mediaHost,
    directMedia,
    metrics,
    health,
    addMeeting,
  } = parts;
  const baseUrl = (): string => `https://${reachableAt(app, config.listen)}`;
  addTokenEndpoint(app, {
    tokens,
    clock,
    clientId: config.clientId,
    clientSecret: config.clientSecret,
    authorityUrl: baseUrl,
    rolesOf: (tenantId) => {
      const isOurs = tenantId.toLowerCase() === config.tenantId.toLowerCase();
      if (!isOurs && !meetings.hasTenant(tenantId)) return undefined;
      return deps.rolesOf?.(tenantId) ?? DEFAULT_ROLES;
    },
  });
  signer.addRoutes(app, baseUrl);
  for (const version of ['v1.0', 'beta'] as const) {
    for (const alias of ['communications', 'app'] as const) {
      addCallRoutes(app, { version, alias }, { desk, gate, clock, incoming, baseUrl });
    }
  }
  addScenarioRoutes(app, scenarios);
  addIncomingRoutes(app, incoming);
  addSandboxRoutes(app, {
    metrics,
    health,
    meetings: () => meetings.summaries(),
    addMeeting,
    startMedia: (blob, meeting) => directMedia.start(blob, meeting),
    findCall: (id) => mediaHost.find(id),
  });
}

interface HostParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly opus: OpusEngine;
}

function createMediaHost(
  config: SandboxConfig,
  deps: SandboxDeps,
  { clock, log, opus }: HostParts,
): MediaHost {
  const { random = Math.random } = deps;
  const { replayWindowMs = config.replayWindowMs, replayWindowBytes = REPLAY_WINDOW_BYTES } = deps;
  return new MediaHost({
    hostId: `sandbox-${randomBytes(4).toString('hex')}`,
    capacity: HOST_CAPACITY,
    clock,
    random,
    log,
    replayWindowMs,
    replayWindowBytes,
    virtualTime: config.speed > 1,
    decoders: opus.createDecoderPool({
      sampleRateHz: MEETING_RATE_HZ,
      channels: 1,
      capacity: HOST_CAPACITY * maxKept(SEND_CAPABILITY),
    }),
  });
}

function readyOf(
  config: SandboxConfig,
  url: string,
  caFile: string,
  meetings: readonly MeetingSummary[],
): SandboxReady {
  return {
    url,
    graphBaseUrl: `${url}/v1.0`,
    authorityUrl: url,
    callbackOpenIdUrl: `${url}${CALLBACK_OPENID_PATH}`,
    callbackIssuer: CALLBACK_ISSUER,
    caFile,
    clientId: config.clientId,
    clientSecret: config.clientSecret,
    tenantId: config.tenantId,
    meetings,
  };
}

function meetingFolderOf(config: SandboxConfig): string {
  return config.meetingFolder ?? BUNDLED_MEETING;
}

async function openMeetings(config: SandboxConfig): Promise<MeetingBook> {
  const book = new MeetingBook();
  book.add(await loadMeeting(meetingFolderOf(config), config.tenantId));
  if (config.audioFiles.length > 0) {
    book.add(await createCustomMeeting(config.audioFiles, config.tenantId));
  }
  return book;
}

async function openScenarios(config: SandboxConfig): Promise<ScenarioBook> {
  const book = new ScenarioBook();
  for (const file of config.scenarioFiles ?? []) book.add(await readScenario(file));
  return book;
}

function withinTime(clock: Clock, connected: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = clock.at(clock.nowMs() + CONNECT_TIMEOUT_MS, () =>
      reject(
        new CodedError(
          'host_link_unreachable',
          `Cannot connect the media host: signaling must accept it within ${CONNECT_TIMEOUT_MS} ms, it did not`,
          { fix: 'Check the URL of the host link and EARSHOT_HOST_KEY.' },
        ),
      ),
    );
    connected.then(resolve, reject).finally(cancel);
  });
}

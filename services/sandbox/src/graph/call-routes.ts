import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AppIdentity, AppTokens } from './app-tokens.js';
import { callBody } from './call-body.js';
import type { CallDesk } from './call-desk.js';
import { badRequest, GraphFault, invalidArgument, notSimulated } from './graph-fault.js';
import type { SimulatedCall } from './simulated-call.js';

const MAX_CLIENT_CONTEXT = 256;
const RECORDING_STATES: ReadonlySet<string> = new Set(['notrecording', 'recording', 'failed']);
/** Work in calls with service-hosted media only. */
const SERVICE_HOSTED_ACTIONS: ReadonlySet<string> = new Set([
  'subscribeToTone',
  'playPrompt',
  'recordResponse',
  'record',
  'cancelMediaProcessing',
]);
const LEFT_OUT_ACTIONS: ReadonlySet<string> = new Set([
  'addLargeGalleryView',
  'answer',
  'changeScreenSharingRole',
  'redirect',
  'reject',
  'sendDtmfTones',
  'transfer',
]);

export interface CallRoutesOptions {
  readonly desk: CallDesk;
  readonly tokens: AppTokens;
  /** The server's own address, without a path. */
  baseUrl(): string;
}

interface CallParams {
  Params: { id: string };
}

interface ActionParams {
  Params: { id: string; action: string };
}

/** Graph's calls under one version and one of its two names, such as `/v1.0/communications`. */
export function addCallRoutes(
  app: FastifyInstance,
  prefix: { readonly version: 'v1.0' | 'beta'; readonly alias: 'communications' | 'app' },
  { desk, tokens, baseUrl }: CallRoutesOptions,
): void {
  const calls = `/${prefix.version}/${prefix.alias}/calls`;
  const metadataUrl = (): string => `${baseUrl()}/${prefix.version}/$metadata`;

  app.post(calls, async (request, reply) => {
    const identity = await tokens.verify(request.headers.authorization);
    const call = desk.create(request.body, identity, scenarioOf(request));
    return reply
      .code(201)
      .header('location', `${baseUrl()}${calls}/${call.id}`)
      .send(callBody(call, metadataUrl()));
  });

  app.get<CallParams>(`${calls}/:id`, async (request, reply) =>
    reply.send(callBody(await callOf(request), metadataUrl())),
  );

  app.get<CallParams>(`${calls}/:id/participants`, async (request, reply) => {
    const call = await callOf(request);
    const context = `${metadataUrl()}#communications/calls('${call.id}')/participants`;
    return reply.send({ '@odata.context': context, value: call.participants() });
  });

  app.delete<CallParams>(`${calls}/:id`, async (request, reply) => {
    const call = await callOf(request);
    call.hangUp();
    return reply.code(204).send();
  });

  app.post<ActionParams>(`${calls}/:id/:action`, async (request, reply) => {
    const call = await callOf(request);
    const action = request.params.action.replace(/^microsoft\.graph\./, '');
    // keepAlive is the one action that never had the older name.
    if (action === 'keepAlive' && prefix.alias === 'communications') {
      call.keepAlive();
      return reply.code(200).send();
    }
    return perform(call, action, request, reply);
  });

  async function callOf(request: FastifyRequest<CallParams>): Promise<SimulatedCall> {
    const identity: AppIdentity = await tokens.verify(request.headers.authorization);
    return desk.find(request.params.id, identity);
  }
}

function perform(
  call: SimulatedCall,
  action: string,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  switch (action) {
    case 'mute':
    case 'unmute': {
      requireEstablished(call);
      const operation = operationOf(`${action}ParticipantOperation`, request.body);
      call.setMuted(action === 'mute');
      return answerWithOperation(call, operation, reply);
    }
    case 'updateRecordingStatus':
      requireEstablished(call);
      requireRecordingStatus(request.body);
      throw new GraphFault(403, '8506', 'API call not allowed for non-Compliance Recording call');
    default:
      if (SERVICE_HOSTED_ACTIONS.has(action)) {
        throw new GraphFault(500, '9999', 'Unknown error occurred.');
      }
      if (LEFT_OUT_ACTIONS.has(action)) throw notSimulated(action);
      throw badRequest(`Resource not found for the segment '${action.slice(0, 64)}'.`);
  }
}

function requireEstablished(call: SimulatedCall): void {
  if (call.state === 'established') return;
  throw new GraphFault(400, '8501', 'The call is not established.');
}

function requireRecordingStatus(body: unknown): void {
  const status = propertyOf(body, 'status');
  if (typeof status === 'string' && RECORDING_STATES.has(status.toLowerCase())) return;
  throw invalidArgument('status', 'must be notRecording, recording or failed');
}

interface Operation {
  readonly id: string;
  readonly [property: string]: unknown;
}

function operationOf(type: string, body: unknown): Operation {
  const clientContext = propertyOf(body, 'clientContext') ?? null;
  const isValid =
    clientContext === null ||
    (typeof clientContext === 'string' && clientContext.length <= MAX_CLIENT_CONTEXT);
  if (!isValid) {
    throw invalidArgument(
      'clientContext',
      `must be text of at most ${MAX_CLIENT_CONTEXT} characters`,
    );
  }
  return {
    '@odata.type': `#microsoft.graph.${type}`,
    id: randomUUID(),
    status: 'completed',
    clientContext,
    resultInfo: null,
  };
}

function answerWithOperation(
  call: SimulatedCall,
  operation: Operation,
  reply: FastifyReply,
): FastifyReply {
  const location = `/communications/calls/${call.id}/operations/${operation.id}`;
  return reply.code(200).header('location', location).send(operation);
}

function propertyOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}

/** The bot's own id of what it is doing; made up where it gives none. */
function scenarioOf(request: FastifyRequest): string {
  const given = request.headers['scenario-id'];
  return typeof given === 'string' && /^[\w-]{1,64}$/.test(given) ? given : randomUUID();
}

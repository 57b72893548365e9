import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import type { CallRecord, Registry } from '@earshot/registry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Audit } from '../audit/audit.js';
import type { CallDriver } from '../calls/call-driver.js';
import { viewOf } from '../calls/call-view.js';
import { serviceState } from '../calls/service-state.js';
import {
  declare,
  isPolicyRecording,
  recordingOf,
  wantStatus,
  withdraw,
} from '../recording/recording-changes.js';
import { callOf } from './call-of.js';
import type { IdempotentRequests, OnceAnswer } from './idempotency.js';
import { Problem } from './problem.js';
import type { RecordingDeclarationBody, RecordingStatusBody } from './recording-schemas.js';
import { recordingDeclarationBody, recordingStatusBody } from './recording-schemas.js';
import type { CallView } from './schemas.js';
import { validate } from './validate.js';

/** What the routes stand on. */
export interface RecordingRoutesOptions {
  readonly registry: Registry;
  readonly driver: CallDriver;
  readonly audit: Pick<Audit, 'record'>;
  readonly clock: Clock;
  readonly idempotent: IdempotentRequests;
  publishedOf(callId: string): Promise<number>;
}

interface CallParams {
  Params: { id: string };
}

const DECLARE = { config: { scope: 'recording:declare' } } as const;

/** Whether a call is recorded, told to Graph; and whether it may be, declared by an operator. */
export function addRecordingRoutes(app: FastifyInstance, options: RecordingRoutesOptions): void {
  const { registry, driver, audit, clock, idempotent } = options;

  app.post<CallParams>('/v1/calls/:id/recording-status', DECLARE, async (request, reply) => {
    const { status } = validate(recordingStatusBody, request.body, 'body');
    const { callId } = await callOf(registry, request.params.id);
    await idempotent.once(request, reply, {
      body: { status },
      handle: () => tell(callId, status),
    });
    return view(await callOf(registry, callId));
  });

  async function tell(callId: string, status: RecordingStatusBody['status']): Promise<OnceAnswer> {
    const wanted = { status, request: randomUUID(), sinceMs: clock.wallclockMs() };
    await registry.updateCall(callId, (current) => {
      requireGraphDecides(current);
      requireEstablished(current);
      return wantStatus(current, wanted);
    });
    await driver.drive(callId);
    const record = await callOf(registry, callId);
    const { told } = recordingOf(record);
    const isTold = told?.request === wanted.request;
    if (isTold && told.problem !== undefined) {
      throw new Problem({ status: 502, title: 'Graph refused', ...told.problem });
    }
    return { status: isTold ? 200 : 202 };
  }

  app.post<CallParams>('/v1/calls/:id/recording-declaration', DECLARE, async (request, reply) => {
    const body = validate(recordingDeclarationBody, request.body, 'body');
    const found = await callOf(registry, request.params.id);
    requireDeclarable(found);
    await idempotent.once(request, reply, {
      body,
      async handle() {
        await open(request, found, body);
        return { status: 200 };
      },
    });
    return view(await callOf(registry, found.callId));
  });

  /** The gate opens once the declaration is in the audit log. */
  async function open(
    { principal }: FastifyRequest,
    found: CallRecord,
    body: RecordingDeclarationBody,
  ): Promise<void> {
    const { callId } = found;
    const { basis, reference, declaredBy } = body;
    const id = `d_${randomUUID()}`;
    // Durable before the gate opens; when that fails, it stays closed.
    await audit.record({
      action: 'recording.declare',
      actor: principal.keyId,
      callId,
      outcome: 'ok',
      detail: {
        declarationId: id,
        declaredBy,
        basisSha256: createHash('sha256').update(basis).digest('hex'),
        ...(reference === undefined ? {} : { reference }),
      },
    });
    const declaredAtMs = clock.wallclockMs();
    await registry.updateCall(callId, (current) => {
      requireDeclarable(current);
      return declare(current, { id, basis, reference, declaredBy, declaredAtMs });
    });
    await driver.drive(callId);
  }

  app.delete<CallParams>('/v1/calls/:id/recording-declaration', DECLARE, async (request) => {
    const { callId } = await callOf(registry, request.params.id);
    const record = await registry.updateCall(callId, (current) =>
      isPolicyRecording(current) ? current : withdraw(current, clock.wallclockMs()),
    );
    await driver.drive(callId);
    return view(record);
  });

  async function view(record: CallRecord): Promise<CallView> {
    return viewOf(record, await options.publishedOf(record.callId).catch(() => 0));
  }
}

/** Graph answers 8506 for any other call. */
function requireGraphDecides(record: CallRecord): void {
  if (isPolicyRecording(record)) return;
  throw new Problem({
    status: 409,
    code: 'not_policy_recording',
    title: 'Graph does not take the status',
    detail:
      'Cannot set the recording status: Graph takes it in policy-recording calls only (8506 elsewhere), got another call',
    fix: 'Declare why it may be recorded: POST /v1/calls/:id/recording-declaration.',
  });
}

function requireDeclarable(record: CallRecord): void {
  if (isPolicyRecording(record)) {
    throw new Problem({
      status: 409,
      code: 'declaration_not_applicable',
      title: 'Graph has to be asked',
      detail:
        'Cannot take the declaration: the recording of a policy-recording call is declared to Graph, got a declaration here',
      fix: 'POST /v1/calls/:id/recording-status {"status":"recording"}.',
    });
  }
  requireLive(record);
}

function requireEstablished(record: CallRecord): void {
  requireLive(record);
  if (serviceState(record).establishedAtMs === undefined) throw notLive('established', 'earlier');
}

function requireLive(record: CallRecord): void {
  const { end, hangUpAtMs } = serviceState(record);
  if (end !== undefined) throw notLive('open', 'one that has ended');
  if (hangUpAtMs !== undefined) throw notLive('open', 'one that is being hung up');
}

function notLive(rule: string, actual: string): Problem {
  return new Problem({
    status: 409,
    code: 'call_not_live',
    title: 'Not now',
    detail: `Cannot change the recording of the call: it must be ${rule}, got ${actual}`,
  });
}

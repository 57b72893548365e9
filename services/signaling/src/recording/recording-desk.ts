import { randomUUID } from 'node:crypto';
import type { Clock } from '@earshot/async';
import { CodedError } from '@earshot/async';
import type { Operation } from '@earshot/call';
import { classifyResult } from '@earshot/call';
import type { GraphCalls } from '@earshot/graph';
import { GraphError } from '@earshot/graph';
import type { CallRecord, Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import { NotMine } from '../calls/not-mine.js';
import { serviceState } from '../calls/service-state.js';
import { graphFailure } from '../calls/start-failures.js';
import {
  closeForLeaving,
  dropWanted,
  gateShared,
  isLeaving,
  recordingOf,
  statusTold,
  wantStatus,
} from './recording-changes.js';
import type { RecordingDutyKind } from './recording-duties.js';
import type { ToldStatus } from './recording-state.js';

/** Longer than Graph may take to answer: no two processes tell it the same. */
const TELLING_OWNERSHIP_MS = 20_000;
/** An open gate counts for a minute in the registry. */
const RENEW_AFTER_MS = 15_000;

/** What the desk stands on. */
export interface RecordingDeskOptions {
  readonly registry: Registry;
  readonly graph: GraphCalls;
  readonly clock: Clock;
  readonly log: Log;
  /** Names this process among those that share Redis. */
  readonly processId: string;
}

/** Tells recorders of the gate, and Graph of the recording. */
export class RecordingDesk {
  readonly #options: RecordingDeskOptions;
  /** When this process told of an open gate last, by call; monotonic ms. */
  readonly #renewedAtMs = new Map<string, number>();

  constructor(options: RecordingDeskOptions) {
    this.#options = options;
  }

  /** Does one duty. Each is safe to repeat. */
  async perform(kind: RecordingDutyKind, { callId }: CallRecord): Promise<void> {
    const { registry, clock } = this.#options;
    const atMs = clock.wallclockMs();
    switch (kind) {
      case 'shareGate':
        return this.#share(callId);
      case 'askToRecord':
        await registry.updateCall(callId, (current) =>
          serviceState(current).recording === undefined && !isLeaving(current)
            ? wantStatus(current, { status: 'recording', request: randomUUID(), sinceMs: atMs })
            : current,
        );
        return;
      case 'closeGate':
        await registry.updateCall(callId, (current) => closeForLeaving(current, atMs));
        return;
      case 'dropStatus':
        this.#options.log.warn('Graph could not be told that a recording ended', { callId });
        await registry.updateCall(callId, dropWanted);
        return;
      case 'tellStatus':
        return this.#tellGraph(callId);
    }
  }

  /** An open gate closes by itself unless it is told again: as long as a process looks after it. */
  renew(record: CallRecord): void {
    const { callId } = record;
    const { recording, end } = serviceState(record);
    if (recording?.gate.state !== 'open' || end !== undefined) {
      this.#renewedAtMs.delete(callId);
      return;
    }
    const nowMs = this.#options.clock.nowMs();
    const lastMs = this.#renewedAtMs.get(callId) ?? Number.NEGATIVE_INFINITY;
    if (nowMs - lastMs < RENEW_AFTER_MS) return;
    this.#renewedAtMs.set(callId, nowMs);
    this.#options.registry.setRecordingGate(callId, recording.gate).catch((error: unknown) => {
      this.#options.log.warn('an open recording gate could not be told again', { callId, error });
    });
  }

  forget(callId: string): void {
    this.#renewedAtMs.delete(callId);
  }

  async #share(callId: string): Promise<void> {
    const { registry, clock } = this.#options;
    const current = await registry.readCall(callId);
    if (current === undefined) return;
    const { gate } = recordingOf(current);
    await registry.setRecordingGate(callId, gate);
    const atMs = clock.wallclockMs();
    await registry.updateCall(callId, (next) => gateShared(next, gate.changes, atMs));
  }

  /** What Graph refuses is over with; what it did not answer is told again. */
  async #tellGraph(callId: string): Promise<void> {
    const { registry, graph, clock, processId } = this.#options;
    const record = await registry.readCall(callId);
    const wanted = record === undefined ? undefined : recordingOf(record).wanted;
    const graphCallId = record?.model.graphCallId;
    if (record === undefined || wanted === undefined || graphCallId === undefined) return;
    const { status, request } = wanted;
    const key = `recordingStatus:${callId}:${request}`;
    if (!(await registry.tryOwn(key, processId, TELLING_OWNERSHIP_MS))) throw new NotMine();
    const told = { status, request };
    let operation: Operation;
    try {
      operation = await graph.updateRecordingStatus(
        { tenantId: record.tenantId, graphCallId, media: 'appHosted' },
        { status },
      );
    } catch (error) {
      if (!isRefusal(error)) throw error;
      const { code, detail, fix } = graphFailure(error).problem;
      const problem = { code, detail, ...(fix === undefined ? {} : { fix }) };
      return this.#told(callId, { ...told, accepted: false, problem, atMs: clock.wallclockMs() });
    }
    const atMs = clock.wallclockMs();
    if (operation.status === 'failed') {
      return this.#told(callId, { ...told, accepted: false, problem: failureOf(operation), atMs });
    }
    if (status === 'recording' && operation.status !== 'completed') throw notCompleted(operation);
    return this.#told(callId, { ...told, accepted: true, atMs });
  }

  async #told(callId: string, told: ToldStatus): Promise<void> {
    await this.#options.registry.updateCall(callId, (current) => statusTold(current, told));
  }
}

/** A 200 of Graph is no success yet: what counts is the operation in it. */
function failureOf({ result }: Operation): { code: string; detail: string; fix?: string } {
  const rule = 'Cannot update the recording status: Graph must complete the operation';
  if (result === undefined) return { code: 'graph_refused', detail: `${rule}, got a failed one` };
  const { code, subcode } = result;
  const { fix } = classifyResult(result);
  const detail = `${rule}, got a failed one (${code}/${subcode})`;
  return { code: 'graph_refused', detail, ...(fix === undefined ? {} : { fix }) };
}

function notCompleted({ status }: Operation): CodedError {
  return new CodedError(
    'operation_not_completed',
    `Cannot open the recording gate: Graph must have completed the operation, got one that is ${status}`,
  );
}

/** Graph's no, which stays the same until somebody changes something. */
function isRefusal(error: unknown): boolean {
  return (
    error instanceof GraphError &&
    (error.code === 'graph_refused' || error.code === 'graph_token_refused')
  );
}

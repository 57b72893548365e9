import type { IncomingBody } from '@earshot/call';
import { normalisedId, parseIncoming } from '@earshot/call';
import type { CallRecord, Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import type { FastifyReply } from 'fastify';
import type { HostDirectory } from '../calls/host-directory.js';
import { serviceState } from '../calls/service-state.js';
import type { SignalingMetrics } from '../metrics.js';

/** Where Graph's calls come in. */
export const INCOMING_PATH = '/v1/callbacks/incoming';

/** What recording several participants in one call stands on. */
export interface RecordedPartiesOptions {
  readonly registry: Registry;
  readonly directory: HostDirectory;
  readonly metrics: Pick<SignalingMetrics, 'recordedParties'>;
  readonly log: Log;
  publicUrl(): string;
}

/** Somebody comes or leaves under a recording policy. */
export type PartyChange = Extract<IncomingBody, { kind: 'joining' | 'left' }>;

/** The body of the response to a `participantJoiningNotification` (Graph: participantJoiningResponse). */
export type JoiningResponse =
  | { readonly '@odata.type': '#microsoft.graph.acceptJoinResponse' }
  | { readonly '@odata.type': '#microsoft.graph.rejectJoinResponse'; readonly reason: 'busy' }
  | {
      readonly '@odata.type': '#microsoft.graph.inviteNewBotResponse';
      readonly inviteUri: string;
    };

/** Counts whom policy-recording calls record, over all processes, and decides on more. */
export class RecordedParties {
  readonly #options: RecordedPartiesOptions;

  constructor(options: RecordedPartiesOptions) {
    this.#options = options;
  }

  /** Takes note of somebody who comes or leaves, and answers Graph in the response. */
  async reply(
    callId: string,
    { kind, participantId: written }: PartyChange,
    reply: FastifyReply,
  ): Promise<FastifyReply> {
    const { registry } = this.#options;
    const participantId = written === undefined ? undefined : normalisedId(written);
    if (kind === 'joining') return reply.code(200).send(await this.#join(callId, participantId));
    this.#count('left');
    if (participantId !== undefined) await registry.leaveRecorded(callId, participantId);
    return reply.code(202).send();
  }

  /** Who is not taken here may be in a call of its own, where a host has room for one. */
  async #join(callId: string, participantId: string | undefined): Promise<JoiningResponse> {
    const { registry, publicUrl } = this.#options;
    const capacity = capacityOf(await registry.readCall(callId));
    if (participantId !== undefined && capacity > 0) {
      if (await registry.joinRecorded(callId, participantId, capacity)) {
        this.#count('accepted');
        return { '@odata.type': '#microsoft.graph.acceptJoinResponse' };
      }
    }
    const { directory } = this.#options;
    if (directory.pickHere() !== undefined || (await directory.isAnyElsewhere())) {
      this.#count('invited');
      return {
        '@odata.type': '#microsoft.graph.inviteNewBotResponse',
        inviteUri: publicUrl() + INCOMING_PATH,
      };
    }
    this.#count('rejected');
    this.#options.log.warn('a recorded participant was rejected', { callId });
    return { '@odata.type': '#microsoft.graph.rejectJoinResponse', reason: 'busy' };
  }

  #count(outcome: string): void {
    this.#options.metrics.recordedParties.add(1, { outcome });
  }
}

/** Undefined for what is about no such participant. */
export function partyChangeOf(body: unknown): PartyChange | undefined {
  const read = parseIncoming(body);
  return read.kind === 'joining' || read.kind === 'left' ? read : undefined;
}

/** Of a call that goes on; 0 for any other. */
function capacityOf(record: CallRecord | undefined): number {
  if (record === undefined) return 0;
  const { incoming, end, hangUpAtMs } = serviceState(record);
  const isLive = end === undefined && hangUpAtMs === undefined;
  return isLive ? (incoming?.participantCapacity ?? 0) : 0;
}

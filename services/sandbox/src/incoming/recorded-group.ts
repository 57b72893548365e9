import { randomUUID } from 'node:crypto';
import type { Cancel, Clock } from '@earshot/async';
import type { SimulatedCall } from '../graph/simulated-call.js';
import { joiningBody, leftBody } from './incoming-bodies.js';
import type { RecordedParty } from './ring-request.js';
import type { PartyOutcome, RingingCall } from './ringing-call.js';
import type { Webhook, WebhookAnswer } from './webhook.js';

export interface RecordedGroupOptions {
  readonly call: RingingCall;
  readonly leg: SimulatedCall;
  readonly capacity: number;
  readonly webhook: Webhook;
  readonly clock: Clock;
  /** Rings another bot for a participant. */
  invite(inviteUri: string, displayName: string): void;
}

/** Participants under a recording policy who come to a call that records several of them. */
export class RecordedGroup {
  readonly #options: RecordedGroupOptions;
  readonly #cancels: Cancel[] = [];
  /** With the one that the call began with. */
  #accepted = 1;

  constructor(options: RecordedGroupOptions) {
    this.#options = options;
  }

  /** Has them come and go. */
  play(parties: readonly RecordedParty[]): void {
    for (const party of parties) this.#after(party.joinAfterMs, () => void this.#join(party));
  }

  close(): void {
    for (const cancel of this.#cancels) cancel();
  }

  async #join({ displayName, leaveAfterMs }: RecordedParty): Promise<void> {
    const { call, leg, webhook, invite } = this.#options;
    if (leg.state === 'terminated') return;
    const participantId = randomUUID();
    const body = joiningBody(call, participantId, displayName);
    const answer = await webhook.post(call, leg.request.callbackUri, body);
    const { outcome, inviteUri } = this.#judge(answer);
    const party = { participantId, outcome, hasLeft: false };
    call.parties.push(party);
    if (inviteUri !== undefined) invite(inviteUri, displayName);
    if (outcome !== 'accepted') return;
    this.#accepted += 1;
    if (leaveAfterMs !== undefined) this.#after(leaveAfterMs, () => void this.#leave(party));
  }

  async #leave(party: { participantId: string; hasLeft: boolean }): Promise<void> {
    const { call, leg, webhook } = this.#options;
    if (leg.state === 'terminated') return;
    this.#accepted -= 1;
    party.hasLeft = true;
    await webhook.post(call, leg.request.callbackUri, leftBody(call, party.participantId));
  }

  /** Graph ends with 8609 or 8610 what is answered otherwise. */
  #judge(answer: WebhookAnswer | undefined): { outcome: PartyOutcome; inviteUri?: string } {
    const body = parseJson(answer?.status === 200 ? answer.text : '');
    switch (String(propertyOf(body, '@odata.type')).replace(/^#?microsoft\.graph\./, '')) {
      case 'acceptJoinResponse':
        return { outcome: this.#accepted < this.#options.capacity ? 'accepted' : 'overbooked' };
      case 'rejectJoinResponse':
        return { outcome: 'rejected' };
      case 'inviteNewBotResponse': {
        const inviteUri = propertyOf(body, 'inviteUri');
        return typeof inviteUri === 'string' && URL.canParse(inviteUri)
          ? { outcome: 'invited', inviteUri }
          : { outcome: 'invalid' };
      }
      default:
        return { outcome: 'invalid' };
    }
  }

  #after(delayMs: number, run: () => void): void {
    const { clock } = this.#options;
    this.#cancels.push(clock.at(clock.nowMs() + delayMs, run));
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function propertyOf(body: unknown, name: string): unknown {
  return typeof body === 'object' && body !== null ? Reflect.get(body, name) : undefined;
}

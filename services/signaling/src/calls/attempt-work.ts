import type { HostLinkServer } from '@earshot/bridge';
import type { CallRecord, Registry } from '@earshot/registry';
import type { Log } from '@earshot/telemetry';
import type { Admission } from '../admission/admission.js';
import type { SignalingMetrics } from '../metrics.js';
import { withEarlier } from './attempts.js';
import type { EarlierAttempt } from './call-attempt.js';
import type { CallJoiner } from './call-joiner.js';
import type { HostPresence } from './host-presence.js';
import { NotMine } from './not-mine.js';
import { serviceState, withService } from './service-state.js';

/** What the duties of attempts stand on. */
export interface AttemptWorkOptions {
  readonly registry: Registry;
  readonly hostLink: HostLinkServer;
  readonly hosts: HostPresence;
  readonly joiner: CallJoiner;
  readonly admission: Admission;
  readonly metrics: SignalingMetrics;
  readonly log: Log;
}

/** The duties that follow from a call's attempts and from its place. Each is safe to repeat. */
export class AttemptWork {
  readonly #options: AttemptWorkOptions;

  constructor(options: AttemptWorkOptions) {
    this.#options = options;
  }

  /** See `CallJoiner.join`. */
  join(record: CallRecord): Promise<void> {
    return this.#options.joiner.join(record);
  }

  giveUpJoin(record: CallRecord): Promise<void> {
    return this.#options.joiner.giveUp(record, 'given_up');
  }

  /**
   * Graph no longer knew the leg that was to be deleted before the next attempt: Teams ended the
   * call, perhaps by somebody's wish, so that joining again unasked would be wrong.
   */
  legWasGone(record: CallRecord): Promise<void> {
    return this.#options.joiner.giveUp(record, 'call_gone');
  }

  /** Frees the hosts of attempts that are over; legs of theirs that turn up are strays. */
  async clearEarlier(record: CallRecord): Promise<void> {
    const { attempt } = serviceState(record);
    let isAnyDone = false;
    for (const over of attempt?.earlier ?? []) {
      if (await this.#freeHost(record, over)) isAnyDone = true;
    }
    if (!isAnyDone) throw new NotMine();
  }

  async givePlaceBack(record: CallRecord): Promise<void> {
    const { admission, registry } = this.#options;
    const isUnused = serviceState(record).graph === 'none';
    await admission.giveBack(record.callId, { isUnused });
    await registry.updateCall(record.callId, (current) => withService(current, { place: 'free' }));
  }

  /** What the end of a call teaches: about the app's limits, and about the fleet of hosts. */
  async learn(record: CallRecord): Promise<void> {
    const { admission, metrics, log } = this.#options;
    const { end, attempt } = serviceState(record);
    if (end === undefined) return;
    const { resultCode: code, resultSubcode: subcode } = end;
    // What Graph said to a request has been learnt with it, and how long to wait, too.
    if (end.code === 'ended_by_teams' && code !== undefined && subcode !== undefined) {
      await admission.learn({ result: { code, subcode } });
    }
    const first = attempt?.earlier.at(-1);
    if (first === undefined || end.retryClass !== 'onceOnAnotherHost') return;
    metrics.rejoins.add(1, { cause: first.end.code, outcome: 'second_host_failed' });
    log.error('two media hosts failed one call: look after the fleet and its configuration', {
      callId: record.callId,
      hosts: [first.hostId, record.hostId],
      results: [first.end, end].map(
        (one) => `${one.resultCode ?? one.code}/${one.resultSubcode ?? 0}`,
      ),
    });
  }

  async #freeHost(record: CallRecord, over: EarlierAttempt): Promise<boolean> {
    const { hosts, hostLink, registry } = this.#options;
    const { hostId = '', mediaId } = over;
    if (!over.hostHeld) return false;
    const isHere = hosts.around(hostId).hostConnected;
    if (!isHere && !(await hosts.isAwayEverywhere(hostId))) return false;
    if (mediaId !== undefined) hostLink.release(hostId, mediaId);
    await registry.updateCall(record.callId, (current) =>
      withEarlier(current, over.attemptKey, { hostHeld: false }),
    );
    return true;
  }
}

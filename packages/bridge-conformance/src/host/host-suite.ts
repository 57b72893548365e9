import type { Clock } from '@earshot/async';
import type { RuleResult } from '../rule.js';
import { runRules } from '../run-rules.js';
import { selectRules } from '../select-rules.js';
import { AUDIO_RULES } from './audio-rules.js';
import { CREDIT_RULES } from './credit-rules.js';
import { HOST_LINK_RULES } from './host-link-rules.js';
import { HostStage } from './host-stage.js';
import type { HostRule, HostSession } from './host-test.js';
import { HostTest } from './host-test.js';
import { MEDIA_LINK_RULES } from './media-link-rules.js';
import { RESUME_RULES } from './resume-rules.js';
import { SEND_PLAY_RULES } from './send-play-rules.js';
import { SEND_RESUME_RULES } from './send-resume-rules.js';
import { SEND_RULES } from './send-rules.js';
import { SESSION_RULES } from './session-rules.js';
import { STREAM_END_RULES } from './stream-end-rules.js';

/** All checks of hosts. */
export const HOST_RULES: readonly HostRule[] = [
  // There is one host link, and they break it.
  ...HOST_LINK_RULES.map((rule) => ({ ...rule, isAlone: true })),
  ...SESSION_RULES,
  ...MEDIA_LINK_RULES,
  ...AUDIO_RULES,
  ...CREDIT_RULES,
  ...RESUME_RULES,
  ...STREAM_END_RULES,
  ...SEND_RULES,
  ...SEND_PLAY_RULES,
  ...SEND_RESUME_RULES,
];

/** Of `welcome` on the host link: short, so that hosts show soon how they keep it. */
const PING_INTERVAL_MS = 200;

export interface HostSuiteOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** The host key that the host under test has. */
  readonly key: string;
  readonly clock: Clock;
  /** Ids of checks or rules; all by default. */
  readonly only?: readonly string[] | undefined;
  /** How long an answer may take, ms. @defaultValue 5000 */
  readonly replyMs?: number | undefined;
  /** How long nothing must come to be taken for nothing, ms. @defaultValue 500 */
  readonly quietMs?: number | undefined;
  /** How long a broken media link may take to be dialled again, ms. @defaultValue 3000 */
  readonly redialMs?: number | undefined;
  /** How long no dial must come to be taken for none, ms. @defaultValue that of `redialMs` */
  readonly noDialMs?: number | undefined;
  /** How long audio may take to come, ms. @defaultValue 10 000 */
  readonly audioMs?: number | undefined;
  /** The longest replay window that is waited for to overflow, ms. @defaultValue 5000 */
  readonly patienceMs?: number | undefined;
  /** Checks under way at once, each with a session of the host or two. @defaultValue 4 */
  readonly sessions?: number | undefined;
  /** How long most checks may take, ms. @defaultValue 30 000 */
  readonly limitMs?: number | undefined;
  /** Told where the host has to dial. */
  onListening(hostLinkUrl: string): void;
  /**
   * Makes audio come, as Graph does once it has the blob. Without it the host must make audio by
   * itself after `attach`.
   */
  activate?(session: HostSession): Promise<void>;
  /** Starts the host anew, so that it dials again after it was sent away for good. */
  restart?(): Promise<void>;
  readonly onResult?: ((result: RuleResult) => void) | undefined;
}

/**
 * Checks a media host: plays signaling and workers for one host that dials.
 *
 * @throws CodedError `unknown_rule`; an Error of node when the port is taken.
 */
export async function checkHost(options: HostSuiteOptions): Promise<RuleResult[]> {
  const { clock, key, replyMs = 5000, activate = async () => {} } = options;
  const rules = selectRules(HOST_RULES, options.only);
  const stage = new HostStage({ clock, key, replyMs, pingIntervalMs: PING_INTERVAL_MS });
  await stage.listen(options.listen.host, options.listen.port);
  try {
    options.onListening(stage.hostLinkUrl);
    return await runRules({
      rules,
      clock,
      concurrency: options.sessions ?? 4,
      limitMs: options.limitMs ?? 30_000,
      onResult: options.onResult,
      open() {
        const test = new HostTest({
          stage,
          clock,
          replyMs,
          quietMs: options.quietMs ?? 500,
          redialMs: options.redialMs ?? 3000,
          noDialMs: options.noDialMs ?? options.redialMs ?? 3000,
          audioMs: options.audioMs ?? 10_000,
          patienceMs: options.patienceMs ?? 5000,
          activate,
          restart: options.restart,
        });
        return { test, close: () => test.close() };
      },
    });
  } finally {
    await stage.close();
  }
}

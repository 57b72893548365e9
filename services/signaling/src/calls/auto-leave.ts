import type { CallModel } from '@earshot/call';
import { selfOf } from '@earshot/call';
import type { CallRecord } from '@earshot/registry';
import type { CallEnd } from './call-end.js';
import { localEnd } from './call-end.js';
import type { ServiceState } from './service-state.js';
import { serviceState, withService } from './service-state.js';
import type { AutoLeaveLimits, AutoLeaveRule, AutoLeaveState } from './stay-state.js';

// Pure: when a bot leaves by itself, from what its call's record says.

/** A rule and when it makes the bot leave (Unix ms), if nothing changes. */
export interface Leaving {
  readonly rule: AutoLeaveRule;
  readonly dueAtMs: number;
}

/** What makes the bot leave a call that lives, soonest first. */
export function leavingsOf(record: CallRecord, state: ServiceState): Leaving[] {
  const { autoLeave, lobby, establishedAtMs } = state;
  if (autoLeave === undefined) return [];
  const { limits } = autoLeave;
  if (lobby?.state === 'waiting') return leavings([['lobby', lobby.sinceMs, limits.lobbyMs]]);
  if (establishedAtMs === undefined) return [];
  const sinceMs = Math.max(establishedAtMs, lobby?.sinceMs ?? 0);
  // Without a whole roster nobody can tell who is missing.
  const aloneSinceMs = isRosterKnown(record.model) ? autoLeave.aloneSinceMs : undefined;
  const lonelySinceMs = aloneSinceMs === undefined ? undefined : Math.max(sinceMs, aloneSinceMs);
  const { hadCompany = false } = autoLeave;
  return leavings([
    ['alone', hadCompany ? lonelySinceMs : undefined, limits.aloneMs],
    [
      'nobodyCame',
      hadCompany || lonelySinceMs === undefined ? undefined : sinceMs,
      limits.nobodyCameMs,
    ],
    ['maxDuration', establishedAtMs, limits.maxDurationMs],
    ['silent', quietSinceMs(state), limits.silentMs],
  ]);
}

/** Takes note of who is there; no effect once that is known already. */
export function noteCompany(record: CallRecord, atMs: number): CallRecord {
  const { autoLeave } = serviceState(record);
  if (autoLeave === undefined || !isRosterKnown(record.model)) return record;
  const { hadCompany = false, aloneSinceMs } = autoLeave;
  if (hasCompany(record.model, autoLeave.limits)) {
    if (hadCompany && aloneSinceMs === undefined) return record;
    return withAutoLeave(record, autoLeave, { hadCompany: true, aloneSinceMs: undefined });
  }
  if (aloneSinceMs !== undefined) return record;
  return withAutoLeave(record, autoLeave, { aloneSinceMs: atMs });
}

/** Takes note of when somebody last spoke (Unix ms). */
export function noteSpeech(record: CallRecord, spokeAtMs: number | undefined): CallRecord {
  const { autoLeave } = serviceState(record);
  if (autoLeave === undefined || spokeAtMs === undefined) return record;
  if (spokeAtMs <= (autoLeave.heardAtMs ?? 0)) return record;
  return withAutoLeave(record, autoLeave, { heardAtMs: spokeAtMs });
}

/** The end by the first rule that is due; undefined when none is any more. */
export function autoLeftEnd(record: CallRecord, atMs: number): CallEnd | undefined {
  const state = serviceState(record);
  const isOver = state.end !== undefined || state.hangUpAtMs !== undefined;
  const [first] = isOver ? [] : leavingsOf(record, state);
  if (first === undefined || first.dueAtMs > atMs) return undefined;
  const limitMs = state.autoLeave?.limits[`${first.rule}Ms`] ?? 0;
  return {
    ...localEnd('auto_left', atMs),
    reason: REASONS[first.rule](spanText(limitMs)),
    rule: first.rule,
  };
}

const REASONS: Readonly<Record<AutoLeaveRule, (span: string) => string>> = {
  alone: (span) => `The bot left: it had been alone for ${span}.`,
  nobodyCame: (span) => `The bot left: nobody came within ${span}.`,
  maxDuration: (span) => `The bot left: the call had lasted ${span}, as long as it may.`,
  silent: (span) => `The bot left: nobody had spoken for ${span}.`,
  lobby: (span) => `The bot left: nobody let it in from the lobby within ${span}.`,
};

function spanText(spanMs: number): string {
  const seconds = Math.round(spanMs / 1000);
  const minutes = seconds / 60;
  if (!Number.isInteger(minutes)) return `${seconds} s`;
  return minutes === 1 ? '1 minute' : `${minutes} minutes`;
}

type Waiting = readonly [
  rule: AutoLeaveRule,
  sinceMs: number | undefined,
  limitMs: number | undefined,
];

function leavings(waiting: readonly Waiting[]): Leaving[] {
  return waiting
    .flatMap(([rule, sinceMs, limitMs]) =>
      sinceMs === undefined || limitMs === undefined ? [] : [{ rule, dueAtMs: sinceMs + limitMs }],
    )
    .sort((a, b) => a.dueAtMs - b.dueAtMs);
}

/** Silence counts only while the audio comes: a worker that hears nothing cannot tell it. */
function quietSinceMs({ autoLeave, attachedAtMs, move }: ServiceState): number | undefined {
  if (attachedAtMs === undefined || move !== undefined) return undefined;
  return Math.max(attachedAtMs, autoLeave?.heardAtMs ?? 0);
}

function isRosterKnown(model: CallModel): boolean {
  return selfOf(model) !== undefined && model.rosterIncomplete !== true;
}

/** A bot that joined as a guest looks like a person. */
function hasCompany(model: CallModel, { botsAreCompany }: AutoLeaveLimits): boolean {
  const self = selfOf(model)?.id;
  return Object.values(model.participants).some(
    ({ id, kind, isInLobby }) =>
      id !== self && !isInLobby && (botsAreCompany || !BOT_KINDS.has(kind)),
  );
}

const BOT_KINDS: ReadonlySet<string> = new Set(['application', 'applicationInstance']);

function withAutoLeave(
  record: CallRecord,
  state: AutoLeaveState,
  patch: Partial<AutoLeaveState>,
): CallRecord {
  return withService(record, { autoLeave: { ...state, ...patch } });
}

import type { CallModel, CallNotification } from '@earshot/call';
import { isSameGuid, selfOf } from '@earshot/call';
import { z } from 'zod';

/** Graph ends a leg by itself when nobody kept it alive for so long. */
export const LEG_LIFE_MS: number = 45 * 60_000;
/** Callbacks that were on their way when a leg was deleted have come by then. */
const LATE_SIGN_MS = 60_000;
/** A leg that Graph says is gone, and that goes on to call back, is deleted again so often. */
const MAX_RECALLS = 3;
/** Of one call; each attempt leaves one at most. */
const MAX_STRAYS = 8;

/** A leg of an earlier attempt to join, of which its callbacks told. It has to go. */
export interface StrayLeg {
  readonly graphCallId: string;
  readonly foundAtMs: number;
  /** Deleted, or ended by Graph. */
  readonly isGone: boolean;
}

/** What is remembered of a call's legs in Graph beside `graph`. Times are Unix ms. */
export interface LegState {
  /** When the call last stopped waiting for people: it left the lobby, or rang no more. */
  readonly waitedUntilMs?: number | undefined;
  /** When the leg of a call that was over turned out to be there. */
  readonly foundAtMs?: number | undefined;
  /** How often it did, after it had been deleted. */
  readonly recalls?: number | undefined;
  /** Oldest first. */
  readonly strays?: readonly StrayLeg[] | undefined;
}

/** Checks a `LegState` read back from a record. */
export const legStateSchema: z.ZodType<LegState> = z.object({
  waitedUntilMs: z.number().optional(),
  foundAtMs: z.number().optional(),
  recalls: z.number().optional(),
  strays: z
    .array(z.object({ graphCallId: z.string(), foundAtMs: z.number(), isGone: z.boolean() }))
    .optional(),
});

/** It is people who let the call wait, in a lobby or while it rings; Teams ends that by itself. */
export function isWaitingForPeople(model: CallModel): boolean {
  return model.state === 'ringing' || selfOf(model)?.isInLobby === true;
}

/** A notification that only a leg sends which has not ended. */
export function isSignOfLife(notification: CallNotification): boolean {
  if (notification.graphCallId === undefined) return false;
  switch (notification.kind) {
    case 'call': {
      const { state } = notification.call;
      const isEnd = state === 'terminating' || state === 'terminated';
      return notification.changeType !== 'deleted' && !isEnd;
    }
    case 'roster':
    case 'rosterDelta':
      return true;
    default:
      // The end of an operation may be told after that of its call.
      return false;
  }
}

/**
 * Whether a leg that counts as deleted is to be deleted again, because it still calls back. Seldom:
 * a callback may have been long on its way.
 */
export function isToRecall(leg: LegState, endedAtMs: number, atMs: number): boolean {
  const lastMs = Math.max(endedAtMs, leg.foundAtMs ?? endedAtMs);
  return (leg.recalls ?? 0) < MAX_RECALLS && atMs - lastMs >= LATE_SIGN_MS;
}

/** What a callback tells that came to the address of an earlier attempt. */
export function withStray(leg: LegState, notification: CallNotification, atMs: number): LegState {
  const { graphCallId } = notification;
  if (graphCallId === undefined) return leg;
  const strays = leg.strays ?? [];
  const known = strays.find((stray) => isSameGuid(stray.graphCallId, graphCallId));
  if (isSignOfLife(notification)) {
    if (known !== undefined) return leg;
    const stray = { graphCallId, foundAtMs: atMs, isGone: false };
    return { ...leg, strays: [...strays, stray].slice(-MAX_STRAYS) };
  }
  return endsLeg(notification) && known?.isGone === false ? withStrayGone(leg, known) : leg;
}

/** A notification of the end itself. */
export function endsLeg(notification: CallNotification): boolean {
  if (notification.kind !== 'call') return false;
  return notification.changeType === 'deleted' || notification.call.state === 'terminated';
}

/** The stray is no more. */
export function withStrayGone(leg: LegState, { graphCallId }: StrayLeg): LegState {
  const strays = leg.strays?.map((stray) =>
    stray.graphCallId === graphCallId ? { ...stray, isGone: true } : stray,
  );
  return { ...leg, strays };
}

/** Those that remain to be deleted. */
export function straysLeft(leg: LegState = {}): readonly StrayLeg[] {
  return (leg.strays ?? []).filter(({ isGone }) => !isGone);
}

import { CLOSE } from '@earshot/bridge-protocol';

/** Why a call's media stopped here. */
export type StopReason =
  | 'callEnded'
  | 'released'
  | 'shutdown'
  | 'reattach'
  | 'linkLost'
  | 'leaseLost'
  | 'drained';

/** How a link is closed when it is not the host that ends it. */
export const CLOSED_AS: Partial<
  Record<StopReason, { readonly code: number; readonly reason: string }>
> = {
  leaseLost: { code: CLOSE.conflict, reason: 'lease_lost' },
  drained: { code: CLOSE.draining, reason: 'draining' },
};

/** After these the call is heard elsewhere: what sounds now is not over. */
export const GOES_ON: ReadonlySet<StopReason> = new Set(['reattach', 'leaseLost', 'drained']);

/** After these nobody plays on: what waits has failed. */
export const PLAYS_END: ReadonlySet<StopReason> = new Set(['callEnded', 'released', 'shutdown']);

/** After these no worker hears the call again. */
export const OVER_FOR_GOOD: ReadonlySet<StopReason> = new Set(['callEnded', 'released']);

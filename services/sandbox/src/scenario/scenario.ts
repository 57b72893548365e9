import type { ResultInfo } from '@earshot/call';
import type { ToneName } from './tones.js';

/** What a user wants the simulated Graph to do other than well: see `docs/sandbox-scenarios.md`. */
export interface Scenario {
  readonly name: string;
  readonly about?: string | undefined;
  /** Of all chance in it: the same seed plays the same. */
  readonly seed: number;
  /** Whether calling is enabled for the app; else every creation is refused with 7503. */
  readonly registered: boolean;
  /**
   * Application permissions of the app while it is loaded, in place of those granted: in all
   * tenants, or by the tenant's id in some.
   */
  readonly permissions?:
    | readonly string[]
    | Readonly<Record<string, readonly string[]>>
    | undefined;
  readonly limits?: Limits | undefined;
  /** The first that matches a new call goes for it. */
  readonly rules: readonly Rule[];
}

/** Graph's limits for an app, lowered. */
export interface Limits {
  /** Beyond, a creation is refused with 8530. */
  readonly activeCalls?: number | undefined;
  /** Beyond, with 8529, until the scenario is taken out. */
  readonly callsPerMonth?: number | undefined;
  /** Creations in a stretch of time; beyond, 429/8516 with Retry-After. */
  readonly creations?: Rate | undefined;
  /** Requests of any kind; beyond, 429 with Retry-After. */
  readonly requests?: Rate | undefined;
}

export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/** What happens to the calls that it matches. */
export interface Rule {
  readonly match: Match;
  readonly create?: CreateFault | undefined;
  readonly setup?: Setup | undefined;
  readonly lobby?: Lobby | undefined;
  readonly callee?: CalleeBehaviour | undefined;
  readonly steps: readonly Step[];
  readonly callbacks: readonly CallbackFault[];
  readonly methods: readonly MethodFault[];
}

/** Which calls; what is left out matches all. */
export interface Match {
  /** Name of the sandbox's meeting. */
  readonly meeting?: string | undefined;
  readonly target?: 'meeting' | 'peer' | 'group' | 'phone' | undefined;
  readonly media?: 'app' | 'service' | undefined;
  /** Which of the creations that match the rest, counted from 1. */
  readonly nth?: readonly number[] | undefined;
}

/** What goes wrong when the call is created. */
export interface CreateFault {
  readonly refuse?: Refusal | undefined;
  /** The call is made, but its answer is never given, or the connection is cut. */
  readonly answer?: 'none' | 'cut' | undefined;
  /** With `answer`: whether the call is made nevertheless. */
  readonly made: boolean;
  /** The call is made at once, the answer comes so late. */
  readonly answerAfterMs?: number | undefined;
  /** The first callback is delivered before the answer. */
  readonly callbackFirst: boolean;
}

/** An HTTP refusal in Graph's form. */
export interface Refusal {
  readonly status: number;
  /** Graph's word; the subcode, or the status's usual one, when absent. */
  readonly code?: string | undefined;
  readonly subcode?: number | undefined;
  readonly message?: string | undefined;
  readonly retryAfterS?: number | undefined;
}

/** Between the answer and `established`. */
export interface Setup {
  readonly takesMs?: number | undefined;
  /** The call ends with this instead of being established. */
  readonly fail?: ResultInfo | undefined;
  /** It is never established, and nothing is said. */
  readonly hang: boolean;
}

export interface Lobby {
  readonly admitAfterMs?: number | undefined;
  readonly removeAfterMs?: number | undefined;
  /** Of the removal. @defaultValue 200/5855 */
  readonly result?: ResultInfo | undefined;
}

/** What those do who are called up: users, groups, phones. */
export interface CalleeBehaviour {
  readonly answer: 'accept' | 'decline' | 'busy' | 'noAnswer' | 'offline';
  readonly afterMs?: number | undefined;
  /** From being answered. */
  readonly hangUpAfterMs?: number | undefined;
}

/** Something that happens in the call, `atMs` of the meeting's clock after the bot came in. */
export interface Step {
  readonly atMs: number;
  readonly end?: ResultInfo | undefined;
  /** A participant removes the bot: 200/5000. */
  readonly removeBot?: true | undefined;
  readonly muteBot?: boolean | undefined;
  readonly join?: Joiner | undefined;
  /** Key of a participant. */
  readonly leave?: string | undefined;
  /** Key of a participant. */
  readonly mute?: string | undefined;
  /** A key is pressed: told to service-hosted calls that subscribed. */
  readonly tone?: ToneName | undefined;
  /** A callback with these properties of the call. */
  readonly tell?: Readonly<Record<string, unknown>> | undefined;
}

/** Somebody who comes without audio. */
export interface Joiner {
  readonly key: string;
  readonly displayName: string;
  readonly kind: 'user' | 'guest' | 'phone' | 'applicationInstance';
}

/** What goes wrong with callbacks. Without `nth`, `every` and `probability`, with each. */
export interface CallbackFault {
  readonly do: 'lose' | 'duplicate' | 'swap' | 'delay' | 'cut' | 'forge';
  readonly about: 'any' | 'call' | 'roster' | 'operation';
  /** Of the call, in callbacks about it. */
  readonly state?: string | undefined;
  readonly nth?: readonly number[] | undefined;
  readonly every?: number | undefined;
  readonly probability?: number | undefined;
  /** No more often than this. */
  readonly times?: number | undefined;
  /** How long `delay` holds it back, and with it those behind. */
  readonly byMs: number;
  /** What is wrong with the token of the forged one that goes ahead of the real one. */
  readonly forgery: Forgery;
}

export type Forgery = 'missing' | 'signature' | 'issuer' | 'audience' | 'tenant' | 'expired';

/** What goes wrong with a method of a call. */
export interface MethodFault {
  /** Graph's name, such as `keepAlive`; `get` and `delete` for the call itself. */
  readonly method: string;
  /** Which of the call's requests for it, counted from 1. */
  readonly nth?: readonly number[] | undefined;
  readonly refuse?: Refusal | undefined;
  readonly answer?: 'none' | 'cut' | undefined;
  readonly answerAfterMs?: number | undefined;
  /** The operation that it begins ends so. */
  readonly operation?: ResultInfo | undefined;
}

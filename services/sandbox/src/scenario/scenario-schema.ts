import { z } from 'zod';
import type {
  CallbackFault,
  CalleeBehaviour,
  CreateFault,
  Limits,
  Lobby,
  Match,
  MethodFault,
  Refusal,
  Rule,
  Scenario,
  Setup,
  Step,
} from './scenario.js';
import { TONES } from './tones.js';

const MAX_RULES = 100;
const MAX_LIST = 1_000;
/** A day: longer than any call is of use. */
const MAX_MS = 24 * 3_600_000;

const ms = z.number().min(0).max(MAX_MS);
const count = z.int().min(1).max(1_000_000);
const key = z.string().regex(/^[\w-]{1,64}$/, 'must be a short name of letters, digits, - and _');
/** One number or several. */
const nth = z
  .union([count, z.array(count).min(1).max(MAX_LIST)])
  .transform((value) => (typeof value === 'number' ? [value] : value));

const result = z.strictObject({
  code: z.int().min(0).max(999),
  subcode: z.int().min(0),
  message: z.string().max(300).exactOptional(),
});

const refusal: z.ZodType<Refusal> = z.strictObject({
  status: z.int().min(400).max(599),
  code: z.string().min(1).max(100).optional(),
  subcode: z.int().min(0).optional(),
  message: z.string().max(300).optional(),
  retryAfterS: z.int().min(0).max(86_400).optional(),
});

const rate = z.strictObject({ count, perMs: ms.min(1) });

const limits: z.ZodType<Limits> = z.strictObject({
  activeCalls: z.int().min(0).optional(),
  callsPerMonth: z.int().min(0).optional(),
  creations: rate.optional(),
  requests: rate.optional(),
});

const match: z.ZodType<Match> = z.strictObject({
  meeting: z.string().min(1).optional(),
  target: z.enum(['meeting', 'peer', 'group', 'phone']).optional(),
  media: z.enum(['app', 'service']).optional(),
  nth: nth.optional(),
});

const create: z.ZodType<CreateFault> = z
  .strictObject({
    refuse: refusal.optional(),
    answer: z.enum(['none', 'cut']).optional(),
    made: z.boolean().default(true),
    answerAfterMs: ms.optional(),
    callbackFirst: z.boolean().default(false),
  })
  .refine(({ refuse, answer }) => refuse === undefined || answer === undefined, {
    error: 'must have either refuse or answer',
  })
  .refine(({ made, answer }) => made || answer !== undefined, {
    error: 'may have made: false only with answer',
  });

const setup: z.ZodType<Setup> = z.strictObject({
  takesMs: ms.optional(),
  fail: result.optional(),
  hang: z.boolean().default(false),
});

const lobby: z.ZodType<Lobby> = z.strictObject({
  admitAfterMs: ms.optional(),
  removeAfterMs: ms.optional(),
  result: result.optional(),
});

const callee: z.ZodType<CalleeBehaviour> = z.strictObject({
  answer: z.enum(['accept', 'decline', 'busy', 'noAnswer', 'offline']).default('accept'),
  afterMs: ms.optional(),
  hangUpAfterMs: ms.min(20).optional(),
});

const STEP_ACTIONS = [
  'end',
  'removeBot',
  'muteBot',
  'join',
  'leave',
  'mute',
  'tone',
  'tell',
] as const;

const step: z.ZodType<Step> = z
  .strictObject({
    atMs: ms,
    end: result.optional(),
    removeBot: z.literal(true).optional(),
    muteBot: z.boolean().optional(),
    join: z
      .strictObject({
        key,
        displayName: z.string().min(1).max(256),
        kind: z.enum(['user', 'guest', 'phone', 'applicationInstance']).default('user'),
      })
      .optional(),
    leave: key.optional(),
    mute: key.optional(),
    tone: z.enum(TONES).optional(),
    tell: z.record(z.string(), z.unknown()).optional(),
  })
  .refine((value) => STEP_ACTIONS.filter((action) => value[action] !== undefined).length === 1, {
    error: `must have exactly one of ${STEP_ACTIONS.join(', ')}`,
  });

const callback: z.ZodType<CallbackFault> = z
  .strictObject({
    do: z.enum(['lose', 'duplicate', 'swap', 'delay', 'cut', 'forge']),
    about: z.enum(['any', 'call', 'roster', 'operation']).default('any'),
    state: z.string().min(1).optional(),
    nth: nth.optional(),
    every: count.optional(),
    probability: z.number().min(0).max(1).optional(),
    times: count.optional(),
    byMs: ms.default(1_000),
    forgery: z
      .enum(['missing', 'signature', 'issuer', 'audience', 'tenant', 'expired'])
      .default('signature'),
  })
  .refine(
    ({ nth: some, every, probability }) =>
      [some, every, probability].filter((choice) => choice !== undefined).length <= 1,
    { error: 'must have at most one of nth, every and probability' },
  );

const method: z.ZodType<MethodFault> = z.strictObject({
  method: z.string().regex(/^[a-zA-Z]{3,40}$/, "must be the name of one of Graph's methods"),
  nth: nth.optional(),
  refuse: refusal.optional(),
  answer: z.enum(['none', 'cut']).optional(),
  answerAfterMs: ms.optional(),
  operation: result.optional(),
});

const rule: z.ZodType<Rule> = z.strictObject({
  match: match.default({}),
  create: create.optional(),
  setup: setup.optional(),
  lobby: lobby.optional(),
  callee: callee.optional(),
  steps: z.array(step).max(MAX_LIST).default([]),
  callbacks: z.array(callback).max(MAX_LIST).default([]),
  methods: z.array(method).max(MAX_LIST).default([]),
});

const permissions = z.array(z.string().regex(/^[\w.]{1,100}$/)).max(50);

/** The form of a scenario. Unknown words are refused: a misspelt one must not pass unnoticed. */
export const scenarioSchema: z.ZodType<Scenario> = z.strictObject({
  name: z.string().regex(/^[\w-]{1,64}$/, 'must be a short name of letters, digits, - and _'),
  about: z.string().max(1_000).optional(),
  seed: z.int().min(0).max(0xffff_ffff).default(1),
  registered: z.boolean().default(true),
  permissions: z.union([permissions, z.record(z.guid(), permissions)]).optional(),
  limits: limits.optional(),
  rules: z.array(rule).max(MAX_RULES).default([]),
});

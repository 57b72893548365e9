import type { z } from 'zod';

/** Part of an OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

/** Method and path as they are registered, with `{name}` for `:name`. */
export type RouteName = `${'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'} /${string}`;

/** What the document says of a route beside what its registration says. */
export interface RouteDescription {
  readonly tag: Tag;
  readonly summary: string;
  /** Markdown. */
  readonly description?: string;
  readonly query?: z.ZodType;
  readonly headers?: readonly HeaderName[];
  /** JSON that this schema checks, unless `content` says otherwise. */
  readonly body?: BodyDescription;
  readonly answer: AnswerDescription;
  /** Codes of its own, of `PROBLEM_CODES`: those of every route, or of every body, need not be named. */
  readonly problems?: readonly string[];
}

export type RouteDescriptions = Readonly<Record<RouteName, RouteDescription>>;

/** Schemas that answers are described by, by their names in the document. */
export type NamedSchemas = Readonly<Record<string, z.ZodType>>;

export type HeaderName = 'Idempotency-Key' | 'Last-Event-ID';

/** Groups of routes, in the order in which they are shown. */
export const TAGS = {
  calls: 'Join meetings, follow and leave them.',
  participants: 'Who is in a call, and what can be done to them.',
  control: 'What our own leg does in a call.',
  operations: 'What became of requests that Teams carries out later.',
  listening: 'What is listened for, and what was said.',
  audio: 'Audio into the meeting.',
  events: 'What happens, as it happens.',
  webhooks: 'Have events posted.',
  deployment: 'The parts of the deployment and how they are.',
  service: 'For probes, scrapers and tools: open to all.',
  graph: 'For Microsoft Graph only.',
} as const;

export type Tag = keyof typeof TAGS;

export interface BodyDescription {
  readonly schema?: z.ZodType;
  /** By media type; in place of `schema`. */
  readonly content?: Json;
  readonly description?: string;
  /** @defaultValue true */
  readonly required?: boolean;
}

export interface AnswerDescription {
  readonly status: number;
  readonly description: string;
  /** Name of the schema of its JSON. */
  readonly schema?: string;
  /** By media type; in place of `schema`. */
  readonly content?: Json;
}

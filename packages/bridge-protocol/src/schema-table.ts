import type { z } from 'zod';

/** One schema for each message of a union, by its `type`: total, so none can be forgotten. */
export type SchemaTable<Message extends { readonly type: string }> = {
  readonly [Type in Message['type']]: z.ZodType<Extract<Message, { readonly type: Type }>>;
};

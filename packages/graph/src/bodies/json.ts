/** A body, or a part of one; what is undefined is not sent. */
export type Json = Readonly<Record<string, unknown>>;

/** A complex value with the type that Graph reads it by. */
export function typed(name: string, properties: Json): Json {
  return { '@odata.type': `#microsoft.graph.${name}`, ...properties };
}

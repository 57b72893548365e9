/** What a callback's bytes hold. */
export interface CallbackContent {
  readonly raw: string;
  /** `raw` as JSON. */
  readonly value: unknown;
}

/** Undefined when the bytes are no JSON. */
export function readCallback(
  body: unknown,
  contentType: string | undefined,
): CallbackContent | undefined {
  if (!(body instanceof Uint8Array)) return undefined;
  const raw = textOf(body, contentType);
  try {
    return { raw, value: JSON.parse(raw) };
  } catch {
    return undefined;
  }
}

/**
 * Graph has been seen to name other charsets than UTF-8. Text that is no UTF-8 is hardly ever so by
 * chance, so that what is, is taken for it whatever its name; but zeros betray UTF-16.
 */
function textOf(body: Uint8Array, contentType: string | undefined): string {
  const declared = /charset="?([\w-]+)/i.exec(contentType ?? '')?.[1];
  if (!body.includes(0)) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(body);
    } catch {
      // Something else, then.
    }
  }
  try {
    return new TextDecoder(declared ?? 'windows-1252').decode(body);
  } catch {
    return new TextDecoder('windows-1252').decode(body);
  }
}

/** Milliseconds of a `Retry-After` header in seconds (RFC 9110 §10.2.3; Graph sends no dates). */
export function retryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,7}$/.test(header) ? Number(header) * 1000 : undefined;
}

import { createHash, timingSafeEqual } from 'node:crypto';

/** The token of an `Authorization: Bearer …` header. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +([^\s]+) *$/i.exec(header ?? '')?.[1];
}

/** Compares secrets in a time that tells nothing of where they differ, nor of their lengths. */
export function sameSecret(given: string | undefined, expected: string): boolean {
  if (given === undefined) return false;
  return timingSafeEqual(digestOf(given), digestOf(expected));
}

/** SHA-256 of a secret: what it is compared by. */
export function digestOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

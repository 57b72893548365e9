import type { PlacedCall } from './call-source.js';

/** Which token opens the next link of each attachment: that of `attach`, then that of `welcome`. */
export class TokenBook {
  readonly #renewed = new Map<string, string>();

  tokenOf(call: PlacedCall): string {
    return this.#renewed.get(keyOf(call)) ?? call.token;
  }

  renew(call: PlacedCall, token: string): void {
    this.#renewed.set(keyOf(call), token);
  }
}

/** The `resumeToken` of a text that is a `welcome`, whatever else it holds. */
export function resumeTokenOf(text: string): string | undefined {
  if (!text.includes('"resumeToken"')) return undefined;
  try {
    const message = JSON.parse(text) as { readonly type?: unknown; readonly resumeToken?: unknown };
    const { type, resumeToken } = message;
    return type === 'welcome' && typeof resumeToken === 'string' ? resumeToken : undefined;
  } catch {
    return undefined;
  }
}

function keyOf({ callId, epoch }: PlacedCall): string {
  return `${epoch} ${callId}`;
}

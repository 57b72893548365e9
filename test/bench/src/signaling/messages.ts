// What the bench and the process with the service tell each other over IPC.

/** Bench → process. */
export type ServiceCommand =
  | { readonly kind: 'start'; readonly environment: Readonly<Record<string, string>> }
  /** How much CPU time it has used so far. */
  | { readonly kind: 'cpu' };

/** Process → bench. */
export type ServiceReport =
  | { readonly kind: 'ready'; readonly url: string; readonly hostLinkUrl: string }
  | { readonly kind: 'cpu'; readonly micros: number };

import type { RecognizedWord } from '../recognizer.js';
import type { VendorFault } from '../vendor-fault.js';
import type { VendorAddress } from './vendor-link.js';

/** What a vendor said; times are from the first sample of the turn, ms. */
export type DialectEvent =
  | {
      readonly kind: 'partial' | 'final';
      readonly text: string;
      readonly startMs: number;
      readonly endMs: number;
      readonly words: readonly RecognizedWord[];
      readonly confidence: number | null;
      /** Null: what was asked for. */
      readonly language: string | null;
    }
  /** All finals of the turn were told. */
  | { readonly kind: 'ended' }
  | { readonly kind: 'fault'; readonly fault: VendorFault };

export interface DialectSession {
  /** BCP 47. */
  readonly language: string;
  readonly partials: boolean;
  readonly endpointMs: number;
}

/** Sends to the vendor. */
export interface DialectOutput {
  send(data: string | Uint8Array): void;
  ping(): void;
}

/** How a vendor with a WebSocket is spoken to. */
export interface StreamDialect {
  readonly engine: string;
  /** @throws CodedError (may reject) `recognizer_refused`, `recognizer_unavailable`: without credentials. */
  address(session: DialectSession): VendorAddress | Promise<VendorAddress>;
  /** Of a new connection. */
  begin(session: DialectSession, output: DialectOutput): DialectConnection;
}

/** One connection: turns of sound, one after the other. */
export interface DialectConnection {
  /** Sound of a new turn follows. */
  beginTurn(): void;
  /** Borrowed for the call. */
  audio(pcm: Int16Array): void;
  /** No more sound of the turn follows: asks for its finals. */
  endTurn(): void;
  /**
   * The vendor told nothing for a while after `endTurn`, and may be through without a word about it.
   * True: it counts as through.
   */
  isQuietEnd(): boolean;
  /** Nothing was sent for a while. */
  keepAlive(): void;
  message(data: string | Buffer): readonly DialectEvent[];
  /** The connection is about to be closed. */
  goodbye(): void;
}

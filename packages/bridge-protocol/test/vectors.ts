import { readFileSync } from 'node:fs';

export interface FrameVector {
  readonly streamId: number;
  readonly codec: number;
  readonly flags: number;
  readonly sequence: number;
  readonly captureTicks: string;
  readonly payloadHex: string;
}

export interface FrameVectors {
  readonly valid: readonly { name: string; hex: string; frames: FrameVector[] }[];
  readonly invalid: readonly { name: string; hex: string; code: string; closeCode: number }[];
}

export type Sender = 'mediaHost' | 'worker' | 'host' | 'signaling';

export interface ControlVectors {
  readonly valid: readonly { sender: Sender; text: string; message: { type: string } }[];
  readonly invalid: readonly { name: string; sender: Sender; text: string; code: string }[];
}

export const frameVectors: FrameVectors = read('frames.json');
export const controlVectors: ControlVectors = read('control.json');

export function bytesOf(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'));
}

export function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`./vectors/${file}`, import.meta.url), 'utf8'));
}

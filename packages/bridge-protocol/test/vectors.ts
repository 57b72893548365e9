import type { Frame, From, LinkName, Vectors } from '../check-vectors.mjs';
import { readVectors } from '../check-vectors.mjs';

export { bytesOf, hexOf, readFrames } from '../check-vectors.mjs';

export type FrameVector = Frame;
export type { From, LinkName };

export const vectors: Vectors = readVectors();

/** Whose audio a source carries. */
export interface SourceOwner {
  readonly participantId: string;
  readonly displayName?: string;
}

/** Whose it was, from when to when (Unix ms); open while it still is. */
export interface SourceSpan extends SourceOwner {
  readonly fromMs: number;
  readonly toMs?: number;
}

/**
 * Whose audio one source (MSI) carries and carried, oldest first. Teams may give the source of
 * somebody who left to somebody else, so a source alone does not tell who spoke: the time must be
 * told with it. Plain JSON; bounded.
 */
export type SourceOwners = readonly SourceSpan[];

/** Of one source; a source is seldom given away even once. */
export const MAX_SPANS = 8;

/** Rosters come later than sound: so long after its end a source is still taken for its owner's. */
export const HANDOVER_MS = 2_000;

/**
 * The owners once a roster at `atMs` said whose the source is; `undefined` for nobody's. The same
 * list when that is known.
 */
export function withOwner(
  owners: SourceOwners,
  owner: SourceOwner | undefined,
  atMs: number,
): SourceOwners {
  const last = owners.at(-1);
  if (owner === undefined) {
    if (last === undefined || last.toMs !== undefined) return owners;
    return [...owners.slice(0, -1), { ...last, toMs: Math.max(last.fromMs, atMs) }];
  }
  if (last?.participantId === owner.participantId) return again(owners, last, owner);
  const isInstant = last !== undefined && last.fromMs >= atMs;
  const before = isInstant ? owners.slice(0, -1) : withOwner(owners, undefined, atMs);
  const fromMs = Math.max(atMs, last?.toMs ?? atMs);
  return [...before, { ...bare(owner), fromMs }].slice(-MAX_SPANS);
}

/**
 * Whose the source was at a time (Unix ms). Before its first owner is known it is that one's: a
 * roster may name a source later than its first sound. Undefined between an owner who is gone and
 * the next one, until that one is known.
 */
export function ownerAt(owners: SourceOwners, atMs: number): SourceOwner | undefined {
  const index = owners.findLastIndex(({ fromMs }) => fromMs <= atMs);
  const span = owners[index];
  const isHis = span !== undefined && (span.toMs === undefined || atMs <= span.toMs + HANDOVER_MS);
  const owner = isHis ? span : owners[index + 1];
  return owner === undefined ? undefined : bare(owner);
}

/** The owner of before: perhaps back, perhaps by another name. */
function again(owners: SourceOwners, last: SourceSpan, owner: SourceOwner): SourceOwners {
  if (last.toMs === undefined && last.displayName === owner.displayName) return owners;
  return [...owners.slice(0, -1), { ...bare(owner), fromMs: last.fromMs }];
}

function bare({ participantId, displayName }: SourceOwner): SourceOwner {
  return { participantId, ...(displayName === undefined ? {} : { displayName }) };
}

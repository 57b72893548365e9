/** One place where a value is not what Graph's metadata or documents say. */
export interface MetadataFault {
  /** Such as `targets[0].identity`; empty for the value itself. */
  readonly path: string;
  /** Reads after the path, such as `must be given`. */
  readonly rule: string;
  /** What was found instead; never a text itself, since that may be personal. */
  readonly actual: string;
}

/** More faults than these are not told. */
export const MAX_FAULTS = 50;
const MAX_NAME_CHARS = 64;

/** A value for {@link MetadataFault.actual}. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `a text of ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === 'object' ? 'an object' : String(value);
}

/** The path of a property of what is at `path`. */
export function pathOf(path: string, name: string): string {
  const shown = name.length > MAX_NAME_CHARS ? `${name.slice(0, MAX_NAME_CHARS)}…` : name;
  return path === '' ? shown : `${path}.${shown}`;
}

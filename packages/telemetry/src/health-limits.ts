import { CodedError } from '@earshot/async';

/** By the name of a check: its limit, in the unit of the name, or `off`. */
export type HealthLimits = ReadonlyMap<string, number | 'off'>;

/**
 * Reads limits as in `redis_away_seconds=10,calls_deaf_ratio=off`.
 *
 * @param known names of all checks of the service
 * @throws CodedError `invalid_config`
 */
export function parseHealthLimits(text: string, known: readonly string[]): HealthLimits {
  const limits = new Map<string, number | 'off'>();
  for (const part of text.split(',')) {
    if (part.trim() === '') continue;
    const [name = '', value = ''] = part.split('=').map((side) => side.trim());
    const limit = value === 'off' ? value : Number(value);
    const isLimit = value !== '' && (limit === 'off' || (Number.isFinite(limit) && limit >= 0));
    if (!isLimit || !known.includes(name)) throw invalid(part, known);
    limits.set(name, limit);
  }
  return limits;
}

function invalid(part: string, known: readonly string[]): CodedError {
  return new CodedError(
    'invalid_config',
    `Cannot read EARSHOT_HEALTH_LIMITS: each must be check=number or check=off, got ${part.trim()}`,
    { fix: `The checks are ${known.join(', ')}.` },
  );
}

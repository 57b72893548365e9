/**
 * Languages with a region or script that the service knows; it refuses others, such as `de-DE`.
 *
 * Source: developers.deepgram.com `docs/models-languages-overview`.
 */
const WITH_REGION = new Map(
  [
    'da-DK',
    'de-CH',
    'en-AU',
    'en-GB',
    'en-IN',
    'en-NZ',
    'en-US',
    'es-419',
    'fr-CA',
    'hi-Latn',
    'ko-KR',
    'nl-BE',
    'pt-BR',
    'pt-PT',
    'sv-SE',
    'th-TH',
    'zh-CN',
    'zh-HK',
    'zh-Hans',
    'zh-Hant',
    'zh-TW',
  ].map((tag) => [tag.toLowerCase(), tag]),
);

const NORWEGIAN = new Set(['nb', 'nn']);

/** A language of BCP 47 as the service names it. */
export function deepgramLanguage(language: string): string {
  const known = WITH_REGION.get(language.toLowerCase());
  if (known !== undefined) return known;
  const primary = language.split('-')[0]?.toLowerCase() ?? '';
  return NORWEGIAN.has(primary) ? 'no' : primary;
}

/** Phrases that are listened for at once, with the number of phones in each. */
export type PhraseList = Readonly<Record<string, number>>;

/** Half of them are spoken in the prompts; look-alikes of the others are. */
const COMMANDS: PhraseList = {
  'start recording': 13,
  'stop recording': 12,
  'call me back': 8,
  'take a note': 7,
  'mute everyone': 11,
  'next item': 9,
  'repeat that': 9,
  'please try again': 11,
  'the pound key': 8,
  'other participants': 15,
  'this message': 8,
  'the conference': 11,
  'speaking volume': 13,
  'temporary greeting': 16,
  goodbye: 5,
  'thank you': 6,
};

const DIGITS: PhraseList = {
  zero: 4,
  one: 3,
  two: 2,
  three: 3,
  four: 3,
  five: 3,
  six: 4,
  seven: 5,
  eight: 2,
  nine: 3,
};

const YES_NO: PhraseList = { yes: 3, no: 2 };

export type PhraseListName = 'commands' | 'digits' | 'yesNo';

export const PHRASE_LISTS: Readonly<Record<PhraseListName, PhraseList>> = {
  commands: COMMANDS,
  digits: DIGITS,
  yesNo: YES_NO,
};

/** What sounds the same as a phrase: told in its place, it is neither right nor wrong. */
const HOMOPHONES: Readonly<Record<string, string>> = {
  to: 'two',
  too: 'two',
  for: 'four',
  won: 'one',
  ate: 'eight',
  know: 'no',
};

/** What is spoken by a text: phrases of a list, each as often as it is said. */
export interface Spoken {
  readonly phrases: readonly string[];
  /** Phrases that sound like something in the text. */
  readonly homophones: ReadonlySet<string>;
}

export function spokenOf(text: string, list: PhraseList): Spoken {
  const words = wordsOf(text);
  const padded = pad(words);
  return {
    phrases: Object.keys(list).flatMap((phrase) =>
      new Array<string>(padded.split(pad(phrase.split(' '))).length - 1).fill(phrase),
    ),
    homophones: new Set(words.flatMap((word) => HOMOPHONES[word] ?? [])),
  };
}

/** Each word with a space on both sides, so that a phrase may follow itself. */
function pad(words: readonly string[]): string {
  return words.map((word) => ` ${word} `).join('');
}

const DIGIT_WORDS = Object.keys(DIGITS);

function wordsOf(text: string): readonly string[] {
  return text
    .toLowerCase()
    .replace(/\b\d\b/g, (digit) => ` ${DIGIT_WORDS[Number(digit)]} `)
    .split(/[^a-z']+/)
    .filter((word) => word !== '');
}

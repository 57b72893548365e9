export type {
  DictationSettings,
  ListeningSettings,
  OtherToneKind,
  PhraseSettings,
  ToneCollectionSettings,
} from './listening-settings.js';
export {
  DEFAULT_LISTENING,
  listeningSettingsSchema,
  OTHER_TONE_KINDS,
  parseListeningSettings,
} from './listening-settings.js';

export type {
  DictationSettings,
  ListeningChange,
  ListeningSettings,
  OtherToneKind,
  PhraseSettings,
  ToneCollectionSettings,
} from './listening-settings.js';
export {
  DEFAULT_LISTENING,
  listeningChangeSchema,
  listeningSettingsSchema,
  OTHER_TONE_KINDS,
  parseListeningSettings,
  withListeningChange,
} from './listening-settings.js';

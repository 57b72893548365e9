import { CodedError } from '@earshot/async';

/** Files of a streaming model, by name in its folder. */
export type ModelFiles =
  | {
      readonly kind: 'transducer';
      readonly encoder: string;
      readonly decoder: string;
      readonly joiner: string;
      readonly tokens: string;
    }
  | {
      readonly kind: 'paraformer';
      readonly encoder: string;
      readonly decoder: string;
      readonly tokens: string;
    }
  | { readonly kind: 'ctc'; readonly model: string; readonly tokens: string };

/** `missing`: what the folder lacks, in words. */
export type ModelDetection =
  | { readonly kind: 'found'; readonly files: ModelFiles }
  | { readonly kind: 'incomplete'; readonly missing: readonly string[] };

/**
 * Finds out what kind of model is in a folder by the names of its files, as the published models of
 * sherpa-onnx name them: `encoder…`, `decoder…`, `joiner…` are a transducer; `encoder` and `decoder`
 * alone a Paraformer; `model…` or `ctc…` a CTC model; each with `tokens.txt`. Int8 weights are preferred.
 */
export function detectModel(names: readonly string[]): ModelDetection {
  const encoder = weights(names, 'encoder');
  const decoder = weights(names, 'decoder');
  const joiner = weights(names, 'joiner');
  const model = weights(names, 'model') ?? weights(names, 'ctc');
  const tokens = names.find((name) => name === 'tokens.txt');
  const missing = tokens === undefined ? ['tokens.txt'] : [];
  const found = { tokens: tokens ?? '' };
  if (encoder === undefined && decoder === undefined && joiner === undefined) {
    if (model === undefined)
      missing.unshift('encoder*.onnx, decoder*.onnx and joiner*.onnx, or model*.onnx');
    return missing.length > 0 || model === undefined
      ? { kind: 'incomplete', missing }
      : { kind: 'found', files: { kind: 'ctc', model, ...found } };
  }
  if (joiner === undefined && !(isPlain(encoder) && isPlain(decoder)))
    missing.unshift('joiner*.onnx');
  if (decoder === undefined) missing.unshift('decoder*.onnx');
  if (encoder === undefined) missing.unshift('encoder*.onnx');
  if (missing.length > 0 || encoder === undefined || decoder === undefined) {
    return { kind: 'incomplete', missing };
  }
  return joiner === undefined
    ? { kind: 'found', files: { kind: 'paraformer', encoder, decoder, ...found } }
    : { kind: 'found', files: { kind: 'transducer', encoder, decoder, joiner, ...found } };
}

export function modelError(rule: string): CodedError {
  return new CodedError('model_incomplete', `Cannot use the speech model: ${rule}`, {
    fix: 'Unpack a streaming model of sherpa-onnx and name its folder in EARSHOT_STT_MODEL.',
  });
}

function weights(names: readonly string[], stem: string): string | undefined {
  const all = names.filter((name) => name.startsWith(stem) && name.endsWith('.onnx')).toSorted();
  return all.find((name) => name.includes('int8')) ?? all[0];
}

/** Only Paraformer models are published with names as short as that and without a joiner. */
function isPlain(name: string | undefined): boolean {
  return name !== undefined && /^(encoder|decoder)(\.int8)?\.onnx$/.test(name);
}

// A decode thread on a machine that its codec does not load on.
import { CodedError } from '@earshot/async';

throw new CodedError('opus_engine_unavailable', 'Cannot load the Opus engine native: no build');

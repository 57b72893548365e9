import { CodedError } from '@earshot/async';
import type { OtherToneKind } from '@earshot/listening';
import { OTHER_TONE_KINDS } from '@earshot/listening';
import { TRANSCRIPT_FORMATS } from '@earshot/transcript-export';
import { Command, InvalidArgumentError, Option } from 'commander';
import { analyze, parseToneKinds } from './commands/analyze.js';
import {
  callsInvite,
  callsMute,
  callsOperations,
  callsParticipants,
  callsRemove,
  callsTones,
  callsTransfer,
  callsUnmute,
} from './commands/call-control.js';
import { callsHangUp, callsList, callsListening, callsPlay, callsShow } from './commands/calls.js';
import { conformanceHost, conformanceWorker } from './commands/conformance.js';
import { doctor } from './commands/doctor.js';
import {
  eventsDeadDrop,
  eventsDeadList,
  eventsDeadReplay,
  eventsDeadShow,
} from './commands/events-dead.js';
import {
  eventsSubscriptionsAdd,
  eventsSubscriptionsList,
  eventsSubscriptionsRemove,
} from './commands/events-subscriptions.js';
import { eventsTail } from './commands/events-tail.js';
import { join } from './commands/join.js';
import { start } from './commands/start.js';
import {
  transcriptsDelete,
  transcriptsFromEvents,
  transcriptsShow,
} from './commands/transcripts.js';
import {
  webhooksAdd,
  webhooksDeliveries,
  webhooksList,
  webhooksRedeliver,
  webhooksRemove,
} from './commands/webhooks.js';
import { parseListeningOption } from './listening-option.js';

const LISTEN = 'what to listen for: tones, collect, phrases, dictation';

const program = new Command('earshot')
  .description('Real-time audio from Microsoft Teams meetings.')
  .showHelpAfterError('(see --help)');

program
  .command('start')
  .description('run all services on this machine, join a sandbox meeting and show it')
  .option('--audio <file>', 'a participant from an Ogg/Opus file; repeat for more', collect, [])
  .option(
    '--scenario <file>',
    'what goes wrong in the sandbox (YAML); repeat for more',
    collect,
    [],
  )
  .option('--once', 'run the meeting once, faster than real time, sum up and end', false)
  .option('--json', 'print JSON: the events, or with --once the summary as the last line', false)
  .option('--speed <n>', 'times real time', parseSpeed)
  .option('--listen <json>', LISTEN, parseListeningOption)
  .option('--join <url>', 'post this Teams join URL to the running signaling service instead')
  .action((options) => (options.join === undefined ? start(options) : join(options.join, options)));

program
  .command('join')
  .argument('<url>', 'a Teams join URL')
  .option('--listen <json>', LISTEN, parseListeningOption)
  .description('join a meeting through the running signaling service')
  .action(join);

program
  .command('analyze')
  .argument('<file...>', 'WAV or Ogg/Opus; - for standard input')
  .option('--json', 'print one line of JSON a file', false)
  .addOption(
    new Option('--channels <how>', 'of a file of several: averaged, or each by itself')
      .choices(['mix', 'each'])
      .default('mix'),
  )
  .option(
    '--tones <kinds>',
    'tell these tones besides digits: all, or such as beep,sit',
    parseTones,
    [],
  )
  .option('--phrase <text>', 'find this phrase in speech; repeat for more', collect, [])
  .option('--grammar <file>', 'find the sentences of this JSGF grammar')
  .option('--language <tag>', 'of the phrases: en-US or fr-FR', 'en-US')
  .description('what is heard in sound files: tones, speech and phrases')
  .action(analyze);

program
  .command('doctor')
  .option('--json', 'print one JSON object', false)
  .description('what is there of what Earshot can use, and what to do about the rest')
  .action(doctor);

const calls = program.command('calls').description('the calls of the running signaling service');
calls.command('list').description('id and state of each').action(callsList);
calls.command('show').argument('<id>').description('one call as JSON').action(callsShow);
calls.command('hang-up').argument('<id>').description('leave the meeting').action(callsHangUp);
calls
  .command('listening')
  .argument('<id>')
  .option('--set <json>', 'replace these parts first', parseListeningOption)
  .description('what is listened for, as JSON')
  .action(callsListening);
calls
  .command('play')
  .argument('<id>')
  .argument('<file>', 'WAV or Ogg/Opus')
  .description('play a file into the meeting')
  .action(callsPlay);

calls
  .command('participants')
  .argument('<id>')
  .option('--lobby', 'only those in the lobby', false)
  .option('--left', 'the last 100 who left', false)
  .description('id, kind, state, audio sources and name of each')
  .action(callsParticipants);
calls
  .command('mute')
  .argument('<id>')
  .argument('[participant]', 'someone, for all; by default ourselves')
  .description('mute')
  .action(callsMute);
calls.command('unmute').argument('<id>').description('take our own mute back').action(callsUnmute);
calls
  .command('tones')
  .argument('<id>')
  .argument('<keys>', 'of 0-9, *, # and A-D, such as 12#')
  .description('send key presses')
  .action(callsTones);
calls
  .command('transfer')
  .argument('<id>')
  .argument('<who>', 'object id of a user, or a number like +12065550100')
  .option('--replaces <call>', 'our other call with the same party')
  .description('hand the call over')
  .action(callsTransfer);
calls
  .command('invite')
  .argument('<id>')
  .argument('<who...>', 'object ids of users, or numbers like +12065550100')
  .description('bring up to five in')
  .action(callsInvite);
calls
  .command('remove')
  .argument('<id>')
  .argument('<participant>')
  .description('remove someone from the meeting')
  .action(callsRemove);
calls
  .command('operations')
  .argument('<id>')
  .argument('[operation]')
  .description('what was asked of Teams, newest first; one as JSON')
  .action(callsOperations);

const events = program.command('events').description('the event queues');
events
  .command('tail')
  .description('print each event as one line of JSON')
  .option('--redis <url>', 'redis:// URL or socket path; by default of the newest run here')
  .option('--subscription <name>', 'a named, lasting copy of the events; else one of its own')
  .option('--parent', 'end with the parent process', false)
  .action(eventsTail);

const transcripts = program.command('transcripts').description('what was said in calls');
withFormat(transcripts.command('show'))
  .argument('<id>', 'a call')
  .description('what is kept of what was said')
  .action(transcriptsShow);
transcripts
  .command('delete')
  .argument('<id>', 'a call')
  .description('forget what is kept')
  .action(transcriptsDelete);
withFormat(transcripts.command('from-events'))
  .argument('<file>', 'lines of events tail; - for standard input')
  .option('--call <id>', 'the call, when the events are of several')
  .description('put a transcript together; nothing is kept')
  .action(transcriptsFromEvents);

const webhooks = program.command('webhooks').description('where events are posted to');
webhooks.command('list').description('id, state, backlog and URL of each').action(webhooksList);
webhooks
  .command('add')
  .argument('<url>', 'https, or http to this machine where that is allowed')
  .description('post events there; prints the id and, this once, the secret')
  .option('--type <type>', 'only events of this type; repeat for more', collect, [])
  .option('--call <id>', "only this call's events")
  .action(webhooksAdd);
webhooks.command('remove').argument('<id>').action(webhooksRemove);
webhooks
  .command('deliveries')
  .argument('<id>')
  .description('the newest 100: id, when, type, status, attempts, answer, duration')
  .action(webhooksDeliveries);
webhooks
  .command('redeliver')
  .argument('<id>')
  .argument('<deliveryId>')
  .description('send one again')
  .action(webhooksRedeliver);
const subscriptions = events
  .command('subscriptions')
  .description('the named copies of the events, each shared by its consumers');
withRedis(subscriptions.command('list'))
  .description('name, jobs that wait, dead letters, lasting or ephemeral')
  .action(eventsSubscriptionsList);
withRedis(subscriptions.command('add'))
  .argument('<name>')
  .description('begin one before its first consumer: its events wait from now on')
  .action(eventsSubscriptionsAdd);
withRedis(subscriptions.command('remove'))
  .argument('<name>')
  .description('end one, and drop what waits for it')
  .action(eventsSubscriptionsRemove);
const dead = events.command('dead').description('the events that no handler could handle');
withDeadOptions(dead.command('list'))
  .description('list them, newest first')
  .option('--type <type>', 'only events of this type')
  .option('--call <id>', 'only events of this call')
  .option('--limit <n>', 'at most so many', parseLimit, 50)
  .option('--before <id>', 'only those older than this one: the next page')
  .option('--json', 'print one JSON object: letters, and next for --before', false)
  .action(eventsDeadList);
withDeadOptions(dead.command('show'))
  .argument('<id>')
  .description('one as JSON, with the error and the event as it came')
  .action(eventsDeadShow);
withSelection(dead.command('replay'))
  .description('give them to the consumers again, in the order in which they failed')
  .action(eventsDeadReplay);
withSelection(dead.command('drop')).description('forget them').action(eventsDeadDrop);

const conformance = program
  .command('conformance')
  .description('check a media worker or a media host against the bridge specification');
withSuiteOptions(conformance.command('worker'))
  .description('play a media host against a worker')
  .option('--url <url>', 'ws:// or wss:// URL of its media link')
  .option('--token-key <key>', 'the key it checks media tokens with, base64url')
  .option('--worker-id <id>', 'its worker id: the audience of its tokens')
  .option('--redis <url>', "place the calls in an Earshot deployment's Redis, as signaling does")
  .option('--token <jwt>', 'instead of a key: one token; many checks need more')
  .option('--second-url <url>', 'the media link of a second worker that calls may move to')
  .option('--second-worker-id <id>', 'and its worker id')
  .option('--pending-limit <n>', 'connections that may wait for welcome, to be checked', parseCount)
  .action(conformanceWorker);
withSuiteOptions(conformance.command('host'))
  .description('play signaling and workers for the media host that dials')
  .option('--listen <host:port>', 'where to wait for it', '127.0.0.1:0')
  .option('--key <key>', 'the host key that it has')
  .option('--activate <command>', 'makes audio come for the session in EARSHOT_BLOB')
  .option('--restart <command>', 'starts the host anew, after checks that send it away for good')
  .option('--sessions <n>', 'checks under way at once, each with a session or two', parseCount)
  .action(conformanceHost);

try {
  await program.parseAsync();
} catch (error) {
  reportFailure(error);
  process.exitCode = 1;
}

function withFormat(command: Command): Command {
  const option = new Option('--format <format>', 'how it is written');
  return command.addOption(option.choices(TRANSCRIPT_FORMATS).default('json'));
}

function withRedis(command: Command): Command {
  const description = 'redis:// URL or socket path; by default of the newest run here';
  return command.option('--redis <url>', description);
}

function withDeadOptions(command: Command): Command {
  return withRedis(command).option('--subscription <name>', 'whose consumers failed', 'default');
}

function withSelection(command: Command): Command {
  return withDeadOptions(command)
    .argument('[ids...]')
    .option('--type <type>', 'only events of this type')
    .option('--call <id>', 'only events of this call')
    .option('--all', 'all of them', false)
    .option('--json', 'print how many as JSON', false);
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (Number.isInteger(limit) && limit >= 1 && limit <= 10_000) return limit;
  throw new InvalidArgumentError('it must be a number from 1 to 10000.');
}

function withSuiteOptions(command: Command): Command {
  return command
    .option('--rule <id>', 'one check, or all of one rule; repeat for more', collect, [])
    .option('--limit <s>', 'how long most checks may take, in seconds', parseSeconds)
    .option('--list', 'print the checks and end', false)
    .option('--json', 'print the results as one JSON object on the last line', false);
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (seconds >= 1 && seconds <= 3600) return seconds;
  throw new InvalidArgumentError('it must be a number from 1 to 3600.');
}

function parseCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1 && count <= 1024) return count;
  throw new InvalidArgumentError('it must be a whole number from 1 to 1024.');
}

function collect(file: string, files: readonly string[]): string[] {
  return [...files, file];
}

function parseTones(text: string): readonly OtherToneKind[] {
  const kinds = parseToneKinds(text);
  if (kinds !== undefined) return kinds;
  const rule = `it must be all, or of ${OTHER_TONE_KINDS.join(', ')}, with commas between.`;
  throw new InvalidArgumentError(rule);
}

function parseSpeed(text: string): number {
  const speed = Number(text);
  if (!(speed >= 1 && speed <= 1000)) {
    throw new InvalidArgumentError('it must be a number from 1 to 1000.');
  }
  return speed;
}

function reportFailure(error: unknown): void {
  if (error instanceof CodedError) {
    process.stderr.write(`earshot: ${error.message} [${error.code}]\n`);
    if (error.fix !== undefined) process.stderr.write(`earshot: ${error.fix}\n`);
  } else {
    process.stderr.write(`earshot: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
}

import type { HostMessage, MediaStateMessage } from '@earshot/bridge-protocol';
import { NotApplicable, require } from '../outcome.js';
import type { HostRule } from './host-test.js';
import type { SignalingPeer } from './signaling-peer.js';

const REQUEST_TIMEOUT_MS = 10_000;
const PING_MS = 200;

/** Requests of signaling, and what the host tells of its sessions. */
export const SESSION_RULES: readonly HostRule[] = [
  {
    id: 'H-2',
    title: 'allocate is answered by allocated',
    async check(test) {
      const link = await test.link();
      const requestId = link.request({ type: 'allocate', callId: 'c_conformance-allocate' });
      const answer = await link.answer(requestId, REQUEST_TIMEOUT_MS);
      require(answer !== undefined, 'an answer', 'none');
      require(answer.type === 'allocated', 'allocated', text(answer));
      link.say({ type: 'release', mediaId: answer.mediaId });
    },
  },
  {
    id: 'H-2.once',
    title: 'requests under way at once are answered once each, with sessions of their own',
    async check(test) {
      const link = await test.link();
      const ids = Array.from({ length: 5 }, (_, n) =>
        link.request({ type: 'allocate', callId: `c_conformance-${n}` }),
      );
      const mediaIds = new Set<string>();
      for (const id of ids) {
        const answer = await link.answer(id, REQUEST_TIMEOUT_MS);
        require(answer?.type === 'allocated', `allocated for ${id}`, text(answer));
        mediaIds.add(answer.mediaId);
      }
      require(mediaIds.size === ids.length, `${ids.length} mediaIds`, mediaIds.size);
      await link.settle();
      for (const id of ids) {
        const count = link.messages.items.filter((m) => requestIdOf(m) === id).length;
        require(count === 1, `one answer to ${id}`, count);
      }
      for (const mediaId of mediaIds) link.say({ type: 'release', mediaId });
    },
  },
  {
    id: 'H-3',
    title: 'attach is answered by attached with its requestId, mediaId and epoch',
    async check(test) {
      const link = await test.link();
      const { session, attachment } = await test.attached();
      const answer = await link.answer(attachment.requestId, REQUEST_TIMEOUT_MS);
      require(answer?.type === 'attached', 'attached', text(answer));
      require(answer.mediaId === session.mediaId, session.mediaId, answer.mediaId);
      require(answer.epoch === attachment.epoch, `epoch ${attachment.epoch}`, answer.epoch);
    },
  },
  {
    id: 'H-3.welcome',
    title: "attached comes only after the worker's welcome",
    async check(test) {
      const link = await test.link();
      const { attachment, peer } = await test.attached({ welcomes: false });
      const early = await link.answer(attachment.requestId, test.quietMs);
      require(early === undefined, 'no answer before welcome', text(early));
      peer.welcome();
      const answer = await link.answer(attachment.requestId, REQUEST_TIMEOUT_MS);
      require(answer?.type === 'attached', 'attached', text(answer));
    },
  },
  {
    id: 'H-3.refused',
    title: 'an attach whose worker closes with 4409 instead of welcome is refused',
    async check(test) {
      const link = await test.link();
      const { attachment, peer } = await test.attached({ welcomes: false });
      await peer.wire.close(4409, 'stale_epoch');
      const answer = await link.answer(attachment.requestId, REQUEST_TIMEOUT_MS);
      require(answer?.type === 'refused', 'refused', text(answer));
    },
  },
  {
    id: 'H-3.token',
    title: 'an attach whose worker answers 401 is refused, and not dialled again',
    async check(test) {
      const link = await test.link();
      const session = await test.allocate();
      const attachment = await test.attach(session, {}, [401, 401, 401]);
      const answer = await link.answer(attachment.requestId, REQUEST_TIMEOUT_MS);
      require(answer?.type === 'refused', 'refused', text(answer));
      const again = await attachment.dials.find(() => true, test.noDialMs, 1);
      require(again === undefined, 'no other dial with that token', 'one');
    },
  },
  {
    id: 'H-4',
    title: 'an allocate is answered while an attach is under way',
    async check(test) {
      const { peer } = await test.attached({ welcomes: false });
      await test.allocate();
      peer.welcome();
    },
  },
  {
    id: 'H-8',
    title: 'attach for a mediaId that the host has not: refused media_not_found',
    async check(test) {
      const link = await test.link();
      const nobody = { mediaId: 'm_of-nobody', callId: 'c_of-nobody' };
      const { requestId } = await test.attach(nobody);
      const answer = await link.answer(requestId, REQUEST_TIMEOUT_MS);
      require(answer?.type === 'refused', 'refused', text(answer));
      require(answer.code === 'media_not_found', 'media_not_found', answer.code);
    },
  },
  {
    id: 'H-8.ended',
    title: 'attach for a session that is over is refused',
    async check(test) {
      const link = await test.link();
      const session = await test.allocate();
      link.say({ type: 'release', mediaId: session.mediaId });
      const { requestId } = await test.attach(session);
      const answer = await link.answer(requestId, REQUEST_TIMEOUT_MS);
      require(answer?.type === 'refused', 'refused', text(answer));
    },
  },
  {
    id: 'H-9',
    title: 'attach with a lower epoch: refused stale_epoch',
    async check(test) {
      const link = await test.link();
      const session = await test.allocate();
      await test.opened(await test.attach(session, { epoch: 7 }));
      const { requestId } = await test.attach(session, { epoch: 6 });
      const answer = await link.answer(requestId, REQUEST_TIMEOUT_MS);
      require(answer?.type === 'refused', 'refused', text(answer));
      require(answer.code === 'stale_epoch', 'stale_epoch', answer.code);
    },
  },
  {
    id: 'H-9.trying',
    title: 'attach with an epoch below that of the attach that is under way: refused stale_epoch',
    async check(test) {
      const link = await test.link();
      const session = await test.allocate();
      const trying = await test.attach(session, { epoch: 7, welcomes: false });
      const peer = await test.opened(trying);
      const { requestId } = await test.attach(session, { epoch: 6 });
      const answer = await link.answer(requestId, REQUEST_TIMEOUT_MS);
      require(answer?.type === 'refused', 'refused', text(answer));
      require(answer.code === 'stale_epoch', 'stale_epoch', answer.code);
      peer.welcome();
      const attached = await link.answer(trying.requestId, REQUEST_TIMEOUT_MS);
      require(attached?.type === 'attached', 'attached to epoch 7', text(attached));
    },
  },
  {
    id: 'H-10',
    title: 'attach with a higher epoch: bye reattach on the old link, then the new one is dialled',
    async check(test) {
      const { session, peer } = await test.attached({ finishes: false });
      const first = await test.attach(session);
      const bye = await peer.bye();
      require(bye?.reason === 'reattach', 'bye reattach', bye?.reason ?? 'no bye');
      const next = await test.attach(session);
      const early = await next.dials.find(() => true, test.quietMs);
      const isNone = early === undefined && first.dials.items.length === 0;
      require(isNone, "no dial before the old link's end", 'one');
      peer.say({ type: 'finished' });
      await peer.wire.close(1000, 'finished');
      const opened = await next.peers.find(() => true, test.replyMs);
      require(opened !== undefined, 'a dial of the new link', 'none');
      const hello = await opened.hello();
      require(hello.epoch === next.epoch, `epoch ${next.epoch}`, hello.epoch);
    },
  },
  {
    id: 'H-10.trying',
    title: 'attach with a higher epoch while one is under way: the newer is dialled, both answered',
    async check(test) {
      const link = await test.link();
      const { session, attachment } = await test.attached({ welcomes: false });
      const next = await test.attach(session);
      const peer = await next.peers.find(() => true, test.replyMs);
      require(peer !== undefined, 'a dial of the newer link', 'none');
      const attached = await link.answer(next.requestId, REQUEST_TIMEOUT_MS);
      require(attached?.type === 'attached', 'attached', text(attached));
      const refused = await link.answer(attachment.requestId, REQUEST_TIMEOUT_MS);
      require(refused?.type === 'refused', 'refused for the older', text(refused));
    },
  },
  {
    id: 'H-10.broken',
    title: 'attach with a higher epoch while the link is broken: the old one is dialled no more',
    limitMs: 40_000,
    async check(test) {
      const { session, attachment, peer } = await test.attached();
      attachment.refusals.push(...Array.from({ length: 100 }, () => 503));
      await peer.wire.break();
      const dial = await attachment.dials.find(() => true, test.redialMs, 1);
      if (dial === undefined) throw new NotApplicable('the host does not dial again', 'R-12.1006');
      const next = await test.attach(session);
      await test.opened(next);
      await test.link().then((link) => link.answer(next.requestId, REQUEST_TIMEOUT_MS));
      const from = attachment.dials.items.length;
      const again = await attachment.dials.find(() => true, test.noDialMs, from);
      require(again === undefined, 'no dial of the old worker', 'one');
    },
  },
  {
    id: 'H-10.same',
    title: 'attach with the same epoch: dialled anew, and no bye on the old link',
    async check(test) {
      const { session, attachment, peer } = await test.attached();
      const { epoch } = attachment;
      const next = await test.attach(session, { epoch });
      const opened = await next.peers.find(() => true, test.replyMs);
      require(opened !== undefined, 'a dial of the new link', 'none');
      const hello = await opened.hello();
      require(hello.epoch === epoch, `epoch ${epoch}`, hello.epoch);
      const bye = peer.texts.find(({ type }) => type === 'bye');
      require(bye === undefined, 'no bye', 'bye');
    },
  },
  {
    id: 'H-10.token',
    title: 'attach with the same epoch: dialled with its token, not with that of welcome',
    async check(test) {
      const { session, attachment } = await test.attached({ renewsToken: true });
      const next = await test.attach(session, { epoch: attachment.epoch });
      const opened = await next.peers.find(() => true, test.replyMs);
      require(opened !== undefined, 'a dial of the new link', 'none');
      const isToken = opened.headers.authorization === `Bearer ${next.token}`;
      require(isToken, 'the token of the newer attach', 'another');
    },
  },
  {
    id: 'O-14',
    title: 'the close of a link that the host has replaced by a newer one means nothing',
    async check(test) {
      const link = await test.link();
      const { session, attachment, peer } = await test.attached();
      const { epoch } = attachment;
      const next = await test.attach(session, { epoch, pingIntervalMs: PING_MS });
      const opened = await test.opened(next);
      await link.answer(next.requestId, REQUEST_TIMEOUT_MS);
      await peer.wire.close(4409, 'replaced');
      const from = opened.items.items.length;
      await opened.items.find(() => false, test.quietMs);
      opened.requireOpen();
      const isAlive = (await opened.items.find(() => true, test.replyMs, from)) !== undefined;
      require(isAlive, 'pings on the newer link', 'nothing');
      const failed = link.messages.items.find(
        (m) => m.type === 'mediaState' && m.mediaId === session.mediaId && m.state === 'failed',
      );
      require(failed === undefined, 'no mediaState failed', 'failed');
      require(next.dials.items.length === 1, 'one dial', next.dials.items.length);
    },
  },
  {
    id: 'H-11',
    title: 'release: bye released to the worker',
    async check(test) {
      const link = await test.link();
      const { session, peer } = await test.attached();
      link.say({ type: 'release', mediaId: session.mediaId });
      const bye = await peer.bye();
      require(bye?.reason === 'released', 'bye released', bye?.reason ?? 'no bye');
    },
  },
  {
    id: 'H-11.unknown',
    title: 'release of a mediaId that the host has not is ignored',
    async check(test) {
      const link = await test.link();
      link.say({ type: 'release', mediaId: 'm_of-nobody' });
      await link.settle();
    },
  },
  {
    id: 'H-12',
    isAlone: true,
    title: 'health comes after welcome',
    async check(test) {
      const link = await test.stage.nextHostLink(PING_MS);
      const health = await link.messages.find((m) => m.type === 'health', test.replyMs);
      require(health !== undefined, 'health', 'none');
    },
  },
  {
    id: 'H-12.change',
    isAlone: true,
    title: 'health comes when the number of calls changes',
    async check(test) {
      const link = await test.link();
      const from = link.messages.items.length;
      await test.allocate();
      const health = await link.messages.find((m) => m.type === 'health', test.replyMs, from);
      require(health !== undefined, 'health', 'none');
    },
  },
  {
    id: 'H-13.active',
    title: 'mediaState is active once the worker has welcomed the link',
    async check(test) {
      const link = await test.link();
      const { session } = await test.attached();
      await requireState(link, session.mediaId, 'active', undefined, test.replyMs);
    },
  },
  {
    id: 'H-13.broken',
    title: 'mediaState is inactive link_interrupted when the media link breaks, and active again',
    limitMs: 40_000,
    async check(test) {
      const link = await test.link();
      const { session, attachment, peer } = await test.attached();
      await requireState(link, session.mediaId, 'active', undefined, test.replyMs);
      const from = link.messages.items.length;
      await peer.wire.break();
      const { mediaId } = session;
      await requireState(link, mediaId, 'inactive', 'link_interrupted', test.replyMs, from);
      await test.opened(attachment, 1, test.redialMs);
      await requireState(link, mediaId, 'active', undefined, test.replyMs, from);
    },
  },
  {
    id: 'H-13.drain',
    title: 'mediaState is active drain_requested when the worker said drain',
    async check(test) {
      const link = await test.link();
      const { session, peer } = await test.attached();
      await requireState(link, session.mediaId, 'active', undefined, test.replyMs);
      peer.say({ type: 'drain', reason: 'conformance' });
      await requireState(link, session.mediaId, 'active', 'drain_requested', test.replyMs);
    },
  },
  {
    id: 'H-13.failed',
    title: 'mediaState is failed, with a word, when the link is lost for good; active after attach',
    async check(test) {
      const link = await test.link();
      const { session, peer } = await test.attached();
      const { mediaId } = session;
      await requireState(link, mediaId, 'active', undefined, test.replyMs);
      const from = link.messages.items.length;
      await peer.wire.close(4409, 'lease_lost');
      const { detail = '' } = await requireState(
        link,
        mediaId,
        'failed',
        undefined,
        test.replyMs,
        from,
      );
      require(/^\S{1,64}$/.test(detail), 'a word as detail', detail);
      const then = link.messages.items.length;
      await test.opened(await test.attach(session));
      await requireState(link, mediaId, 'active', undefined, test.replyMs, then);
    },
  },
  {
    id: 'H-13.ended',
    title: 'mediaState is ended after release',
    async check(test) {
      const link = await test.link();
      const { session } = await test.attached();
      link.say({ type: 'release', mediaId: session.mediaId });
      await requireState(link, session.mediaId, 'ended', undefined, test.replyMs);
    },
  },
  {
    id: 'H-14',
    isAlone: true,
    title: 'media links go on when the host link breaks',
    limitMs: 40_000,
    async check(test) {
      const { peer } = await test.attached();
      const link = await test.link();
      await link.wire.break();
      await test.link();
      const from = peer.items.items.length;
      // Its pings come on, whether audio does or not.
      const item = await peer.items.find(() => true, test.replyMs, from);
      peer.requireOpen();
      require(item !== undefined, 'pings on the media link', 'nothing');
    },
  },
  {
    id: 'H-15',
    isAlone: true,
    title: 'after welcome: health first, then the mediaState of each session',
    limitMs: 40_000,
    async check(test) {
      const { session } = await test.attached();
      const link = await test.link();
      await requireState(link, session.mediaId, 'active', undefined, test.replyMs);
      const next = await test.stage.nextHostLink(PING_MS);
      await requireState(next, session.mediaId, 'active', undefined, test.replyMs);
      const types = next.messages.items.map(({ type }) => type);
      const isOrdered = types.indexOf('health') < types.indexOf('mediaState');
      require(types.includes('health') && isOrdered, 'health, then mediaState', types);
    },
  },
  {
    id: 'H-15.released',
    isAlone: true,
    title: 'the mediaState of a released session is not told any more',
    limitMs: 40_000,
    async check(test) {
      const { session } = await test.attached();
      const link = await test.link();
      link.say({ type: 'release', mediaId: session.mediaId });
      await requireState(link, session.mediaId, 'ended', undefined, test.replyMs);
      const next = await test.stage.nextHostLink(PING_MS);
      await next.hello();
      await next.settle();
      const told = next.messages.items.find(
        (m) => m.type === 'mediaState' && m.mediaId === session.mediaId,
      );
      require(told === undefined, 'nothing of the session', told);
    },
  },
];

async function requireState(
  link: SignalingPeer,
  mediaId: string,
  state: string,
  detail: string | undefined,
  withinMs: number,
  from = 0,
): Promise<MediaStateMessage> {
  const found = await link.messages.find(
    (m): m is MediaStateMessage =>
      m.type === 'mediaState' &&
      m.mediaId === mediaId &&
      m.state === state &&
      (detail === undefined || m.detail === detail),
    withinMs,
    from,
  );
  const states = link.messages.items.flatMap((m) =>
    m.type === 'mediaState' && m.mediaId === mediaId ? [`${m.state} ${m.detail ?? ''}`.trim()] : [],
  );
  const wanted = detail === undefined ? state : `${state} ${detail}`;
  require(found !== undefined, `mediaState ${wanted}`, states.join(', ') || 'none');
  return found;
}

function requestIdOf(message: HostMessage): string | undefined {
  return 'requestId' in message ? message.requestId : undefined;
}

function text(answer: HostMessage | undefined): string {
  if (answer === undefined) return 'no answer';
  return answer.type === 'refused' ? `refused ${answer.code}` : answer.type;
}

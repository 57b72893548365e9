import type { Json } from './json.js';
import { typed } from './json.js';

/** How the media of one channel fared in one direction. */
export interface DirectionQuality {
  readonly packets?: number;
  readonly averagePacketLossPercent?: number;
  readonly maximumPacketLossPercent?: number;
  readonly averageRoundTripMs?: number;
  readonly maximumRoundTripMs?: number;
  readonly averageJitterMs?: number;
  readonly maximumJitterMs?: number;
  /** Of video only. */
  readonly averageBitRate?: number;
  /** Of video only. */
  readonly averageFrameRate?: number;
}

/** How one media channel of a device fared. */
export interface ChannelQuality {
  readonly kind: 'audio' | 'video' | 'screenSharing';
  /** From 1. */
  readonly channelIndex: number;
  readonly mediaDurationMs?: number;
  readonly networkLinkSpeedBytes?: number;
  readonly local?: { readonly address?: string; readonly port?: number };
  readonly remote?: { readonly address?: string; readonly port?: number };
  readonly inbound?: DirectionQuality;
  readonly outbound?: DirectionQuality;
}

/** What a partner's video interop device saw of a call (Graph: `teleconferenceDeviceQuality`). */
export interface DeviceQuality {
  /** GUIDs. */
  readonly callChainId: string;
  readonly participantId: string;
  readonly mediaLegId: string;
  readonly deviceName: string;
  readonly deviceDescription: string;
  /** At least one. */
  readonly channels: readonly ChannelQuality[];
  readonly cloudService?: {
    readonly name?: string;
    readonly instanceName?: string;
    readonly deploymentId?: string;
    readonly deploymentEnvironment?: string;
  };
}

const TYPES = {
  audio: 'teleconferenceDeviceAudioQuality',
  video: 'teleconferenceDeviceVideoQuality',
  screenSharing: 'teleconferenceDeviceScreenSharingQuality',
} as const;

export function deviceQualityBody(quality: DeviceQuality): Json {
  const { channels, cloudService, ...named } = quality;
  return {
    quality: typed('teleconferenceDeviceQuality', {
      ...named,
      cloudServiceName: cloudService?.name,
      cloudServiceInstanceName: cloudService?.instanceName,
      cloudServiceDeploymentId: cloudService?.deploymentId,
      cloudServiceDeploymentEnvironment: cloudService?.deploymentEnvironment,
      mediaQualityList: channels.map(channelQuality),
    }),
  };
}

function channelQuality(channel: ChannelQuality): Json {
  const { kind, channelIndex, mediaDurationMs, networkLinkSpeedBytes, local, remote } = channel;
  return typed(TYPES[kind], {
    channelIndex,
    mediaDuration: duration(mediaDurationMs),
    networkLinkSpeedInBytes: networkLinkSpeedBytes,
    localIPAddress: local?.address,
    localPort: local?.port,
    remoteIPAddress: remote?.address,
    remotePort: remote?.port,
    ...directionQuality('Inbound', channel.inbound ?? {}),
    ...directionQuality('Outbound', channel.outbound ?? {}),
  });
}

function directionQuality(way: 'Inbound' | 'Outbound', quality: DirectionQuality): Json {
  return {
    [`${way.toLowerCase()}Packets`]: quality.packets,
    [`average${way}PacketLossRateInPercentage`]: quality.averagePacketLossPercent,
    [`maximum${way}PacketLossRateInPercentage`]: quality.maximumPacketLossPercent,
    [`average${way}RoundTripDelay`]: duration(quality.averageRoundTripMs),
    [`maximum${way}RoundTripDelay`]: duration(quality.maximumRoundTripMs),
    [`average${way}Jitter`]: duration(quality.averageJitterMs),
    [`maximum${way}Jitter`]: duration(quality.maximumJitterMs),
    [`average${way}BitRate`]: quality.averageBitRate,
    [`average${way}FrameRate`]: quality.averageFrameRate,
  };
}

/** ISO 8601, to the millisecond. */
function duration(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : `PT${(Math.round(ms) / 1_000).toFixed(3)}S`;
}

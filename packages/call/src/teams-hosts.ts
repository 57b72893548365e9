/** Hosts of work and school meetings, which apps can join. */
const TEAMS_HOSTS: ReadonlySet<string> = new Set([
  'teams.microsoft.com',
  'teams.cloud.microsoft',
  // US Government: GCC High and DoD; GCC uses the global host.
  'gov.teams.microsoft.us',
  'dod.teams.microsoft.us',
  'gov.teams.cloud.microsoft',
  'dod.teams.cloud.microsoft',
  'teams.microsoft.us',
]);

/** Meetings of personal accounts. */
const CONSUMER_HOSTS: ReadonlySet<string> = new Set(['teams.live.com', 'www.teams.live.com']);

/** Domains of Microsoft that may hold a Teams host not known here, or one without calls. */
const MICROSOFT =
  /(?:^|\.)(?:microsoft\.com|microsoft\.us|cloud\.microsoft|microsoftonline\.cn|skype\.com|lync\.com|live\.com|teams\.ms|aka\.ms)$/;

/** Whether apps can join meetings of this host; lower case. */
export function isTeamsHost(host: string): boolean {
  return TEAMS_HOSTS.has(host);
}

/** Whether a host serves meetings of personal accounts, which apps can't join. */
export function isConsumerHost(host: string): boolean {
  return CONSUMER_HOSTS.has(host);
}

/** Whether a host is Microsoft's, though not one with meetings that apps can join. */
export function isOtherMicrosoftHost(host: string): boolean {
  return MICROSOFT.test(host) && !isTeamsHost(host) && !isConsumerHost(host);
}

// The English words of the page that plays a recording; apart from the panel's, which does not need to load them.

export const recordingEn = {
  title: "Call recording",
  signInLead: "Sign in to listen to the recording.",
  fetching: "Fetching the recording…",

  inbound: "Incoming call",
  outbound: "Outgoing call",
  party: "With",
  when: "When",
  line: "Line",
  agent: "Agent",
  talked: "Talk time",

  badLink: "This link is not complete",
  badLinkMend: "Open the recording from its call log in the CRM again.",
  notFound: "There is no such recording",
  notAllowed: "You may not listen to this recording",
  notReady: "The recording is not ready yet",
  deleted: "This recording no longer exists",
  busy: "Too many recordings are being fetched",
  failed: "The recording cannot be played just now",
  unplayable: "This browser cannot play the recording",
  unplayableMend: "Try again, or open the link in another browser.",
  tryAgain: "Try again",

  player: "Player",
  play: "Play",
  pause: "Pause",
  back: "Back 10 seconds",
  forward: "Forward 10 seconds",
  position: "Position",
  positionOf: (now: string, all: string) => `${now} of ${all}`,
  speed: "Speed",
  speedOf: (factor: string) => `${factor}×`,
  keys: "Space plays and pauses; ← and → move by 5 seconds.",
};

export type RecordingTerms = typeof recordingEn;

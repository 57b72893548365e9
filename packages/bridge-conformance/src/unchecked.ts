const SIGNALING = 'binds signaling, for which there is no suite yet';
const PLAYING = 'binds a worker that has something to play, which no host can make it do';
const INSIDE = "can't be seen from outside";
const LONG = 'takes longer than a check may';

/**
 * The rules of the specification that no check is for, and why. A test keeps it complete: every
 * rule is either checked or here.
 */
export const UNCHECKED: Readonly<Record<string, string>> = {
  'U-9': 'needs a server that is closing or full',
  'U-13': INSIDE,
  'O-6': 'whether a message comes before or after welcome is a matter of chance',
  'O-12': INSIDE,
  'J-5': SIGNALING,
  'J-10': 'seen by J-1 and J-1.media, which take no null',
  'J-12': INSIDE,
  'H-1': SIGNALING,
  'H-5': SIGNALING,
  'H-6': SIGNALING,
  'H-7': SIGNALING,
  'H-16': INSIDE,
  'H-17': SIGNALING,
  'H-18': LONG,
  'H-19': SIGNALING,
  'H-20': 'needs a Teams call that ends',
  'M-9': 'seen by R-6',
  'M-13': 'needs a tone while the link breaks',
  'M-16': 'needs a worker that is told to stop',
  'M-18': INSIDE,
  'T-4': INSIDE,
  'T-6': 'seen by T-2',
  'T-7': INSIDE,
  'F-14': INSIDE,
  'Q-3': 'seen by C-6',
  'R-2': 'seen by R-7 and R-8',
  'R-3': 'seen by R-5.moved, as far as positions are found again',
  'R-14': LONG,
  'R-16': INSIDE,
  'R-21': 'takes a grace of 30 s, and shows by nothing that a worker must tell',
  'C-5': 'seen by C-6',
  'C-8': INSIDE,
  'C-9': 'needs a megabyte of control messages',
  'C-10': INSIDE,
  'V-1': 'about later versions',
  'V-2': 'seen by J-2, J-3 and F-11',
  'V-3': 'about later versions',
  'V-5': 'about later versions',
  'V-6': 'about later versions',
  'V-7': 'about the specification itself',
  'W-5': PLAYING,
  'W-15': PLAYING,
};

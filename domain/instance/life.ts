import type { TerminationReason } from './instance.js';

/** How long an instance may take for what, in seconds. */
export interface LifeLimits {
  /** From its creation until a node has it. */
  readonly pendingSeconds: number;
  /** While its node reports on end that its image can't be pulled or its container can't be made. */
  readonly imageSeconds: number;
  /** From the time a node has it until its server answers. */
  readonly readySeconds: number;
  /** While its server, which was ready, misses its health checks and computes nothing. */
  readonly unreadySeconds: number;
}

/** A starting instance, as its row knows it. */
export interface StartFacts {
  readonly ageSeconds: number;
  /** How long a node has had it; null while none has. */
  readonly placedSeconds: number | null;
  /** What its host says it waits for, in the cluster's word and in a sentence. */
  readonly waiting: {
    readonly reason: string;
    readonly message: string | null;
    /** How long it has waited on end at its node, or for one. */
    readonly seconds: number;
  } | null;
}

/** How an instance is over: the reason its row gets, and a sentence for whoever asks why. */
export interface InstanceEnd {
  readonly reason: TerminationReason;
  readonly message: string;
}

/** The end of an instance that its host shows nothing more of. */
export const gone: InstanceEnd = { reason: 'LOST', message: 'it is gone from its host' };

/** What becomes of an instance that is not ready: it may go on for so long, or `end` says why it is given up. */
export interface LifeVerdict {
  readonly secondsLeft: number;
  /** What is said of it when no time is left. */
  readonly end: InstanceEnd;
}

/** Words of a kubelet for a container that can't be made; they may pass, so each has the image's time. */
export const unmadeContainer: Readonly<Record<string, string>> = {
  ErrImagePull: 'its image could not be pulled',
  ImagePullBackOff: 'its image could not be pulled',
  ImageInspectError: 'its image could not be read',
  RegistryUnavailable: 'the registry of its image does not answer',
  ErrImageNeverPull: 'its image is not on its node, and must not be pulled',
  CreateContainerConfigError: 'its container could not be made',
  CreateContainerError: 'its container could not be made',
  RunContainerError: 'its container could not be started',
};

/** Why an instance waits whose host can't be asked for it, or can't answer: said as a scheduler's reason is. */
export const HOST_UNAVAILABLE = 'HostUnavailable';

/** How long a starting instance may still take, and what is said of it when that is over. */
export function judgeStart(facts: StartFacts, limits: LifeLimits): LifeVerdict {
  const { ageSeconds, placedSeconds, waiting } = facts;
  const says = waiting ? `: ${waiting.message || waiting.reason}` : '';
  if (waiting?.reason === 'InvalidImageName') {
    return over(0, `the name of its image is not valid${says}; correct the image and the tag of the model`);
  }
  if (placedSeconds === null) {
    const left = limits.pendingSeconds - ageSeconds;
    return over(left, `${sayWhoDidNot(waiting)} take it within ${limits.pendingSeconds} s${says}`);
  }
  const readyLeft = limits.readySeconds - placedSeconds;
  const unmade = waiting && unmadeContainer[waiting.reason];
  if (waiting && unmade) {
    const left = Math.min(readyLeft, limits.imageSeconds - waiting.seconds);
    return over(left, `${unmade} for ${Math.round(waiting.seconds)} s (${waiting.reason})${says}`);
  }
  const missed = waiting ? `; its host says${says}` : '; its server never answered a health check';
  return over(readyLeft, `it was not ready within ${limits.readySeconds} s${missed}`);
}

function sayWhoDidNot(waiting: StartFacts['waiting']): string {
  return waiting?.reason === HOST_UNAVAILABLE ? 'its host did not' : 'no node could';
}

function over(secondsLeft: number, message: string): LifeVerdict {
  return { secondsLeft: Math.max(0, secondsLeft), end: { reason: 'NEVER_READY', message } };
}

/**
 * How long an instance that was ready and misses its health checks may still live. One that computes is spared, for a
 * server with one thread answers nobody meanwhile; its call has a time limit of its own.
 * @param unreadySeconds since it answered last or was given back, whichever is later
 */
export function judgeUnready(
  { unreadySeconds, computes }: { readonly unreadySeconds: number; readonly computes: boolean },
  limits: LifeLimits,
): LifeVerdict {
  const limit = limits.unreadySeconds;
  const message = `its server was ready and then answered no health check for ${limit} s`;
  return {
    secondsLeft: computes ? limit : Math.max(0, limit - unreadySeconds),
    end: { reason: 'FAILED', message },
  };
}

/** What a host shows of an instance that may be over. */
export interface EndFacts {
  readonly phase: 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';
  readonly restartCount: number;
  readonly terminating: boolean;
  readonly lastTermination: {
    readonly reason: string;
    readonly exitCode: number | null;
    readonly message: string | null;
  } | null;
}

/** Ends that are the machine's or the cluster's doing, never the model's: the work they cut short runs again. */
const lostWithHost: Readonly<Record<string, string>> = {
  HostLost: 'the host it ran on ended',
  NodeLost: 'its node is gone or does not answer',
  Evicted: 'its node gave it up',
  Rejected: 'its node would not run it',
  Preempted: 'its place was taken by a pod of a higher priority',
  Disrupted: 'the cluster took it away',
};

/** True when a host's word for how an instance ended (`OOMKilled`, `Error`, …) puts it on the machine, not on the model. */
function isLostWithHost(reason: string): boolean {
  return Object.hasOwn(lostWithHost, reason);
}

/** True when an instance can't serve any more, whatever the reason. A server that was restarted has lost its work. */
export function isOverAtHost({ phase, restartCount, terminating }: EndFacts): boolean {
  return (
    terminating || phase === 'Failed' || phase === 'Succeeded' || phase === 'Unknown' || restartCount > 0
  );
}

/** Why an instance is over, or null while it lives. */
export function judgeEnd(facts: EndFacts): InstanceEnd | null {
  if (!isOverAtHost(facts)) return null;
  const last = facts.lastTermination;
  if (last?.reason === 'OOMKilled') return { reason: 'OOMKILLED', message: describeEnd(last) };
  const loss = lossOf(facts);
  if (loss !== null) return { reason: 'LOST', message: loss };
  if (last) return { reason: 'FAILED', message: describeEnd(last) };
  return { reason: 'LOST', message: 'its host ended it without a reason' };
}

/** The sentence for an end that is not the server's own; null when it is. */
function lossOf({ phase, restartCount, terminating, lastTermination: last }: EndFacts): string | null {
  if (last && isLostWithHost(last.reason)) return describeLoss(last);
  if (phase === 'Unknown') return lostWithHost.NodeLost!;
  // The signal that a removal sends is not the server's own end.
  if (terminating && phase !== 'Failed' && restartCount === 0)
    return 'it was removed from its host by someone else';
  return null;
}

type LastTermination = NonNullable<EndFacts['lastTermination']>;

function describeLoss({ reason, message }: LastTermination): string {
  return `${lostWithHost[reason]} (${reason})${message ? `: ${message}` : ''}`;
}

function describeEnd({ reason, exitCode, message }: LastTermination): string {
  const code = exitCode === null ? '' : `, exit code ${exitCode}`;
  return `its server ended (${reason}${code})${message ? `: ${message}` : ''}`;
}

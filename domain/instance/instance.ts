/** States of a model instance; the wire and the table use these words. */
export const instanceStates = [
  'REQUESTED',
  'INITIALIZING',
  'WAITING_FOR_READINESS',
  'ACTIVE',
  'SHOULD_TERMINATE',
  'TERMINATING',
  'TERMINATED',
] as const;
export type InstanceState = (typeof instanceStates)[number];

/** Why an instance ended. `COMPLETED` is the ordinary end: nobody needed it any more. */
export const terminationReasons = [
  'COMPLETED',
  'FAILED',
  'OOMKILLED',
  'STOPPED',
  'LOST',
  'NEVER_READY',
  'MAKING_ROOM',
] as const;
export type TerminationReason = (typeof terminationReasons)[number];

const order: Readonly<Record<InstanceState, number>> = {
  REQUESTED: 0,
  INITIALIZING: 1,
  WAITING_FOR_READINESS: 2,
  ACTIVE: 3,
  SHOULD_TERMINATE: 4,
  TERMINATING: 5,
  TERMINATED: 6,
};

/** An instance's life only goes forward; ACTIVE alone is left and entered through readiness. */
export function canBecome(from: InstanceState, to: InstanceState): boolean {
  return order[to] > order[from];
}

/** States that come before `to`, for the `where` of the statement that writes it. */
export function instanceStatesBefore(to: InstanceState): readonly InstanceState[] {
  return instanceStates.filter((state) => canBecome(state, to));
}

/** True while the instance can still serve, or will be able to. */
export function isUsable(state: InstanceState): boolean {
  return order[state] <= order.ACTIVE;
}

/** While it works for someone an instance's idle time is looked at this seldom; its end may matter sooner than that. */
const LOOK_WHILE_LEASED_SECONDS = 30;

/** When to ask again whether nobody needs an instance, in seconds from now. */
export function secondsUntilIdleLook(use: {
  readonly leased: boolean;
  readonly warmSeconds: number;
  readonly idleSeconds: number;
}): number {
  return use.leased
    ? Math.max(LOOK_WHILE_LEASED_SECONDS, use.warmSeconds)
    : Math.max(1, use.warmSeconds - use.idleSeconds);
}

/** True when an instance's idle time is so short that it has to be told the moment it is free. */
export function isToldWhenFree(warmSeconds: number): boolean {
  return warmSeconds < LOOK_WHILE_LEASED_SECONDS;
}

/** States of a lease: a claim waiting for an instance, an instance working, the past. */
export const leaseStates = ['WAITING', 'GRANTED', 'RELEASED'] as const;
export type LeaseState = (typeof leaseStates)[number];

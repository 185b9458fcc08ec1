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

/** True when a host's word for how an instance ended (`OOMKilled`, `Error`, …) puts it on the machine, not on the model. */
export function isLostWithHost(reason: string): boolean {
  return reason === 'HostLost' || reason === 'Evicted';
}

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

/** States of a lease: a claim waiting for an instance, an instance working, the past. */
export const leaseStates = ['WAITING', 'GRANTED', 'RELEASED'] as const;
export type LeaseState = (typeof leaseStates)[number];

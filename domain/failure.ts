/** Failures by who must act. The first two are final; the rest are retried by rule. */
export const failureTypes = [
  'BadInput',
  'ModelError',
  'OutOfMemory',
  'InstanceLost',
  'HostBusy',
  'Infrastructure',
] as const;
export type FailureType = (typeof failureTypes)[number];

/** Why a request failed, in words for its user: what was attempted, on what, and what to do next. */
export interface Failure {
  readonly type: FailureType;
  readonly message: string;
}

/**
 * Failures by who must act. Input that can't be run is none: it is refused before it becomes a request. A host that has
 * no room is none either: the instance waits.
 */
export const failureTypes = ['ModelError', 'OutOfMemory', 'InstanceLost', 'Infrastructure'] as const;
export type FailureType = (typeof failureTypes)[number];

/** Why a request failed, in words for its user: what was attempted, on what, and what to do next. */
export interface Failure {
  readonly type: FailureType;
  readonly message: string;
}

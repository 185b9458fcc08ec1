/** A pod as it was seen from outside the hub. Times are epoch ms; null for what did not happen (yet). */
export interface WatchedPod {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  /** When its deletion was first seen. */
  readonly endOrderedAtMs: number | null;
  readonly goneAtMs: number | null;
}

/** The row of an instance, as far as it says whose a pod is. Times are epoch ms. */
export interface OwnerRow {
  readonly id: string;
  readonly uid: string | null;
  readonly terminatingAtMs: number | null;
  readonly terminatedAtMs: number | null;
}

/** How long the pod had no live row, in ms, up to its end or to `nowMs`; 0 when it always had one. */
export function ownerlessMs(pod: WatchedPod, row: OwnerRow | undefined, nowMs: number): number {
  const since = ownerlessSinceMs(pod, row);
  return since === null ? 0 : Math.max(0, (pod.goneAtMs ?? nowMs) - since);
}

function ownerlessSinceMs(pod: WatchedPod, row: OwnerRow | undefined): number | null {
  const isOfAnother = row !== undefined && row.uid !== null && row.uid !== pod.uid;
  return row === undefined || isOfAnother ? pod.createdAtMs : row.terminatedAtMs;
}

/** Was the pod's end ordered while its row still said that it serves, or may come to serve, a request? */
export function wasEndedInUse(pod: WatchedPod, row: OwnerRow | undefined): boolean {
  if (row === undefined || pod.endOrderedAtMs === null) return false;
  if (row.uid !== null && row.uid !== pod.uid) return false;
  return row.terminatingAtMs === null || pod.endOrderedAtMs < row.terminatingAtMs;
}

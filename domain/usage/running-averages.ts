import type { RunningAverages } from '../instance/instance.wire.js';

/** All samples of one quantity taken together. */
export interface UsageFigures {
  readonly count: number;
  readonly total: number;
  readonly min: number;
  readonly max: number;
}

/** What clients of the original hub know as "no data". */
const NO_DATA = -1;

/**
 * Figures as the wire has them, in the unit of the samples.
 * @param life over all samples; null or a count of 0 when there is none
 * @param lastMinute over the samples of the last 60 s
 */
export function toRunningAverages(
  life: UsageFigures | null,
  lastMinute: UsageFigures | null,
): RunningAverages {
  const [whole, recent] = [withAverage(life), withAverage(lastMinute)];
  return {
    ...whole,
    count_60s: recent.count,
    total_60s: recent.total,
    min_60s: recent.min,
    max_60s: recent.max,
    avg_60s: recent.avg,
  };
}

function withAverage(figures: UsageFigures | null): UsageFigures & { readonly avg: number } {
  if (figures === null || figures.count === 0) {
    return { count: NO_DATA, total: NO_DATA, min: NO_DATA, max: NO_DATA, avg: NO_DATA };
  }
  return { ...figures, avg: figures.total / figures.count };
}

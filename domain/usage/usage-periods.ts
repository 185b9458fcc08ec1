/** What an instance used in a stretch of time, and when; times ISO. */
interface Period {
  readonly from: string;
  readonly to: string;
  readonly memoryBytes: number;
  readonly cpuMillicores: number;
}

/** What a host told of an instance, as far as peaks need it. */
export interface UsageReading {
  readonly sampledAt: string;
  readonly memoryBytes: number;
  readonly cpuMillicores: number;
  readonly recentPeriods?: readonly Period[];
}

/** A period in which a lease may have worked. `isNew` once for each: what is told again is not counted again. */
export interface LeasePeriod extends Period {
  readonly isNew: boolean;
}

/**
 * The periods that a reading tells of: those that its host knows, else the sample itself as a moment.
 * @param lastSampledAt the newest sample that was counted before; null when there was none
 */
export function periodsOf(reading: UsageReading, lastSampledAt: string | null): LeasePeriod[] {
  const counted = lastSampledAt === null ? Number.NEGATIVE_INFINITY : Date.parse(lastSampledAt);
  const { sampledAt, memoryBytes, cpuMillicores } = reading;
  const periods = reading.recentPeriods ?? [{ from: sampledAt, to: sampledAt, memoryBytes, cpuMillicores }];
  return periods.map((period) => ({ ...period, isNew: Date.parse(period.to) > counted }));
}

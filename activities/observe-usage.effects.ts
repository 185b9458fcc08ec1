/** The effects of `observeUsage`. */
export interface ObserveUsageEffects {
  /** Samples what instances and nodes use every 15 s, for an hour. May end at any moment: each sample is one transaction. */
  observeUsage(): Promise<void>;
}

/** One step of a start. */
export interface Step {
  readonly name: string;
  /** Steps that must be done before. */
  readonly needs: readonly string[];
  /** Does it; the answer, if any, is told to the person at the terminal. */
  run(): Promise<string | undefined>;
}

/**
 * Runs every step as soon as what it needs is done, so that independent ones overlap.
 * @param done called after each step with its name and what it said
 * @throws the first step's error; steps that need the failed one never run
 */
export async function runSteps(
  steps: readonly Step[],
  done: (name: string, said: string | undefined) => void,
): Promise<void> {
  const running = new Map<string, Promise<void>>();
  for (const step of steps) {
    const needed = step.needs.map((name) => {
      const need = running.get(name);
      if (need === undefined)
        throw new Error(`step ${step.name} needs ${name}, which does not come before it`);
      return need;
    });
    running.set(
      step.name,
      Promise.all(needed).then(async () => done(step.name, await step.run())),
    );
  }
  await Promise.all(running.values());
}

/** One piece of rows for a molecule thread. */
export interface ThreadTask {
  readonly texts: readonly string[];
  /** Shared with the asking thread: 0 before the first row, then the row's number from 1, negative at the end. */
  readonly progress: Int32Array;
}

const rowsDone = -1;

/** Answers row by row, telling which row is being worked on, so that a row that ends the thread is known. */
export async function answerRows<Answer>(
  { texts, progress }: ThreadTask,
  answer: (text: string) => Answer | Promise<Answer>,
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const [index, text] of texts.entries()) {
    Atomics.store(progress, 0, index + 1);
    answers.push(await answer(text));
  }
  Atomics.store(progress, 0, rowsDone);
  return answers;
}

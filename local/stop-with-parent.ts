const lookEveryMs = 1000;

/**
 * Started by npm, a program should end with it; but npm killed with -9 tells nobody, so we look whether our parent
 * changed. Started otherwise, a program outlives its parent as usual.
 */
export function stopWithParent(stop: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    stop();
  }, lookEveryMs);
  timer.unref();
}

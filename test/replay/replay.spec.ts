/**
 * Histories of real runs, replayed by today's workflow code: a change that they do not survive would break requests
 * that run while it is deployed. `record-histories.main.ts` records them anew, but for `usage-observed`: a turn of the
 * observer lasts an hour, so its activity was made to return at once.
 */
import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker } from '@temporalio/worker';
import * as workflows from '../../workflows/index.js';
import { builtWorkflowBundle } from '../support/workflow-run.js';

interface Recorded {
  readonly name: string;
  readonly workflowId: string;
  readonly history: { readonly events: readonly Record<string, unknown>[] };
}

const folder = join(process.cwd(), 'test', 'replay', 'histories');
const recorded: readonly Recorded[] = readdirSync(folder).map((file) => ({
  name: file.replace('.json', ''),
  ...(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Omit<Recorded, 'name'>),
}));
const largestPayloadBytes = 64 * 1024;

const bundleText = readFileSync(builtWorkflowBundle.codePath, 'utf8');

/** Replays a history with the built workflows, or with a changed bundle. */
const replay = ({ history, workflowId }: Recorded, code = bundleText) =>
  Worker.runReplayHistory({ workflowBundle: { code } }, history, workflowId);

/** The bundle with one piece of its text replaced, which must be there. */
function changed(piece: string, by: string): string {
  expect(bundleText).toContain(piece);
  return bundleText.replaceAll(piece, by);
}

/** Every payload of a history, decoded. */
function payloadsOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const own =
    'metadata' in value && 'data' in value ? [Buffer.from(String(value.data), 'base64').toString()] : [];
  return [...own, ...Object.values(value).flatMap(payloadsOf)];
}

/** Name of the workflow that a history begins. */
function workflowOf(event: Record<string, unknown> | undefined): string | undefined {
  const started = event?.workflowExecutionStartedEventAttributes as
    { workflowType: { name: string } } | undefined;
  return started?.workflowType.name;
}

describe('recorded histories', () => {
  it('are fifty stories at least, and some of every workflow', () => {
    expect(recorded.length).toBeGreaterThanOrEqual(50);
    const told = new Set(recorded.map(({ history }) => workflowOf(history.events[0])));
    expect(told).toEqual(new Set(Object.keys(workflows)));
  });

  it.each(recorded)('$name replays with the workflows of today', async (history) => {
    await expect(replay(history)).resolves.toBeUndefined();
  });

  it.each(recorded)('$name holds ids and small facts, no molecules', ({ history }) => {
    const payloads = payloadsOf(history);
    expect(payloads.length).toBeGreaterThan(0);
    for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThan(largestPayloadBytes);
    // Every story sent chains of carbon around an oxygen.
    const molecule = /C+OC+/;
    expect(payloads.filter((payload) => molecule.test(payload))).toEqual([]);
    const words = JSON.stringify(history, (key, value: unknown) => (key === 'data' ? '' : value));
    expect(words).not.toMatch(molecule);
  });
});

describe('a change that running workflows would not survive', () => {
  it.each([
    { story: 'request-first', piece: 'longWait.runLease(', by: 'longWait.runSmall(' },
    { story: 'request-short-path', piece: 'quickDatabaseWork.runSmall(', by: 'longWait.runSmall(' },
    { story: 'request-out-of-memory-healed', piece: '.settleLease(granted', by: '.readClaim(granted' },
    { story: 'instance-killed', piece: 'hostCall.keepEvidence(', by: 'hostCall.createInstance(' },
    {
      story: 'instance-idle-end',
      piece: 'hostCall.deleteInstance(',
      by: 'quickDatabaseWork.deleteInstance(',
    },
  ])('is seen by the replay of $story', async ({ story, piece, by }) => {
    const history = recorded.find(({ name }) => name === story)!;
    await expect(replay(history, changed(piece, by))).rejects.toBeInstanceOf(DeterminismViolationError);
  });
});

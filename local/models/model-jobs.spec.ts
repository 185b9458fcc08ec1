import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { jobLimits, ModelJobs, type Job } from './model-jobs.js';
import type { ComputeRecords } from './records.js';

const echo: ComputeRecords = (texts) => Promise.resolve(texts.map((text) => JSON.stringify({ echo: text })));
const resultOf = (job: Job) => JSON.parse(Buffer.concat([...job.result]).toString()) as unknown;
async function ended(job: Job | null): Promise<Job> {
  while (job?.status === 'pending') await sleep(1);
  return job as Job;
}

describe('a job', () => {
  it('keeps its result in order', async () => {
    const texts = Array.from({ length: 120 }, (_, row) => `row ${row}`);
    const job = await ended(new ModelJobs(echo).submit(texts));
    expect(job.status).toBe('completed');
    expect(resultOf(job)).toEqual(texts.map((text) => ({ echo: text })));
  });

  it('fails with the reason when computing fails', async () => {
    const job = await ended(new ModelJobs(() => Promise.reject(new Error('no thread'))).submit(['C']));
    expect(job).toMatchObject({ status: 'failed', message: 'no thread', resultBytes: 0 });
  });

  it('is forgotten some time after its end', async () => {
    const jobs = new ModelJobs(echo, { ...jobLimits, keptMs: 1_000 });
    const job = await ended(jobs.submit(['C']));
    expect(jobs.find(job.id)).toBe(job);
    while (jobs.find(job.id) !== undefined) await sleep(20);
  });

  it('is refused when too many are unfinished, and taken again later', async () => {
    const gate = Promise.withResolvers<readonly string[]>();
    const jobs = new ModelJobs(() => gate.promise, { ...jobLimits, unfinishedJobs: 2 });
    const [first] = [jobs.submit(['C']), jobs.submit(['C'])];
    expect(jobs.submit(['C'])).toBeNull();
    gate.resolve(['{}']);
    await ended(first ?? null);
    expect(jobs.submit(['C'])).not.toBeNull();
  });

  it('makes room by forgetting the oldest results', async () => {
    const jobs = new ModelJobs(echo, { ...jobLimits, resultBytes: 100 });
    const first = await ended(jobs.submit(['x'.repeat(50)]));
    const second = await ended(jobs.submit(['y'.repeat(50)]));
    expect(jobs.find(first.id)).toBeUndefined();
    expect(jobs.find(second.id)).toBe(second);
  });

  it('fails when its own result is larger than all that is kept', async () => {
    const job = await ended(
      new ModelJobs(echo, { ...jobLimits, resultBytes: 100 }).submit(['x'.repeat(200)]),
    );
    expect(job).toMatchObject({ status: 'failed', resultBytes: 0 });
    expect(job.message).toContain('submit fewer rows');
  });
});

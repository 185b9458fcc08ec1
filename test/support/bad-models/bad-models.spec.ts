/** Every bad model is as bad as it says; what the hub makes of them is tested where the hub calls models. */
import { readFileSync, mkdtempSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { waitUntil } from '../wait-until.js';
import { badModels, startModel, type ModelProcess, type ModelProcessOptions } from '../model-process.js';

const folder = mkdtempSync(join(tmpdir(), 'bad-models-'));
afterAll(() => rmSync(folder, { recursive: true }));

const running: ModelProcess[] = [];
async function start(modelId: string, options?: ModelProcessOptions): Promise<ModelProcess> {
  const model = await startModel(badModels, modelId, options);
  running.push(model);
  return model;
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((model) => model.stop()));
});

const rows = ['CCO', 'c1ccccc1', 'O'];
const honest = [
  { length: 3, echo: 'CCO' },
  { length: 8, echo: 'c1ccccc1' },
  { length: 1, echo: 'O' },
];
const callsIn = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { pid: number; rows: string[] });

function peakMebibytes(model: ModelProcess): number {
  const status = readFileSync(`/proc/${model.process.pid}/status`, 'utf8');
  return Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) / 1024;
}

describe('good-counter', () => {
  it('answers honestly and logs what it computed', async () => {
    const callLog = join(folder, 'counter.jsonl');
    const model = await start('good-counter', { env: { CALL_LOG: callLog } });
    expect(await (await model.post('/run', rows)).json()).toEqual(honest);
    await model.post('/run', ['N']);
    expect(callsIn(callLog)).toEqual([
      { pid: model.process.pid, at: expect.any(Number), rows },
      { pid: model.process.pid, at: expect.any(Number), rows: ['N'] },
    ]);
  });

  it('takes its time when told so, and ends on SIGTERM', async () => {
    const model = await start('good-counter', { env: { ROW_DELAY_MS: '100' } });
    const began = performance.now();
    await model.post('/run', rows);
    expect(performance.now() - began).toBeGreaterThan(290);
    expect(await model.stop()).toBe(0);
  });
});

describe('good-async', () => {
  it('computes a job once and gives its result as often as asked', async () => {
    const callLog = join(folder, 'async.jsonl');
    const model = await start('good-async', { env: { CALL_LOG: callLog, ROW_DELAY_MS: '500' } });
    const { job_id: id } = (await (await model.post('/job/submit', rows)).json()) as { job_id: string };
    const status = async () => (await fetch(`${model.url}/job/status/${id}`)).json();
    expect(await status()).toEqual({ job_id: id, status: 'pending' });
    while (((await status()) as { status: string }).status === 'pending') await sleep(10);
    for (const _time of [1, 2])
      expect(await (await fetch(`${model.url}/job/result/${id}`)).json()).toEqual(honest);
    expect(callsIn(callLog)).toHaveLength(1);
    expect((await fetch(`${model.url}/job/status/none`)).status).toBe(404);
  });
});

describe('bad-eats-memory', () => {
  it('needs 300 MiB for a call and then answers honestly', async () => {
    const model = await start('bad-eats-memory');
    expect(peakMebibytes(model)).toBeLessThan(100);
    expect(await (await model.post('/run', rows)).json()).toEqual(honest);
    expect(peakMebibytes(model)).toBeGreaterThan(300);
    expect(peakMebibytes(model)).toBeLessThan(450);
  });

  it('eats only for the rows and sizes it is told', async () => {
    const model = await start('bad-eats-memory', { env: { EATS_MARKER: '[U]', EATS_FROM_ROWS: '2' } });
    await model.post('/run', rows);
    await model.post('/run', ['[U]']);
    expect(peakMebibytes(model)).toBeLessThan(100);
    await model.post('/run', ['C', '[U]']);
    expect(peakMebibytes(model)).toBeGreaterThan(300);
  });
});

describe('a bad model', () => {
  it('bad-wrong-count answers one row too few', async () => {
    const model = await start('bad-wrong-count');
    expect(await (await model.post('/run', rows)).json()).toEqual(honest.slice(1));
  });

  it('bad-html answers 200 with a web page', async () => {
    const response = await (await start('bad-html')).post('/run', rows);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('<html>');
  });

  it('bad-huge answers 50 MB of correct JSON', async () => {
    const response = await (await start('bad-huge')).post('/run', rows);
    const text = await response.text();
    expect(text.length).toBeGreaterThan(50_000_000);
    expect(JSON.parse(text)).toHaveLength(3);
  });

  it('bad-silent never answers', async () => {
    const model = await start('bad-silent');
    await expect(model.post('/run', rows, AbortSignal.timeout(500))).rejects.toThrow(/timeout/);
    expect((await fetch(`${model.url}/healthz`)).status).toBe(200);
  });

  it('bad-dies ends in the middle of its answer', async () => {
    const model = await start('bad-dies');
    const ended = once(model.process, 'exit');
    const response = await model.post('/run', rows);
    expect(response.status).toBe(200);
    await expect(response.text()).rejects.toThrow();
    expect((await ended)[0]).toBe(3);
  });

  it('bad-drip sends one byte per second', async () => {
    const response = await (await start('bad-drip')).post('/run', rows, AbortSignal.timeout(2500));
    let bytes = 0;
    const read = async () => {
      for await (const chunk of response.body ?? []) bytes += (chunk as Uint8Array).length;
    };
    await expect(read()).rejects.toThrow(/timeout/);
    expect(bytes).toBeGreaterThanOrEqual(1);
    expect(bytes).toBeLessThanOrEqual(4);
  });

  it('bad-redirect points elsewhere, and tells who followed', async () => {
    const model = await start('bad-redirect');
    const response = await model.post('/run', rows);
    expect([response.status, response.headers.get('location')]).toEqual([307, '/canary']);
    expect(model.output()).not.toContain('canary was visited');
    await fetch(`${model.url}/run`, { method: 'POST', body: JSON.stringify(rows) });
    const visited = async () => model.output().includes('canary was visited') || undefined;
    await waitUntil('the visit to be told', visited, { withinMs: 10_000, everyMs: 20 });
  });

  it('bad-nan answers what is JSON but for NaN', async () => {
    const text = await (await (await start('bad-nan')).post('/run', rows)).text();
    expect(() => void JSON.parse(text)).toThrow();
    expect(JSON.parse(text.replaceAll('NaN', 'null'))).toHaveLength(3);
  });

  it('bad-never-ready listens but refuses every health check', async () => {
    const model = await start('bad-never-ready', { waitUntilReady: false });
    while (!model.output().includes('listens')) await sleep(5);
    expect((await fetch(`${model.url}/healthz`)).status).toBe(503);
  });

  it('bad-slow-start is ready late', async () => {
    const model = await start('bad-slow-start', { env: { START_DELAY_MS: '700' } });
    expect(model.readyAfterMs).toBeGreaterThan(700);
    expect(await (await model.post('/run', rows)).json()).toEqual(honest);
  });

  it('bad-crash-at-start ends at once and says why', async () => {
    const model = await start('bad-crash-at-start', { waitUntilReady: false });
    expect((await once(model.process, 'close'))[0]).toBe(1);
    expect(model.output()).toContain('no weights found');
  });
});

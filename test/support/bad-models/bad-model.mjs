/**
 * A model server that misbehaves in the way MODE says (models.json beside it holds every mode), or behaves and
 * tells what it computed. Columns of an honest answer: `length` (characters of the input) and `echo`.
 *
 * HOST, PORT, MODEL_ID
 * MODE            see `modes`; `good` answers honestly, by /run and by jobs
 * CALL_LOG        file that gets one JSON line per computed call: {"pid": …, "at": epoch ms of the call, "rows": […]}
 * ROW_DELAY_MS    time a row takes, in ms
 * EATS_MIB        memory that eats-memory needs for a call, really resident, besides its own 60 MiB
 * EATS_MS         how long it holds it before it answers honestly
 * EATS_MARKER     it eats only when a row holds this text
 * EATS_FROM_ROWS  it eats only when a call has at least so many rows
 * REDIRECT_TO     where `redirect` points; by default to /canary here, which answers "canary" and logs the visit
 * START_DELAY_MS  how long slow-start waits before it listens
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const { HOST = '127.0.0.1', PORT = '0', MODEL_ID = 'good-counter', MODE = 'good', CALL_LOG } = process.env;
const number = (name, otherwise) => Number(process.env[name] ?? otherwise);
const bytesPerMebibyte = 1024 * 1024;
const json = { 'content-type': 'application/json' };
const jobs = new Map();

async function readRows(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function compute(rows) {
  const at = Date.now();
  await sleep(rows.length * number('ROW_DELAY_MS', 0));
  if (CALL_LOG) appendFileSync(CALL_LOG, `${JSON.stringify({ pid: process.pid, at, rows })}\n`);
  return rows.map((row) => ({ length: row.length, echo: row }));
}

const send = (response, status, body) => response.writeHead(status, json).end(JSON.stringify(body));

/** Holds the memory for a while: filled, for untouched pages are not resident. */
async function eatMemory(rows) {
  const marker = process.env.EATS_MARKER;
  if (marker && !rows.some((row) => row.includes(marker))) return;
  if (rows.length < number('EATS_FROM_ROWS', 0)) return;
  const eaten = [];
  for (let mebibytes = 0; mebibytes < number('EATS_MIB', 300); mebibytes += 10) {
    eaten.push(Buffer.alloc(10 * bytesPerMebibyte, 1));
    await sleep(1);
  }
  await sleep(number('EATS_MS', 600));
  if (eaten.some((buffer) => buffer[0] !== 1)) throw new Error('memory changed by itself');
}

/** What a mode does with POST /run, instead of an honest answer. */
const modes = {
  good: async (rows, response) => send(response, 200, await compute(rows)),
  'eats-memory': async (rows, response) => {
    await eatMemory(rows);
    send(response, 200, await compute(rows));
  },
  'wrong-count': async (rows, response) => send(response, 200, (await compute(rows)).slice(1)),
  html: (_rows, response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html><h1>It works!</h1></html>'),
  huge: async (rows, response) => {
    response.writeHead(200, json).write('[{"echo":"');
    for (let mebibytes = 0; mebibytes < 50 && !response.destroyed; mebibytes += 1) {
      if (response.write('x'.repeat(bytesPerMebibyte))) continue;
      await new Promise((resolve) => response.once('drain', resolve).once('close', resolve));
    }
    response.end(`"}${',null'.repeat(Math.max(0, rows.length - 1))}]`);
  },
  silent: () => undefined,
  dies: (_rows, response) =>
    response.writeHead(200, json).write('[{"length":1,"ec', () => setImmediate(() => process.exit(3))),
  drip: async (rows, response) => {
    response.writeHead(200, json);
    for (const letter of JSON.stringify(await compute(rows))) {
      if (response.destroyed) return;
      response.write(letter);
      await sleep(1000);
    }
    response.end();
  },
  redirect: (_rows, response) =>
    response.writeHead(307, { location: process.env.REDIRECT_TO ?? '/canary' }).end(),
  nan: (rows, response) =>
    response.writeHead(200, json).end(`[${rows.map(() => '{"length":NaN,"echo":"x"}').join(',')}]`),
  'never-ready': async (rows, response) => send(response, 200, await compute(rows)),
  'slow-start': async (rows, response) => send(response, 200, await compute(rows)),
};

async function submit(rows, response) {
  const job = { status: 'pending', result: null };
  const id = randomUUID();
  jobs.set(id, job);
  send(response, 200, { job_id: id, message: 'submitted' });
  job.result = await compute(rows);
  job.status = 'completed';
}

function answerAboutJob([action, id], response) {
  const job = jobs.get(id);
  if (!job) return send(response, 404, { detail: `no job ${id}` });
  if (action === 'status') return send(response, 200, { job_id: id, status: job.status });
  return send(response, job.result ? 200 : 409, job.result ?? { detail: 'not done' });
}

function answerCanary(response) {
  console.log('the canary was visited');
  send(response, 200, [{ length: 6, echo: 'canary' }]);
}

async function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://model');
  if (pathname === '/healthz') return send(response, MODE === 'never-ready' ? 503 : 200, {});
  if (pathname === '/models/status')
    return send(response, 200, [{ modelName: MODEL_ID, modelVersion: 'v1' }]);
  if (pathname === '/canary') return answerCanary(response);
  if (pathname === '/run') return modes[MODE](await readRows(request), response);
  if (pathname === '/job/submit') return submit(await readRows(request), response);
  if (pathname.startsWith('/job/')) return answerAboutJob(pathname.split('/').slice(2), response);
  send(response, 404, { detail: `nothing at ${pathname}` });
}

if (MODE === 'crash-at-start') {
  console.error('no weights found, can not start');
  process.exit(1);
}
process.once('SIGTERM', () => process.exit(0));
if (MODE === 'slow-start') await sleep(number('START_DELAY_MS', 3000));
const server = createServer((request, response) => {
  answer(request, response).catch((error) => {
    console.error(error);
    response.destroy();
  });
});
server.listen(Number(PORT), HOST, () =>
  console.log(`${MODEL_ID} (${MODE}) listens on ${HOST}:${server.address().port}`),
);

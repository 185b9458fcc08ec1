import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ModelJobs, type Job, type JobLimits } from './model-jobs.js';
import { recordChunks, type ComputeRecords } from './records.js';

/** A body of 32 MiB holds 300,000 molecules; the hub sends at most 1,000 rows at once. */
const largestBodyBytes = 32 * 1024 * 1024;

export interface ServedModel {
  readonly id: string;
  readonly version: string;
  readonly compute: ComputeRecords;
  readonly jobLimits?: JobLimits;
}

/** An answer other than a result; `detail` is for whoever made the call. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {
    super(detail);
  }
}

const inputs = z.array(z.string(), { error: 'send a JSON array of strings' });

async function readInputs(request: IncomingMessage): Promise<string[]> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > largestBodyBytes) throw new Refusal(413, `send at most ${largestBodyBytes} bytes at once`);
    chunks.push(chunk);
  }
  const parsed = inputs.safeParse(parseJson(Buffer.concat(chunks).toString()));
  if (parsed.success) return parsed.data;
  throw new Refusal(422, z.prettifyError(parsed.error));
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Refusal(422, `send a JSON array of strings: ${error instanceof Error ? error.message : ''}`);
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body));
  response
    .writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length })
    .end(bytes);
}

/** Sends chunks as they come, no faster than they are read; stops computing when the caller goes away. */
async function sendChunks(response: ServerResponse, chunks: AsyncIterable<string | Buffer>): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  await pipeline(Readable.from(chunks, { highWaterMark: 1 }), response);
}

async function answerRun({ compute }: ServedModel, request: IncomingMessage, response: ServerResponse) {
  const texts = await readInputs(request);
  const began = performance.now();
  const gone = new AbortController();
  response.once('close', () => gone.abort(new Error('the caller went away')));
  await sendChunks(response, recordChunks(texts, compute, gone.signal));
  console.log(`run of ${texts.length} rows: ${Math.round(performance.now() - began)} ms`);
}

async function answerSubmit(jobs: ModelJobs, request: IncomingMessage, response: ServerResponse) {
  const texts = await readInputs(request);
  const job = jobs.submit(texts);
  if (!job) throw new Refusal(503, 'too many jobs are unfinished; ask again later');
  sendJson(response, 200, { job_id: job.id, message: `computing ${texts.length} rows` });
}

function findJob(jobs: ModelJobs, id: string): Job {
  const job = jobs.find(id);
  if (job) return job;
  throw new Refusal(404, `no job ${id}: it was never submitted here, or forgotten since it ended`);
}

function sendStatus({ id, status, message }: Job, response: ServerResponse): void {
  sendJson(response, 200, { job_id: id, status, message });
}

async function sendResult(job: Job, response: ServerResponse): Promise<void> {
  if (job.status !== 'completed')
    throw new Refusal(409, `job ${job.id} is ${job.status}. ${job.message}`.trim());
  await sendChunks(response, Readable.from(job.result));
}

type Answer = (request: IncomingMessage, response: ServerResponse, jobId: string) => void | Promise<void>;

/** What is served, by method and path; the id of a job is the path's third part. */
function routesOf(model: ServedModel, jobs: ModelJobs): ReadonlyMap<string, Answer> {
  return new Map<string, Answer>([
    ['GET /healthz', (_request, response) => sendJson(response, 200, { status: 'ok' })],
    [
      'GET /models/status',
      (_request, response) => sendJson(response, 200, [{ modelName: model.id, modelVersion: model.version }]),
    ],
    ['POST /run', (request, response) => answerRun(model, request, response)],
    ['POST /job/submit', (request, response) => answerSubmit(jobs, request, response)],
    ['GET /job/status', (_request, response, jobId) => sendStatus(findJob(jobs, jobId), response)],
    ['GET /job/result', (_request, response, jobId) => sendResult(findJob(jobs, jobId), response)],
  ]);
}

async function answer(
  routes: ReadonlyMap<string, Answer>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://model');
  const [section, action, jobId = ''] = pathname.slice(1).split('/');
  const asked = `${request.method ?? ''} /${[section, action].filter((part) => part !== undefined).join('/')}`;
  const route = routes.get(asked);
  if (!route) throw new Refusal(404, `nothing is served at ${asked}`);
  await route(request, response, jobId);
}

/** A refusal is answered; after anything else the connection is cut, so that half an answer can't pass for one. */
function answerFailure(error: unknown, request: IncomingMessage, response: ServerResponse): void {
  if (error instanceof Refusal && !response.headersSent) {
    if (error.status === 413) response.setHeader('connection', 'close');
    return sendJson(response, error.status, { detail: error.detail });
  }
  console.error(`${request.method ?? ''} ${request.url ?? ''} failed:`, error);
  response.destroy();
}

/** The container protocol over HTTP for one model. Not listening yet; `close` also ends the jobs. */
export function createModelServer(model: ServedModel): Server {
  const jobs = new ModelJobs(model.compute, model.jobLimits);
  const routes = routesOf(model, jobs);
  const server = createServer((request, response) => {
    answer(routes, request, response).catch((error: unknown) => answerFailure(error, request, response));
  });
  return server.on('close', () => jobs.close());
}

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a call to the model does, in place of an honest answer. */
export type ModelConduct = (rows: readonly string[], response: ServerResponse) => unknown;

/** A model server in this process: it counts characters, or does what the test says. */
export interface InlineModel {
  readonly address: string;
  /** Rows of every computed call, in order. */
  readonly calls: (readonly string[])[];
  /** Ids of jobs that were submitted. */
  readonly jobs: Map<string, readonly string[]>;
  conduct: ModelConduct;
  /** What it says of every job it knows. */
  jobStatus: string;
  /** The version it states. */
  version: string;
  close(): Promise<void>;
}

/** The honest answer: the length of every text. */
export const answerHonestly: ModelConduct = (rows, response) =>
  send(
    response,
    200,
    rows.map((row) => ({ length: row.length })),
  );

/** The honest answer after some time. */
export const answerAfter =
  (ms: number): ModelConduct =>
  async (rows, response) => {
    await sleep(ms);
    answerHonestly(rows, response);
  };

/** @param host where it listens; `0.0.0.0` is every loopback address, so also those of played pods */
export async function startInlineModel(modelId = 'any', host = '127.0.0.1'): Promise<InlineModel> {
  const model = { calls: [] as (readonly string[])[], jobs: new Map<string, readonly string[]>() };
  const state = { conduct: answerHonestly, version: 'v1', jobStatus: 'completed' };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = new URL(request.url!, 'http://model').pathname;
    if (path === '/models/status')
      return send(response, 200, [{ modelName: modelId, modelVersion: state.version }]);
    if (path.startsWith('/job/')) return answerJob(path, request, response);
    const rows = await readRows(request);
    model.calls.push(rows);
    return state.conduct(rows, response);
  };
  async function answerJob(path: string, request: IncomingMessage, response: ServerResponse) {
    const [, , action, id] = path.split('/');
    if (action === 'submit') {
      const jobId = `job-${model.jobs.size + 1}`;
      model.jobs.set(jobId, await readRows(request));
      return send(response, 200, { job_id: jobId });
    }
    const rows = model.jobs.get(id!);
    if (!rows) return send(response, 404, { detail: 'no such job' });
    if (action === 'status') return send(response, 200, { status: state.jobStatus });
    model.calls.push(rows);
    return state.conduct(rows, response);
  }
  const server = createServer((request, response) => {
    void Promise.resolve(answer(request, response)).catch(() => response.destroy());
  }).listen(0, host);
  await once(server, 'listening');
  return {
    ...model,
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    get conduct() {
      return state.conduct;
    },
    set conduct(conduct: ModelConduct) {
      state.conduct = conduct;
    },
    get jobStatus() {
      return state.jobStatus;
    },
    set jobStatus(jobStatus: string) {
      state.jobStatus = jobStatus;
    },
    get version() {
      return state.version;
    },
    set version(version: string) {
      state.version = version;
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function readRows(request: IncomingMessage): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString()) as string[];
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../../local/ports.js';
import { freshDatabase, type TestDatabase } from '../support/database.js';

/** The api as a process: it says when it serves, and ends when it is told to or left alone. */
describe('the api process', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await freshDatabase();
  });
  afterAll(() => database.drop());

  async function start(more: Record<string, string> = {}): Promise<{ child: ChildProcess; url: string }> {
    const port = String(await freePort());
    const env = {
      ...process.env,
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: '127.0.0.1:1',
      HOST: '127.0.0.1',
      PORT: port,
      ...more,
    };
    const child = fork('dist/api/main.js', { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    const [message] = await once(child, 'message');
    expect(message).toBe('ready');
    return { child, url: `http://127.0.0.1:${port}` };
  }

  it('ends open streams and itself on SIGTERM, also while Temporal is away', async () => {
    const { child, url } = await start();
    const entered = await fetch(`${url}/api/auth/anonymous-login`, { method: 'POST' });
    const guest = (await entered.json()) as { session: { session_token: string } };
    const headers = { authorization: `Bearer ${guest.session.session_token}`, 'content-type': 'text/csv' };
    const submitted = await fetch(`${url}/api/work-requests?model_id=eos-physchem`, {
      method: 'POST',
      headers,
      body: 'CCO',
    });
    const { id } = (await submitted.json()) as { id: number };
    const stream = (await fetch(`${url}/api/work-requests/${id}/events`, { headers })).body!.getReader();
    await stream.read();
    const startedAt = performance.now();
    child.kill('SIGTERM');
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect((await stream.read()).done).toBe(true);
  });

  it('ends when the process that started it is gone', async () => {
    const { child } = await start();
    child.disconnect();
    const [code] = await once(child, 'exit');
    expect(code).toBe(0);
  });

  it('starts without a database and says so', async () => {
    const { child, url } = await start({ DATABASE_URL: 'postgresql://app@127.0.0.1:1/nothing' });
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    expect((await fetch(`${url}/readyz`)).status).toBe(503);
    child.kill('SIGTERM');
    expect((await once(child, 'exit'))[0]).toBe(0);
  });

  it('stops at once on a wrong setting and names it', async () => {
    const child = fork('dist/api/main.js', {
      env: { ...process.env, DATABASE_URL: database.url, PORT: 'eighty' },
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    let said = '';
    child.stderr!.on('data', (chunk) => (said += String(chunk)));
    // What it said may be read only after it has ended.
    const [code] = await once(child, 'close');
    expect(code).not.toBe(0);
    expect(said).toContain('PORT');
  });
});

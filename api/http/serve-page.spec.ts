import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fastify from 'fastify';
import { servePage } from './serve-page.js';

/** Asked over bare sockets: clients of every kind tidy an address up before they send it. */
describe('the page', () => {
  const folder = mkdtempSync(join(tmpdir(), 'hub-page-'));
  const server = fastify();
  let port = 0;
  beforeAll(async () => {
    mkdirSync(join(folder, 'web', 'assets'), { recursive: true });
    writeFileSync(join(folder, 'web', 'index.html'), 'the page');
    writeFileSync(join(folder, 'web', 'assets', 'a b.js'), 'a script');
    writeFileSync(join(folder, 'web', 'assets', 'a b.js.gz'), gzipSync('a script'));
    writeFileSync(join(folder, 'secret'), 'a secret');
    await servePage(server, join(folder, 'web'));
    port = Number(new URL(await server.listen({ host: '127.0.0.1', port: 0 })).port);
  });
  afterAll(async () => {
    await server.close();
    rmSync(folder, { recursive: true });
  });

  const ask = async (address: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET ${address} HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n`);
    const [head = '', body] = (await text(socket)).split('\r\n\r\n');
    return [Number(head.split(' ')[1]), body];
  };

  it.each(['/', '/requests/7', '/index.html', '/a?b=/api/', '/assets'])('is served at %s', async (address) =>
    expect(await ask(address)).toEqual([200, 'the page']),
  );

  it('brings its assets', async () => expect(await ask('/assets/a%20b.js')).toEqual([200, 'a script']));

  it('sends what the build packed to whoever takes it, and the rest as it is', async () => {
    const asked = { 'accept-encoding': 'br, gzip' };
    const packed = await server.inject({ url: '/assets/a%20b.js', headers: asked });
    expect(packed.headers).toMatchObject({
      'content-encoding': 'gzip',
      'content-type': expect.stringContaining('javascript'),
      'cache-control': 'public, max-age=31536000, immutable',
      vary: expect.stringContaining('accept-encoding'),
    });
    expect(gunzipSync(packed.rawPayload).toString()).toBe('a script');
    const plain = await server.inject({ url: '/requests/7', headers: asked });
    expect([plain.headers['content-encoding'], plain.body]).toEqual([undefined, 'the page']);
    expect(plain.headers['cache-control']).toBe('no-cache');
  });

  it.each([
    '/../secret',
    '/..%2fsecret',
    '/assets/../../secret',
    'http://hub/../secret',
    'http://hub/../../../secret',
    'http://hub/..%2f..%2f..%2fsecret',
    'http://hub/../no-such-file',
  ])('says nothing of files outside its folder, not even whether they are there: %s', async (address) =>
    expect(await ask(address)).toEqual([200, 'the page']),
  );

  it.each([
    '/api/nothing',
    '//api/nothing',
    '/x/../api',
    'http://hub/api/nothing',
    '/readyz/',
    '/a%00b',
    '/assets/of-another-version.js',
  ])('is no answer to %s', async (address) => expect((await ask(address))[0]).toBe(404));
});

import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ClusterApi } from './cluster-api.js';
import { loadCredentials } from './credentials.js';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hub-credentials-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A kubeconfig of one cluster of this name; its token is the name too. */
function write(path: string, name: string, current: string | null = name): string {
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: `https://${name}.test/` } }],
    users: [{ name, user: { token: name } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    ...(current === null ? {} : { 'current-context': current }),
  };
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), JSON.stringify(config));
  return join(folder, path);
}

describe('the credentials of a cluster', () => {
  const nobody = () => ({ home: join(folder, 'nobody'), root: join(folder, 'no-pod') });

  it('are those of the kubeconfig, also when this is a pod of another cluster', async () => {
    const credentials = loadCredentials({ kubeconfig: write('first', 'first'), ...pod() });
    expect(credentials.server).toBe('https://first.test');
    expect((await credentials.sign(credentials.server)).headers).toMatchObject({
      Authorization: 'Bearer first',
    });
  });

  it('may lie in several files, of which the first says what is current', () => {
    const kubeconfig = `${write('first', 'first')}:${write('second', 'second')}`;
    expect(loadCredentials({ kubeconfig }).server).toBe('https://first.test');
    expect(loadCredentials({ kubeconfig, context: 'second' }).server).toBe('https://second.test');
  });

  const pod = () => {
    const account = join(folder, 'pod/var/run/secrets/kubernetes.io/serviceaccount');
    mkdirSync(account, { recursive: true });
    writeFileSync(join(account, 'token'), 'of-the-pod');
    writeFileSync(join(account, 'ca.crt'), '');
    process.env.KUBERNETES_SERVICE_HOST = '10.0.0.1';
    process.env.KUBERNETES_SERVICE_PORT = '443';
    return { home: folder, root: join(folder, 'pod') };
  };
  afterEach(() => {
    delete process.env.KUBERNETES_SERVICE_HOST;
    delete process.env.KUBERNETES_SERVICE_PORT;
  });

  it('are else those of the pod, and else those of the user', async () => {
    write('.kube/config', 'of-the-user');
    const ofPod = loadCredentials(pod());
    expect(ofPod.server).toBe('https://10.0.0.1:443');
    expect((await ofPod.sign(ofPod.server)).headers).toMatchObject({ Authorization: 'Bearer of-the-pod' });
    const ofUser = loadCredentials({ home: folder, root: join(folder, 'no-pod') });
    expect(ofUser.server).toBe('https://of-the-user.test');
  });

  it('are refused, and not guessed, where there are none', () => {
    expect(() => loadCredentials(nobody())).toThrow(
      /no cluster to run instances in.*set KUBECONFIG to the path of a kubeconfig/,
    );
  });

  it.each([
    ['a file that is not there', () => ({ kubeconfig: join(folder, 'none') }), /none can't be read \(ENOENT/],
    ['a context that it does not name', () => ({ kubeconfig: write('a', 'a'), context: 'b' }), /one of a$/],
    ['no current context', () => ({ kubeconfig: write('c', 'c', null) }), /no current context/],
  ])('are refused for %s', (_what, from, words) => {
    expect(() => loadCredentials(from())).toThrow(words);
  });
});

describe('credentials that the cluster does not accept any more', () => {
  let server: Server;
  let known = '';
  beforeAll(async () => {
    server = createServer((request, response) => {
      response.writeHead(request.headers.authorization === `Bearer ${known}` ? 200 : 401).end('{}');
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  afterEach(() => void jest.restoreAllMocks());

  const kubeconfig = () => join(folder, 'renewed');
  /** The kubeconfig of a user who has this token now. */
  const give = (user: (token: string) => object, token: string, over: object = {}) => {
    const { port } = server.address() as AddressInfo;
    const cluster = { server: `http://127.0.0.1:${port}`, 'insecure-skip-tls-verify': true };
    const config = {
      clusters: [{ name: 'c', cluster }],
      users: [{ name: 'u', user: user(token) }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'c',
      ...over,
    };
    writeFileSync(kubeconfig(), JSON.stringify(config));
  };
  const told = (token: string) => JSON.stringify({ status: { token } });

  it.each<[string, (token: string) => object]>([
    ['the token of the kubeconfig', (token) => ({ token })],
    [
      'what a program gives out, without saying until when',
      (token) => {
        writeFileSync(join(folder, 'told'), told(token));
        return { exec: { command: 'cat', args: [join(folder, 'told')] } };
      },
    ],
    [
      'a file beside the kubeconfig',
      (token) => {
        writeFileSync(join(folder, 'token'), token);
        return { tokenFile: 'token' };
      },
    ],
  ])('are read anew from %s, but not at every call', async (_, user) => {
    give(user, 'old');
    known = 'old';
    const api = new ClusterApi(loadCredentials({ kubeconfig: kubeconfig() }));
    await api.json({ path: '/' });
    known = 'new';
    await expect(api.json({ path: '/' })).rejects.toMatchObject({ status: 401 });
    give(user, 'new', { 'current-context': 'other' });
    await expect(api.json({ path: '/' })).rejects.toMatchObject({ status: 401 });
    const later = Date.now() + 6000;
    jest.spyOn(Date, 'now').mockImplementation(() => later);
    await expect(api.json({ path: '/' })).resolves.toEqual({});
  });

  it('are asked of a program once for all calls that wait for it', async () => {
    const [log, answer] = [join(folder, 'asked'), join(folder, 'answer')];
    const script = `echo asked >> ${log}; while ! cat ${answer} 2>&-; do sleep 0.02; done`;
    give(() => ({ exec: { command: 'sh', args: ['-c', script] } }), 'new');
    known = 'new';
    const api = new ClusterApi(loadCredentials({ kubeconfig: kubeconfig() }));
    const calls = Promise.all(['/one', '/two', '/three'].map((path) => api.json({ path })));
    writeFileSync(answer, told('new'));
    await expect(calls).resolves.toEqual([{}, {}, {}]);
    expect(readFileSync(log, 'utf8')).toBe('asked\n');
  });

  it('are asked for again as long as they can not be read', async () => {
    give((token) => ({ token }), 'old');
    known = 'new';
    const api = new ClusterApi(loadCredentials({ kubeconfig: kubeconfig() }));
    await expect(api.json({ path: '/' })).rejects.toMatchObject({ status: 401 });
    writeFileSync(kubeconfig(), '{ "users": [');
    const later = Date.now() + 6000;
    jest.spyOn(Date, 'now').mockImplementation(() => later);
    await expect(api.json({ path: '/' })).rejects.toThrow(/kubeconfig .* can't be read/);
    give((token) => ({ token }), 'new');
    await expect(api.json({ path: '/' })).resolves.toEqual({});
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

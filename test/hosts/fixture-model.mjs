/**
 * A model server for host tests: healthy unless told otherwise, with faults on request.
 * FIXTURE_BEHAVIOUR: serves, never-ready, crashes, ignores-sigterm. Plain JavaScript: instances start what they are given.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:http';

const behaviour = process.env.FIXTURE_BEHAVIOUR ?? 'serves';
const kept = [];
const idle = ['-e', 'setInterval(() => undefined, 1000)'];

if (behaviour === 'crashes') {
  console.error('the weights could not be read');
  process.exit(3);
}
if (behaviour === 'ignores-sigterm') process.on('SIGTERM', () => console.log('not yet'));

const faults = {
  '/fault/exit': (query) => process.exit(Number(query.get('code'))),
  '/fault/abort': () => process.kill(process.pid, 'SIGSEGV'),
  '/fault/allocate': (query) => {
    for (let mib = 0; mib < Number(query.get('mib')); mib += 8) kept.push(Buffer.alloc(8 * 1024 * 1024, 1));
  },
  '/fault/print': (query) => {
    const line = query.get('text');
    for (let count = 0; count < Number(query.get('times') ?? 1); count += 1) console.log(line);
  },
  '/fault/burn': (query) => {
    const start = process.cpuUsage();
    const usedMs = ({ user, system }) => (user + system) / 1000;
    while (usedMs(process.cpuUsage(start)) < Number(query.get('ms')));
  },
  // One child in the server's own group, one that left its session and whose parent is gone.
  '/fault/spawn': () => {
    const child = spawn(process.execPath, idle, { stdio: 'ignore' });
    const script = `setsid ${process.execPath} -e 'setInterval(() => undefined, 1000)' </dev/null >/dev/null 2>&1 & echo $!`;
    const parent = spawn('/bin/sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
    return new Promise((resolve) =>
      parent.stdout.once('data', (stray) => resolve({ child: child.pid, stray: Number(stray) })),
    );
  },
  '/about': () => ({ environment: process.env, folder: process.cwd(), pid: process.pid }),
};

const server = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://fixture');
  if (url.pathname === '/healthz') {
    response.writeHead(behaviour === 'never-ready' ? 503 : 200).end();
    return;
  }
  const result = await faults[url.pathname]?.(url.searchParams);
  response.end(JSON.stringify(result ?? null));
});
server.listen(Number(process.env.PORT), process.env.HOST, () => console.log('fixture model serves'));

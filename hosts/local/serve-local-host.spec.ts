import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalHostParts, serveLocalHost } from './serve-local-host.js';

describe('the socket of the local host', () => {
  it('is closed to whoever reads what breaks off, and open to all others', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'hub-socket-'));
    const socketPath = join(folder, 'socket');
    const warnings: string[] = [];
    const board = {
      watchEvents: () => {
        throw new Error('too many open files');
      },
    };
    const server = await serveLocalHost(socketPath, {
      board,
      largestNodeMemoryBytes: 7,
      warn: (text: string) => warnings.push(text),
    } as unknown as LocalHostParts);
    const open = async (path: string) => {
      const [response] = (await once(get({ socketPath, path, agent: false }), 'response')) as [
        IncomingMessage,
      ];
      return response.setEncoding('utf8');
    };
    try {
      await expect(open('/watch-events')).rejects.toThrow('socket hang up');
      expect(warnings).toEqual([expect.stringContaining('too many open files')]);
      const [told] = await once(await open('/largest-node-memory'), 'data');
      expect(told).toBe('7');
    } finally {
      server.closeAllConnections();
      server.close();
      rmSync(folder, { recursive: true });
    }
  });
});

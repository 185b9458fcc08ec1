import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseKibibytes, parseProcStat, parseResidentBytes, readProcStat } from './proc-files.js';

/** `/proc/<pid>/stat` with the fields of proc_pid_stat(5) that are read here; the others are 0. */
function statLine(command: string, fields: Record<number, number>, state = 'S'): string {
  const rest = Array.from({ length: 49 }, (_, index) => String(fields[index + 4] ?? 0));
  return `4711 (${command}) ${state} ${rest.join(' ')}\n`;
}

describe('parseProcStat', () => {
  it('reads the right fields whatever the command is called', () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 15 }),
        fc.array(fc.nat(), { minLength: 8, maxLength: 8 }),
        (name, n) => {
          const [
            parent = 0,
            group = 0,
            session = 0,
            user = 0,
            system = 0,
            cuser = 0,
            csystem = 0,
            start = 0,
          ] = n;
          const fields = {
            4: parent,
            5: group,
            6: session,
            14: user,
            15: system,
            16: cuser,
            17: csystem,
            22: start,
          };
          expect(parseProcStat(statLine(name, fields))).toEqual({
            state: 'S',
            parentPid: parent,
            processGroup: group,
            session,
            cpuTicks: user + system + cuser + csystem,
            startTicks: start,
          });
        },
      ),
    );
  });

  it('agrees with the kernel about this very process', () => {
    expect(readProcStat(process.pid)?.parentPid).toBe(process.ppid);
    expect(readProcStat(2 ** 22 + 1)).toBeNull();
  });
});

describe('memory figures', () => {
  it('are pages of 4 KiB in statm', () => {
    expect(parseResidentBytes('613898 272965 8745 10939 0 405781 0\n')).toBe(272965 * 4096);
  });

  it('are found by their whole name in status, and null when absent', () => {
    const status = 'Name:\tnode\nVmHWM:\t 1091860 kB\nPss:   10 kB\nPss_Anon:   9 kB\n';
    expect(parseKibibytes(status, 'VmHWM')).toBe(1091860 * 1024);
    expect(parseKibibytes(status, 'Pss')).toBe(10 * 1024);
    expect(parseKibibytes(status, 'VmRSS')).toBeNull();
  });
});

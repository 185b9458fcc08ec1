import { closeSync, existsSync, fstatSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { LONGEST_LOG_LINE } from '../../domain/instance/log-lines.js';
import type { FollowOptions, LogOptions } from '../model-host.js';

/** Lines are written in portions, so that one large output does not overrun a file's share of the cap. */
const LINES_PER_WRITE = 64;
/** Length of `2026-01-31T12:00:00.000Z`; such texts sort as their times do. */
const STAMP_LENGTH = 24;
const AFTER_ALL_TIMES = '~';
const CURRENT = 'log';
const OLDER = 'log.1';

/** Receives lines without their line end; `null` when no more will come. */
export type LogFollower = (line: string | null) => void;

/**
 * The log of one instance: every line of its output with the time it came. Kept in two files of half the cap
 * each; when the newer is full the older goes. Writing is synchronous, which also slows down a model that
 * writes faster than the disk takes.
 */
export class InstanceLog {
  readonly #folder: string;
  readonly #halfCapBytes: number;
  readonly #warn: (text: string) => void;
  readonly #followers = new Set<LogFollower>();
  #file: number;
  #size: number;
  #ended = false;

  constructor(folder: string, capBytes: number, warn: (text: string) => void) {
    this.#folder = folder;
    this.#halfCapBytes = Math.floor(capBytes / 2);
    this.#warn = warn;
    this.#file = openSync(join(folder, CURRENT), 'a');
    this.#size = fstatSync(this.#file).size;
  }

  /** Takes in one output stream of the instance; several may be taken in at once, line by line. */
  take(stream: NodeJS.ReadableStream): void {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const lines = (rest + decoder.write(chunk)).split('\n');
      rest = lines.pop() ?? '';
      for (; rest.length > LONGEST_LOG_LINE; rest = rest.slice(LONGEST_LOG_LINE)) {
        lines.push(rest.slice(0, LONGEST_LOG_LINE));
      }
      this.#write(lines);
    });
    stream.on('end', () => {
      const last = rest + decoder.end();
      if (last !== '') this.#write([last]);
    });
    stream.on('error', (error) => this.#warn(`output of an instance could not be read: ${error.message}`));
  }

  /** Gives the chosen lines so far, then each new one. Returns how to stop. */
  follow(follower: LogFollower, options: FollowOptions = {}): () => void {
    for (const line of readWindow(this.#folder, options)) follower(line);
    if (this.#ended) follower(null);
    else this.#followers.add(follower);
    return () => this.#followers.delete(follower);
  }

  /** No more lines will come. */
  end(): void {
    if (this.#ended) return;
    this.#ended = true;
    closeSync(this.#file);
    for (const follower of this.#followers) follower(null);
    this.#followers.clear();
  }

  #write(lines: readonly string[]): void {
    if (this.#ended || lines.length === 0) return;
    const now = new Date().toISOString();
    const stamped = lines.map((line) => `${now} ${line.replace(/\r$/, '')}`);
    try {
      for (let first = 0; first < stamped.length; first += LINES_PER_WRITE) {
        this.#append(Buffer.from(`${stamped.slice(first, first + LINES_PER_WRITE).join('\n')}\n`));
      }
    } catch (error) {
      // A full disk must not take the host and with it every instance: the lines are lost, and that is said.
      this.#warn(`log lines of an instance in ${this.#folder} were lost: ${String(error)}`);
    }
    for (const follower of this.#followers) stamped.forEach((line) => follower(line));
  }

  #append(bytes: Buffer): void {
    if (this.#size > 0 && this.#size + bytes.length > this.#halfCapBytes) {
      closeSync(this.#file);
      renameSync(join(this.#folder, CURRENT), join(this.#folder, OLDER));
      this.#file = openSync(join(this.#folder, CURRENT), 'a');
      this.#size = 0;
    }
    this.#size += writeSync(this.#file, bytes);
  }
}

/** The lines of an instance's log inside a window; null when nothing was ever logged there. */
export function readInstanceLog(folder: string, options: LogOptions = {}): string | null {
  if (!existsSync(join(folder, CURRENT))) return null;
  return readWindow(folder, options)
    .map((line) => `${line}\n`)
    .join('');
}

function readWindow(folder: string, options: LogOptions): readonly string[] {
  const since = options.since === undefined ? '' : new Date(options.since).toISOString();
  const until = options.until === undefined ? AFTER_ALL_TIMES : new Date(options.until).toISOString();
  const inside = readLines(folder).filter((line) => {
    const at = line.slice(0, STAMP_LENGTH);
    return at >= since && at <= until;
  });
  return chooseLines(inside, options);
}

function chooseLines(lines: readonly string[], { tailLines, headLines }: LogOptions): readonly string[] {
  if (tailLines !== undefined) return lines.slice(Math.max(0, lines.length - tailLines));
  return lines.slice(0, headLines);
}

function readLines(folder: string): string[] {
  const text = [OLDER, CURRENT]
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'utf8'))
    .join('');
  return text.split('\n').slice(0, -1);
}

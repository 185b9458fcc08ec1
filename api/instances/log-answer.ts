import { StreamableFile } from '@nestjs/common';
import type { z } from 'zod';
import type { InstanceLogLines } from '../../domain/instance/instance.wire.js';
import { fileName } from '../work-requests/result-media.js';
import type { LogFilter } from './instances.dto.js';

export const PLAIN_TEXT = 'text/plain; charset=utf-8';

/** Whose log it is: an instance's, or that of the work for a request. */
export type LogSubject = Pick<LogFilter, 'instance_id' | 'model_id' | 'work_request_id'>;

/** The lines as a file with a name where a download is asked for, as text where that is accepted, else as JSON. */
export function answerLog(
  lines: readonly string[],
  wanted: { readonly accept: string | undefined; readonly download: boolean; readonly of: LogSubject },
): z.infer<typeof InstanceLogLines> | StreamableFile {
  const isText = wanted.download || /\btext\/plain\b/i.test(wanted.accept ?? '');
  if (!isText) return { logs: [...lines] };
  const text = lines.map((line) => `${line}\n`).join('');
  return new StreamableFile(Buffer.from(text), {
    type: PLAIN_TEXT,
    ...(wanted.download && { disposition: saveAs(wanted.of) }),
  });
}

/** The header that makes a browser save a log under a name. */
export function saveAs({ instance_id, model_id, work_request_id }: LogSubject): string {
  const [name, id] = instance_id === undefined ? [model_id, work_request_id] : ['instance', instance_id];
  return `attachment; filename="${fileName(name ?? 'model', id ?? '', 'log.txt')}"`;
}

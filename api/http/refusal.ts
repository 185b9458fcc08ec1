import { HttpException } from '@nestjs/common';

/** One fault of a request, in the shape clients of the original know. */
export interface InputFault {
  readonly type: string;
  /** Where: `body`, `query` or `path`, then the field. */
  readonly loc: readonly (string | number)[];
  readonly msg: string;
  readonly input?: string | number | boolean | null;
}

/** An answer that is no success: `{"detail": …}` with a status, and headers if it needs any. */
export class Refusal extends HttpException {
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string | readonly InputFault[],
    headers: Readonly<Record<string, string>> = {},
  ) {
    super({ detail }, status);
    this.headers = headers;
  }
}

/** 422 that names one field. */
export function wrongField(loc: InputFault['loc'], msg: string, type = 'value_error'): Refusal {
  return new Refusal(422, [{ type, loc, msg }]);
}

/** 413 that states the limit. */
export function tooLarge(what: string, limitBytes: number): Refusal {
  const limit = `${limitBytes / 1024 / 1024} MB`;
  return new Refusal(413, `${what} is larger than ${limit}; send fewer rows, or several requests`);
}

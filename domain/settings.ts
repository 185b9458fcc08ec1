import { z } from 'zod';

/** Environment as a process sees it: every value is text or missing. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads one process's settings. An empty or blank variable counts as missing.
 * @throws Error that names every wrong variable, so that a process stops at start and not at first use.
 */
export function parseSettings<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  environment: Environment,
): z.infer<z.ZodObject<Shape>> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).map((name) => [
      name,
      environment[name]?.trim() ? environment[name] : undefined,
    ]),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`wrong settings: ${faults.join('; ')}`);
}

/** A whole number from the environment, with its bounds. */
export const integerSetting = (minimum: number, maximum: number) =>
  z.coerce.number().int().min(minimum).max(maximum);

/** A switch from the environment: true/false, 1/0, yes/no, on/off. */
export const switchSetting = z.stringbool();

/** How loud a process is, from the loudest on. The processes of one hub share an environment, so all take these. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevelName = (typeof logLevels)[number];

/** The least severe message that is written. */
export const logLevelSetting = z.enum(logLevels);

import { z } from 'zod';
import { IdentificationDetails } from './model.wire.js';

/** Longer texts are no description of a model. */
const LONGEST_TEXT = 20_000;
const MOST_NAMES = 200;

const text = z
  .string()
  .max(LONGEST_TEXT)
  .transform((given) => given.trim().toWellFormed().replaceAll('\0', ''))
  .nullish()
  .catch(null);

/** The catalogue has lists, the model hub texts with commas between the names. */
const names = z
  .union([z.array(z.unknown()), z.string().transform((given) => given.split(','))])
  .transform((given) =>
    given
      .map((name) => text.parse(name))
      .filter((name) => name)
      .slice(0, MOST_NAMES),
  )
  .nullish()
  .catch(null);

/** A record as catalogues publish it. Whatever is missing or of another shape is null. */
const publishedRecord = z.object({
  Description: text,
  Title: text,
  Interpretation: text,
  Slug: text,
  GitHub: text,
  Publication: text,
  'Target Organism': names,
  'Biomedical Area': names,
});

/** What a published record says of a model; null when it is no record at all. */
export function readIdentification(record: unknown): z.infer<typeof IdentificationDetails> | null {
  const parsed = publishedRecord.safeParse(record);
  if (!parsed.success) return null;
  const { data } = parsed;
  return IdentificationDetails.parse({
    description: data.Description ?? null,
    title: data.Title ?? null,
    interpretation: data.Interpretation ?? null,
    slug: data.Slug ?? null,
    source_code: data.GitHub ?? null,
    publication: data.Publication ?? null,
    target_organisms: data['Target Organism'] ?? null,
    biomedical_areas: data['Biomedical Area'] ?? null,
  });
}

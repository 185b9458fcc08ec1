import { createHash, randomBytes } from 'node:crypto';

/** An opaque secret of 256 random bits, as text. */
export function createSessionToken(): string {
  return randomBytes(32).toString('base64url');
}

/** What is stored of a token: its SHA-256. A token has too many bits to be guessed from it. */
export function hashSessionToken(token: string): Buffer {
  return createHash('sha256').update(token, 'utf8').digest();
}

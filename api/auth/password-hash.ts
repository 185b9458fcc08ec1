import { hash, verify } from '@node-rs/argon2';

/** OWASP's Argon2id figures: 19 MiB, 2 passes, 1 lane. Memory is in KiB here. */
const argon2id = 2;
const cost = { algorithm: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 };

/** Argon2id hash of a password as a PHC string; its parameters travel with it. */
export function hashPassword(password: string): Promise<string> {
  return hash(password, cost);
}

/** True when the password is the one that was hashed. */
export function isPassword(password: string, phc: string): Promise<boolean> {
  return verify(phc, password);
}

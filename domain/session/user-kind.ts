/** Kinds of user; how long a request is kept and how many rows it may have depend on it. */
export const userKinds = ['registered', 'guest'] as const;
export type UserKind = (typeof userKinds)[number];

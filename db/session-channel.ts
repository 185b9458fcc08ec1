/** Channel that says "sessions or permissions of this user changed"; the payload is the user's id. */
export const SESSION_CHANNEL = 'hub_session';

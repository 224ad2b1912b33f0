/**
 * Whether this is `npm run test:long`: the tests that take many seconds, whole stories and files cut short at every write. `npm test`
 * leaves them out; every change that is put before others runs both.
 */
export const long = process.env['BORDEREAU_LONG'] === '1';

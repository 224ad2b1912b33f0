/** A plain JSON value: what events, state inputs and stored documents are made of. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
